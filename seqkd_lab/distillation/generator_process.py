"""The generator of near-policy distillation in a process of its own, beside the trainer's.

Two pipes join them. One carries weights and a count of what was taken, the other the rollouts; the
trainer closes its copies of the generator's ends, so that either process reads the end of its pipe
when the other has gone (by an error, a kill or an interrupt) and never waits forever. Messages are
safetensors and JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

import torch
from safetensors.torch import load, save
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, Sentences
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.generation import WAIT, Event, RolloutConfig, Rollouts
from seqkd_lab.distillation.rollout_sources import Job, RolloutWorker, Schedule
from seqkd_lab.distillation.top_k import TopK
from seqkd_lab.machine import use_threads
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.system import ended_in_words

WEIGHTS = b"W"
TAKEN = b"T"
READY = b"R"
DONE = b"D"
FAILED = b"F"
ENDED = b"E"
"""Kinds of messages, each its first byte; ENDED arrives last, when the process is gone."""
SECONDS_TO_END = 10.0


class GeneratorError(RuntimeError):
    """The generator's process ended; the message says why."""


Arrival = bytes | tuple[Rollouts, list[Event]] | GeneratorError


@dataclass(frozen=True)
class WorkerSpec:
    """A RolloutWorker as plain values, from which another process builds it. Weights are
    safetensors."""

    specs: tuple[Spec, Spec]
    vocabularies: tuple[tuple[str, ...], tuple[str, ...]]
    teacher: bytes
    sources: bytes
    config: RolloutConfig
    per_update: int
    seed: int

    @classmethod
    def of(cls, worker: RolloutWorker) -> WorkerSpec:
        """Describe `worker`. Raise ValueError when its models have different vocabularies."""
        student, teacher, sources = worker.student, worker.teacher, worker.sources
        words = student.source_vocabulary.tokens, student.target_vocabulary.tokens
        if words != (teacher.source_vocabulary.tokens, teacher.target_vocabulary.tokens):
            raise ValueError("teacher and student must have the same vocabularies")
        sides = {
            f"{name}.{part}": value
            for name, side in (("source", sources.source), ("target", sources.target))
            for part, value in vars(side).items()
        }
        return cls(
            (student.spec, teacher.spec),
            (tuple(words[0]), tuple(words[1])),
            to_safetensors(teacher.state_dict()),
            save(sides),
            worker.config,
            worker.per_update,
            worker.seed,
        )

    def worker(self) -> RolloutWorker:
        """Build the same worker; its student has no weights yet."""
        source_words, target_words = (Vocabulary(words) for words in self.vocabularies)
        student, teacher = (build(spec, source_words, target_words).eval() for spec in self.specs)
        teacher.load_state_dict(load(self.teacher))
        sides = load(self.sources)
        source, target = (
            Sentences(*(sides[f"{name}.{part}"] for part in ("ids", "starts", "lengths")))
            for name in ("source", "target")
        )
        corpus = EncodedCorpus(source, target)
        return RolloutWorker(student, teacher, corpus, self.config, self.per_update, self.seed)


def to_safetensors(weights: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as safetensors."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()})


def to_bytes(rollouts: Rollouts, events: list[Event]) -> bytes:
    """Return rollouts and the events since the last ones: a line of JSON, then safetensors."""
    tensors = {**vars(rollouts.batch), "kept": rollouts.kept}
    tensors["log_probs"] = rollouts.teacher.log_probs
    if rollouts.teacher.words is not None:
        tensors["words"] = rollouts.teacher.words.to(torch.int32)
    if rollouts.delta is not None:
        tensors["delta"] = rollouts.delta
    head = json.dumps([asdict(event) for event in events]).encode()
    return head + b"\n" + to_safetensors(tensors)


def from_bytes(message: bytes) -> tuple[Rollouts, list[Event]]:
    """Return what `to_bytes` was called with."""
    head, _, rest = message.partition(b"\n")
    tensors = load(rest)
    batch = Batch(**{name: tensors[name] for name in Batch.__dataclass_fields__})
    words = tensors["words"].long() if "words" in tensors else None
    scored = TopK(words, tensors["log_probs"])
    rollouts = Rollouts(batch, scored, tensors["kept"], tensors.get("delta"))
    return rollouts, [Event(**event) for event in json.loads(head)]


class WeightsInbox:
    """In the generator: receives the trainer's messages in a thread, so that the trainer never
    waits for a busy generator."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._changed = connection, threading.Condition()
        self._weights: dict[int, bytes] = {}
        self._n_taken = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv_bytes()
            except (EOFError, OSError):  # the trainer is gone: nobody needs these rollouts
                os._exit(1)
            kind, number, rest = message[:1], int.from_bytes(message[1:9], "big"), message[9:]
            with self._changed:
                if kind == WEIGHTS:
                    self._weights[number] = rest
                else:
                    self._n_taken = number
                self._changed.notify()

    def wait_for(self, job: Job, capacity: int) -> dict[str, Tensor]:
        """Return the weights that a job requires, once they have arrived and the queue has room."""
        with self._changed:
            self._changed.wait_for(
                lambda: job.version in self._weights and job.number < self._n_taken + capacity
            )
            self._weights = {
                version: weights
                for version, weights in self._weights.items()
                if version >= job.version
            }
            return load(self._weights[job.version])


def serve(
    inbox: Connection, outbox: Connection, spec: WorkerSpec, schedule: Schedule, capacity: int
) -> None:
    """Run the generator: send the rollouts of job after job until the trainer ends."""
    # An interrupt reaches the trainer, too, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_threads(1)
    try:
        weights_inbox, worker = WeightsInbox(inbox), spec.worker()
        timeline = worker.timeline
        outbox.send_bytes(READY)
        for job in schedule.jobs():
            with timeline.record(WAIT, job.update):
                weights = weights_inbox.wait_for(job, capacity)
            worker.student.load_state_dict(weights)
            rollouts = worker.generate(job)
            outbox.send_bytes(DONE + to_bytes(rollouts, timeline.events))
            timeline.events.clear()
    except Exception:  # whatever it is, the trainer must be told
        outbox.send_bytes(FAILED + traceback.format_exc().encode())


class ProcessSource:
    """A RolloutSource whose worker runs in its own process; use it in a `with` statement, which
    ends the process.

    capacity: the most jobs that are being generated or wait to be taken. Raise GeneratorError,
    from whatever call comes next, when the process has ended.
    """

    def __init__(self, worker: RolloutWorker, schedule: Schedule, capacity: int = 2) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1 job; got {capacity}")
        context = multiprocessing.get_context("spawn")
        inbox, self._out = context.Pipe(duplex=False)
        self._in, outbox = context.Pipe(duplex=False)
        self.process = context.Process(
            target=serve,
            daemon=True,
            name="seqkd-lab generator",
            args=(inbox, outbox, WorkerSpec.of(worker), schedule, capacity),
        )
        self.process.start()
        inbox.close()
        outbox.close()
        self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()  # bounded by the capacity
        self._events: list[Event] = []
        self._n_taken = 0
        self._error: GeneratorError | None = None
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            try:
                message = self._in.recv_bytes()
            except (EOFError, OSError):
                self._arrived.put(ENDED)
                return
            kind, rest = message[:1], message[1:]
            if kind == FAILED:
                self._arrived.put(GeneratorError(f"the generator failed:\n{rest.decode()}"))
                return
            self._arrived.put(READY if kind == READY else from_bytes(rest))

    def _next(self) -> bytes | tuple[Rollouts, list[Event]]:
        """Return what arrived next: READY, or rollouts; an error is raised, now and ever after."""
        arrival = self._error or self._arrived.get()
        if arrival == ENDED:  # only this thread may wait for the process: two can miss its end
            arrival = GeneratorError(
                f"the generator's process ended ({self._exit_in_words()}); its rollouts are lost. "
                "Start the training again."
            )
        if isinstance(arrival, GeneratorError):
            self._error = arrival
            raise arrival
        return arrival

    def _exit_in_words(self) -> str:
        self.process.join(SECONDS_TO_END)
        return ended_in_words(self.process.exitcode)

    def wait_until_ready(self) -> None:
        """Wait until the process has built its models, which takes as long as importing torch does;
        call it once, first."""
        self._next()

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        """Send the weights. Raise GeneratorError when the process has ended."""
        self._send(WEIGHTS + update.to_bytes(8, "big") + to_safetensors(student.state_dict()))

    def take(self, job: Job) -> Rollouts:
        """Wait for the next rollouts, which are those of `job`. Raise GeneratorError when the
        process has ended."""
        arrival = self._next()
        if isinstance(arrival, bytes):  # it is ready now
            arrival = self._next()
        assert not isinstance(arrival, bytes)
        rollouts, events = arrival
        self._events += events
        self._n_taken += 1
        self._send(TAKEN + self._n_taken.to_bytes(8, "big"))
        return rollouts

    def _send(self, message: bytes) -> None:
        try:
            self._out.send_bytes(message)
        except OSError:
            while True:  # the process is gone: skip what arrived before the reason
                self._next()

    def events(self) -> list[Event]:
        """Return the events of both sides' jobs that were taken."""
        return self._events

    def __enter__(self) -> ProcessSource:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._out.close()
        self.process.terminate()
        self.process.join(SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(SECONDS_TO_END)
