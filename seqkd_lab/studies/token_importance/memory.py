"""Memory of a loss over all V words and its gradient: one process for each size and share. It is
the same in every run, so it is measured once and has no interval.

A process only knows the most that it has ever taken, so each measurement runs in a new one, forked
from one that has imported torch; what torch, the models and their gradients take is there before,
and is subtracted.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, Sentences, make_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, Vocabulary
from seqkd_lab.distillation.tip import ALL, SOFT_OR, Selected, lean_loss
from seqkd_lab.machine import MIB, peak_memory_mib, use_threads
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.system import can_fork

TOY_WORDS = 543
"""V of the toy language's German."""
MANY_WORDS = 32_000
"""V of a usual subword vocabulary."""
LEAN = (0.5, 0.2, 0.1)
"""Shares that teach by the lean loss."""
B = 32
T = 20
THRESHOLD = "MALLOC_MMAP_THRESHOLD_"
"""An environment variable that glibc reads when a process starts (mallopt(3))."""
LEAST_RETURNED = 2**16
"""Its value here, in bytes."""
STUDENT = LSTMSpec(24)
TEACHER = LSTMSpec(128)


@dataclass(frozen=True)
class Bytes:
    """Memory of a case. logits_gradient: of the gradient of the logits, as the backward pass made
    it; peak: the most that the process took beyond what it had before the loss."""

    logits_gradient: int
    peak: int


@dataclass(frozen=True)
class Case:
    """V, and the share ρ of the tokens that Soft-OR keeps, with logits for the kept alone (the lean
    loss, in two passes); None: all tokens by the usual loss, in one."""

    n_words: int
    share: float | None

    @property
    def name(self) -> str:
        """Return the case's name in the results."""
        return f"{self.n_words} {USUAL if self.share is None else f'{self.share:g}'}"


USUAL = "usual"
CASES = tuple(
    Case(n_words, share) for n_words in (TOY_WORDS, MANY_WORDS) for share in (None, 1.0, *LEAN)
)


def memory_record() -> dict[str, dict[str, int]]:
    """Return the memory of all CASES, by name."""
    measured = zip(CASES, measure(CASES), strict=True)
    return {case.name: asdict(taken) for case, taken in measured}


def saved(record: Mapping[str, Mapping[str, int]], one: Case, other: Case, measure: str) -> float:
    """Return by how much, in percent, `one` takes less than `other`."""
    return 100.0 * (1.0 - record[one.name][measure] / record[other.name][measure])


def measure(cases: Iterable[Case]) -> list[Bytes]:
    """Measure one loss and its gradient for each case. Raise ValueError on a system that cannot
    fork (Windows)."""
    if not can_fork():
        raise ValueError(
            "the memory of a loss is measured in forked processes, and this system cannot fork; "
            "measure it on Linux"
        )
    spawn = multiprocessing.get_context("spawn")
    with freed_memory_returned(), ProcessPoolExecutor(1, spawn) as pool:
        return pool.submit(_each_in_a_fork, list(cases)).result()


@contextmanager
def freed_memory_returned() -> Iterator[None]:
    """Let processes that start meanwhile return freed memory to the system at once (glibc), from
    LEAST_RETURNED bytes on; by default the allocator keeps some, and a peak would depend on it."""
    before = os.environ.get(THRESHOLD)
    os.environ[THRESHOLD] = str(LEAST_RETURNED)
    try:
        yield
    finally:
        if before is None:
            del os.environ[THRESHOLD]
        else:
            os.environ[THRESHOLD] = before


def _each_in_a_fork(cases: list[Case]) -> list[Bytes]:
    use_threads(1)
    measured = []
    for case in cases:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            measured.append(pool.submit(measure_here, case.n_words, case.share).result())
    return measured


def measure_here(n_words: int, share: float | None) -> Bytes:
    """Measure one case in this process, whose peak must not have been higher before."""
    torch.manual_seed(1)
    vocabulary = Vocabulary.build([tuple(f"w{i}" for i in range(n_words - 4))])
    student, teacher = (build(spec, vocabulary, vocabulary) for spec in (STUDENT, TEACHER))
    first = loss_of(student, teacher, random_batch(2, 3, n_words), share)
    first.backward()  # allocates the weights' gradients
    gradients: list[int] = []

    def watch(_: torch.nn.Module, __: tuple, logits: Tensor) -> None:
        if logits.requires_grad:
            logits.register_hook(lambda gradient: gradients.append(gradient.nbytes))

    student.output.register_forward_hook(watch)
    batch, before = random_batch(B, T, n_words), peak_bytes()
    loss_of(student, teacher, batch, share).backward()
    return Bytes(sum(gradients), peak_bytes() - before)


def loss_of(student: Seq2Seq, teacher: Seq2Seq, batch: Batch, share: float | None) -> Tensor:
    """Return the reverse KL of all tokens from all logits (share None), or of the kept ones from
    theirs."""
    if share is not None:
        return lean_loss(student, teacher, batch, Selected(SOFT_OR, share))
    with torch.no_grad():
        teacher_logits = teacher(batch)
    return Selected(ALL, 1.0)(student(batch), batch, teacher_logits)


def random_batch(n_sentences: int, length: int, n_words: int) -> Batch:
    """Return sentences of `length` random tokens, the end included."""
    ids = torch.randint(4, n_words, (n_sentences, length - 1)).tolist()
    encoded = EncodedCorpus(
        Sentences.of([*row, EOS] for row in ids), Sentences.of([BOS, *row, EOS] for row in ids)
    )
    return make_batch(encoded, range(n_sentences))


def peak_bytes() -> int:
    """Return the most that this process has held so far."""
    return round(peak_memory_mib() * MIB)
