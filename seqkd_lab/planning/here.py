"""The rates of the device at hand, measured in a minute or two for one plan: the plan's own sizes,
smaller ones where they do not fit into the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from seqkd_lab import __version__, machine
from seqkd_lab.estimates import MIB, training_bytes
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.planning import made_up
from seqkd_lab.planning.measuring import (
    Effort,
    Search,
    Subject,
    memory_mib,
    record,
    search_rate,
    similarity_rate,
    training_rate,
)
from seqkd_lab.planning.plan import Corpus, Order, size
from seqkd_lab.planning.rates import Rate, Rates

FREE_SHARE = 0.5
"""Of the free memory, what a model may take while it is trained: batches need the rest."""
LEAST_WIDTH, LEAST_WORDS = 32, 1_000
POOL = 640
"""Pairs that are made up; batches of similar length are taken from them."""
Say = Callable[[str], None]


def measure(order: Order, device: torch.device, precision: str, say: Say) -> Rates:
    """Return the rates of `device` for the sizes of `order`; `say` hears what is measured."""
    rates: list[Rate] = []
    for spec in dict.fromkeys((order.teacher, *order.students)):
        subject = _subject(order.corpus, spec, device, precision, say)
        say(f"measuring {subject.size}: training")
        rates.append(training_rate(subject, _effort(device, 1)))
        if spec == order.teacher:
            rates += _searches(order, subject, device, say)
        del subject
    similarities = similarity_rate(lengths_of(order.corpus))
    return record(device, precision, __version__, similarities, rates)


def _searches(order: Order, subject: Subject, device: torch.device, say: Say) -> list[Rate]:
    length, (mode, inter) = round(order.corpus.target_length), order.beams
    rates = []
    for beam, kept in dict.fromkeys(((mode, 1), (inter, inter))):
        say(f"measuring {subject.size}: search, K = {beam}")
        few = 1 + beam // 10  # a large beam fills the device with fewer sentences
        rates.append(search_rate(subject, Search(beam, kept), length, _effort(device, few)))
    return rates


def _effort(device: torch.device, divisor: int) -> Effort:
    """Return two rounds of one batch: of 8 sentences on a CPU, of 256 on a GPU, fewer by
    `divisor`."""
    return Effort(2, 1, max(1, (8 if device.type == "cpu" else 256) // divisor))


def _subject(
    corpus: Corpus, spec: LSTMSpec, device: torch.device, precision: str, say: Say
) -> Subject:
    free = (
        FREE_SHARE
        * MIB
        * (machine.available_memory_mib() if device.type == "cpu" else memory_mib(device))
    )
    fitted, n_words = fitting(spec, corpus.n_words, free)
    if (fitted, n_words) != (spec, corpus.n_words):
        say(
            f"{size(spec)} with {corpus.n_words:,} words a side does not fit into the memory here: "
            f"{size(fitted)} with {n_words:,} words is measured in its place"
        )
    words = made_up.vocabulary(n_words)
    model = made_up.model(fitted, words, words).place(device, precision)
    pairs = made_up.pairs(POOL, lengths_of(corpus), (n_words, n_words), seed=1)
    return Subject(size(fitted), model, pairs)


def fitting(spec: LSTMSpec, n_words: int, free: float) -> tuple[LSTMSpec, int]:
    """Return the size and the words a side that can be trained in `free` bytes: as asked for, else
    halved until they can (NaN: not known, and as asked for)."""
    while training_bytes(spec.width, spec.layers, 2 * n_words) > free:
        if spec.width <= LEAST_WIDTH and n_words <= LEAST_WORDS:
            break
        spec = replace(spec, width=max(2, spec.width // 4 * 2))
        n_words = max(min(n_words, LEAST_WORDS), n_words // 2)
    return spec, n_words


def lengths_of(corpus: Corpus) -> made_up.Lengths:
    """Return the lengths of a corpus of which only the means are known: a deviation of half of the
    source's, and at most twice the longer mean."""
    source, target = corpus.source_length - 1, corpus.target_length - 1
    return made_up.Lengths(source, target, source / 2, max(1, round(2 * max(source, target))))
