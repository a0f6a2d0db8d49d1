"""Exposure bias, measured: how far teacher and student are apart along prefixes of different
writers.

Training on a fixed corpus reads prefixes that others wrote; translating reads the student's own.
The divergence of the next word along gold, along the teacher's and along the student's translations
shows what that costs, place by place (the mismatch that GKD, arXiv 2306.13649, starts from; the
curves are ours).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import DEFAULT_SAMPLING, sample
from seqkd_lab.devices import CPU
from seqkd_lab.distillation.divergences import entropy
from seqkd_lab.finite import check_next_words
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

GOLD, TEACHER, STUDENT = "gold", "teacher", "student"
WRITERS = (GOLD, TEACHER, STUDENT)
"""Who wrote a prefix."""
Measure = Callable[[Tensor, Batch, Tensor], Tensor]
"""Maps (student logits (B, T, V), batch, teacher logits (B, T, V)) to (B, T), as
`Divergence.per_token` does."""


def student_entropy(logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
    """Return the entropy of the student's next word, (B, T) in nats, as a Measure; low where it is
    sure of itself."""
    return entropy(logits.log_softmax(dim=-1))


@dataclass(frozen=True)
class PlaceSums:
    """A quantity summed over sentences, at each place t of the target: `total` (T,), and how many
    sentences have that place: `count` (T,). EOS has a place as every word has."""

    total: Tensor
    count: Tensor

    @property
    def per_token(self) -> float:
        """Return the mean over all tokens."""
        return float(self.total.sum() / self.count.sum())

    @property
    def by_place(self) -> list[float]:
        """Return the mean at each place that some sentence has."""
        return (self.total / self.count)[self.count > 0].tolist()


def written_by(
    student: Seq2Seq,
    teacher: Seq2Seq,
    pairs: ParallelCorpus,
    seed: int,
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
) -> dict[str, ParallelCorpus]:
    """Return the sources of `pairs` with the targets of each of WRITERS: gold as it is, the others
    drawn from `distribution`."""
    drawn = {
        writer: pairs.with_target(
            hypothesis.tokens for hypothesis in sample(model, pairs.source, seed, distribution)
        )
        for writer, model in ((TEACHER, teacher), (STUDENT, student))
    }
    return {GOLD: pairs, **drawn}


def along(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, measures: Sequence[Measure]
) -> list[PlaceSums]:
    """Return the sums of each of `measures` along the targets of `pairs`; dropout off. Raises
    ValueError without pairs, NotFiniteError where a model's logits are no distribution."""
    if not len(pairs):
        raise ValueError("no sentence to compare teacher and student along")
    encoded = encode(pairs, student.source_vocabulary, student.target_vocabulary)
    longest = int(encoded.target_lengths.max())
    totals = torch.zeros(len(measures), longest, dtype=torch.float64, device=CPU)
    count = torch.zeros(longest, device=CPU)
    with evaluating(student, teacher):
        for batch in batches(encoded, 64, shuffle_seed=None):
            batch = batch.to(student.device)
            logits, teacher_logits = student(batch), teacher(batch)
            real, T = batch.target_out != PAD, batch.target_out.shape[1]
            for of_model in (logits, teacher_logits):
                check_next_words(of_model[real].amax(dim=-1))
            count[:T] += real.sum(dim=0).cpu()
            for total, measure in zip(totals, measures, strict=True):
                per_token = measure(logits, batch, teacher_logits)
                total[:T] += per_token.masked_fill(~real, 0.0).sum(dim=0).cpu()
    return [PlaceSums(total, count) for total in totals]


def exposure(
    student: Seq2Seq,
    teacher: Seq2Seq,
    pairs: ParallelCorpus,
    measures: Mapping[str, Measure],
    seed: int,
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
) -> dict[str, dict[str, PlaceSums]]:
    """Return for each of WRITERS, and each of `measures` by name, its sums along what that one
    wrote for `pairs`."""
    return {
        writer: dict(
            zip(measures, along(student, teacher, written, list(measures.values())), strict=True)
        )
        for writer, written in written_by(student, teacher, pairs, seed, distribution).items()
    }
