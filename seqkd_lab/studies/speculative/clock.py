"""Speculative sampling by the clock: one sentence at a time on one thread, beside the same target's
own sampling with its cache.

In a round all ways take turns at the same sentences, so that a busy moment of the machine touches
all alike. Each round has sentences and draws of its own, so the scatter over rounds holds both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Annotated

import torch
from msgspec import Meta

from seqkd_lab import machine
from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.speculative import speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_block, in_turn
from seqkd_lab.runs.measured import Amount, Count, Name, Positive, Size
from seqkd_lab.runs.store import Report, silent
from seqkd_lab.studies.speculative.tokens import Sources, lengths_of

OWN = "target alone"
STEPS = 24
"""Steps that one timing of a model's step takes."""


@dataclass(frozen=True)
class ClockTime:
    """Seconds per token in each round; draft_length 0 is the target's own sampling, under the
    draft's name OWN."""

    draft: Name
    temperature: Amount
    draft_length: Count
    seconds_per_token: Annotated[Sequence[Positive], Meta(min_length=2)]


@dataclass(frozen=True)
class StepTime:
    """Seconds that a model takes, in each round, to read n_tokens after a prefix and draw from what
    follows."""

    model: Name
    n_tokens: Size
    seconds: Annotated[Sequence[Positive], Meta(min_length=1)]


def seconds_per_token(
    target: Seq2Seq,
    draft: Seq2Seq | None,
    sources: Sources,
    distribution: SamplingDistribution,
    draft_length: int = 0,
    seed: int = 1,
) -> float:
    """Measure sampling all `sources` one by one: speculative, or without a draft the target's
    own."""
    start = time.perf_counter()
    if draft is None:
        drawn = sample(target, sources, seed, distribution, batch_size=1)
    else:
        drawn = speculative_sample(
            target, draft, sources, seed, draft_length, distribution, batch_size=1
        )
    return (time.perf_counter() - start) / sum(lengths_of(drawn))


def round_by_round(
    measure: Callable[[Sources, int], float], sources: Sources, repetitions: int
) -> Callable[[], float]:
    """Return what measures, at its n-th call, the n-th of equal shares of `sources` with the seed
    n. There is one share more than there are repetitions: the first call is a warm-up.

    Raise ValueError for fewer sources than shares.
    """
    size = len(sources) // (repetitions + 1)
    if size < 1:
        raise ValueError(f"{repetitions + 1} rounds need a sentence each; got {len(sources)}")
    numbers = iter(range(repetitions + 1))

    def next_round() -> float:
        n = next(numbers)
        return measure(sources[n * size : (n + 1) * size], n)

    return next_round


@torch.inference_mode()
def seconds_per_step(model: Seq2Seq, source: Sequence[str], n_tokens: int) -> float:
    """Measure one step that reads n_tokens, makes the distribution of the next word and draws it;
    the encoder is not counted."""
    start_state = model.start(*source_batch([source], model.source_vocabulary)).remember()
    generator, distribution = torch.Generator().manual_seed(1), SamplingDistribution()
    read = torch.full((1, n_tokens), BOS)
    _, state = model.step(read, start_state)
    start = time.perf_counter()
    for _ in range(STEPS):
        logits, _ = model.step(read, state)
        draw(distribution(logits[:, -1]), generator)
    return (time.perf_counter() - start) / STEPS


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread, and afterwards with as many as before."""
    before = torch.get_num_threads()
    machine.use_threads(1)
    try:
        yield
    finally:
        machine.use_threads(before)


def measure_clock(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    draft_lengths: Sequence[int],
    repetitions: int,
    report: Report = silent,
) -> list[ClockTime]:
    """Time every draft at every temperature and K, on one thread; `sources` are dealt out to the
    rounds."""
    times: list[ClockTime] = []
    for block, temperature in enumerate(temperatures):
        distribution = SamplingDistribution(temperature)

        def way(
            draft: Seq2Seq | None, K: int, distribution: SamplingDistribution = distribution
        ) -> Callable[[], float]:
            """Return what times one way to sample, with the sentences of each round in turn."""

            def measure(some: Sources, seed: int) -> float:
                return seconds_per_token(target, draft, some, distribution, K, seed)

            return round_by_round(measure, sources, repetitions)

        jobs = {(OWN, 0): way(None, 0)} | {
            (name, K): way(draft, K) for name, draft in drafts.items() for K in draft_lengths
        }
        with one_thread():
            seconds = in_turn(jobs, repetitions, in_block(report, block, len(temperatures)))
        times += [
            ClockTime(name, temperature, K, rounded(by_round))
            for (name, K), by_round in seconds.items()
        ]
    return times


def measure_steps(
    models: Mapping[str, Seq2Seq],
    source: Sequence[str],
    n_tokens: Mapping[str, Sequence[int]],
    repetitions: int,
    report: Report = silent,
) -> list[StepTime]:
    """Time each model's step on one thread, by the tokens that it reads at once (`n_tokens`, by
    model); all take turns."""
    jobs = {
        (name, n): partial(seconds_per_step, model, source, n)
        for name, model in models.items()
        for n in n_tokens[name]
    }
    with one_thread():
        seconds = in_turn(jobs, repetitions, report)
    return [StepTime(*job, rounded(values)) for job, values in seconds.items()]


def rounded(seconds: Sequence[float]) -> list[float]:
    """Return times with four significant digits, which is more than a clock repeats."""
    return [float(f"{value:.4g}") for value in seconds]


def cost(steps: Sequence[StepTime], draft: str, target: str) -> float:
    """Return c: a step of the draft in steps of the target, medians over the rounds."""
    seconds = {step.model: median(step.seconds) for step in steps if step.n_tokens == 1}
    return seconds[draft] / seconds[target]


def check_cost(steps: Sequence[StepTime], target: str, draft_length: int) -> float:
    """Return what the formula takes for 1: the target reads K + 1 tokens at once, in steps of one
    token."""
    seconds = {step.n_tokens: median(step.seconds) for step in steps if step.model == target}
    return seconds[draft_length + 1] / seconds[1]


def speed_ups(clock: Sequence[ClockTime], temperature: float) -> dict[tuple[str, int], list[float]]:
    """Return for each draft and K times as fast as the target alone in the same round, in each
    round."""
    here = [time for time in clock if time.temperature == temperature]
    own = next(time.seconds_per_token for time in here if time.draft == OWN)
    return {
        (time.draft, time.draft_length): [
            alone / drafted for alone, drafted in zip(own, time.seconds_per_token, strict=True)
        ]
        for time in here
        if time.draft != OWN
    }


def choosing(rounds: Sequence[float]) -> Sequence[float]:
    """Return the values of the rounds in which a way is chosen: every other one, from the first
    on."""
    return rounds[::2]


def judging(rounds: Sequence[float]) -> Sequence[float]:
    """Return the values of the rounds in which what was chosen is judged: the others."""
    return rounds[1::2]


def best_way(
    clock: Sequence[ClockTime], temperature: float, draft: str | None = None
) -> tuple[str, int]:
    """Return the draft and K (of all drafts, or of one) that are the fastest in the choosing
    rounds, by the median."""
    ways = speed_ups(clock, temperature)
    tried = [way for way in ways if draft in (None, way[0])]
    return max(tried, key=lambda way: median(choosing(ways[way])))


def judged_speed_up(
    clock: Sequence[ClockTime], temperature: float, draft: str | None = None
) -> float:
    """Return how many times as fast as the target alone the way is that was chosen in the choosing
    rounds: its median in the others, which had no part in the choice."""
    way = best_way(clock, temperature, draft)
    return median(judging(speed_ups(clock, temperature)[way]))
