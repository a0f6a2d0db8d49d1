"""What lesson 13 reads from the study's results: paired differences, the quadrant that holds most
tokens of a kind, and what selectors keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from seqkd_lab.corpus.toy.planted import FAR, HABIT, MIDDLE
from seqkd_lab.distillation.tip import ALL
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.predictions.decided import decided
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.token_importance.claims import (
    BOTTOM_HALF,
    ENTROPY_HALF,
    Q3_TENTH,
    RANDOM_HALF,
    RANDOM_TENTH,
    SOFT_OR_HALF,
    left_points,
    points,
    recall,
    valid_points,
)
from seqkd_lab.studies.token_importance.measures import QUADRANTS
from seqkd_lab.studies.token_importance.recipes import START

MORE, FEWER = "more", "fewer"
SIDES = (MORE, FEWER, CANNOT_TELL)
"""Answers to whether one arm has more or fewer than another."""
QUADRANT_ANSWERS = (*(f"Q{q}" for q in QUADRANTS), CANNOT_TELL)
COMPARED = (
    (ALL, START),
    (SOFT_OR_HALF, ALL),
    (SOFT_OR_HALF, RANDOM_HALF),
    (ENTROPY_HALF, RANDOM_HALF),
    (BOTTOM_HALF, RANDOM_HALF),
    (Q3_TENTH, ALL),
    (Q3_TENTH, RANDOM_TENTH),
)
"""The pairs of arms whose differences are drawn."""
Differences = dict[str, list[float]]


def side(values: Sequence[float]) -> str:
    """Return MORE or FEWER where the 95% interval of the mean lies on one side of 0, else
    CANNOT_TELL."""
    _, (low, high) = mean_and_interval(values)
    return MORE if low > 0.0 else FEWER if high < 0.0 else CANNOT_TELL


def differences(
    by_seed: Sequence[Rows], of: Callable[[str, str], Callable[[Rows], float]]
) -> Differences:
    """Return "arm − arm" of COMPARED with one value a seed; `of` makes a difference of two
    names."""
    return {
        f"{one} − {other}": [of(one, other)(rows) for rows in by_seed] for one, other in COMPARED
    }


def valid_differences(by_seed: Sequence[Rows]) -> Differences:
    """Return differences in valid greedy translations, in points of percent."""
    return differences(by_seed, valid_points)


def bleu_differences(by_seed: Sequence[Rows]) -> Differences:
    """Return differences in BLEU on the test set."""
    return differences(by_seed, lambda one, other: points("bleu", one, other, 1.0))


def left_differences(by_seed: Sequence[Rows]) -> Differences:
    """Return what Q3's tenth leaves of each kind of planted word minus what chance leaves, of the
    middle mistakes minus what all tokens leave, and of the far mistakes what sampling by entropy
    leaves minus what chance leaves, in points."""
    pairs = [(kind, Q3_TENTH, RANDOM_TENTH) for kind in (FAR, MIDDLE, HABIT)]
    pairs += [(MIDDLE, Q3_TENTH, ALL), (FAR, ENTROPY_HALF, RANDOM_HALF)]
    return {
        f"{kind}s: {one} − {other}": [left_points(kind, one, other)(rows) for rows in by_seed]
        for kind, one, other in pairs
    }


def mean_of(by_seed: Sequence[Rows], name: str, measure: str) -> tuple[float, tuple[float, float]]:
    """Return the mean over the seeds of an arm's share in percent, and its 95% interval."""
    return mean_and_interval([100.0 * rows["arms"][name][measure] for rows in by_seed])


def found(by_seed: Sequence[Rows], selector: str, share: float, kind: str) -> list[float]:
    """Return for each seed the percentage of the planted words of a kind that a selector keeps at
    the start; a seed whose student wrote none of them is left out."""
    shares = [recall(selector, share, kind)(rows) for rows in by_seed]
    return [100.0 * kept for kept in shares if kept is not None]


def quadrant_shares(by_seed: Sequence[Rows], kind: str) -> dict[str, list[float]]:
    """Return for each quadrant the share of a kind's tokens that lie in it, one value a seed that
    has this kind."""
    counts = [rows["kinds"][kind]["quadrants"] for rows in by_seed if kind in rows["kinds"]]
    return {f"Q{q}": [row[q - 1] / sum(row) for row in counts] for q in QUADRANTS}


def most_in(by_seed: Sequence[Rows], kind: str) -> str:
    """Return the quadrant that holds more of a kind's tokens than each other one by the seeds'
    intervals, CANNOT_TELL where there is none."""
    shares = quadrant_shares(by_seed, kind)
    if len(shares["Q1"]) < 2:
        return CANNOT_TELL
    above = decided(shares)
    winners = [name for name in shares if sum(larger == name for larger, _ in above) == 3]
    return winners[0] if winners else CANNOT_TELL


def random_range(by_seed: Sequence[Mapping], kind: str, selector: str) -> tuple[float, ...]:
    """Return the share of a kind's planted words that chance keeps at ρ = .5 over all seeds, and
    the range that is expected: the share of all tokens that it keeps, ± 4 standard errors."""
    counts = [rows["n_planted"][kind] for rows in by_seed]
    kept = [rows["selection"][selector]["0.5"] for rows in by_seed]
    n = sum(counts)
    share = sum(row["kept"] for row in kept) / len(kept)
    observed = sum(count * (row[kind] or 0.0) for count, row in zip(counts, kept, strict=True)) / n
    room = 4.0 * (share * (1.0 - share) / n) ** 0.5
    return observed, share - room, share + room
