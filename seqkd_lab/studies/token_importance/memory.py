"""What a loss over all V words keeps in memory, measured: a process of its own for each size and
share.

A process can only say the most that it ever took, so each measurement begins in a new one, forked
from one that has read torch in; what torch, the models and their gradients take is there before,
and subtracted.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, Sentences, make_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, Vocabulary
from seqkd_lab.distillation.tip import ALL, SOFT_OR, Selected, lean_loss
from seqkd_lab.machine import MIB, peak_memory_mib, use_threads
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq

TOY_WORDS, MANY_WORDS = 543, 32_000
"""V of the toy language's German, and of a usual subword vocabulary."""
B, T = 32, 20
THRESHOLD, LEAST_RETURNED = "MALLOC_MMAP_THRESHOLD_", 2**16
"""An environment variable that glibc reads when a process begins (mallopt(3)), and its value
here."""
STUDENT, TEACHER = LSTMSpec(24), LSTMSpec(128)


@dataclass(frozen=True)
class Bytes:
    """logits_gradient: of the gradient of the logits, as the backward pass made it; peak: what the
    process took at most beyond what it had before the loss."""

    logits_gradient: int
    peak: int


Case = tuple[int, float | None]
"""V, and the share ρ that Soft-OR keeps, with logits for the kept alone; None: all tokens, in the
usual way."""


def measure(cases: Iterable[Case]) -> list[Bytes]:
    """One loss and its gradient for each case. Needs a system that can fork (Linux, macOS)."""
    with given_back_at_once(), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_each_in_a_fork, list(cases)).result()


@contextmanager
def given_back_at_once() -> Iterator[None]:
    """Processes begun meanwhile return freed memory to the system at once (glibc), from
    LEAST_RETURNED bytes on; as a rule the allocator keeps some back, and a peak would tell of its
    habits."""
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
    found = []
    for case in cases:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            found.append(pool.submit(measure_here, *case).result())
    return found


def measure_here(n_words: int, share: float | None) -> Bytes:
    """One case in this process, whose peak must not have been higher before."""
    torch.manual_seed(1)
    vocabulary = Vocabulary.build([tuple(f"w{i}" for i in range(n_words - 4))])
    student, teacher = (build(spec, vocabulary, vocabulary) for spec in (STUDENT, TEACHER))
    loss_of(
        student, teacher, random_batch(2, 3, n_words), share
    ).backward()  # makes the weights' gradients
    gradients: list[int] = []

    def watch(_: torch.nn.Module, __: tuple, logits: Tensor) -> None:
        if logits.requires_grad:
            logits.register_hook(lambda gradient: gradients.append(gradient.nbytes))

    student.output.register_forward_hook(watch)
    batch, before = random_batch(B, T, n_words), peak_bytes()
    loss_of(student, teacher, batch, share).backward()
    return Bytes(sum(gradients), peak_bytes() - before)


def loss_of(student: Seq2Seq, teacher: Seq2Seq, batch: Batch, share: float | None) -> Tensor:
    """Reverse KL of all tokens from all logits, or of the kept ones from theirs."""
    if share is not None:
        return lean_loss(student, teacher, batch, Selected(SOFT_OR, share))
    with torch.no_grad():
        teacher_logits = teacher(batch)
    return Selected(ALL, 1.0)(student(batch), batch, teacher_logits)


def random_batch(n_sentences: int, length: int, n_words: int) -> Batch:
    """Sentences of `length` tokens, the end included, of any words."""
    ids = torch.randint(4, n_words, (n_sentences, length - 1)).tolist()
    encoded = EncodedCorpus(
        Sentences.of([*row, EOS] for row in ids), Sentences.of([BOS, *row, EOS] for row in ids)
    )
    return make_batch(encoded, range(n_sentences))


def peak_bytes() -> int:
    """The most that this process has held so far."""
    return round(peak_memory_mib() * MIB)
