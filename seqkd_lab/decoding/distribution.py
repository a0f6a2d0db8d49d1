"""How the next word is drawn from a model's logits: temperature, top-k and top-p, in this order.

Every way of sampling asks here, so that two of them can be compared: what they draw follows one
distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seqkd_lab.corpus.vocabulary import BOS, PAD
from seqkd_lab.finite import check_next_words


@dataclass(frozen=True)
class SamplingDistribution:
    """temperature divides the logits; at 0 the likeliest word is certain, which is greedy search.
    top_k keeps so many of the likeliest words (None: all), top_p the fewest of them that hold this
    share of what top_k left (Holtzman et al. 2020, arXiv 1904.09751). Of equal words at the edge
    any may be kept, but no more than top_k. PAD and BOS are never drawn."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 (greedy) or positive; got {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, or None for all words; got {self.top_k}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must lie in (0, 1]; got {self.top_p}")

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the probabilities (…, V) of the next word. Raise NotFiniteError where the logits
        give none: NaN, +inf, or −inf for every word."""
        never = torch.tensor([PAD, BOS], device=logits.device)
        logits = logits.index_fill(-1, never, float("-inf"))
        best, likeliest = logits.max(dim=-1, keepdim=True)
        check_next_words(best)
        if self.temperature == 0.0:
            return F.one_hot(likeliest[..., 0], logits.shape[-1]).to(logits.dtype)
        # without the difference, a low temperature would make infinite numbers of them
        p = ((logits - best) / self.temperature).softmax(dim=-1)
        return p if self.top_k is None and self.top_p == 1.0 else self._cut(p)

    def _cut(self, p: Tensor) -> Tensor:
        """p (…, V) without its unlikely words, and again of sum 1."""
        likely, words = p.topk(
            min(self.top_k or p.shape[-1], p.shape[-1]), dim=-1
        )  # (…, k), likeliest first
        likely = likely / likely.sum(dim=-1, keepdim=True)
        before = likely.cumsum(dim=-1) - likely  # the share that the likelier ones hold
        likely = likely * (before < self.top_p)
        return torch.zeros_like(p).scatter(-1, words, likely / likely.sum(dim=-1, keepdim=True))


def draw(p: Tensor, generator: torch.Generator) -> Tensor:
    """Return one word for each of the distributions p (B, V): (B,)."""
    return torch.multinomial(p, 1, generator=generator)[:, 0]
