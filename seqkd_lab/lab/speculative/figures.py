"""Figures of lesson 10: one word by the rule, tokens per call, the clock, exactness, and what keeps
drafting back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import BarRows
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
from seqkd_lab.lab.speculative.measures import (
    LARGE,
    OneWord,
    by_the_rule,
    clock_of,
    refined_speed_up,
    tokens_at,
)
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.studies.speculative.clock import StepTime, cost
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, Exactness
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import FALSE_ALARM
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    expected_speed_up,
    expected_tokens,
    with_ends,
)

STEP_LABELS = {
    TEACHER: "small LSTM teacher",
    BASELINE: "LSTM draft",
    LARGE: "Transformer of the large teacher's size",
}
LEAST_SHOWN = 1e-12
"""p-values below it are drawn at the edge, with their number."""


@styled
def one_word_figure(word: OneWord, n: int = 10_000) -> Figure:
    """Draw p, q and the residual of one word; and what came out of n words by the rule: light what
    stood, dark what was drawn again, the line is q."""
    figure = Figure(figsize=(13, 3.9))
    columns = [figure.add_axes((left, 0.09, 0.205, 0.69)) for left in (0.115, 0.345, 0.56, 0.785)]
    distributions = position_distributions(word.p, word.q, word.residual, word.tokens)
    DistributionBars(columns[:3]).show(distributions, "(q − p)₊, scaled to 1")
    drawn, rows = columns[3], np.arange(len(distributions.words))
    stood, again = by_the_rule(word, n)
    came_out = BarRows(drawn, ("",), (GREEN,), N_WORDS + 1)
    came_out.show([""] * len(rows), [column(stood + again, distributions.ids)])
    drawn.barh(rows, column(stood, distributions.ids), 0.84 * 0.92, color=SKY)
    drawn.vlines(distributions.q, rows - 0.46, rows + 0.46, color=BLACK, linewidth=2.5)
    drawn.set_title("drawn by the rule; line: q", loc="left")
    for axes in columns:
        axes.set_xlim(0.0, 1.4)
        axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    figure.text(0.5, 0.95, KEY, fontsize=SIZE - 1, ha="center", va="center")
    return figure


def how(temperature: float) -> str:
    """Return how words are chosen at a temperature, in words."""
    return "greedy" if temperature == 0.0 else f"temperature {temperature:g}"


def draft_panels(
    drafts: Sequence[str],
    temperatures: Sequence[float],
    y_label: str,
    draw: Callable[[Axes, str, float], None],
) -> Figure:
    """Return a figure with a column a draft and a row a temperature, over K, in which `draw` drew
    each panel; one legend stands below."""
    height = 3.3 * len(temperatures) + 0.6
    grid = {"rows": len(temperatures), "columns": len(drafts)}
    figure, axes = panels(13, height, **grid, sharex=True, sharey=True, squeeze=False)
    for row, temperature in enumerate(temperatures):
        for number, draft in enumerate(drafts):
            axes[row, number].set_title(draft)
            draw(axes[row, number], draft, temperature)
        axes[row, 0].set_ylabel(f"{how(temperature)}:\n{y_label}")
    for panel in axes[-1]:
        panel.set_xlabel("K, words drafted")
    labelled = axes[0, 0].get_legend_handles_labels()
    figure.legend(*labelled, loc="outside lower center", ncols=3)
    return figure


@styled
def tokens_figure(tokens: Sequence[DraftedTokens]) -> Figure:
    """Draw tokens per call of the target over K, measured beside both formulas: a column a draft, a
    row a temperature."""

    def draw(axes: Axes, draft: str, temperature: float) -> None:
        """Draw one panel: a draft at a temperature."""
        by_length = tokens_at(tokens, draft, temperature)
        lengths, last = list(by_length), by_length[max(by_length)]
        formula = [expected_tokens(last.overlap, K) for K in lengths]
        ends = [with_ends(last.overlap, K, by_length[K].lengths) for K in lengths]
        measured = [by_length[K].tokens_per_call for K in lengths]
        axes.plot(lengths, formula, "--", color=GREY, label="(1 − α^(K+1)) / (1 − α)")
        axes.plot(lengths, ends, "-", color=GREY, label="sentences end (ours)")
        axes.plot(lengths, measured, "o", color=BLACK, markersize=8, label="measured")
        most = f"{last.tokens_per_call:.2f} at K = {max(lengths)}"
        axes.text(0.96, 0.07, most, transform=axes.transAxes, ha="right")
        axes.set(title=f"{draft}\nα = {last.overlap:.2f}", ylim=(1.0, 8.0), xticks=lengths)

    drafts = list(dict.fromkeys(drafted.draft for drafted in tokens))
    temperatures = list(dict.fromkeys(drafted.temperature for drafted in tokens))
    return draft_panels(drafts, temperatures, "tokens per call", draw)


@styled
def steps_figure(steps: Sequence[StepTime]) -> Figure:
    """Draw what it costs a model to read several tokens at once, in its own steps of one token
    (number: milliseconds)."""
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
def clock_figure(results: DraftingResults, threads: int) -> Figure:
    """Draw times as fast as the target alone over K, by the clock and by formula: a column a draft,
    a row a temperature."""

    def draw(axes: Axes, draft: str, temperature: float) -> None:
        """Draw one panel: a draft at a temperature."""
        by_length = tokens_at(results.tokens, draft, temperature)
        price = cost(results.steps, draft, TEACHER, threads)
        formula = [expected_speed_up(each.overlap, K, price) for K, each in by_length.items()]
        refined = [refined_speed_up(each, results.steps, threads) for each in by_length.values()]
        axes.axhline(1.0, color=BLACK, linewidth=1)
        lengths, ours = list(by_length), "with ends and the check's own price (ours)"
        axes.plot(lengths, formula, "--", color=GREY, label="formula, c measured")
        axes.plot(lengths, refined, "-", color=GREY, label=ours)
        clock = clock_of(results, draft, temperature, threads)
        middle = draw_rounds(axes, clock, "by the clock (line: all rounds)")
        best = max(middle, key=lambda K: middle[K])
        said = f"best: {middle[best]:.2f} at K = {best}"
        axes.annotate(said, (0.5, 0.05), xycoords="axes fraction", fontsize=SIZE - 1, ha="center")
        axes.set_xticks(lengths)

    drafts = list(dict.fromkeys(drafted.draft for drafted in results.tokens))
    temperatures = list(dict.fromkeys(time.temperature for time in results.clock))
    figure = draft_panels(drafts, temperatures, "times as fast", draw)
    highest = max(np.max(line.get_ydata()) for axes in figure.axes for line in axes.lines[1:])
    figure.axes[0].set_ylim(0.0, 1.05 * float(highest))
    figure.suptitle(f"{threads} thread{'s' * (threads > 1)}")
    return figure


def draw_rounds(
    axes: Axes, rounds: Mapping[int, Sequence[float]], label: str = ""
) -> dict[int, float]:
    """Draw the rounds of each K as a line, their median as a mark, and return the medians."""
    middle = {K: median(values) for K, values in rounds.items()}
    lows, highs = (list(map(end, rounds.values())) for end in (min, max))
    axes.vlines(list(rounds), lows, highs, color=BLACK, linewidth=2)
    axes.plot(list(middle), list(middle.values()), "o", color=BLACK, markersize=8, label=label)
    return middle


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
    times: Mapping[int, Sequence[float]],
    batches: Mapping[int, float],
    temperatures: Mapping[str, Mapping[float, float]],
) -> Figure:
    """Draw three limits: the small target by the clock, sentences that share their calls, and α
    over the temperature."""
    figure, (clock, batch, heat) = panels(13, 4.4, columns=3)
    clock.axhline(1.0, color=BLACK, linewidth=1)
    middle = draw_rounds(clock, times)
    _with_numbers(clock, middle, {K: max(values) for K, values in times.items()})
    clock.set(ylim=(0.0, max(1.3, 1.15 * max(map(max, times.values())))), xticks=list(middle))
    clock.margins(x=0.12)
    clock.set(xlabel="K, words drafted", ylabel="times as fast as alone")
    clock.set_title("a small target (line: all rounds)")
    numbers = dict(enumerate(batches.values()))
    batch.bar(list(numbers), list(numbers.values()), 0.6, color=GREY)
    _with_numbers(batch, numbers, numbers)
    batch.set_xticks(list(numbers), list(map(str, batches)))
    batch.set_ylim(0.0, 1.2 * max(batches.values()))
    batch.set(xlabel="sentences in a batch", ylabel="calls alone / calls with a draft")
    batch.set_title("a batch waits for its slowest")
    _draw_temperatures(heat, temperatures)
    return figure


def _draw_temperatures(axes: Axes, temperatures: Mapping[str, Mapping[float, float]]) -> None:
    """Draw α of each draft over the temperatures, which stand side by side."""
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
