"""Speculative sampling in tables for people, and what the experiment had to show, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import pandas

from seqkd_lab.experiments.drafting import DraftedTokens, expected_speed_up, expected_tokens, with_ends
from seqkd_lab.experiments.drafting_clock import OWN, ClockTime, StepTime, check_cost, cost
from seqkd_lab.experiments.drafting_exactness import RULES, Exactness
from seqkd_lab.experiments.drafting_recipes import DRAFTS, SMALL_TARGET
from seqkd_lab.experiments.drafting_results import DraftingResults
from seqkd_lab.experiments.findings import Criterion, Verdict, judge_one
from seqkd_lab.experiments.recipes import TEACHER

EXACT_RULE, BROKEN_RULE = RULES
FALSE_ALARM = 0.01
AIM = 2.0
"""Times as fast as the target alone, by the clock."""


def tokens_frame(tokens: Sequence[DraftedTokens], temperature: float) -> pandas.DataFrame:
    """Tokens per call of the target by K, a line a draft; below each what the formula says, without and with ends."""
    lines: dict[str, dict] = {}
    for one in tokens:
        if one.temperature != temperature:
            continue
        column = f"K={one.draft_length}"
        line = lines.setdefault(one.draft, {"α": f"{one.overlap:.3f} ± {1.96 * one.overlap_error:.3f}"})
        line[column] = f"{one.tokens_per_call:.2f}"
        formula = lines.setdefault(f"  {one.draft}: formula", {"α": ""})
        formula[column] = f"{expected_tokens(one.overlap, one.draft_length):.2f}"
        ends = lines.setdefault(f"  {one.draft}: with ends", {"α": ""})
        ends[column] = f"{with_ends(one.overlap, one.draft_length, one.lengths):.2f}"
    return pandas.DataFrame.from_dict(lines, orient="index")


def costs_frame(results: DraftingResults, threads: int) -> pandas.DataFrame:
    """A model's size, the time of its step, and c beside the target and beside the small target."""
    lines = {}
    for name in (TEACHER, SMALL_TARGET, *DRAFTS):
        seconds = next(median(one.seconds) for one in results.steps
                       if (one.model, one.n_tokens, one.threads) == (name, 1, threads))
        lines[name] = {
            "parameters": f"{results.models[name]['n_parameters']:,}", "ms a step": f"{1000 * seconds:.2f}",
            "c": f"{cost(results.steps, name, TEACHER, threads):.3f}",
            "c beside the small": f"{cost(results.steps, name, SMALL_TARGET, threads):.2f}",
        }
    return pandas.DataFrame.from_dict(lines, orient="index")


def checks_in_words(steps: Sequence[StepTime], draft_lengths: Sequence[int], threads: int) -> str:
    """What the target's check of K words costs, in steps of one token: the formula says 1."""
    said = [f"K={K} {check_cost(steps, TEACHER, K, threads):.2f}" for K in draft_lengths]
    return f"the target reads K + 1 tokens in so many steps of one token, {threads} thread(s): " + ", ".join(said)


def speed_ups(clock: Sequence[ClockTime], threads: int, temperature: float) -> dict[tuple[str, int, bool], list[float]]:
    """By (draft, K, adaptive): times as fast as the target alone in the same round, in each round."""
    here = [one for one in clock if (one.threads, one.temperature) == (threads, temperature)]
    own = next(one.seconds_per_token for one in here if one.draft == OWN)
    return {
        (one.draft, one.draft_length, one.adaptive):
            [alone / drafted for alone, drafted in zip(own, one.seconds_per_token, strict=True)]
        for one in here if one.draft != OWN
    }


def speed_frame(results: DraftingResults, threads: int, temperature: float) -> pandas.DataFrame:
    """Times as fast by the clock (median over the rounds), and in brackets by the formula with the measured α and c."""
    alpha = {one.draft: one.overlap for one in results.tokens if one.temperature == temperature}
    lines: dict[str, dict] = {}
    for (draft, length, adaptive), values in speed_ups(results.clock, threads, temperature).items():
        if adaptive:
            lines.setdefault(draft, {})["adaptive"] = f"{median(values):.2f}"
            continue
        formula = expected_speed_up(alpha[draft], length, cost(results.steps, draft, TEACHER, threads))
        lines.setdefault(draft, {})[f"K={length}"] = f"{median(values):.2f} [{formula:.2f}]"
    return pandas.DataFrame.from_dict(lines, orient="index")


def best(clock: Sequence[ClockTime], threads: int, temperature: float) -> tuple[str, int, bool]:
    """The draft, K and way that are fastest by the clock."""
    found = speed_ups(clock, threads, temperature)
    return max(found, key=lambda way: median(found[way]))


def exactness_frame(tests: Sequence[Exactness]) -> pandas.DataFrame:
    """p-values of χ² by draft and rule, a column a seed."""
    lines: dict[str, dict] = {}
    for one in tests:
        lines.setdefault(f"{one.draft}, {one.rule}", {})[f"seed {one.seed}"] = f"{one.p_value:.2g}"
    return pandas.DataFrame.from_dict(lines, orient="index")


def judge_exactness(tests: Sequence[Exactness]) -> list[Verdict]:
    """χ² of each draft and seed, times their number (Bonferroni): never rejected, and always for the broken rule."""
    by_rule = {rule: [{"p": one.p_value} for one in tests if one.rule == rule] for rule in RULES}

    def corrected(rule: str) -> Criterion:
        n = len(by_rule[rule])
        claim = f"{rule}: p of χ² times {n} tests " + ("≥" if rule == EXACT_RULE else "≤") + f" {FALSE_ALARM}, each"
        limits = {"least": FALSE_ALARM} if rule == EXACT_RULE else {"most": FALSE_ALARM}
        return Criterion("S1", claim, lambda one: n * one["p"], (), in_each_seed=True, **limits)

    return [judge_one(corrected(rule), by_rule[rule]) for rule in RULES]


def judge_tokens(tokens: Sequence[DraftedTokens]) -> list[Verdict]:
    """Acceptance is 1 − TV; greedy is greedy; the formula, once it knows of ends, tells tokens per call."""
    rows = [{"one": one} for one in tokens]
    greedy = [row for row in rows if row["one"].n_different is not None]
    found = [judge_one(Criterion("S2", "accepted − Σ(1 − TV) within ± 4 standard deviations, each draft and K",
                                 lambda row: row["one"].z, (), -4.0, 4.0, in_each_seed=True), rows)]
    found.append(judge_one(Criterion("S3", "greedy: sentences that differ from the target's own, each draft and K",
                                     lambda row: row["one"].n_different, (), most=0.0, in_each_seed=True), greedy))

    def off(row: Mapping) -> float:
        one = row["one"]
        return one.tokens_per_call / with_ends(one.overlap, one.draft_length, one.lengths)

    found.append(judge_one(Criterion("S4", "tokens per call: measured / formula with ends within 0.9–1.1, each",
                                     off, (), 0.9, 1.1, in_each_seed=True), rows))
    return found


def judge_clock(clock: Sequence[ClockTime]) -> list[Verdict]:
    """The aim by the clock, over the rounds, for the way that is fastest there, by threads and temperature."""
    found = []
    for threads, temperature in dict.fromkeys((one.threads, one.temperature) for one in clock):
        way = best(clock, threads, temperature)
        draft, length, adaptive = way
        rounds = [{"times": value} for value in speed_ups(clock, threads, temperature)[way]]
        how = f"{draft}, K = {length}{', adaptive' * adaptive}"
        claim = f"≥ {AIM:g} times as fast as the target alone, temperature {temperature:g}, {threads} thread(s) ({how})"
        found.append(judge_one(Criterion("S5", claim, lambda one: one["times"], (), least=AIM), rounds))
    return found


def judge(results: DraftingResults) -> list[Verdict]:
    """Everything that the experiment had to show."""
    return [*judge_exactness(results.exactness), *judge_tokens(results.tokens), *judge_clock(results.clock)]


def describe(verdict: Verdict) -> str:
    """One line: held or not, the claim, smallest, mean and largest of its values (rounds, tests or settings)."""
    mark, values = "held    " if verdict.held else "NOT HELD", verdict.values
    said = f"{min(values):.3g} … {verdict.mean:.3g} … {max(values):.3g}, {len(values)} values"
    return f"{verdict.criterion.finding}  {mark}  {verdict.criterion.claim}: {said}"
