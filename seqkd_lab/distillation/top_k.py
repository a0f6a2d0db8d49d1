"""The teacher's k likeliest next words instead of all V: what is sent, kept and learned from in
near-policy training.

Ours: what the k words leave is one bucket more. Forward KL over these k + 1 outcomes is never above
the full KL, since outcomes are only put together (data processing inequality), and equals it where
the bucket holds one word.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.distillation.divergences import kl

LEAST_REST = 1e-6
"""The least probability of a bucket: what rounding leaves of nothing."""


@dataclass(frozen=True)
class TopK:
    """Of n places the `words` (n, k), likeliest first, and their `log_probs` (n, k); words None:
    all V in order."""

    words: Tensor | None
    log_probs: Tensor

    def __getitem__(self, rows: Tensor) -> TopK:
        return TopK(None if self.words is None else self.words[rows], self.log_probs[rows])


def top_k(logits: Tensor, k: int | None) -> TopK:
    """Return the k likeliest words of logits (n, V); None takes all. Raise ValueError for k
    outside 1..V."""
    log_p = logits.log_softmax(dim=-1)
    if k is None:
        return TopK(None, log_p)
    if not 1 <= k <= logits.shape[-1]:
        raise ValueError(
            f"k must lie in 1..{logits.shape[-1]}, the size of the vocabulary; got {k}"
        )
    likeliest, words = log_p.topk(k, dim=-1)
    return TopK(words, likeliest)


def rest(log_probs: Tensor) -> Tensor:
    """Return the log-probability of all other words, from those of k words (n, k)."""
    left = 1.0 - log_probs.exp().sum(dim=-1, keepdim=True)
    return left.clamp(min=LEAST_REST).log()


def top_k_kl(log_p: Tensor, teacher: TopK) -> Tensor:
    """Return Σ over k words and the rest of p_T (log p_T − log p_S), (n,) in nats; `log_p` (n, V)
    is the student's.

    The teacher's numbers get no gradient. With all V words it is the full KL(p_T‖p_S).
    """
    if teacher.words is None:
        return kl(teacher.log_probs, log_p)
    same = log_p.gather(-1, teacher.words)
    p = torch.cat([teacher.log_probs, rest(teacher.log_probs)], dim=-1)  # (n, k + 1)
    return kl(p, torch.cat([same, rest(same)], dim=-1))
