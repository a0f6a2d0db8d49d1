"""What the budget study reads off its measurements: levels, gains, updates saved, and when Seq-KD
helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.budget.students import (
    BEAM_BLEU,
    FACTORS,
    GREEDY_BLEU,
    GREEDY_VALID,
    SCALES,
    TABLE,
    factor_key,
)


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


EXACT = ""
AT_MOST = "≤ "
MORE_THAN = "> "


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


HELPS = "helps"
UNCLEAR = "cannot be told from the baseline"
BEHIND = "is behind the baseline"


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
    """Return the sentence on the budgets after the last at which Seq-KD helps."""
    if HELPS not in states:
        return "By the interval it helps at none of these budgets."
    n_helping = len(states) - states[::-1].index(HELPS)  # up to the last that helps
    if n_helping == len(states):
        return "By the interval it helps at the largest budget, too."
    afterwards = " or ".join(state for state in (UNCLEAR, BEHIND) if state in states[n_helping:])
    return f"From {updates_at(rows, FACTORS[n_helping]):,} updates on it {afterwards}."
