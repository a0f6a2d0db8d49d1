"""Who draws which rollouts, with which weights: the schedule of near-policy training, the worker
that generates, and the sources that a trainer takes rollouts from.

Training is cut into windows of `interval` updates. The rollouts of window w are drawn by the
student as it was when window w − `ahead` began. So the generator may be one window ahead, and what
it draws depends on the schedule alone, never on which process was faster. The same run in one
process (`LocalSource`) therefore gives the same weights as in two (generator_process.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import EncodedCorpus, make_batch
from seqkd_lab.distillation.generation import (
    GENERATOR,
    Event,
    RolloutConfig,
    Rollouts,
    Timeline,
    generate_rollouts,
)
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Job:
    """A request for rollouts: for `n_updates` updates from `update` on, drawn by the student as it
    was after `version` updates."""

    number: int
    update: int
    n_updates: int
    version: int


@dataclass(frozen=True)
class Schedule:
    """Which version of the student draws the rollouts of which update.

    interval: updates between two synchronisations (None: never again after the first). ahead:
    windows of so many updates that the generator may be ahead; interval 1 and ahead 0 is on-policy.
    together: the most updates that one job serves. Raise ValueError for other values.
    """

    interval: int | None = 16
    ahead: int = 1
    together: int = 16

    def __post_init__(self) -> None:
        if (self.interval is not None and self.interval < 1) or self.ahead < 0 or self.together < 1:
            raise ValueError(
                f"interval and together must be at least 1, ahead at least 0; got {self}"
            )

    def is_due(self, update: int) -> bool:
        """Return whether the student's weights are sent after `update` updates."""
        return update == 0 or (self.interval is not None and update % self.interval == 0)

    def version(self, update: int) -> int:
        """Return how many updates the student had seen when it drew the rollouts of `update`; the
        difference is their staleness."""
        if self.interval is None:
            return 0
        return max(0, update // self.interval - self.ahead) * self.interval

    def jobs(self) -> Iterator[Job]:
        """Yield jobs without end; the trainer decides when to stop."""
        update, number = 0, 0
        while True:
            left = (
                self.together if self.interval is None else self.interval - update % self.interval
            )
            n_updates = min(self.together, left)
            yield Job(number, update, n_updates, self.version(update))
            update, number = update + n_updates, number + 1


@dataclass(frozen=True)
class RolloutWorker:
    """The generator: turns jobs into rollouts of its own `student`, with `per_update` sentences
    kept for each update."""

    student: Seq2Seq
    teacher: Seq2Seq
    sources: EncodedCorpus
    config: RolloutConfig
    per_update: int
    seed: int
    timeline: Timeline = field(default_factory=lambda: Timeline(GENERATOR))

    def generate(self, job: Job) -> Rollouts:
        """Return the rollouts of a job: they depend on it, the seed and the student's weights
        alone."""
        share = self.config.share if self.config.filter else 1.0
        n_drawn = math.ceil(self.per_update / share)
        rows = endless_rows(
            len(self.sources), job.update * n_drawn, job.n_updates * n_drawn, self.seed
        )
        return generate_rollouts(
            self.student,
            self.teacher,
            make_batch(self.sources, rows),
            self.config,
            self.seed * 1_000_003 + job.number,
            self.timeline,
            job.update,
        )


def endless_rows(n: int, first: int, count: int, seed: int) -> Tensor:
    """Return `count` rows of 0..n−1 from position `first` of an endless sequence of them, which is
    shuffled again every n positions."""
    shuffled = [
        torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_009 + epoch))
        for epoch in range(first // n, (first + count - 1) // n + 1)
    ]
    return torch.cat(shuffled)[first % n :][:count]


class RolloutSource(Protocol):
    """Where the trainer's rollouts come from."""

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        """Pass on the student's weights after `update` updates."""

    def take(self, job: Job) -> Rollouts:
        """Return the rollouts of the next job."""

    def events(self) -> list[Event]:
        """Return what was done for the jobs that were taken."""


class LocalSource:
    """A RolloutSource in the trainer's own process: it generates when asked, with the weights that
    the schedule requires; the same rollouts as from a process, nothing in parallel."""

    def __init__(self, worker: RolloutWorker) -> None:
        self.worker = worker
        self._versions: dict[int, dict[str, Tensor]] = {}

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        self._versions[update] = {
            name: tensor.clone() for name, tensor in student.state_dict().items()
        }

    def take(self, job: Job) -> Rollouts:
        self._versions = {
            version: weights
            for version, weights in self._versions.items()
            if version >= job.version
        }
        self.worker.student.load_state_dict(self._versions[job.version])
        return self.worker.generate(job)

    def events(self) -> list[Event]:
        return self.worker.timeline.events


class FixedPolicySource(LocalSource):
    """A LocalSource whose worker's model never changes: the teacher's data, where that model is the
    teacher."""

    def synchronise(self, update: int, student: Seq2Seq) -> None: ...

    def take(self, job: Job) -> Rollouts:
        return self.worker.generate(job)
