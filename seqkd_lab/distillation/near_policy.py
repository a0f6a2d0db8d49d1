"""Near-policy distillation (NPD, arXiv 2605.05940): the student's outputs are written apart from
its training.

Known, from its abstract and introduction: a generator makes batches of student outputs; the teacher
scores them in one parallel pass and gives its top-k log-probabilities; they are packed, and learned
from with cross-entropy plus forward KL; the generator gets the student's weights only now and then;
Δ-IFD drops extreme samples. Ours: the schedule below, the k + 1 outcomes (top_k.py), Δ-IFD
(delta_ifd.py), the weight α between the two losses.

Training is cut into windows of `interval` updates. What window w learns from was written by the
student as it was when window w − `ahead` began; so the generator may be one window ahead, and what
it writes depends on the schedule alone, never on who was faster. The same run in one process
(`InOneProcess`) therefore gives the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import EncodedCorpus, make_batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.generation import (
    GENERATOR,
    SYNCHRONISE,
    TRAIN,
    TRAINER,
    WAIT,
    Diary,
    Event,
    Writing,
    Written,
    write,
)
from seqkd_lab.distillation.top_k import TopK, top_k_kl
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.seq2seq import Seq2Seq

ROW_LENGTH = 32
"""Tokens of a packed row's side: about two of the toy's sentences."""


@dataclass(frozen=True)
class Job:
    """Translations for `n_updates` updates from `update` on, to be written by the student after
    `version` updates."""

    number: int
    update: int
    n_updates: int
    version: int


@dataclass(frozen=True)
class Schedule:
    """interval: updates between two synchronisations (None: never again after the first). ahead:
    windows of so many updates that the generator may be ahead; interval 1 and ahead 0 is on-policy.
    together: the most updates that are written for at once."""

    interval: int | None = 16
    ahead: int = 1
    together: int = 16

    def __post_init__(self) -> None:
        if (self.interval is not None and self.interval < 1) or self.ahead < 0 or self.together < 1:
            raise ValueError(
                f"interval and together must be at least 1, ahead at least 0; got {self}"
            )

    def is_due(self, update: int) -> bool:
        """Whether the student is sent after `update` updates."""
        return update == 0 or (self.interval is not None and update % self.interval == 0)

    def version(self, update: int) -> int:
        """After how many updates the student was as it writes for `update`; the difference is the
        staleness."""
        if self.interval is None:
            return 0
        return max(0, update // self.interval - self.ahead) * self.interval

    def jobs(self) -> Iterator[Job]:
        """Without end: whoever trains says when it is enough."""
        update, number = 0, 0
        while True:
            left = (
                self.together if self.interval is None else self.interval - update % self.interval
            )
            n_updates = min(self.together, left)
            yield Job(number, update, n_updates, self.version(update))
            update, number = update + n_updates, number + 1


@dataclass(frozen=True)
class Writer:
    """The generator's work: jobs from sources, `per_update` sentences kept for each update;
    `student` is its own."""

    student: Seq2Seq
    teacher: Seq2Seq
    sources: EncodedCorpus
    how: Writing
    per_update: int
    seed: int
    diary: Diary = field(default_factory=lambda: Diary(GENERATOR))

    def write(self, job: Job) -> Written:
        """What a job asks for; depends on the job, the seed and the student's weights."""
        share = self.how.share if self.how.filter else 1.0
        n_written = math.ceil(self.per_update / share)
        rows = endless_rows(
            len(self.sources), job.update * n_written, job.n_updates * n_written, self.seed
        )
        seed = self.seed * 1_000_003 + job.number
        return write(
            self.student,
            self.teacher,
            make_batch(self.sources, rows),
            self.how,
            seed,
            self.diary,
            job.update,
        )


def endless_rows(n: int, first: int, count: int, seed: int) -> Tensor:
    """(count,) rows of 0..n−1, from place `first` of an endless line of them, which is shuffled
    anew every n places."""
    shuffled = [
        torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_009 + epoch))
        for epoch in range(first // n, (first + count - 1) // n + 1)
    ]
    return torch.cat(shuffled)[first % n :][:count]


class Source(Protocol):
    """Where the trainer's sentences come from."""

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        """Hands on the student as it is after `update` updates."""

    def take(self, job: Job) -> Written:
        """The translations of the next job."""

    def events(self) -> list[Event]:
        """What was done for the jobs that were taken."""


class InOneProcess:
    """Writes when it is asked, with the weights that the schedule wants: the same translations,
    nothing in parallel."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self._versions = writer, {}

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        self._versions[update] = {
            name: tensor.clone() for name, tensor in student.state_dict().items()
        }

    def take(self, job: Job) -> Written:
        self.writer.student.load_state_dict(self._versions[job.version])
        self._versions = {
            version: kept for version, kept in self._versions.items() if version >= job.version
        }
        return self.writer.write(job)

    def events(self) -> list[Event]:
        return self.writer.diary.events


class OneForAll(InOneProcess):
    """Writes with the writer's own model, whatever the student learns: the teacher's data, when
    that is the teacher."""

    def synchronise(self, update: int, student: Seq2Seq) -> None: ...

    def take(self, job: Job) -> Written:
        return self.writer.write(job)


def near_policy_loss(logits: Tensor, drawn: Tensor, teacher: TopK, alpha: float) -> Tensor:
    """α · KL over the teacher's top k + (1 − α) · cross-entropy of the `drawn` words (n,): (n,) in
    nats, from logits (n, V) at the same n places as the teacher's."""
    log_p = logits.log_softmax(dim=1)
    return alpha * top_k_kl(log_p, teacher) - (1.0 - alpha) * log_p.gather(1, drawn[:, None])[:, 0]


def token_losses(
    student: Seq2Seq, written: Written, alpha: float, row_length: int | None
) -> Tensor:
    """The loss of each of the n real tokens (n,), in any order: sentences padded, where row_length
    is None, or packed into rows of `row_length`, or longer ones where a sentence wants it; only
    real tokens reach the last layer. Raises ValueError for packed rows and a student without
    masks."""
    if row_length is None:
        batch = written.batch
        real = batch.target_out != PAD
        return near_policy_loss(
            student.output(student.vectors(batch)[real]),
            batch.target_out[real],
            written.teacher,
            alpha,
        )
    longest = max(int(written.lengths.max()), int(written.batch.source_lengths.max()))
    packed = pack(written.batch, max(row_length, longest))
    real = packed.target_out != PAD
    first = written.lengths.cumsum(0) - written.lengths
    places = first[packed.target_sentence[real]] + packed.target_place[real]
    return near_policy_loss(
        student.output(packed_reader(student).packed_vectors(packed)[real]),
        packed.target_out[real],
        written.teacher[places],
        alpha,
    )


@dataclass(frozen=True)
class Learning:
    """n_tokens: drawn tokens to learn from, after which training ends. rate: of the share that is
    done (0–1), Adam's learning rate. alpha: the teacher's share of the loss. row_length: of packed
    rows (None: padded)."""

    n_tokens: int
    rate: Callable[[float], float]
    alpha: float = 0.9
    row_length: int | None = ROW_LENGTH
    clip_norm: float = 1.0


@dataclass
class Run:
    """What a training took: updates, tokens learned from, staleness of each update (updates), the
    mean loss of each, sentences written and kept, and who did what when."""

    n_tokens: int = 0
    staleness: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    n_written: int = 0
    n_kept: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def n_updates(self) -> int:
        return len(self.loss)


def learn(
    student: Seq2Seq,
    source: Source,
    schedule: Schedule,
    learning: Learning,
    observe: Callable[[Job, Written], None] | None = None,
) -> Run:
    """Trains `student` in place on what `source` gives; `observe` sees each job's translations."""
    run, diary = Run(), Diary(TRAINER)
    optimiser = torch.optim.Adam(student.parameters(), lr=learning.rate(0.0), fused=True)
    student.train()
    source.synchronise(0, student)
    for job in schedule.jobs():
        with diary.note(WAIT, job.update):
            written = source.take(job)
        run.n_written, run.n_kept = (
            run.n_written + len(written),
            run.n_kept + int(written.kept.sum()),
        )
        if observe is not None:
            observe(job, written)
        for update, part in enumerate(written.parts(job.n_updates), start=job.update):
            with diary.note(TRAIN, update):
                run.loss.append(
                    one_update(student, optimiser, part, learning, run.n_tokens / learning.n_tokens)
                )
            run.n_tokens += int(part.lengths.sum())
            run.staleness.append(update - job.version)
            if run.n_tokens >= learning.n_tokens:
                run.events = sorted(
                    [*diary.events, *source.events()], key=lambda event: event.start
                )
                student.eval()
                return run
            if schedule.is_due(update + 1):
                with diary.note(SYNCHRONISE, update + 1):
                    source.synchronise(update + 1, student)
    raise AssertionError("a schedule has no end")


def one_update(
    student: Seq2Seq,
    optimiser: torch.optim.Optimizer,
    part: Written,
    learning: Learning,
    done: float,
) -> float:
    """One step of Adam on the mean loss of `part`'s tokens, which it returns, in nats."""
    for group in optimiser.param_groups:
        group["lr"] = learning.rate(done)
    optimiser.zero_grad()
    loss = token_losses(student, part, learning.alpha, learning.row_length).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), learning.clip_norm)
    optimiser.step()
    return loss.item()
