"""The ways to train that are timed, from the synchronous loop to near-policy training in two
processes, each with one thing more than the one before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from seqkd_lab import machine
from seqkd_lab.corpus.batching import Batch, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.generation import RolloutConfig
from seqkd_lab.distillation.generator_process import ProcessSource
from seqkd_lab.distillation.near_policy import ROW_LENGTH, Learning, Run, learn
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.rollout_sources import LocalSource, RolloutWorker, Schedule
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.studies.near_policy.recipes import (
    FORWARD,
    LATE,
    LOSSES,
    RATES,
    TOP_K,
    empty_copy,
    optimisation_at,
)
from seqkd_lab.studies.near_policy.synchronous import SynchronousTrainer

SEED = 21
"""Of the models, the batches and the rollouts."""
SIZES = (16, 32, 64)
"""Sentences of an update."""
MAIN = 32
"""The size for which all ways are timed."""


@dataclass(frozen=True)
class Way:
    """A way to train.

    synchronous: batch by batch as in the on-policy lesson, with `threads`; the other fields are for
    near-policy training. two_processes: the generator has its own. shared: the trainer's process
    scores some of the sentences.
    """

    name: str
    synchronous: bool = False
    threads: int = 1
    schedule: Schedule = field(default_factory=lambda: Schedule(1, ahead=0))
    top_k: int | None = None
    row_length: int | None = None
    two_processes: bool = False
    shared: bool = False


SCORED = 0.8
"""Share of the sentences that the generator's process scores where the two share: it then takes
about as long as the trainer's, which would wait otherwise."""


def both(interval: int | None, shared: bool = True) -> Way:
    """Return near-policy training in two processes with everything that belongs to it."""
    name = "never" if interval is None else f"every {interval}"
    return Way(
        f"two processes, {name}" if shared else "two processes, unshared",
        schedule=Schedule(interval),
        top_k=TOP_K,
        row_length=ROW_LENGTH,
        two_processes=True,
        shared=shared,
    )


LOOP = "synchronous, 1 thread"
LOOP_2 = "synchronous, 2 threads"
NEAR_POLICY = both(16).name
NOT_SHARED = both(16, shared=False).name
SPARSER = both(64).name
LADDER = (
    Way(LOOP, synchronous=True),
    Way("+ drawing without waste"),
    Way("+ large batches", schedule=Schedule(16)),
    Way("+ top-k", schedule=Schedule(16), top_k=TOP_K),
    Way("+ packing", schedule=Schedule(16), top_k=TOP_K, row_length=ROW_LENGTH),
    both(16, shared=False),
    both(16),
    both(64),
)
"""Each has what those before it have, and one thing more."""
INTERVALS = (1, 4, 16, 64, None)
"""Updates between two synchronisations for which two processes are timed."""
SYNCHRONOUS = (LADDER[0], Way(LOOP_2, synchronous=True, threads=2))
WAYS = {size: (*SYNCHRONOUS, both(16)) for size in SIZES} | {
    MAIN: (*SYNCHRONOUS, *LADDER[1:6], *(both(interval) for interval in INTERVALS))
}
"""The ways that are timed, by size."""


def run_way(
    way: Way, size: int, student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, n_tokens: int
) -> tuple[Run, float]:
    """Train `student` in place, and return what it took and its seconds. The corpus is encoded, and
    a process started, before the clock runs."""
    machine.use_threads(way.threads)
    optimisation = optimisation_at(RATES[LATE][FORWARD], size)
    if way.synchronous:
        trainer = SynchronousTrainer(student, teacher, corpus, optimisation, SEED, draw_by_update)
        return timed(lambda: trainer.learn(n_tokens))
    learning = Learning(n_tokens, optimisation, LOSSES[FORWARD], way.row_length)
    sources = encode(corpus, student.source_vocabulary, student.target_vocabulary)
    config = RolloutConfig(top_k=way.top_k, scored=SCORED if way.shared else 1.0)
    worker = RolloutWorker(empty_copy(student), teacher, sources, config, size, SEED)
    if not way.two_processes:
        return timed(lambda: learn(student, LocalSource(worker), way.schedule, learning))
    with ProcessSource(worker, way.schedule) as source:
        source.wait_until_ready()
        scorer = teacher if way.shared else None
        return timed(lambda: learn(student, source, way.schedule, learning, teacher=scorer))


def draw_by_update(model: Seq2Seq, batch: Batch, seed: int) -> Batch:
    """Draw targets with the number of the update as the seed, as in the committed rounds; a Trainer
    adds SEED · 1,000,003 to it."""
    return OnPolicy(1.0)(model, batch, seed % 1_000_003)


def timed(training: Callable[[], Run]) -> tuple[Run, float]:
    """Run a training, and return what it took and its seconds."""
    start = time.monotonic()
    run = training()
    return run, time.monotonic() - start
