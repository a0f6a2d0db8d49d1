"""The budget: how far ahead of the baseline is Seq-KD after so many updates, and when has the
baseline caught up?

In this language a student of the table's size learns nearly everything, given enough updates:
distillation is a short cut. Three students of Table 1 are trained at a quarter, half, once and
twice the table's epochs, each time with a whole schedule of its own; those of the table's own
budget are the table's own models.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas

from seqkd_lab.runs.recipes import WORD_KD
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.budget.gains import (
    beam_gain,
    gain,
    level,
    updates_at,
    updates_ratio,
    when_it_helps,
)
from seqkd_lab.studies.budget.students import (
    BEAM_BLEU,
    BEAM_VALID,
    FACTORS,
    GREEDY_BLEU,
    GREEDY_VALID,
    HEADINGS,
    METHODS,
    PERPLEXITY,
    TABLE,
    BudgetStudents,
    factors_of,
    rows_type,
)


def _between(rows: Rows) -> float:
    """Return the smaller of two steps in greedy BLEU: baseline to Word-KD, and Word-KD to
    Seq-KD."""
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


def study_of(students: BudgetStudents) -> Study:
    """Return the study of these students."""
    return Study(
        "budget",
        "How far ahead of the baseline is Seq-KD after so many updates, and when has it caught up?",
        "budget.json",
        students.settings(),
        students.tasks,
        students.measure,
        budget_tables,
        CLAIMS,
        first_seed=21,
        n_seeds=5,
        in_words=when_it_helps,
        rows=rows_type(),
    )


STUDY = study_of(BudgetStudents())
