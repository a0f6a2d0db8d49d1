"""Speculative sampling in tables and words: tokens per call, costs, seconds, p-values."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import pandas

from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speculative.clock import OWN, ClockTime, check_cost, cost
from seqkd_lab.studies.speculative.exactness import Exactness
from seqkd_lab.studies.speculative.recipes import DRAFTS, SMALL_TARGET
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    expected_speed_up,
    expected_tokens,
    with_ends,
)

Way = tuple[str, int, bool]
"""Draft, K, and whether K adapts itself."""


def tokens_frame(tokens: Sequence[DraftedTokens], temperature: float) -> pandas.DataFrame:
    """Return tokens per call of the target by K, a line a draft; below each what the formula says,
    without and with ends."""
    lines: dict[str, dict] = {}
    for drafted in tokens:
        if drafted.temperature != temperature:
            continue
        alpha, K, name = drafted.overlap, drafted.draft_length, drafted.draft
        shown = f"{alpha:.3f} ± {1.96 * drafted.overlap_error:.3f}"
        for line, value, first in (
            (name, drafted.tokens_per_call, shown),
            (f"  {name}: formula", expected_tokens(alpha, K), ""),
            (f"  {name}: with ends", with_ends(alpha, K, drafted.lengths), ""),
        ):
            lines.setdefault(line, {"α": first})[f"K={K}"] = f"{value:.2f}"
    return pandas.DataFrame.from_dict(lines, orient="index")


def costs_frame(results: DraftingResults, threads: int) -> pandas.DataFrame:
    """Return a model's size, the time of its step, and c beside the target and beside the small
    target."""
    steps = results.steps
    seconds = {
        step.model: median(step.seconds)
        for step in steps
        if (step.n_tokens, step.threads) == (1, threads)
    }
    lines = {
        name: {
            "parameters": f"{results.models[name]['n_parameters']:,}",
            "ms a step": f"{1000 * seconds[name]:.2f}",
            "c": f"{cost(steps, name, TEACHER, threads):.3f}",
            "c beside the small": f"{cost(steps, name, SMALL_TARGET, threads):.2f}",
        }
        for name in (TEACHER, SMALL_TARGET, *DRAFTS)
    }
    return pandas.DataFrame.from_dict(lines, orient="index")


def speed_ups(
    clock: Sequence[ClockTime], threads: int, temperature: float
) -> dict[Way, list[float]]:
    """Return for each way times as fast as the target alone in the same round, in each round."""
    here = [time for time in clock if (time.threads, time.temperature) == (threads, temperature)]
    own = next(time.seconds_per_token for time in here if time.draft == OWN)
    return {
        (time.draft, time.draft_length, time.adaptive): [
            alone / drafted for alone, drafted in zip(own, time.seconds_per_token, strict=True)
        ]
        for time in here
        if time.draft != OWN
    }


def speed_frame(results: DraftingResults, threads: int, temperature: float) -> pandas.DataFrame:
    """Return times as fast by the clock (median over the rounds), and in brackets by the formula
    with the measured α and c."""
    alpha = {
        drafted.draft: drafted.overlap
        for drafted in results.tokens
        if drafted.temperature == temperature
    }
    lines: dict[str, dict] = {}
    for (draft, K, adaptive), values in speed_ups(results.clock, threads, temperature).items():
        formula = expected_speed_up(alpha[draft], K, cost(results.steps, draft, TEACHER, threads))
        lines.setdefault(draft, {})["adaptive" if adaptive else f"K={K}"] = (
            f"{median(values):.2f}{'' if adaptive else f' [{formula:.2f}]'}"
        )
    return pandas.DataFrame.from_dict(lines, orient="index")


def best_way(clock: Sequence[ClockTime], threads: int, temperature: float) -> Way:
    """Return the draft, K and way that are fastest by the clock."""
    ways = speed_ups(clock, threads, temperature)
    return max(ways, key=lambda way: median(ways[way]))


def exactness_frame(tests: Sequence[Exactness]) -> pandas.DataFrame:
    """Return the p-values of χ² by draft and rule, a column a seed."""
    lines: dict[str, dict] = {}
    for test in tests:
        line = lines.setdefault(f"{test.draft}, {test.rule}", {})
        line[f"seed {test.seed}"] = f"{test.p_value:.2g}"
    return pandas.DataFrame.from_dict(lines, orient="index")


def blocks_of(clock: Sequence[ClockTime]) -> list[tuple[int, float]]:
    """Return threads and temperature of each block of rounds."""
    return list(dict.fromkeys((time.threads, time.temperature) for time in clock))


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return every table, by heading."""
    results = DraftingResults.of_rows(by_seed[0])
    blocks = blocks_of(results.clock)
    frames = {
        f"tokens per call of the target, temperature {temperature:g}": tokens_frame(
            results.tokens, temperature
        )
        for temperature in dict.fromkeys(drafted.temperature for drafted in results.tokens)
    }
    frames |= {
        f"{threads} thread(s)": costs_frame(results, threads)
        for threads in dict.fromkeys(threads for threads, _ in blocks)
    }
    frames |= {
        "times as fast as the target alone, by the clock [by the formula], temperature "
        f"{temperature:g}, {threads} thread(s)": speed_frame(results, threads, temperature)
        for threads, temperature in blocks
    }
    return frames | {"p of χ²": exactness_frame(results.exactness)}


def checks_in_words(by_seed: Sequence[Rows]) -> str:
    """Say what the target's check of K words costs, in steps of one token: the formula says 1."""
    results = DraftingResults.of_rows(by_seed[0])
    lengths = sorted({drafted.draft_length for drafted in results.tokens})
    lines = []
    for threads in dict.fromkeys(threads for threads, _ in blocks_of(results.clock)):
        costs = (f"K={K} {check_cost(results.steps, TEACHER, K, threads):.2f}" for K in lengths)
        lines.append(
            "the target reads K + 1 tokens in so many steps of one token, "
            f"{threads} thread(s): {', '.join(costs)}"
        )
    return "\n".join(lines)
