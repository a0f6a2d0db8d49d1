"""Judge answers about speculative sampling by what they lead to.

Thousands of words are proposed from a small distribution p, pass through the learner's half of the
rule and the right other half, and what comes out is counted against q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from scipy.stats import chisquare
from torch import Tensor

from seqkd_lab.lab.shared.exercises.comparing import counted, first_difference, kind, shown

N_PROPOSED = 4_000
"""Proposals of a case."""
LEAST_P = 1e-6
"""The p-value of the χ² test below which an answer is refused."""
DISTRIBUTIONS = {  # name: (p, q), one probability for each word
    "a draft that is too sure": ((0.7, 0.1, 0.1, 0.1), (0.4, 0.3, 0.2, 0.1)),
    "a draft that is not sure enough": (
        (0.25, 0.25, 0.2, 0.15, 0.15),
        (0.8, 0.05, 0.05, 0.05, 0.05),
    ),
    "a draft that likes what the target never writes": ((0.3, 0.2, 0.3, 0.2), (0.2, 0.0, 0.3, 0.5)),
    "a draft that gives two words too little": ((0.55, 0.05, 0.35, 0.05), (0.3, 0.3, 0.38, 0.02)),
    "a draft that never writes three of the words": (
        (0.6, 0.4, 0.0, 0.0, 0.0),
        (0.2, 0.3, 0.1, 0.15, 0.25),
    ),
    "seven words": (
        (0.30, 0.02, 0.20, 0.08, 0.25, 0.05, 0.10),
        (0.12, 0.13, 0.15, 0.18, 0.22, 0.15, 0.05),
    ),
}


def against(q: Tensor, words: Tensor) -> str | None:
    """Say how the `words` that came out (N,) fail to follow q (V,); None where the χ² test finds
    nothing."""
    counts = torch.bincount(words, minlength=len(q))
    wanted = len(words) * q.double() / q.double().sum()
    for word in range(len(q)):
        if q[word] == 0 and counts[word]:
            return (
                f"word {word}, which the target never writes, came out {counts[word]:,} times of "
                f"{len(words):,}"
            )
    possible = q > 0
    p_value = float(chisquare(counts[possible].numpy(), wanted[possible].numpy()).pvalue)
    if p_value >= LEAST_P:
        return None
    tiny = f"= {p_value:.0e}" if p_value > 1e-99 else "< 1e-99"
    worst = int(((counts - wanted).abs() * possible).argmax())
    return (
        f"what comes out does not follow the target: of {len(words):,} words, word {worst} came "
        f"{counts[worst]:,} times where the target's distribution wants {wanted[worst]:,.0f} (χ² "
        f"test: p {tiny})"
    )


def proposals(p: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return N_PROPOSED words drawn from p, equal ones side by side, and as many random numbers
    from [0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    words = p.multinomial(N_PROPOSED, replacement=True, generator=generator).sort().values
    return words, torch.rand(N_PROPOSED, generator=generator)


def redrawn(is_accepted: Tensor, words: Tensor, replacement: Tensor, seed: int) -> Tensor:
    """Return `words` (N,) with those that are rejected drawn again from the distribution
    `replacement` (V,)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.where(
        is_accepted,
        words,
        replacement.multinomial(len(words), replacement=True, generator=generator),
    )


def faulty_decisions(
    q: Tensor, words: Tensor, replacement: Tensor, seed: int
) -> Callable[[Any], str | None]:
    """Return what says what is wrong with an answer about `words`: its form, or what comes out when
    rejected words follow `replacement`."""

    def fault(answer: Any) -> str | None:
        """Say what is wrong with these decisions; None where nothing is."""
        if not isinstance(answer, list):
            return (
                f"your function gave {kind(answer)} instead of {len(words):,} truth values, one "
                "for "
                "each word"
            )
        if len(answer) != len(words):
            return (
                f"your function gave {counted(len(answer))} instead of {len(words):,}, one for "
                "each "
                "word"
            )
        other = next((value for value in answer if value not in (True, False)), None)
        if other is not None:
            return (
                f"your function gave {shown(other)} for a word: True (accepted) or False is asked "
                "for"
            )
        return against(q, redrawn(torch.tensor(answer) == 1, words, replacement, seed))

    return fault


def faulty_residual(
    p: Tensor, q: Tensor, words: Tensor, r: Tensor, seed: int
) -> Callable[[Any], str | None]:
    """Return what says what is wrong with a distribution as an answer: its form, its sum, what
    comes out when rejected words follow it, or, where chance does not show the fault, its
    numbers."""

    def fault(answer: Any) -> str | None:
        """Say what is wrong with this distribution; None where nothing is."""
        misfit = _no_distribution(answer, len(q))
        if misfit:
            return f"your function gave {misfit}"
        replacement = torch.tensor(answer, dtype=torch.float64).clamp(min=0.0)
        unlike = against(q, redrawn(r * p[words] < q[words], words, replacement, seed))
        difference = first_difference(answer, right_residual(p.tolist(), q.tolist()), 1e-3)
        return unlike or (f"your function gave {difference}" if difference else None)

    return fault


def _no_distribution(answer: Any, n_words: int) -> str | None:
    """Say why `answer` is no distribution over `n_words` words; None where it is."""
    if not isinstance(answer, list) or not all(isinstance(value, float) for value in answer):
        return f"{shown(answer)} instead of {n_words} probabilities, one for each word"
    if len(answer) != n_words:
        return f"{counted(len(answer))} instead of {n_words} probabilities"
    numbers = torch.tensor(answer, dtype=torch.float64)
    if not bool(torch.isfinite(numbers).all()) or float(numbers.min()) < -1e-6:
        return f"{shown(answer)}: a probability is a number from 0 to 1"
    if abs(float(numbers.sum()) - 1.0) > 1e-4:
        return f"{shown(answer)}, which sums to {numbers.sum():.4g}: a distribution sums to 1"
    return None


def right_residual(p: Sequence[float], q: Sequence[float]) -> list[float]:
    """Return the residual, word by word."""
    more = [max(0.0, y - x) for x, y in zip(p, q, strict=True)]
    return [missing / sum(more) for missing in more]
