"""Estimates of a mean or a ratio, and how far other sentences of the same kind would change them.

The interval is a bootstrap over sentences: the words of one sentence are not independent of each
other. N positions in S sentences, V words, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from seqkd_lab.runs.recipes import SEQ_KD

N_RESAMPLES = 400

TOO_CLOSE = "cannot be told from these sentences"
"""The option to choose, and the value to score, where the bootstrap interval of a difference
contains 0."""


@dataclass(frozen=True)
class Estimate:
    """A measure of these sentences, and its values (R,) on the resampled ones."""

    value: float
    resampled: Tensor

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval: between the 2.5th and the 97.5th percentile of the resampled values."""
        low, high = torch.quantile(
            self.resampled, torch.tensor([0.025, 0.975], dtype=self.resampled.dtype)
        ).tolist()
        return low, high


def resamples(n_sentences: int, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Tensor:
    """Draw `n_sentences` sentences with replacement, R times, and return how often each one was
    drawn: (1 + R, S) float64. The first row is the sentences as they are."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(n_sentences, (n_resamples, n_sentences), generator=generator)
    counts = torch.zeros(n_resamples, n_sentences, dtype=torch.float64)
    counts.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=torch.float64))
    return torch.cat([torch.ones(1, n_sentences, dtype=torch.float64), counts])


def estimate(measure: Callable[[Tensor], Tensor], values: Tensor, sentence: Tensor) -> Estimate:
    """Estimate `measure` of the sums over positions of `values` (N, C): it maps sums (1 + R, C) to
    values (1 + R,)."""
    n_sentences = int(sentence.max()) + 1
    by_sentence = torch.zeros(n_sentences, values.shape[1], dtype=torch.float64).index_add_(
        0, sentence, values
    )
    measured = measure(resamples(n_sentences) @ by_sentence)
    return Estimate(float(measured[0]), measured[1:])


def mean(values: Tensor, sentence: Tensor) -> Estimate:
    """Estimate the mean over positions of `values` (N,)."""
    columns = torch.stack([values, torch.ones_like(values)], dim=1)
    return estimate(lambda sums: sums[:, 0] / sums[:, 1], columns, sentence)


def decided_pairs(estimates: Mapping[str, Estimate]) -> list[tuple[str, str]]:
    """Return the pairs (larger, smaller) whose difference has a 95% interval above 0, on the same
    resamples."""

    def above(larger: Estimate, smaller: Estimate) -> bool:
        difference = Estimate(larger.value - smaller.value, larger.resampled - smaller.resampled)
        return difference.interval[0] > 0.0

    return [(a, b) for a, b in permutations(estimates, 2) if above(estimates[a], estimates[b])]


def largest(estimates: Mapping[str, Estimate]) -> str:
    """Return the name of the largest estimate; TOO_CLOSE where these sentences do not tell it from
    every other."""
    name = max(estimates, key=lambda name: estimates[name].value)
    beaten = {smaller for larger, smaller in decided_pairs(estimates) if larger == name}
    return name if len(beaten) == len(estimates) - 1 else TOO_CLOSE


def smallest(estimates: Mapping[str, Estimate]) -> str:
    """Return the name of the smallest estimate; TOO_CLOSE where these sentences do not tell it from
    every other."""
    return largest({name: Estimate(-e.value, -e.resampled) for name, e in estimates.items()})


def standard_error(values: Tensor, groups: Tensor) -> float:
    """Return the standard error of the mean of `values` (N,). Words of one sentence are not
    independent, so each of `groups` (N,) counts as one.

    It is the linearised standard error of a ratio: sentences differ in length. NaN for one group.
    """
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        return math.nan
    sums = torch.zeros(n_groups, dtype=torch.float64).index_add_(0, groups, values - values.mean())
    return float((sums.square().sum() * n_groups / (n_groups - 1)).sqrt() / len(values))


def interval(measured: Estimate, digits: int = 2) -> str:
    """Write the value and its 95% interval."""
    low, high = measured.interval
    return f"{measured.value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def joined(parts: Sequence[str]) -> str:
    """Join parts as in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def name_of(model: str) -> str:
    """Write a model's name within a sentence."""
    return {SEQ_KD: "Seq-KD student"}.get(model, model)
