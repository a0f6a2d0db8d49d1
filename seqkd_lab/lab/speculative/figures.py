"""Figures of lesson 10: one word by the rule, tokens per call, the clock, exactness, and what keeps
drafting back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.distribution_columns import (
    KEY,
    N_WORDS,
    DistributionBars,
    column,
    position_distributions,
)
from seqkd_lab.lab.shared.style import (
    BLACK,
    GREEN,
    GREY,
    SIZE,
    SKY,
    VERMILION,
    panels,
    role_of,
    styled,
)
from seqkd_lab.lab.speculative.measures import Counted, OneWord, by_the_rule, formulas
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.speculative.clock import StepTime
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, Exactness
from seqkd_lab.studies.speculative.recipes import DEEP, DRAFTS
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import FALSE_ALARM
from seqkd_lab.studies.speculative.tables import how, medians_by_length, refined_speed_ups

STEP_LABELS = {
    TEACHER: "small LSTM teacher",
    BASELINE: "LSTM draft",
    DEEP: "Transformer of the deep target's size",
}
BAR = 0.77
"""Of a row."""
LEAST_SHOWN = 1e-12
"""p-values below it are drawn at the edge, with their number."""
FORMULA_LINES = ("--", "-", ":")


@styled
def one_word_figure(word: OneWord, n: int = 10_000) -> Figure:
    """Draw p, q and the residual of one word; and what came out of n words by the rule: light what
    was accepted, dark what was drawn again, the line is q."""
    figure = Figure(figsize=(13, 3.9))
    columns = [figure.add_axes((left, 0.09, 0.205, 0.69)) for left in (0.115, 0.345, 0.56, 0.785)]
    distributions = position_distributions(word.p, word.q, word.residual, word.tokens)
    DistributionBars(columns[:3]).show(distributions, "(q − p)₊, scaled to 1")
    drawn, rows = columns[3], np.arange(len(distributions.words))
    came, again = by_the_rule(word, n)
    shares = column(came + again, distributions.ids)
    drawn.barh(rows, shares, BAR, color=GREEN)
    drawn.barh(rows, column(came, distributions.ids), BAR, color=SKY)
    drawn.vlines(distributions.q, rows - 0.46, rows + 0.46, color=BLACK, linewidth=2.5)
    for row, share in enumerate(shares):
        beside = max(share, distributions.q[row]) + 0.04  # right of the line
        drawn.text(beside, row, f"{share:.3f}", va="center", fontsize=SIZE - 1)
    drawn.set_yticks([])
    drawn.spines[["top", "right"]].set_visible(False)
    drawn.set_ylim(N_WORDS + 0.5, -0.5)
    drawn.set_title("drawn by the rule; line: q", loc="left")
    for axes in columns:
        axes.set_xlim(0.0, 1.4)
        axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    figure.text(0.5, 0.95, KEY, fontsize=SIZE - 1, ha="center", va="center")
    return figure


@styled
def tokens_figure(counted: Sequence[Counted], alpha: float, draft: str) -> Figure:
    """Draw tokens per call of the target over K: counted, with two standard errors, beside both
    formulas."""
    figure, axes = panels(11, 4.4)
    lengths = [each.draft_length for each in counted]
    for line, (label, values) in zip(FORMULA_LINES, formulas(alpha, counted).items(), strict=False):
        axes.plot(lengths, values, line, color=GREY, label=label)
    means, errors = [each.mean for each in counted], [2 * each.error for each in counted]
    label = f"counted ({len(counted[0].n_calls)} sentences, ± 2 standard errors)"
    axes.errorbar(lengths, means, errors, fmt="o", color=BLACK, markersize=8, label=label)
    axes.set_xticks(lengths)
    axes.set_ylim(bottom=0.0)
    axes.set(xlabel="K, words drafted", ylabel="tokens per call of the target")
    axes.set_title(f"draft {draft}, temperature 1, α = {alpha:.2f}")
    axes.legend(loc="lower right")
    return figure


@styled
def steps_figure(steps: Sequence[StepTime]) -> Figure:
    """Draw what it costs a model to read several tokens at once, in its own steps of one token."""
    figure, axes = panels(12, 4.6)
    for name, label in STEP_LABELS.items():
        seconds = {step.n_tokens: median(step.seconds) for step in steps if step.model == name}
        costs = [value / seconds[1] for value in seconds.values()]
        label = f"{label}: {1000 * seconds[1]:.2f} ms for one token"
        axes.plot(list(seconds), costs, markersize=9, label=label, **role_of(name).line)
        last = (max(seconds), costs[-1])
        axes.annotate(f"{costs[-1]:.1f}", last, xytext=(9, -4), textcoords="offset points")
    axes.axhline(1.0, color=BLACK, linewidth=1)
    axes.set_xticks(sorted({step.n_tokens for step in steps}))
    axes.set_ylim(bottom=0.0)
    axes.set(
        xlabel="tokens that are read in one step",
        ylabel="cost, in steps of one token",
        title="one thread; the formula's check of K + 1 tokens costs 1 (line)",
    )
    axes.legend(loc="upper left")
    return figure


@styled
def clock_figure(targets: Sequence[DraftingResults], temperatures: Sequence[float]) -> Figure:
    """Draw times as fast as the deep target alone over K, a panel a temperature and a line a draft:
    the mean over the targets of the median over the rounds, with the lowest and highest target."""
    figure, axes = panels(13, 4.8, columns=len(temperatures), sharey=True, squeeze=False)
    for panel, temperature in zip(axes[0], temperatures, strict=True):
        for number, draft in enumerate(DRAFTS):
            by_length = medians_by_length(targets, draft, temperature)
            places = [K + 0.12 * (number - (len(DRAFTS) - 1) / 2) for K in by_length]
            look = {"markersize": 8, "label": draft, **role_of(draft).line}
            panel.plot(places, list(map(fmean, by_length.values())), **look)
            lows, highs = (list(map(end, by_length.values())) for end in (min, max))
            panel.vlines(places, lows, highs, color=role_of(draft).colour, linewidth=2)
        panel.axhline(1.0, color=BLACK, linewidth=1)
        panel.set_xticks(list(by_length))
        panel.set(xlabel="K, words drafted", title=how(temperature))
    axes[0][0].set_ylim(bottom=0.0)
    axes[0][0].set_ylabel("times as fast as the target alone")
    axes[0][0].legend(loc="lower center", ncols=2)
    return figure


@styled
def gap_figure(targets: Sequence[DraftingResults], draft: str, temperature: float) -> Figure:
    """Draw times as fast over K for one draft: by the paper's formula, by what is added to it, and
    measured, with the 95% interval over the targets."""
    figure, axes = panels(11, 4.6)
    lines = refined_speed_ups(targets, draft, temperature)
    for look, (label, by_length) in zip(FORMULA_LINES, lines.items(), strict=True):
        axes.plot(list(by_length), list(by_length.values()), look, color=GREY, label=label)
    clock = medians_by_length(targets, draft, temperature)
    means = {K: mean_and_interval(values) for K, values in clock.items()}
    reach = [interval[1] - mean for mean, interval in means.values()]
    label = f"measured (mean of {len(targets)} targets, 95% interval)"
    centres = [mean for mean, _ in means.values()]
    axes.errorbar(list(means), centres, reach, fmt="o", color=BLACK, markersize=8, label=label)
    axes.axhline(1.0, color=BLACK, linewidth=1)
    axes.set_xticks(list(means))
    axes.set_ylim(bottom=0.0)
    axes.set(xlabel="K, words drafted", ylabel="times as fast as the target alone")
    axes.set_title(f"draft {draft}, {how(temperature)}")
    axes.legend(loc="lower right")
    return figure


@styled
def exactness_figure(tests: Sequence[Exactness]) -> Figure:
    """Draw p of χ² of every test, a row a draft and rule; left of the line one of them is too small
    for chance."""
    rows = list(dict.fromkeys((test.draft, test.rule) for test in tests))
    figure, axes = panels(12, 1.3 + 0.5 * len(rows))
    for height, (draft, rule) in enumerate(rows):
        values = [test.p_value for test in tests if (test.draft, test.rule) == (draft, rule)]
        shown = [max(value, LEAST_SHOWN) for value in values]
        colour, marker = (role_of(draft).colour, "o") if rule == EXACT_RULE else (VERMILION, "X")
        look = {"color": colour, "markersize": 10, "clip_on": False}
        axes.plot(shown, [height] * len(shown), marker, **look)
        below = sum(value < LEAST_SHOWN for value in values)
        if below:
            said, at = f"◂ {below} of {len(values)} below {LEAST_SHOWN:g}", (LEAST_SHOWN, height)
            axes.annotate(said, at, xytext=(14, -5), textcoords="offset points")
    n_tests = sum(test.rule == EXACT_RULE for test in tests)
    axes.axvline(FALSE_ALARM / n_tests, color=BLACK, linewidth=1.5)
    axes.set(xscale="log", xlim=(LEAST_SHOWN, 1.5), ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), [f"{draft}: {rule}" for draft, rule in rows])
    axes.set_xlabel(
        f"p of χ² ({tests[0].n:,} translations each; line: {FALSE_ALARM:g} / {n_tests} tests)"
    )
    return figure


@styled
def limits_figure(
    batches: Mapping[int, float], temperatures: Mapping[str, Mapping[float, float]]
) -> Figure:
    """Draw two limits: sentences that share their calls, and α over the temperature."""
    figure, (batch, heat) = panels(13, 4.4, columns=2)
    numbers = dict(enumerate(batches.values()))
    batch.bar(list(numbers), list(numbers.values()), 0.6, color=GREY)
    _with_numbers(batch, numbers, numbers)
    batch.set_xticks(list(numbers), list(map(str, batches)))
    batch.set_ylim(0.0, 1.2 * max(batches.values()))
    batch.set(xlabel="sentences in a batch", ylabel="calls alone / calls with a draft")
    batch.set_title("calls saved in a batch")
    _draw_temperatures(heat, temperatures)
    return figure


def _draw_temperatures(axes: Axes, temperatures: Mapping[str, Mapping[float, float]]) -> None:
    """Draw α of each draft over the temperatures, evenly spaced."""
    for name, alphas in temperatures.items():
        look = {"markersize": 8, "label": name, **role_of(name).line}
        axes.plot(range(len(alphas)), list(alphas.values()), **look)
    taus = list(next(iter(temperatures.values())))
    axes.set_xticks(range(len(taus)), [f"{tau:g}" for tau in taus])
    axes.set(xlabel="temperature of both", ylabel="α", ylim=(0.0, 1.0))
    axes.set_title("Σ min(p, q) over the temperature")
    axes.legend(loc="lower left")


def _with_numbers(axes: Axes, values: Mapping[int, float], tops: Mapping[int, float]) -> None:
    """Write each value above the top of what is drawn of it."""
    above: dict[str, Any] = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center"}
    for x, value in values.items():
        axes.annotate(f"{value:.2f}", (x, tops[x]), **above)
