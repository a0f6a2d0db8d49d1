"""Which pairs of a ranking the seeds decide, by the lab's one rule: the whole interval on one side
of 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from seqkd_lab.lab.shared.predictions.questions import CANNOT_TELL
from seqkd_lab.runs.verdicts import mean_and_interval


def decided(values_by_seed: Mapping[str, Sequence[float]]) -> list[tuple[str, str]]:
    """Return the pairs (larger, smaller) whose 95% interval of the paired difference over the
    seeds lies above 0.

    Each item has one value a seed, the seeds in the same order. Raise ValueError where their
    numbers differ.
    """
    return [
        (larger, smaller)
        for larger, smaller in permutations(values_by_seed, 2)
        if mean_and_interval(
            [a - b for a, b in zip(values_by_seed[larger], values_by_seed[smaller], strict=True)]
        )[1][0]
        > 0.0
    ]


def largest(values_by_seed: Mapping[str, Sequence[float]]) -> str:
    """Return the item that is above every other one by the same rule; CANNOT_TELL where there is
    none."""
    pairs = set(decided(values_by_seed))
    for name in values_by_seed:
        if all((name, other) in pairs for other in values_by_seed if other != name):
            return name
    return CANNOT_TELL
