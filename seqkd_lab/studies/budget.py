"""The budget: how far ahead of the baseline is Seq-KD after so many updates, and when has the
baseline caught up?

In this language a student of the table's size learns nearly everything, given enough updates:
distillation is a short cut. Three students of Table 1 are trained at a quarter, half, once and
twice the table's epochs, each time with a whole schedule of its own; those of the table's own
budget are the table's own models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas

from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.identity import settings
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD, Preset, Recipe, ToyData, table_recipes
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows, mean_and_interval

METHODS = (BASELINE, WORD_KD, SEQ_KD)
FACTORS = (0.25, 0.5, 1.0, 2.0)
"""Budgets as multiples of the table's epochs, in increasing order; TABLE is the table's own."""
TABLE = 1.0
WORD_KD_FACTORS = tuple(factor for factor in FACTORS if factor <= TABLE)
"""An update of Word-KD costs about twice as much, and what is asked of the larger budgets is
whether the baseline catches up with Seq-KD: Word-KD is trained up to the table's budget."""
GREEDY_BLEU, BEAM_BLEU, GREEDY_VALID, BEAM_VALID = (
    "greedy_bleu",
    "beam_bleu",
    "greedy_validity",
    "beam_validity",
)
P_MODE, SAME, PERPLEXITY = "p_mode", "same_translation", "perplexity"
SCALES = {
    GREEDY_BLEU: 1.0,
    BEAM_BLEU: 1.0,
    GREEDY_VALID: 100.0,
    BEAM_VALID: 100.0,
    P_MODE: 100.0,
    SAME: 100.0,
    PERPLEXITY: 1.0,
}
"""What is measured, and by what it is multiplied for people: shares become percent."""
HEADINGS = {
    GREEDY_BLEU: "BLEU K=1",
    BEAM_BLEU: "BLEU K=5",
    GREEDY_VALID: "valid K=1, %",
    BEAM_VALID: "valid K=5, %",
    P_MODE: "p(ŷ) in %",
    SAME: "K=1 same as K=5, %",
    PERPLEXITY: "PPL of gold",
}


@dataclass(frozen=True)
class BudgetStudents:
    """The students that are compared: three rows of the table of `data` and `preset`, at every
    budget."""

    data: ToyData = ToyData()
    preset: Preset = TOY

    def epochs(self, factor: float) -> int:
        """Return `factor` times the table's epochs of a student, rounded, at least 1."""
        return max(1, round(factor * self.preset.student_training.epochs))

    def recipes(self, seed: int) -> dict[tuple[str, float], Recipe]:
        """Return the recipe of each method and factor; at TABLE it is the table's row itself."""
        rows = table_recipes(self.data, self.preset, seed)
        return {
            (method, factor): self._longer(rows[method], factor)
            for method in METHODS
            for factor in factors_of(method)
        }

    def _longer(self, row: Recipe, factor: float) -> Recipe:
        epochs = self.epochs(factor)
        if epochs == row.optimisation.epochs:
            return row
        return replace(
            row,
            name=f"{row.name}, epochs {epochs}",
            optimisation=replace(row.optimisation, epochs=epochs),
        )

    def tasks(self, seed: int) -> list[Task]:
        """Return the evaluation of every student of `seed`, with the table's beam."""
        return [
            Evaluate(recipe, self.preset.beam_size, self.preset.length_penalty)
            for recipe in self.recipes(seed).values()
        ]

    def measure(self, seed: int, store: Store, report: Report) -> dict:
        """Return by method and factor: epochs, updates, BLEU (0–100), and shares, p(ŷ) and
        perplexity."""
        recipes, measured = self.recipes(seed), {method: {} for method in METHODS}
        n_pairs = len(store.dataset(self.data).train)
        for n_done, ((method, factor), recipe) in enumerate(recipes.items(), start=1):
            evaluation = store.evaluation(recipe, self.preset.beam_size, self.preset.length_penalty)
            measured[method][factor_key(factor)] = {
                "epochs": recipe.optimisation.epochs,
                "updates": recipe.optimisation.epochs
                * math.ceil(n_pairs / recipe.optimisation.batch_size),
                GREEDY_BLEU: evaluation["greedy"]["bleu"],
                BEAM_BLEU: evaluation["beam"]["bleu"],
                GREEDY_VALID: evaluation["greedy"]["validity"],
                BEAM_VALID: evaluation["beam"]["validity"],
                **{measure: evaluation[measure] for measure in (P_MODE, SAME, PERPLEXITY)},
            }
            report(n_done, len(recipes))
        return measured

    def settings(self) -> Mapping:
        """Return everything that decides the numbers of the study, as plain JSON."""
        parts = (
            "teacher",
            "student",
            "teacher_training",
            "student_training",
            "alpha",
            "beam_size",
            "length_penalty",
        )
        return {
            "corpus version": toy.VERSION,
            "data": settings(self.data),
            "factors": {method: list(factors_of(method)) for method in METHODS},
            **{part: settings(getattr(self.preset, part)) for part in parts},
        }


def factors_of(method: str) -> tuple[float, ...]:
    """Return the budgets at which a method is trained."""
    return WORD_KD_FACTORS if method == WORD_KD else FACTORS


def factor_key(factor: float) -> str:
    """Return the name of a budget in the results, as in "0.25"."""
    return f"{factor:g}"


def updates_at(rows: Rows, factor: float) -> int:
    """Return the updates of a budget: they are the same for every method."""
    return rows[BASELINE][factor_key(factor)]["updates"]


def level(rows: Rows, method: str, factor: float, measure: str) -> float:
    """Return what a student reaches, in BLEU, percent or, of gold, perplexity."""
    return SCALES[measure] * rows[method][factor_key(factor)][measure]


def gain(rows: Rows, factor: float, measure: str, method: str = SEQ_KD) -> float:
    """Return by how much `method` is above the baseline at the same budget, in BLEU or points of
    percent."""
    return level(rows, method, factor, measure) - level(rows, BASELINE, factor, measure)


def beam_gain(rows: Rows, method: str, factor: float) -> float:
    """Return what the beam adds, in BLEU."""
    return level(rows, method, factor, BEAM_BLEU) - level(rows, method, factor, GREEDY_BLEU)


EXACT, AT_MOST, MORE_THAN = "", "≤ ", "> "


@dataclass(frozen=True)
class Bounded:
    """A number that is known, or only a bound of it: AT_MOST or MORE_THAN `value`."""

    value: float
    bound: str = EXACT

    def __str__(self) -> str:
        return f"{self.bound}{self.value:.2f}"


def updates_to_reach(updates: Sequence[int], levels: Sequence[float], target: float) -> Bounded:
    """Return the fewest updates at which `levels` reach `target`, piecewise linear in the logarithm
    of the updates.

    `updates` increase. A level that the smallest budget has already needs at most that; one that no
    budget reaches needs more than the largest. Raises ValueError for no budget, or for other
    numbers of levels than of budgets.
    """
    if not updates or len(updates) != len(levels):
        raise ValueError(
            f"need a level for each of one or more budgets; got {len(updates)} and {len(levels)}"
        )
    first = next((i for i, reached in enumerate(levels) if reached >= target), None)
    if first is None:
        return Bounded(updates[-1], MORE_THAN)
    if first == 0:
        return Bounded(updates[0], EXACT if levels[0] == target else AT_MOST)
    share = (target - levels[first - 1]) / (levels[first] - levels[first - 1])
    return Bounded(updates[first - 1] * (updates[first] / updates[first - 1]) ** share)


def updates_ratio(rows: Rows, measure: str) -> Bounded:
    """Return how many times Seq-KD's updates of the table's budget the baseline needs for the same
    level."""
    updates = [updates_at(rows, factor) for factor in FACTORS]
    levels = [level(rows, BASELINE, factor, measure) for factor in FACTORS]
    needed = updates_to_reach(updates, levels, level(rows, SEQ_KD, TABLE, measure))
    return Bounded(needed.value / updates_at(rows, TABLE), needed.bound)


def _between(rows: Rows) -> float:
    """The smaller of two steps in greedy BLEU: baseline to Word-KD, and Word-KD to Seq-KD."""
    above_baseline = gain(rows, TABLE, GREEDY_BLEU, WORD_KD)
    return min(above_baseline, gain(rows, TABLE, GREEDY_BLEU) - above_baseline)


AIM = "an aim of this lab: the paper has one budget only"
CLAIMS = (
    Claim(
        name="B1",
        ours="at the smallest budget Seq-KD gains greedy BLEU over the baseline",
        value=lambda rows: gain(rows, FACTORS[0], GREEDY_BLEU),
        least=0.0,
        original=AIM,
    ),
    Claim(
        name="B2",
        ours="at the table's budget Seq-KD has more valid greedy translations than the baseline "
        "(points)",
        value=lambda rows: gain(rows, TABLE, GREEDY_VALID),
        least=0.0,
        original=AIM,
    ),
    Claim(
        name="B3",
        ours="Seq-KD's gain in greedy BLEU is smaller at the largest budget than at the table's",
        value=lambda rows: gain(rows, TABLE, GREEDY_BLEU) - gain(rows, FACTORS[-1], GREEDY_BLEU),
        least=0.0,
        original=AIM,
    ),
    Claim(
        name="B4",
        ours="at the largest budget the baseline has caught up: Seq-KD's gain ≤ 1.0 greedy BLEU",
        value=lambda rows: gain(rows, FACTORS[-1], GREEDY_BLEU),
        most=1.0,
        original=AIM,
    ),
    Claim(
        name="B5",
        ours="and in valid greedy translations: Seq-KD's gain ≤ 5 points",
        value=lambda rows: gain(rows, FACTORS[-1], GREEDY_VALID),
        most=5.0,
        original=AIM,
    ),
    Claim(
        name="B6",
        ours="the baseline needs at least twice the updates of Seq-KD at the table's budget for "
        "the same "
        f"greedy BLEU ({FACTORS[-1] / TABLE:g}, a lower bound, where no budget reaches it)",
        value=lambda rows: updates_ratio(rows, GREEDY_BLEU).value,
        least=2.0,
        original=AIM,
    ),
    Claim(
        name="B7",
        ours="Word-KD lies between baseline and Seq-KD in greedy BLEU at the table's budget (the "
        "smaller "
        "of the two steps ≥ 0)",
        value=_between,
        least=0.0,
        original="Kim & Rush 2016, Table 1: baseline 14.7, Word-KD 15.4, Seq-KD 18.9",
    ),
)


def budget_tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return gains, levels and the beam's gain by budget (mean ± half of the 95% interval), and the
    updates saved."""
    return {
        "Seq-KD − baseline, by updates": gain_frame(by_seed),
        "what each student reaches, by updates": level_frame(by_seed),
        "BLEU that the beam adds (K=5 − K=1), by updates": beam_frame(by_seed),
        "updates that the baseline needs for what Seq-KD reaches at the table's budget, as a "
        "multiple of them (a line a seed; > : no budget reaches it, the largest is a lower bound; "
        "≤ : the smallest has it)": ratio_frame(by_seed),
    }


def _budget(by_seed: Sequence[Rows], factor: float) -> str:
    return f"{updates_at(by_seed[0], factor):,}" + " (Table 1)" * (factor == TABLE)


def gain_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return Seq-KD's gain over the baseline in BLEU and points of valid translations, a line a
    budget."""
    measures = (GREEDY_BLEU, BEAM_BLEU, GREEDY_VALID, BEAM_VALID)
    return pandas.DataFrame.from_dict(
        {
            _budget(by_seed, factor): {
                HEADINGS[measure]: with_interval([gain(rows, factor, measure) for rows in by_seed])
                for measure in measures
            }
            for factor in FACTORS
        },
        orient="index",
    )


def level_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return all that was measured, a line a method and budget."""
    return pandas.DataFrame.from_dict(
        {
            f"{method}, {_budget(by_seed, factor)}": {
                heading: with_interval(
                    [level(rows, method, factor, measure) for rows in by_seed],
                    digits=2 if measure == PERPLEXITY else 1,
                )
                for measure, heading in HEADINGS.items()
            }
            for method in METHODS
            for factor in factors_of(method)
        },
        orient="index",
    )


def beam_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return what the beam adds in BLEU, a line a method, a column a budget."""
    return pandas.DataFrame.from_dict(
        {
            method: {
                _budget(by_seed, factor): with_interval(
                    [beam_gain(rows, method, factor) for rows in by_seed]
                )
                for factor in factors_of(method)
            }
            for method in METHODS
        },
        orient="index",
    ).fillna("")


def ratio_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the updates that the baseline needs as a multiple of Seq-KD's, for greedy BLEU and
    validity."""
    lines = [
        {
            HEADINGS[measure]: str(updates_ratio(rows, measure))
            for measure in (GREEDY_BLEU, GREEDY_VALID)
        }
        for rows in by_seed
    ]
    return pandas.DataFrame(lines, index=range(1, len(lines) + 1))


HELPS, UNCLEAR, BEHIND = "helps", "cannot be told from the baseline", "is behind the baseline"


def standing(values: Sequence[float]) -> str:
    """Say by the 95% interval of some gains whether they are above 0 (HELPS), below 0 (BEHIND), or
    UNCLEAR."""
    _, (low, high) = mean_and_interval(values)
    return HELPS if low > 0.0 else BEHIND if high < 0.0 else UNCLEAR


def when_it_helps(by_seed: Sequence[Rows]) -> str:
    """Say in two lines, for greedy BLEU and for validity, at which budgets Seq-KD helps and from
    which on it does not."""
    if len(by_seed) < 2:
        return "One seed has no interval: it cannot say at which budgets Seq-KD helps."
    return "\n".join(
        [
            _when(by_seed, GREEDY_BLEU, "Greedy BLEU"),
            _when(by_seed, GREEDY_VALID, "Valid greedy translations (points)"),
        ]
    )


def _when(by_seed: Sequence[Rows], measure: str, title: str) -> str:
    states, phrases = [], []
    for factor in FACTORS:
        gains = [gain(rows, factor, measure) for rows in by_seed]
        mean, (low, high) = mean_and_interval(gains)
        states.append(standing(gains))
        phrases.append(
            f"{states[-1]} at {updates_at(by_seed[0], factor):,} updates ({mean:+.1f} [{low:.1f}, "
            f"{high:.1f}])"
        )
    return f"{title}: Seq-KD {', '.join(phrases)}. {_from_which_on(by_seed[0], states)}"


def _from_which_on(rows: Rows, states: Sequence[str]) -> str:
    """The sentence on the budgets after the last at which Seq-KD helps."""
    if HELPS not in states:
        return "By the interval it helps at none of these budgets."
    n_helping = len(states) - states[::-1].index(HELPS)  # up to the last that helps
    if n_helping == len(states):
        return "By the interval it helps at the largest budget, too."
    afterwards = " or ".join(state for state in (UNCLEAR, BEHIND) if state in states[n_helping:])
    return f"From {updates_at(rows, FACTORS[n_helping]):,} updates on it {afterwards}."


def study_of(students: BudgetStudents) -> Study:
    """Return the study of these students."""
    return Study(
        "budget",
        "how far ahead of the baseline is Seq-KD after so many updates, and when has it caught up?",
        "budget.json",
        students.settings(),
        students.tasks,
        students.measure,
        budget_tables,
        CLAIMS,
        first_seed=21,
        n_seeds=5,
        in_words=when_it_helps,
    )


STUDY = study_of(BudgetStudents())
