"""Δ-IFD, ours: drop the student's outputs that lie too far from what the teacher can teach well.

IFD (Li et al. 2023, arXiv 2308.12032) = s(A|Q) / s(A): a translation's mean cross-entropy with its
source, divided by that without it. Near-policy distillation (arXiv 2605.05940) keeps to a "safe
proximal learning zone" by a Δ-IFD whose formula its abstract does not give. Ours, everywhere in
this lab: Δ-IFD = IFD_S − IFD_T on the student's own output, of which the middle from the 5% to the
95% quantile stays. "Without a source" means an empty one, a lone EOS, which both models must have
met: a tenth of their sources are emptied in training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.shares import rounded_share
from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating


@dataclass(frozen=True)
class SourceDropout:
    """A batch transform that empties the sources of about `share` of the sentences.

    Raise ValueError for a share outside (0, 1).
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise ValueError(f"share must lie in (0, 1); got {self.share}")

    def __call__(self, model: Seq2Seq, batch: Batch, seed: int) -> Batch:
        """Return the batch with the sources emptied that `seed` chooses; the model is not used."""
        device = batch.source.device
        generator = torch.Generator(device).manual_seed(seed)
        uniform = torch.rand(len(batch), generator=generator, device=device)
        return with_empty_sources(batch, uniform < self.share)


def with_empty_sources(batch: Batch, which: Tensor) -> Batch:
    """Return `batch` with a lone EOS as the source of the sentences where `which` (B,) is True."""
    source = batch.source.masked_fill(which[:, None], PAD)
    source[which, 0] = EOS
    lengths = batch.source_lengths.masked_fill(which, 1)
    return replace(batch, source=source[:, : int(lengths.max())], source_lengths=lengths)


def mean_cross_entropy(model: Seq2Seq, batch: Batch) -> Tensor:
    """Return s (B,): −log p of each target over its tokens, EOS included, in nats a token."""
    with evaluating(model):
        log_probs = token_log_probs(model(batch), batch)
    return -log_probs.sum(dim=1) / (batch.target_out != PAD).sum(dim=1)


def ifd(model: Seq2Seq, batch: Batch) -> Tensor:
    """Return s(A|Q) / s(A), (B,): below 1 where the source helps to predict the target."""
    sourceless = with_empty_sources(batch, torch.ones_like(batch.rows, dtype=torch.bool))
    return mean_cross_entropy(model, batch) / mean_cross_entropy(model, sourceless)


def delta_ifd(student: Seq2Seq, teacher: Seq2Seq, batch: Batch) -> Tensor:
    """Return IFD_S − IFD_T (B,), ours.

    It is above 0 where the source helps the teacher more than the student, or where the student
    drew what it finds unlikely itself; far below 0 where the student is sure of what the teacher
    would not write.
    """
    return ifd(student, batch) - ifd(teacher, batch)


def keep_middle(values: Tensor, share: float) -> Tensor:
    """Return (N,) True for the middle `share` of `values` (N,): at either end N (1 − share) / 2 are
    dropped, rounded to the nearest, a half up, and never all."""
    n_dropped = min(rounded_share((1.0 - share) / 2.0, len(values)), (len(values) - 1) // 2)
    keep = torch.ones_like(values, dtype=torch.bool)
    order = values.argsort(stable=True)
    keep[order[:n_dropped]] = False
    keep[order[len(values) - n_dropped :]] = False
    return keep


def keep_random(n: int, share: float, generator: torch.Generator) -> Tensor:
    """Return (n,) with as many True, at random, as `keep_middle` has of n: the control."""
    return keep_middle(torch.rand(n, generator=generator, device=generator.device), share)
