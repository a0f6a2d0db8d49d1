"""How fast a device learns and translates, by the lab's own training step and search.

Each job runs once before the clock, to find the largest batch that fits: what only a first call
costs (Adam's moments, the choice of kernels) falls there. A GPU works on while Python goes on, so
it is waited for before the clock is read. On a CPU, seconds are those that the process was given:
machines are shared, and one thread computes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import torch

from seqkd_lab import machine, system
from seqkd_lab.corpus.batching import Batch, batch_rows, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.distilled import similarities
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.estimates import is_out_of_memory
from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import training_step
from seqkd_lab.planning import made_up
from seqkd_lab.planning.rates import SEARCH, TRAIN, MeasuredShape, Rate, Rates, Similarities

MIB = 2**20
LEARNING_RATE, CLIP_NORM = 1e-4, 1.0


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds that are timed, batches in each, and the largest batch that is
    tried; it is halved while there is no memory for it."""

    rounds: int = 3
    n_batches: int = 2
    batch_size: int = 64


class Subject(NamedTuple):
    """What is measured: a model on its device, the pairs, and the name of the size."""

    size: str
    model: Seq2Seq
    corpus: ParallelCorpus


class Search(NamedTuple):
    """A search of `beam` hypotheses, of which the best `kept` are kept."""

    beam: int
    kept: int


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def forget_peak(device: torch.device) -> None:
    """Give back memory that is not in use, and let the count of the most begin anew."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    elif device.type == "mps":
        torch.mps.empty_cache()


def peak_mib(device: torch.device) -> float:
    """Return the most memory that was in use: on CUDA since `forget_peak`, on MPS now, and on a CPU
    of the whole process since it began."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    if device.type == "mps":
        return torch.mps.driver_allocated_memory() / MIB
    return machine.peak_memory_mib()


def memory_mib(device: torch.device) -> float:
    """Return the memory of the device; of a CPU what this process may have."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory / MIB
    if device.type == "mps":
        return torch.mps.recommended_max_memory() / MIB
    return machine.granted_memory_mib()


def device_name(device: torch.device) -> str:
    """Return what the device is called."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return system.processor_name()


def timed(work: Callable[[], object], device: torch.device, rounds: int) -> list[float]:
    """Return the seconds of each of `rounds` calls: of the clock, on a CPU those of the process."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    seconds = []
    for _ in range(rounds):
        synchronise(device)
        start = clock()
        work()
        synchronise(device)
        seconds.append(clock() - start)
    return seconds


def largest_that_fits(
    work: Callable[[int], object], batch_size: int, device: torch.device
) -> tuple[int, list[int]]:
    """Return the largest of batch_size, batch_size / 2, .. 1 for which `work` has the memory, and
    those for which it has not. Raise the last error where there is none."""
    refused: list[int] = []
    while True:
        try:
            work(batch_size)
            return batch_size, refused
        except (RuntimeError, MemoryError) as error:
            if batch_size == 1 or not is_out_of_memory(error):
                raise
        # here, where the error, and with it the tensors of its frames, is gone
        refused.append(batch_size)
        batch_size //= 2
        forget_peak(device)


def training_rate(subject: Subject, effort: Effort) -> Rate:
    """Return how fast the model learns: updates by Adam from batches of similar length, weights and
    moments in 32 bits."""
    model, device = subject.model, subject.model.device
    encoded = encode(subject.corpus, model.source_vocabulary, model.target_vocabulary)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)

    def of_size(batch_size: int) -> list[Batch]:
        by_length = list(batch_rows(encoded, batch_size, shuffle_seed=None))
        places = evenly(len(by_length), effort.n_batches)
        return [make_batch(encoded, by_length[place]) for place in places]

    def learn(batch_size: int) -> None:
        for batch in of_size(batch_size):
            training_step(model, batch.to(device), NLL(), optimiser, CLIP_NORM)

    model.train()
    forget_peak(device)
    batch_size, refused = largest_that_fits(learn, effort.batch_size, device)
    seconds = timed(lambda: learn(batch_size), device, effort.rounds)
    learned = of_size(batch_size)
    counted = (
        sum(map(len, learned)),
        sum(int(batch.source_lengths.sum()) for batch in learned),
        sum(batch.n_tokens for batch in learned),
    )
    return _rate(subject, TRAIN, Search(0, 0), (batch_size, refused), counted, seconds)


def search_rate(subject: Subject, how: Search, length: int, effort: Effort) -> Rate:
    """Return how fast the model translates: every translation has `length` tokens, EOS included,
    which `made_up.model` and max_length make sure of."""
    model, device = subject.model, subject.model.device

    def of_size(batch_size: int) -> list[tuple[str, ...]]:
        return spread_batches(subject.corpus.source, batch_size, effort.n_batches)

    def translate(batch_size: int) -> None:
        search(model, of_size(batch_size), *how, max_length=length, batch_size=batch_size)

    forget_peak(device)
    batch_size, refused = largest_that_fits(translate, effort.batch_size, device)
    seconds = timed(lambda: translate(batch_size), device, effort.rounds)
    sources = of_size(batch_size)
    counted = len(sources), sum(map(len, sources)) + len(sources), length * len(sources)
    return _rate(subject, SEARCH, how, (batch_size, refused), counted, seconds)


def spread_batches(
    sources: Sequence[tuple[str, ...]], batch_size: int, n_batches: int
) -> list[tuple[str, ...]]:
    """Return the sentences of `n_batches` batches that lie evenly among all batches of `sources`
    by length: as little padding as in a long text, and short and long sentences alike."""
    ordered = sorted(sources, key=len)
    places = evenly(max(1, len(ordered) // batch_size), n_batches)
    return [
        sentence
        for place in places
        for sentence in ordered[place * batch_size : (place + 1) * batch_size]
    ]


def evenly(n_all: int, n: int) -> list[int]:
    """Return `n` places (or all, where there are fewer) that lie evenly among `n_all`."""
    n = min(n, n_all)
    return [(2 * number + 1) * n_all // (2 * n) for number in range(n)]


def _rate(
    subject: Subject,
    job: str,
    how: Search,
    fitted: tuple[int, list[int]],
    counted: tuple[int, int, int],
    seconds: list[float],
) -> Rate:
    n_sentences, n_source, n_target = counted
    model = subject.model
    lengths = n_source / n_sentences, n_target / n_sentences
    return Rate(
        subject.size,
        measured_shape(model.spec, model.source_vocabulary, model.target_vocabulary, lengths),
        job,  # type: ignore[arg-type]
        *how,
        *fitted,
        *counted,
        seconds,
        round(peak_mib(model.device), 1),
    )


def measured_shape(
    spec: Spec, source: Vocabulary, target: Vocabulary, lengths: tuple[float, float]
) -> MeasuredShape:
    """Return the size of a model, with the mean lengths of its work."""
    hidden = spec.hidden if isinstance(spec, TransformerSpec) else 0
    kind = "transformer" if isinstance(spec, TransformerSpec) else "lstm"
    return MeasuredShape(
        kind,  # type: ignore[arg-type]
        spec.width,
        spec.layers,
        hidden,
        len(source),
        len(target),
        *lengths,
    )


def similarity_rate(lengths: made_up.Lengths, rounds: int = 3, number: int = 350) -> Similarities:
    """Return how fast sim(t, y) is, the sentence BLEU that Seq-Inter chooses by: 35 hypotheses of
    each of `number` / 35 sentences, which have half of the words of gold. This is work of the
    CPU, whatever the model computes on."""
    n_words = 5_000
    gold = made_up.pairs(max(1, number // 35), lengths, (n_words, n_words), seed=2).target
    candidates = [[half_of(words, rank) for rank in range(35)] for words in gold]

    def compare() -> None:
        for words, of_sentence in zip(gold, candidates, strict=True):
            similarities(of_sentence, words)

    compare()
    return Similarities(35 * len(gold), timed(compare, torch.device("cpu"), rounds))


def half_of(words: Sequence[str], rank: int) -> list[str]:
    """Return a hypothesis that has every second word of gold, and others that no rank shares."""
    return [word if place % 2 else f"x{rank}-{place}" for place, word in enumerate(words)]


def record(
    device: torch.device, precision: str, lab: str, similarities: Similarities, rates: list[Rate]
) -> Rates:
    """Return the record of what was measured today on `device`; lab: the version of the lab."""
    known = memory_mib(device)
    return Rates(
        date.today().isoformat(),
        lab,
        device.type,  # type: ignore[arg-type]
        device_name(device),
        precision,  # type: ignore[arg-type]
        0.0 if math.isnan(known) else known,
        "of the process" if device.type == "cpu" else "of the device",
        torch.get_num_threads(),
        machine.describe(),
        similarities,
        rates,
    )
