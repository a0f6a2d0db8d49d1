"""The generator of near-policy distillation in a process of its own, beside the trainer's.

Two pipes join them. One carries weights and a count of what was taken, the other the translations;
the trainer closes its copies of the other's ends, so that whoever is left alone, by an error, a
kill or an interrupt, reads the end of its pipe and never waits for nobody. What travels through
them are safetensors and JSON.
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
from seqkd_lab.distillation.generation import WAIT, Event, Writing, Written
from seqkd_lab.distillation.near_policy import Job, Schedule, Writer
from seqkd_lab.distillation.top_k import TopK
from seqkd_lab.machine import use_threads
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.seq2seq import Seq2Seq

WEIGHTS, TAKEN, READY, DONE, FAILED = b"W", b"T", b"R", b"D", b"F"
"""What a message is: its first byte."""
ENDED = object()
"""What arrives last when the process is gone."""
SECONDS_TO_END = 10.0


class GeneratorError(RuntimeError):
    """The generator's process ended; the message says of what."""


@dataclass(frozen=True)
class Described:
    """A Writer as plain values, from which another process builds it. Weights are safetensors."""

    specs: tuple[Spec, Spec]
    vocabularies: tuple[tuple[str, ...], tuple[str, ...]]
    teacher: bytes
    sources: bytes
    how: Writing
    per_update: int
    seed: int

    @classmethod
    def of(cls, writer: Writer) -> Described:
        """Describes `writer`. Raises ValueError when its models have different vocabularies."""
        student, teacher, sources = writer.student, writer.teacher, writer.sources
        if any(
            model.source_vocabulary.tokens != student.source_vocabulary.tokens
            or model.target_vocabulary.tokens != student.target_vocabulary.tokens
            for model in (student, teacher)
        ):
            raise ValueError("teacher and student must have the same vocabularies")
        sides = {
            f"{name}.{part}": value
            for name, side in (("source", sources.source), ("target", sources.target))
            for part, value in vars(side).items()
        }
        words = student.source_vocabulary.tokens, student.target_vocabulary.tokens
        return cls(
            (student.spec, teacher.spec),
            tuple(map(tuple, words)),
            packed_weights(teacher.state_dict()),
            save(sides),
            writer.how,
            writer.per_update,
            writer.seed,
        )

    def writer(self) -> Writer:
        """The same writer; its student has no weights yet."""
        vocabularies = [Vocabulary(words) for words in self.vocabularies]
        student, teacher = (build(spec, *vocabularies).eval() for spec in self.specs)
        teacher.load_state_dict(load(self.teacher))
        sides = load(self.sources)
        source, target = (
            Sentences(*(sides[f"{name}.{part}"] for part in ("ids", "starts", "lengths")))
            for name in ("source", "target")
        )
        return Writer(
            student, teacher, EncodedCorpus(source, target), self.how, self.per_update, self.seed
        )


def packed_weights(weights: Mapping[str, Tensor]) -> bytes:
    """Named tensors as safetensors."""
    return save({name: tensor.detach().contiguous() for name, tensor in weights.items()})


def to_bytes(written: Written, events: list[Event]) -> bytes:
    """Translations and the events since the last ones: a line of JSON, then safetensors."""
    tensors = {**vars(written.batch), "kept": written.kept, "log_probs": written.teacher.log_probs}
    tensors |= (
        {} if written.teacher.words is None else {"words": written.teacher.words.to(torch.int32)}
    )
    tensors |= {} if written.delta is None else {"delta": written.delta}
    return (
        json.dumps([asdict(event) for event in events]).encode() + b"\n" + packed_weights(tensors)
    )


def from_bytes(message: bytes) -> tuple[Written, list[Event]]:
    """What `to_bytes` was given."""
    head, _, rest = message.partition(b"\n")
    tensors = load(rest)
    batch = Batch(**{name: tensors[name] for name in Batch.__dataclass_fields__})
    words = tensors["words"].long() if "words" in tensors else None
    written = Written(
        batch, TopK(words, tensors["log_probs"]), tensors["kept"], tensors.get("delta")
    )
    return written, [Event(**event) for event in json.loads(head)]


class Letterbox:
    """In the generator: hears the trainer in a thread, so that the trainer never waits for a busy
    generator."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._news = connection, threading.Condition()
        self._weights: dict[int, bytes] = {}
        self._n_taken = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv_bytes()
            except (EOFError, OSError):  # the trainer is gone: nobody wants what is written here
                os._exit(1)
            kind, number, rest = message[:1], int.from_bytes(message[1:9], "big"), message[9:]
            with self._news:
                if kind == WEIGHTS:
                    self._weights[number] = rest
                else:
                    self._n_taken = number
                self._news.notify()

    def wait_for(self, job: Job, capacity: int) -> dict[str, Tensor]:
        """The weights that a job asks for, once they are there and there is room in the queue."""
        with self._news:
            self._news.wait_for(
                lambda: job.version in self._weights and job.number < self._n_taken + capacity
            )
            self._weights = {
                version: kept for version, kept in self._weights.items() if version >= job.version
            }
            return load(self._weights[job.version])


def serve(
    inbox: Connection, outbox: Connection, described: Described, schedule: Schedule, capacity: int
) -> None:
    """The generator's whole life: writes job after job until the trainer goes."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # an interrupt is the trainer's, who ends this process
    use_threads(1)
    try:
        letterbox, writer = Letterbox(inbox), described.writer()
        writer.student.eval()
        outbox.send_bytes(READY)
        for job in schedule.jobs():
            with writer.diary.note(WAIT, job.update):
                weights = letterbox.wait_for(job, capacity)
            writer.student.load_state_dict(weights)
            written = writer.write(job)
            outbox.send_bytes(DONE + to_bytes(written, writer.diary.events))
            writer.diary.events.clear()
    except Exception:  # whatever it is, the trainer is to hear of it
        outbox.send_bytes(FAILED + traceback.format_exc().encode())


class Separate:
    """A Source whose writer works in its own process; use it in a `with`, which ends the process.

    capacity: the most jobs that are being written or wait to be taken. Raises GeneratorError, from
    whatever call is made next, when the process has ended.
    """

    def __init__(self, writer: Writer, schedule: Schedule, capacity: int = 2) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1 job; got {capacity}")
        context = multiprocessing.get_context("spawn")
        inbox, self._out = context.Pipe(duplex=False)
        self._in, outbox = context.Pipe(duplex=False)
        self.process = context.Process(
            target=serve,
            daemon=True,
            name="seqkd-lab generator",
            args=(inbox, outbox, Described.of(writer), schedule, capacity),
        )
        self.process.start()
        inbox.close()
        outbox.close()
        self._arrived: queue.SimpleQueue = queue.SimpleQueue()  # as short as the capacity allows
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
                self._arrived.put(
                    GeneratorError(f"the generator ended with an error:\n{rest.decode()}")
                )
                return
            self._arrived.put(None if kind == READY else from_bytes(rest))

    def _manner(self) -> str:
        self.process.join(SECONDS_TO_END)
        code = self.process.exitcode
        return (
            f"by {signal.Signals(-code).name}"
            if code is not None and code < 0
            else f"with exit code {code}"
        )

    def _next(self):
        """What arrived next; an error is raised, now and ever after."""
        item = self._error or self._arrived.get()
        if (
            item is ENDED
        ):  # how, only this thread may ask: two that wait for one process can miss its end
            item = GeneratorError(
                f"the generator's process ended {self._manner()}; what it had written is lost, "
                "start the training again"
            )
        if isinstance(item, GeneratorError):
            self._error = item
            raise item
        return item

    def wait_until_ready(self) -> None:
        """Until the process has built its models, which takes as long as importing torch does; call
        it once, first."""
        self._next()

    def synchronise(self, update: int, student: Seq2Seq) -> None:
        """Sends the weights. Raises GeneratorError when the process has ended."""
        self._send(WEIGHTS + update.to_bytes(8, "big") + packed_weights(student.state_dict()))

    def take(self, job: Job) -> Written:
        """The next translations, which are those of `job`: waits for them. Raises GeneratorError
        when the process has ended."""
        written = self._next()
        if written is None:  # it is ready now
            written = self._next()
        written, events = written
        self._events += events
        self._n_taken += 1
        self._send(TAKEN + self._n_taken.to_bytes(8, "big"))
        return written

    def _send(self, message: bytes) -> None:
        try:
            self._out.send_bytes(message)
        except OSError:
            while True:  # it is gone: what has arrived before is of no use, why it went is
                self._next()

    def events(self) -> list[Event]:
        return self._events

    def __enter__(self) -> Separate:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        self._out.close()
        self.process.terminate()
        self.process.join(SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(SECONDS_TO_END)
