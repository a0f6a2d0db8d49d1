"""Figures of lesson 10: one word by the rule, tokens per call, the clock, exactness, and what keeps
drafting back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import BarRows
from seqkd_lab.lab.shared.distribution_columns import KEY, N_WORDS, LawBars, column, place_laws
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
)
from seqkd_lab.lab.speculative.measures import (
    LARGE,
    OneWord,
    by_the_rule,
    clock_of,
    refined_speed_up,
    tokens_at,
)
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.speculative.clock import StepTime, cost
from seqkd_lab.studies.speculative.exactness import RULES, Exactness
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    expected_speed_up,
    expected_tokens,
    with_ends,
)
from seqkd_lab.studies.speculative.verdict import FALSE_ALARM

LOOKS = {BASELINE: (ORANGE, "^"), WORD_KD: (BLUE, "o"), SEQ_KD: (GREEN, "D")}
STEP_LOOKS = {
    TEACHER: (BLUE, "o", "small LSTM teacher"),
    BASELINE: (ORANGE, "^", "LSTM draft"),
    LARGE: (VERMILION, "s", "Transformer of the large teacher's size"),
}
LEAST_SHOWN = 1e-12
"""p-values below it are drawn at the edge, with their number."""


def one_word_figure(word: OneWord, n: int = 10_000) -> Figure:
    """p, q and the residual of one word; and what came out of n words by the rule: light what
    stood, dark what was drawn again, the line is q."""
    figure = Figure(figsize=(13, 3.9))
    panels = [figure.add_axes((left, 0.09, 0.205, 0.69)) for left in (0.115, 0.345, 0.56, 0.785)]
    distributions = place_laws(word.p, word.q, word.residual, word.tokens)
    bars = LawBars(panels[:3])
    bars.show(distributions, "(q − p)₊, scaled to 1")
    stood, again = by_the_rule(word, n)
    rows, places = (
        BarRows(panels[3], ("",), (GREEN,), N_WORDS + 1),
        np.arange(len(distributions.words)),
    )
    rows.show([""] * len(places), [column(stood + again, distributions.ids)])
    panels[3].barh(places, column(stood, distributions.ids), 0.84 * 0.92, color=SKY)
    panels[3].vlines(distributions.q, places - 0.46, places + 0.46, color=BLACK, linewidth=2.5)
    panels[3].set_title("drawn by the rule; line: q", fontsize=SIZE, loc="left")
    for axes in panels:
        axes.set_xlim(0.0, 1.4)
        axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    figure.text(0.5, 0.95, KEY, fontsize=SIZE - 1, ha="center", va="center", parse_math=False)
    return figure


def tokens_figure(tokens: Sequence[DraftedTokens]) -> Figure:
    """Tokens per call of the target over K: a column a draft, a row a temperature; measured beside
    both formulas."""
    drafts, temperatures = (
        list(dict.fromkeys(values))
        for values in ((one.draft for one in tokens), (one.temperature for one in tokens))
    )
    figure = Figure(figsize=(13, 3.3 * len(temperatures) + 0.6), layout="constrained")
    panels = figure.subplots(
        len(temperatures), len(drafts), sharex=True, sharey=True, squeeze=False
    )
    for row, temperature in enumerate(temperatures):
        for axes, draft in zip(panels[row], drafts, strict=True):
            found = tokens_at(tokens, draft, temperature)
            alpha = next(iter(found.values())).overlap
            axes.plot(
                list(found),
                [expected_tokens(alpha, K) for K in found],
                "--",
                color=GREY,
                linewidth=2,
                label="(1 − α^(K+1)) / (1 − α)",
            )
            axes.plot(
                list(found),
                [with_ends(alpha, K, one.lengths) for K, one in found.items()],
                "-",
                color=BLUE,
                linewidth=2,
                label="sentences end (ours)",
            )
            axes.plot(
                list(found),
                [one.tokens_per_call for one in found.values()],
                "o",
                color=BLACK,
                markersize=8,
                label="measured",
            )
            last = found[max(found)]
            axes.text(
                0.96,
                0.07,
                f"{last.tokens_per_call:.2f} at K = {max(found)}",
                transform=axes.transAxes,
                fontsize=SIZE,
                ha="right",
            )
            how = "greedy" if temperature == 0.0 else f"temperature {temperature:g}"
            label_axes(
                axes,
                "K, words drafted" if row == len(temperatures) - 1 else "",
                f"{how}:\ntokens per call" if axes is panels[row][0] else "",
                f"{draft}\nα = {alpha:.2f}",
            )
            axes.set_ylim(1.0, 8.0)
            axes.set_xticks(list(found))
    figure.legend(
        *panels[0][0].get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=3,
    )
    return figure


def steps_figure(steps: Sequence[StepTime]) -> Figure:
    """What it costs a model to read several tokens at once, in its own steps of one token (number:
    milliseconds)."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, (colour, mark, label) in STEP_LOOKS.items():
        seconds = {one.n_tokens: median(one.seconds) for one in steps if one.model == name}
        axes.plot(
            list(seconds),
            [value / seconds[1] for value in seconds.values()],
            f"{mark}-",
            color=colour,
            linewidth=2,
            markersize=9,
            label=f"{label}: {1000 * seconds[1]:.2f} ms for one token",
        )
        last = max(seconds)
        axes.annotate(
            f"{seconds[last] / seconds[1]:.1f}",
            (last, seconds[last] / seconds[1]),
            xytext=(9, -4),
            textcoords="offset points",
            fontsize=SIZE,
        )
    axes.axhline(1.0, color=BLACK, linewidth=1)
    axes.set_xticks(sorted({one.n_tokens for one in steps}))
    axes.set_ylim(bottom=0.0)
    label_axes(
        axes,
        "tokens that are read in one step",
        "cost, in steps of one token",
        "one thread; the formula's check of K + 1 tokens costs 1 (line)",
    )
    axes.legend(fontsize=SIZE, loc="upper left")
    return figure


def clock_figure(results: DraftingResults, threads: int) -> Figure:
    """Times as fast as the target alone, over K: a column a draft, a row a temperature; by the
    clock and by formula."""
    drafts = list(dict.fromkeys(one.draft for one in results.tokens))
    temperatures = list(dict.fromkeys(one.temperature for one in results.clock))
    figure = Figure(figsize=(13, 3.3 * len(temperatures) + 0.6), layout="constrained")
    panels = figure.subplots(
        len(temperatures), len(drafts), sharex=True, sharey=True, squeeze=False
    )
    for row, temperature in enumerate(temperatures):
        for axes, draft in zip(panels[row], drafts, strict=True):
            _clock_panel(axes, results, draft, temperature, threads)
            how = "greedy" if temperature == 0.0 else f"temperature {temperature:g}"
            label_axes(
                axes,
                "K, words drafted" if row == len(temperatures) - 1 else "",
                f"{how}:\ntimes as fast" if axes is panels[row][0] else "",
                draft,
            )
    panels[0][0].set_ylim(
        0.0, 1.05 * max(line.get_ydata().max() for axes in panels.flat for line in axes.lines[1:])
    )
    figure.legend(
        *panels[0][0].get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=3,
    )
    figure.suptitle(f"{threads} thread{'s' * (threads > 1)}", fontsize=SIZE)
    return figure


def _clock_panel(
    axes, results: DraftingResults, draft: str, temperature: float, threads: int
) -> None:
    found, clock = (
        tokens_at(results.tokens, draft, temperature),
        clock_of(results, draft, temperature, threads),
    )
    price = cost(results.steps, draft, TEACHER, threads)
    axes.axhline(1.0, color=BLACK, linewidth=1)
    formula = np.array([expected_speed_up(one.overlap, K, price) for K, one in found.items()])
    refined = np.array([refined_speed_up(one, results.steps, threads) for one in found.values()])
    axes.plot(list(found), formula, "--", color=GREY, linewidth=2, label="formula, c measured")
    axes.plot(
        list(found),
        refined,
        "-",
        color=BLUE,
        linewidth=2,
        label="with ends and the check's own price (ours)",
    )
    axes.vlines(
        list(clock),
        [min(values) for values in clock.values()],
        [max(values) for values in clock.values()],
        color=VERMILION,
        linewidth=2,
    )
    middle = {K: median(values) for K, values in clock.items()}
    axes.plot(
        list(middle),
        np.array(list(middle.values())),
        "o",
        color=VERMILION,
        markersize=8,
        label="by the clock (line: all rounds)",
    )
    best = max(middle, key=middle.get)
    axes.annotate(
        f"best: {middle[best]:.2f} at K = {best}",
        (0.5, 0.05),
        xycoords="axes fraction",
        fontsize=SIZE - 1,
        ha="center",
    )
    axes.set_xticks(list(found))


def exactness_figure(tests: Sequence[Exactness]) -> Figure:
    """p of χ² of every test, a row a draft and rule; left of the line one of them is too small for
    chance."""
    rows = list(dict.fromkeys((one.draft, one.rule) for one in tests))
    figure = Figure(figsize=(12, 1.3 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    exact = list(RULES)[0]
    for y, (draft, rule) in enumerate(rows):
        values = [one.p_value for one in tests if (one.draft, one.rule) == (draft, rule)]
        colour, mark = (BLUE, "o") if rule == exact else (VERMILION, "X")
        axes.plot(
            [max(value, LEAST_SHOWN) for value in values],
            [y] * len(values),
            mark,
            color=colour,
            markersize=10,
            clip_on=False,
        )
        below = sum(value < LEAST_SHOWN for value in values)
        if below:
            axes.annotate(
                f"◂ {below} of {len(values)} below {LEAST_SHOWN:g}",
                (LEAST_SHOWN, y),
                xytext=(14, -5),
                fontsize=SIZE,
                textcoords="offset points",
            )
    n_tests = sum(one.rule == exact for one in tests)
    axes.axvline(FALSE_ALARM / n_tests, color=BLACK, linewidth=1.5)
    axes.set_xscale("log")
    axes.set_xlim(LEAST_SHOWN, 1.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [f"{draft}: {rule}" for draft, rule in rows], fontsize=SIZE)
    n = f"{tests[0].n:,} translations each"
    label_axes(axes, f"p of χ² ({n}; line: {FALSE_ALARM:g} / {n_tests} tests)", "")
    return figure


def limits_figure(
    times: Mapping[int, Sequence[float]],
    batches: Mapping[int, float],
    temperatures: Mapping[str, Mapping[float, float]],
) -> Figure:
    """Three limits: the small target by the clock, sentences that share their calls, and α over the
    temperature."""
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    clock, batch, heat = figure.subplots(1, 3)
    clock.axhline(1.0, color=BLACK, linewidth=1)
    middle = {K: median(values) for K, values in times.items()}
    clock.vlines(
        list(times),
        [min(each) for each in times.values()],
        [max(each) for each in times.values()],
        color=VERMILION,
        linewidth=2,
    )
    clock.plot(list(middle), list(middle.values()), "o", color=VERMILION, markersize=9)
    _with_numbers(clock, middle, {K: max(each) for K, each in times.items()})
    clock.set(ylim=(0.0, max(1.3, 1.15 * max(map(max, times.values())))), xticks=list(middle))
    clock.margins(x=0.12)
    label_axes(
        clock, "K, words drafted", "times as fast as alone", "a small target (line: all rounds)"
    )
    places = range(len(batches))
    batch.bar(places, list(batches.values()), 0.6, color=PURPLE)
    numbers = dict(zip(places, batches.values(), strict=True))
    _with_numbers(batch, numbers, numbers)
    batch.set_xticks(places, [f"{size}" for size in batches])
    batch.set_ylim(0.0, 1.2 * max(batches.values()))
    label_axes(
        batch,
        "sentences in a batch",
        "calls alone / calls with a draft",
        "a batch waits for its slowest",
    )
    _temperature_panel(heat, temperatures)
    return figure


def _temperature_panel(heat, temperatures: Mapping[str, Mapping[float, float]]) -> None:
    """α of each draft over the temperatures, which stand side by side."""
    for name, by_temperature in temperatures.items():
        colour, mark = LOOKS.get(name, (GREY, "s"))
        heat.plot(
            range(len(by_temperature)),
            list(by_temperature.values()),
            f"{mark}-",
            color=colour,
            linewidth=2,
            markersize=8,
            label=name,
        )
    taus = list(next(iter(temperatures.values())))
    heat.set_xticks(range(len(taus)), [f"{tau:g}" for tau in taus])
    heat.set_ylim(0.0, 1.0)
    heat.legend(fontsize=SIZE - 1, loc="lower left")
    label_axes(heat, "temperature of both", "α", "Σ min(p, q) over the temperature")


def _with_numbers(axes, values: Mapping[int, float], tops: Mapping[int, float]) -> None:
    """Writes each value above the top of what is drawn of it."""
    for x, value in values.items():
        axes.annotate(
            f"{value:.2f}",
            (x, tops[x]),
            xytext=(0, 7),
            textcoords="offset points",
            fontsize=SIZE,
            ha="center",
        )
