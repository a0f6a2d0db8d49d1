"""Speculative sampling in tables for people, and what the experiment had to show, judged."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import pandas

from seqkd_lab.runs import verdicts
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, judge_claim, judge_claims
from seqkd_lab.studies.speculative.clock import OWN, ClockTime, StepTime, check_cost, cost
from seqkd_lab.studies.speculative.exactness import RULES, Exactness
from seqkd_lab.studies.speculative.recipes import DRAFTS, SMALL_TARGET
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    expected_speed_up,
    expected_tokens,
    with_ends,
)

EXACT_RULE, BROKEN_RULE = RULES
FALSE_ALARM = 0.01
AIM = 2.0
"""Times as fast as the target alone, by the clock."""
LOSSLESS = (
    "“without any changes to the outputs” (Leviathan et al. 2023, arXiv 2211.17192, abstract)"
)
TOLD_APART = "an aim of this lab: a rule that is broken on purpose must be told from the law"
ACCEPTANCE = (
    "a proposed word stands with the chance Σ min(p, q) = 1 − TV (Leviathan et al. 2023, theorem "
    "3.5)"
)
FASTER = "2 to 3 times on T5-XXL (Leviathan et al. 2023, abstract); 2 times is this lab's aim"


def tokens_frame(tokens: Sequence[DraftedTokens], temperature: float) -> pandas.DataFrame:
    """Tokens per call of the target by K, a line a draft; below each what the formula says, without
    and with ends."""
    lines: dict[str, dict] = {}
    for one in tokens:
        if one.temperature != temperature:
            continue
        column = f"K={one.draft_length}"
        line = lines.setdefault(
            one.draft, {"α": f"{one.overlap:.3f} ± {1.96 * one.overlap_error:.3f}"}
        )
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
        seconds = next(
            median(one.seconds)
            for one in results.steps
            if (one.model, one.n_tokens, one.threads) == (name, 1, threads)
        )
        lines[name] = {
            "parameters": f"{results.models[name]['n_parameters']:,}",
            "ms a step": f"{1000 * seconds:.2f}",
            "c": f"{cost(results.steps, name, TEACHER, threads):.3f}",
            "c beside the small": f"{cost(results.steps, name, SMALL_TARGET, threads):.2f}",
        }
    return pandas.DataFrame.from_dict(lines, orient="index")


def checks_in_words(steps: Sequence[StepTime], draft_lengths: Sequence[int], threads: int) -> str:
    """What the target's check of K words costs, in steps of one token: the formula says 1."""
    said = [f"K={K} {check_cost(steps, TEACHER, K, threads):.2f}" for K in draft_lengths]
    return (
        f"the target reads K + 1 tokens in so many steps of one token, {threads} thread(s): "
        + ", ".join(said)
    )


def speed_ups(
    clock: Sequence[ClockTime], threads: int, temperature: float
) -> dict[tuple[str, int, bool], list[float]]:
    """By (draft, K, adaptive): times as fast as the target alone in the same round, in each
    round."""
    here = [one for one in clock if (one.threads, one.temperature) == (threads, temperature)]
    own = next(one.seconds_per_token for one in here if one.draft == OWN)
    return {
        (one.draft, one.draft_length, one.adaptive): [
            alone / drafted for alone, drafted in zip(own, one.seconds_per_token, strict=True)
        ]
        for one in here
        if one.draft != OWN
    }


def speed_frame(results: DraftingResults, threads: int, temperature: float) -> pandas.DataFrame:
    """Times as fast by the clock (median over the rounds), and in brackets by the formula with the
    measured α and c."""
    alpha = {one.draft: one.overlap for one in results.tokens if one.temperature == temperature}
    lines: dict[str, dict] = {}
    for (draft, length, adaptive), values in speed_ups(results.clock, threads, temperature).items():
        if adaptive:
            lines.setdefault(draft, {})["adaptive"] = f"{median(values):.2f}"
            continue
        formula = expected_speed_up(
            alpha[draft], length, cost(results.steps, draft, TEACHER, threads)
        )
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


def by_seed_of(tests: Sequence[Exactness]) -> list[Rows]:
    """Return for each seed its χ² tests, under "tests"."""
    return [
        {"tests": [test for test in tests if test.seed == seed]}
        for seed in dict.fromkeys(t.seed for t in tests)
    ]


def judge_exactness(tests: Sequence[Exactness]) -> list[Verdict]:
    """Judge the χ² tests by the number a seed that comes out wrong, for p times the number of all
    tests (Bonferroni): rejected for the exact rule, not rejected for the broken one. None may.
    Raises ValueError without any test."""
    judged = []
    for rule, wrong, original in (
        (EXACT_RULE, "rejected", LOSSLESS),
        (BROKEN_RULE, "not rejected", TOLD_APART),
    ):
        of_rule = [test for test in tests if test.rule == rule]

        def n_wrong(rows: Rows, n: int = len(of_rule), exact: bool = rule == EXACT_RULE) -> int:
            return sum((n * test.p_value < FALSE_ALARM) == exact for test in rows["tests"])

        claim = Claim(
            "S1",
            f"{rule}: tests a seed that are {wrong} (p of χ² times {len(of_rule)} tests < "
            f"{FALSE_ALARM}) = 0",
            n_wrong,
            most=0.0,
            original=original,
        )
        judged.append(judge_claim(claim, by_seed_of(of_rule)))
    return judged


def by_draft(tokens: Sequence[DraftedTokens]) -> list[Rows]:
    """Return for each draft what was counted with it, under "counts"."""
    drafts = dict.fromkeys(one.draft for one in tokens)
    return [{"counts": [one for one in tokens if one.draft == draft]} for draft in drafts]


def formula_ratio(one: DraftedTokens) -> float:
    """Return tokens per call of the target: measured / what the formula with ends says."""
    return one.tokens_per_call / with_ends(one.overlap, one.draft_length, one.lengths)


def n_different(rows: Rows) -> int | None:
    """Return the sentences that the target alone writes otherwise; None where nothing was drafted
    for greedy search."""
    counts = [one.n_different for one in rows["counts"] if one.n_different is not None]
    return sum(counts) if counts else None


TOKEN_CLAIMS = (
    Claim(
        "S2",
        "settings a draft (temperature, K) with accepted − Σ(1 − TV) outside of ± 4 standard "
        "deviations = 0",
        lambda rows: sum(abs(one.z) > 4.0 for one in rows["counts"]),
        most=0.0,
        original=ACCEPTANCE,
    ),
    Claim(
        "S3",
        "greedy: sentences a draft, over all K, that differ from the target's own = 0",
        n_different,
        most=0.0,
        original=LOSSLESS,
    ),
    Claim(
        "S4",
        "settings a draft with tokens per call, measured / formula with ends, outside of 0.9–1.1 "
        "= 0",
        lambda rows: sum(not 0.9 <= formula_ratio(one) <= 1.1 for one in rows["counts"]),
        most=0.0,
        original=ACCEPTANCE,
    ),
)


def judge_tokens(tokens: Sequence[DraftedTokens]) -> list[Verdict]:
    """Judge by draft: acceptance is 1 − TV; greedy is greedy; the formula, once it knows of ends,
    tells tokens per call. Raises ValueError without any count."""
    return judge_claims(TOKEN_CLAIMS, by_draft(tokens))


def judge_clock(clock: Sequence[ClockTime]) -> list[Verdict]:
    """Judge the aim by the clock, over the rounds, for the way that is fastest there, by threads
    and temperature."""
    judged = []
    for threads, temperature in dict.fromkeys((one.threads, one.temperature) for one in clock):
        way = best(clock, threads, temperature)
        draft, length, adaptive = way
        rounds = [{"times": value} for value in speed_ups(clock, threads, temperature)[way]]
        how = f"{draft}, K = {length}{', adaptive' * adaptive}"
        ours = (
            f"≥ {AIM:g} times as fast as the target alone, temperature {temperature:g}, {threads} "
            f"thread(s) ({how})"
        )
        claim = Claim("S5", ours, lambda rows: rows["times"], least=AIM, original=FASTER)
        judged.append(judge_claim(claim, rounds))
    return judged


def judge(results: DraftingResults) -> list[Verdict]:
    """Judge everything that the experiment had to show. Raises ValueError where a part of it was
    not measured."""
    return [
        *judge_exactness(results.exactness),
        *judge_tokens(results.tokens),
        *judge_clock(results.clock),
    ]


REPEATED = {"S1": "seeds", "S2": "drafts", "S3": "drafts", "S4": "drafts", "S5": "rounds"}
"""What the values of a claim are of."""


def describe(verdict: Verdict) -> str:
    """Return the verdict in words, with what was repeated: seeds, drafts or rounds."""
    return verdicts.describe(verdict, REPEATED[verdict.claim.name])
