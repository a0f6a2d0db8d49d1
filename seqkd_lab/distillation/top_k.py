"""The teacher's k likeliest next words instead of all V: what is sent, kept and learned from in
near-policy training.

Ours: what the k words leave is one bucket more. A KL over these k + 1 outcomes is never above the
full KL, since outcomes are only put together (data processing inequality), and equals it where the
bucket holds one word. The bucket's probability is summed over the other words, on either side: 1
minus the sum of the k would lose a small rest to rounding, and its gradient with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.distillation.divergences import kl


@dataclass(frozen=True)
class TopK:
    """Of n places the `words` (n, k), likeliest first, and `log_probs` (n, k + 1), those of the
    words and of the rest; words None: all V in order, and no rest."""

    words: Tensor | None
    log_probs: Tensor

    def __getitem__(self, rows: Tensor | slice) -> TopK:
        return TopK(None if self.words is None else self.words[rows], self.log_probs[rows])

    def to(self, device: torch.device) -> TopK:
        """Return the same on `device`."""
        words = None if self.words is None else self.words.to(device)
        return TopK(words, self.log_probs.to(device))

    @classmethod
    def joined(cls, parts: list[TopK]) -> TopK:
        """Return the places of all `parts`, one part after the other."""
        words = [part.words for part in parts if part.words is not None]
        log_probs = torch.cat([part.log_probs for part in parts])
        return cls(torch.cat(words) if words else None, log_probs)


def top_k(logits: Tensor, k: int | None) -> TopK:
    """Return the k likeliest words of logits (n, V); None takes all. Raise ValueError for k
    outside 1..V − 1."""
    if k is None:
        return TopK(None, logits.log_softmax(dim=-1))
    V = logits.shape[-1]
    if not 1 <= k < V:
        raise ValueError(
            f"k must lie in 1..{V - 1}, below the size of the vocabulary (None takes all {V} "
            f"words); got {k}"
        )
    words = logits.topk(k, dim=-1).indices
    return TopK(words, merged(logits, words))


def merged(logits: Tensor, words: Tensor) -> Tensor:
    """Return the log-probabilities (n, k + 1) of `words` (n, k), and of all other words together,
    from logits (n, V) or log-probabilities."""
    others = logits.scatter(-1, words, float("-inf")).logsumexp(dim=-1, keepdim=True)
    return torch.cat([logits.gather(-1, words), others], dim=-1).log_softmax(dim=-1)


def top_k_kl(logits: Tensor, teacher: TopK, reverse: bool = False) -> Tensor:
    """Return KL(p_T‖p_S) over the k words and the rest, (n,) in nats, or KL(p_S‖p_T) where
    `reverse`; logits (n, V), or log-probabilities, are the student's.

    The teacher's numbers get no gradient. With all V words it is the full KL.
    """
    if teacher.words is None:
        student = logits.log_softmax(dim=-1)
    else:
        student = merged(logits, teacher.words)
    return kl(student, teacher.log_probs) if reverse else kl(teacher.log_probs, student)
