"""The translations that speculative sampling writes: tokens that are final, and proposed ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD


@dataclass(frozen=True)
class PartialTranslations:
    """B translations in the making: tokens (B, …) from BOS on, written in place; the first n_known
    (B,) are final.

    log_prob (B, …) is the target's own of each token (temperature 1, no word cut off); at
    max_length (B,) one ends.
    """

    tokens: Tensor
    log_prob: Tensor
    max_length: Tensor
    n_known: Tensor

    @classmethod
    def start(cls, max_length: Tensor) -> PartialTranslations:
        """Return translations of which only BOS is known."""
        B, most = len(max_length), int(max_length.max())
        tokens = F.pad(max_length.new_full((B, 2 * most), PAD), (1, 0), value=BOS)
        log_prob = torch.zeros(tokens.shape, device=tokens.device)
        return cls(tokens, log_prob, max_length, torch.ones_like(max_length))

    @property
    def first(self) -> int:
        """The first place that not every sentence knows."""
        return int(self.n_known.min())

    @property
    def known(self) -> Tensor:
        """(B, …) which places are final."""
        place = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return place < self.n_known[:, None]

    @property
    def ended(self) -> Tensor:
        """(B,) whether the sentence's EOS is final."""
        return ((self.tokens == EOS) & self.known).any(dim=1)

    def ending(self, distributions: Tensor, first: int) -> Tensor:
        """Return `distributions` (B, T, V) of the places from `first` on; at max_length EOS is
        certain, as in sampling."""
        end = first + distributions.shape[1]
        if end <= int(self.max_length.min()):
            return distributions
        positions = torch.arange(first, end, device=self.tokens.device)
        is_last = positions == self.max_length[:, None]  # (B, T)
        certain = distributions.new_zeros(distributions.shape[2])
        certain[EOS] = 1.0
        return torch.where(is_last[:, :, None], certain, distributions)

    def extend(self, n_known: Tensor, extra: Tensor, logits: Tensor) -> PartialTranslations:
        """Add `extra` (B,) as the last of n_known (B,) tokens; logits (B, K + 1, V) are the
        target's from `first` on."""
        self.tokens.scatter_(1, (n_known - 1)[:, None], extra[:, None])
        span = slice(self.first, self.first + logits.shape[1])
        words = self.tokens[:, span, None]
        self.log_prob[:, span] = logits.log_softmax(dim=2).gather(2, words)[:, :, 0]
        return replace(self, n_known=n_known)

    def take(self, rows: Tensor) -> PartialTranslations:
        """Return some of the sentences, copied."""
        return PartialTranslations(
            self.tokens[rows], self.log_prob[rows], self.max_length[rows], self.n_known[rows]
        )
