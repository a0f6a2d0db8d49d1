"""Speculative sampling in tables and words: acceptance, tokens per call, seconds, p-values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

import pandas

from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speculative.clock import (
    best_way,
    check_cost,
    cost,
    judged_speed_up,
    speed_ups,
)
from seqkd_lab.studies.speculative.exactness import RULES
from seqkd_lab.studies.speculative.recipes import COMPARED, DEEP, DRAFTS
from seqkd_lab.studies.speculative.results import DraftingResults, of_seeds, with_clock
from seqkd_lab.studies.speculative.tokens import expected_speed_up, expected_tokens, with_ends


def temperatures_of(results: Sequence[DraftingResults]) -> list[float]:
    """Return the temperatures at which α was measured, in that order."""
    return list(dict.fromkeys(accepted.temperature for accepted in results[0].acceptance))


def alphas(results: Sequence[DraftingResults], draft: str, temperature: float) -> list[float]:
    """Return α of a draft for the students' teacher, by seed."""
    return [of_seed.alpha(draft, temperature) for of_seed in results]


def acceptance_frame(results: Sequence[DraftingResults]) -> pandas.DataFrame:
    """Return α of each draft for the students' teacher: mean ± reach of the 95% interval over the
    seeds."""
    lines = {
        draft: {
            how(temperature): with_interval(alphas(results, draft, temperature), digits=3)
            for temperature in temperatures_of(results)
        }
        for draft in COMPARED
    }
    return pandas.DataFrame.from_dict(lines, orient="index")


def how(temperature: float) -> str:
    """Return how words are chosen at a temperature, in words."""
    return "greedy" if temperature == 0.0 else f"temperature {temperature:g}"


def deep_alpha(of_target: DraftingResults, draft: str, temperature: float) -> float:
    """Return α of a draft for the deep target. Raise StopIteration where it was not measured."""
    return next(
        counted.alpha
        for counted in of_target.tokens
        if (counted.draft, counted.temperature) == (draft, temperature)
    )


def tokens_per_call(
    targets: Sequence[DraftingResults], draft: str, temperature: float
) -> dict[int, list[float]]:
    """Return tokens per call of each deep target, by K."""
    by_length: dict[int, list[float]] = {}
    for of_target in targets:
        for counted in of_target.tokens:
            if (counted.draft, counted.temperature) == (draft, temperature):
                by_length.setdefault(counted.draft_length, []).append(counted.tokens_per_call)
    return by_length


def by_formula(
    targets: Sequence[DraftingResults],
    draft: str,
    temperature: float,
    formula: Callable[[float, int], float] = expected_tokens,
) -> dict[int, float]:
    """Return what `formula` says of each K, from α of each deep target: the mean."""
    lengths = tokens_per_call(targets, draft, temperature)
    means = [deep_alpha(of_target, draft, temperature) for of_target in targets]
    return {K: fmean(formula(alpha, K) for alpha in means) for K in lengths}


def tokens_frame(targets: Sequence[DraftingResults], temperature: float) -> pandas.DataFrame:
    """Return tokens per call of the deep targets by K, mean ± reach of the interval over them; in
    brackets what the formula says."""
    lines: dict[str, dict] = {}
    for draft in DRAFTS:
        formula = by_formula(targets, draft, temperature)
        alpha = [deep_alpha(of_target, draft, temperature) for of_target in targets]
        lines[draft] = {"α": with_interval(alpha, digits=3)} | {
            f"K={K}": f"{with_interval(values, digits=2)} [{formula[K]:.2f}]"
            for K, values in tokens_per_call(targets, draft, temperature).items()
        }
    return pandas.DataFrame.from_dict(lines, orient="index")


def costs_frame(targets: Sequence[DraftingResults]) -> pandas.DataFrame:
    """Return a model's size, the milliseconds of its step, and c beside the deep target and beside
    the teacher: means over the targets."""
    steps = [target.steps for target in targets]

    def milliseconds(name: str) -> float:
        """Return the time of a model's step: the median of the rounds, meaned over the targets."""
        return 1000.0 * fmean(
            median(step.seconds)
            for of_target in steps
            for step in of_target
            if (step.model, step.n_tokens) == (name, 1)
        )

    lines = {
        name: {
            "parameters": f"{targets[0].sizes[name]:,}",
            "ms a step": f"{milliseconds(name):.2f}",
            "c beside the deep target": f"{fmean(cost(s, name, DEEP) for s in steps):.3f}",
            "c beside the teacher": f"{fmean(cost(s, name, TEACHER) for s in steps):.2f}",
        }
        for name in (DEEP, TEACHER, *DRAFTS)
    }
    return pandas.DataFrame.from_dict(lines, orient="index")


def mean_cost(targets: Sequence[DraftingResults], draft: str) -> float:
    """Return c of a draft beside the deep targets: the mean over them."""
    return fmean(cost(of_target.steps, draft, DEEP) for of_target in targets)


def payoff_frame(targets: Sequence[DraftingResults], temperature: float) -> pandas.DataFrame:
    """Return for each draft: α, c, the K that was the fastest in each target's choosing rounds, how
    fast it was in the judging rounds, and what the formula says of it."""
    lines = {}
    for draft in DRAFTS:
        chosen = [best_way(target.clock, temperature, draft)[1] for target in targets]
        judged = [judged_speed_up(target.clock, temperature, draft) for target in targets]
        said = [
            expected_speed_up(
                deep_alpha(target, draft, temperature), K, cost(target.steps, draft, DEEP)
            )
            for target, K in zip(targets, chosen, strict=True)
        ]
        lines[draft] = {
            "α": f"{fmean(deep_alpha(target, draft, temperature) for target in targets):.3f}",
            "c": f"{mean_cost(targets, draft):.3f}",
            "K chosen, by target": ", ".join(map(str, chosen)),
            "times as fast, other rounds": with_interval(judged, digits=2),
            "by the formula": f"{fmean(said):.2f}",
        }
    return pandas.DataFrame.from_dict(lines, orient="index")


def speed_frame(targets: Sequence[DraftingResults], temperature: float) -> pandas.DataFrame:
    """Return times as fast by the clock, by draft and K: the median over each target's rounds, mean
    ± reach of the interval over the targets."""
    lines: dict[str, dict] = {}
    by_target = [speed_ups(of_target.clock, temperature) for of_target in targets]
    for draft, K in by_target[0]:
        values = [median(ways[draft, K]) for ways in by_target]
        lines.setdefault(draft, {})[f"K={K}"] = with_interval(values, digits=2)
    return pandas.DataFrame.from_dict(lines, orient="index")


def medians_by_length(
    targets: Sequence[DraftingResults], draft: str, temperature: float
) -> dict[int, list[float]]:
    """Return by K times as fast as the deep target alone: the median over the rounds, a value a
    target."""
    by_length: dict[int, list[float]] = {}
    for of_target in targets:
        for (name, K), values in speed_ups(of_target.clock, temperature).items():
            if name == draft:
                by_length.setdefault(K, []).append(median(values))
    return by_length


def refined_speed_ups(
    targets: Sequence[DraftingResults], draft: str, temperature: float
) -> dict[str, dict[int, float]]:
    """Return what the paper's formula says by K, then with sentences that end, then with the
    measured time of the check as well (both ours): means over the targets."""
    lines: dict[str, dict[int, float]] = {}
    for K in medians_by_length(targets, draft, temperature):
        plain, ends, checked = [], [], []
        for of_target in targets:
            alpha = deep_alpha(of_target, draft, temperature)
            c, check = cost(of_target.steps, draft, DEEP), check_cost(of_target.steps, DEEP, K)
            tokens = with_ends(alpha, K, of_target.lengths[f"{temperature:g}"])
            plain.append(expected_speed_up(alpha, K, c))
            ends.append(tokens / (K * c + 1.0))
            checked.append(tokens / (K * c + check))
        lines.setdefault("formula, c measured", {})[K] = fmean(plain)
        lines.setdefault("sentences end, too (ours)", {})[K] = fmean(ends)
        lines.setdefault("and the check takes its measured time (ours)", {})[K] = fmean(checked)
    return lines


def exactness_frame(targets: Sequence[DraftingResults]) -> pandas.DataFrame:
    """Return the p-values of χ² by draft and rule, a column a seed."""
    lines: dict[str, dict] = {}
    for rule in RULES:
        for of_target in targets:
            for test in of_target.exactness:
                if test.rule == rule:
                    line = lines.setdefault(f"{test.draft}, {rule}", {})
                    line[f"seed {test.seed}"] = f"{test.p_value:.2g}"
    return pandas.DataFrame.from_dict(lines, orient="index")


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return every table, by heading; those of the deep targets where there are any."""
    results, targets = of_seeds(by_seed), of_seeds(with_clock(by_seed))
    frames = {"α of each draft for its own teacher": acceptance_frame(results)}
    if not targets:
        return frames
    for temperature in temperatures_of(results):
        at = how(temperature)
        frames |= {
            f"{at}: tokens per call of the deep target [by the formula]": tokens_frame(
                targets, temperature
            ),
            f"{at}: times as fast as the deep target alone": speed_frame(targets, temperature),
            f"{at}: K chosen in some rounds, judged in the others": payoff_frame(
                targets, temperature
            ),
        }
    frames["steps on one thread"] = costs_frame(targets)
    return frames | {"p of χ²": exactness_frame(targets)}


def checks_in_words(by_seed: Sequence[Rows]) -> str:
    """Say what the deep target's check of K words costs, in steps of one token: the formula says
    1."""
    targets = of_seeds(with_clock(by_seed))
    if not targets:
        return ""
    lengths = sorted({time.draft_length for time in targets[0].clock} - {0})
    costs = (
        f"K={K} {fmean(check_cost(target.steps, DEEP, K) for target in targets):.2f}"
        for K in lengths
    )
    return f"the deep target reads K + 1 tokens, in steps of one token: {', '.join(costs)}"
