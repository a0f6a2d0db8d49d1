"""Near-policy distillation (NPD, arXiv 2605.05940): the student's outputs are generated apart from
its training.

Known, from its abstract and introduction: a generator makes batches of student outputs; the teacher
scores them in one parallel pass and sends its top-k log-probabilities; they are packed, and learned
from with cross-entropy plus forward KL; the generator gets the student's weights only now and then;
Δ-IFD drops extreme samples. Ours: the schedule (rollout_sources.py), the k + 1 outcomes (top_k.py),
Δ-IFD (delta_ifd.py), the weight α between the two losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.packing import PackedBatch, pack
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.generation import (
    SCORE,
    SYNCHRONISE,
    TRAIN,
    TRAINER,
    WAIT,
    Event,
    Rollouts,
    Timeline,
)
from seqkd_lab.distillation.rollout_sources import RolloutSource, Schedule
from seqkd_lab.distillation.top_k import TopK, top_k_kl
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, set_rate, training_step

ROW_LENGTH = 32
"""Tokens of a packed row's side: about two of the toy's sentences."""


@dataclass(frozen=True)
class ScoredTokens:
    """A batch of rollouts as the loss needs it: `batch`, padded or packed, `real` (B, T), where its
    n tokens are, and `teacher`, the distribution at each of them in the same order."""

    batch: Batch | PackedBatch
    real: Tensor
    teacher: TopK

    @classmethod
    def of(cls, rollouts: Rollouts, row_length: int | None) -> ScoredTokens:
        """Keep the rollouts padded where row_length is None, else pack them into rows of
        `row_length` or of the longest sentence, if that is more."""
        lengths = rollouts.lengths
        if row_length is None:
            return cls(rollouts.batch, rollouts.batch.target_out != PAD, rollouts.teacher)
        longest = max(int(lengths.max()), int(rollouts.batch.source_lengths.max()))
        packed = pack(rollouts.batch, max(row_length, longest))
        real = packed.target_out != PAD
        first = lengths.cumsum(0) - lengths
        tokens = first[packed.target_sentence[real]] + packed.target_place[real]
        return cls(packed, real, rollouts.teacher[tokens])


class RealTokenLogits(torch.nn.Module):
    """A student whose last layer is applied to real tokens only: scored tokens to logits (n, V).

    Packed rows need a student with masks, a Transformer; ValueError for another one.
    """

    def __init__(self, student: Seq2Seq) -> None:
        super().__init__()
        self.student = student

    def forward(self, tokens: ScoredTokens) -> Tensor:
        """Return the logits (n, V) that predict each real token."""
        batch = tokens.batch
        if isinstance(batch, PackedBatch):
            vectors = packed_reader(self.student).packed_vectors(batch)
        else:
            vectors = self.student.vectors(batch)
        return self.student.logits(vectors[tokens.real])


@dataclass(frozen=True)
class NearPolicyLoss:
    """α · KL over the teacher's top k + (1 − α) · cross-entropy of the drawn words, both along the
    prefixes of the rollouts, mean over tokens in nats.

    `reverse`: KL(p_S‖p_T) instead of KL(p_T‖p_S), which is the paper's (ours).
    """

    alpha: float = 0.9
    reverse: bool = False

    def per_token(self, logits: Tensor, tokens: ScoredTokens) -> Tensor:
        """Return (n,) from logits (n, V)."""
        loss = logits.new_zeros(len(logits))
        if self.alpha > 0.0:
            loss = loss + self.alpha * top_k_kl(logits, tokens.teacher, self.reverse)
        if self.alpha < 1.0:
            drawn = tokens.batch.target_out[tokens.real]
            loss = loss + (1.0 - self.alpha) * cross_entropy(logits, drawn, reduction="none")
        return loss

    def __call__(self, logits: Tensor, tokens: ScoredTokens, _: Tensor | None = None) -> Tensor:
        return self.per_token(logits, tokens).mean()


@dataclass(frozen=True)
class Learning:
    """How a student learns from rollouts.

    n_tokens: drawn tokens to learn from, after which training ends. optimisation: learning rate,
    warm-up and clipping; its schedule goes by the share of those tokens. row_length: of packed rows
    (None: padded).
    """

    n_tokens: int
    optimisation: Optimisation
    loss: NearPolicyLoss = NearPolicyLoss()
    row_length: int | None = ROW_LENGTH


@dataclass
class Run:
    """What a training took: tokens learned from, staleness of each update (updates), the mean loss
    of each, sentences drawn and kept, and its events."""

    n_tokens: int = 0
    staleness: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    n_drawn: int = 0
    n_kept: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def n_updates(self) -> int:
        return len(self.loss)


def learn(
    student: Seq2Seq,
    source: RolloutSource,
    schedule: Schedule,
    learning: Learning,
    observe: Callable[[Rollouts, int], None] | None = None,
    teacher: Seq2Seq | None = None,
) -> Run:
    """Train `student` in place on the rollouts of `source`; `observe` is called with those of each
    update, and the tokens learned from so far, before they are learned from. `teacher` scores what
    the generator left to the trainer."""
    run, timeline = Run(), Timeline(TRAINER)
    update_on = updates_of(student.train(), learning)
    source.synchronise(0, student)
    for job in schedule.jobs():
        with timeline.record(WAIT, job.update):
            rollouts = source.take(job).to(student.device)
        if teacher is not None:
            with timeline.record(SCORE, job.update):
                rollouts = rollouts.scored_by(teacher)
        run.n_drawn += len(rollouts)
        run.n_kept += int(rollouts.kept.sum())
        for update, part in enumerate(rollouts.parts(job.n_updates), start=job.update):
            if observe is not None:
                observe(part, run.n_tokens)
            with timeline.record(TRAIN, update):
                run.loss.append(update_on(part, run.n_tokens / learning.n_tokens))
            run.n_tokens += int(part.lengths.sum())
            run.staleness.append(update - job.version)
            if run.n_tokens >= learning.n_tokens:
                events = [*timeline.events, *source.events()]
                run.events = sorted(events, key=lambda event: event.start)
                student.eval()
                return run
            if schedule.is_due(update + 1):
                with timeline.record(SYNCHRONISE, update + 1):
                    source.synchronise(update + 1, student)
    raise AssertionError("a schedule has no end")


def updates_of(student: Seq2Seq, learning: Learning) -> Callable[[Rollouts, float], float]:
    """Return the update of `student` by Adam: it takes rollouts and the share of the training that
    is done, and returns their mean loss (nats a token)."""
    optimisation = learning.optimisation
    optimiser = torch.optim.Adam(student.parameters(), lr=optimisation.learning_rate, fused=True)
    model = RealTokenLogits(student)

    def update(rollouts: Rollouts, done: float) -> float:
        set_rate(optimiser, optimisation, done)
        tokens = ScoredTokens.of(rollouts, learning.row_length)
        return training_step(model, tokens, learning.loss, optimiser, optimisation.clip_norm)

    return update
