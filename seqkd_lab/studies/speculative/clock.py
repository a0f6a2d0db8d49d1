"""Speculative sampling by the clock: one sentence at a time, beside the same target's own sampling
with its cache.

What is compared takes turns in one process, so that a busy moment of the machine touches all alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import median

import torch

from seqkd_lab import machine
from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.speculative import speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_block, in_turn
from seqkd_lab.runs.store import Report, silent
from seqkd_lab.studies.speculative.tokens import Sources, lengths_of

OWN = "target alone"
STEPS = 24
"""Steps that one timing of a model's step takes."""


@dataclass(frozen=True)
class ClockTime:
    """Seconds per token in each round; draft_length 0 is the target's own sampling, under the
    draft's name OWN."""

    draft: str
    temperature: float
    draft_length: int
    adaptive: bool
    threads: int
    seconds_per_token: Sequence[float]


@dataclass(frozen=True)
class StepTime:
    """Seconds that a model takes, in each round, to read n_tokens after a prefix and draw from what
    follows."""

    model: str
    n_tokens: int
    threads: int
    seconds: Sequence[float]


def seconds_per_token(
    target: Seq2Seq,
    draft: Seq2Seq | None,
    sources: Sources,
    distribution: SamplingDistribution,
    draft_length: int = 0,
    adaptive: bool = False,
) -> float:
    """Measure sampling all `sources` one by one: speculative, or without a draft the target's
    own."""
    start = time.perf_counter()
    if draft is None:
        drawn = sample(target, sources, 1, distribution, batch_size=1)
    else:
        drawn = speculative_sample(
            target, draft, sources, 1, draft_length, distribution, batch_size=1, adaptive=adaptive
        )
    return (time.perf_counter() - start) / sum(lengths_of(drawn))


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


def measure_clock(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    draft_lengths: Sequence[int],
    threads: Sequence[int],
    repetitions: int,
    report: Report = silent,
) -> list[ClockTime]:
    """Time every draft at every temperature and K, and adaptive from the middle K on; all take
    turns at a temperature."""
    times: list[ClockTime] = []
    before, blocks = torch.get_num_threads(), list(product(threads, temperatures))
    middle = sorted(draft_lengths)[len(draft_lengths) // 2]
    ways = [(length, False) for length in draft_lengths] + [(middle, True)]
    for block, (n_threads, temperature) in enumerate(blocks):
        machine.use_threads(n_threads)
        distribution = SamplingDistribution(temperature)
        own = partial(seconds_per_token, target, None, sources, distribution)
        jobs = {(OWN, 0, False): own} | {
            (name, *way): partial(seconds_per_token, target, draft, sources, distribution, *way)
            for name, draft in drafts.items()
            for way in ways
        }
        seconds = in_turn(jobs, repetitions, in_block(report, block, len(blocks)))
        times += [
            ClockTime(name, temperature, length, adaptive, n_threads, values)
            for (name, length, adaptive), values in seconds.items()
        ]
    machine.use_threads(before)
    return times


def measure_steps(
    models: Mapping[str, Seq2Seq],
    source: Sequence[str],
    n_tokens: Sequence[int],
    threads: Sequence[int],
    repetitions: int,
    report: Report = silent,
) -> list[StepTime]:
    """Time each model's step, by the tokens that it reads at once; all take turns."""
    times: list[StepTime] = []
    before = torch.get_num_threads()
    for block, n_threads in enumerate(threads):
        machine.use_threads(n_threads)
        jobs = {
            (name, n): partial(seconds_per_step, model, source, n)
            for name, model in models.items()
            for n in n_tokens
        }
        seconds = in_turn(jobs, repetitions, in_block(report, block, len(threads)))
        times += [StepTime(*job, n_threads, values) for job, values in seconds.items()]
    machine.use_threads(before)
    return times


def cost(steps: Sequence[StepTime], draft: str, target: str, threads: int) -> float:
    """Return c: a step of the draft in steps of the target, medians over the rounds."""
    seconds = {
        step.model: median(step.seconds)
        for step in steps
        if (step.n_tokens, step.threads) == (1, threads)
    }
    return seconds[draft] / seconds[target]


def check_cost(steps: Sequence[StepTime], target: str, draft_length: int, threads: int) -> float:
    """Return what the formula takes for 1: the target reads K + 1 tokens at once, in steps of one
    token."""
    seconds = {
        step.n_tokens: median(step.seconds)
        for step in steps
        if (step.model, step.threads) == (target, threads)
    }
    return seconds[draft_length + 1] / seconds[1]
