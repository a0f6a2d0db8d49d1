"""Figures of lesson 12: what few draws do, signal-to-noise by pass rate, and what the arms gain and
forget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from seqkd_lab.lab.shared.bars import signed
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SIZE, VERMILION
from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.paced.measures import N_BINS
from seqkd_lab.studies.paced.recipes import ARMS, FORWARD, REVERSE, TWO_STAGE, UNIFORM, label
from seqkd_lab.studies.paced.study import START, forgetting, percent, ratios

LOOKS = {
    UNIFORM: (GREY, "o", "-"),
    HARD: (ORANGE, "^", "--"),
    PACED: (BLUE, "s", "-"),
    SHUFFLED: (PURPLE, "D", ":"),
}
LOSSES = (FORWARD, TWO_STAGE, REVERSE)
EIGHTHS = [f"{place}/8" for place in range(N_BINS)]


def few_draws_figure(numbers: Sequence[int] = (4, 8, 32)) -> Figure:
    """By the binomial law, over the true pass rate: how often K draws are all right or all wrong,
    so that the weight is 0; and the mean of p̂(1 − p̂) beside p(1 − p)."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    ends, weights = figure.subplots(1, 2)
    p = np.linspace(0.0, 1.0, 101)
    looks = ((VERMILION, "-"), (BLUE, "--"), (GREEN, "-."))
    for K, (colour, line) in zip(numbers, looks, strict=False):
        ends.plot(
            p,
            binom.pmf(0, K, p) + binom.pmf(K, K, p),
            line,
            color=colour,
            linewidth=2.5,
            label=f"K = {K}",
        )
        weights.plot(
            p,
            (1.0 - 1.0 / K) * p * (1.0 - p),
            line,
            color=colour,
            linewidth=2.5,
            label=f"K = {K}: {1 - 1 / K:.3f} of it",
        )
        seen = float(binom.pmf(0, K, 0.1) + binom.pmf(K, K, 0.1))
        ends.plot(0.1, seen, "o", color=colour, markersize=8)
        ends.annotate(
            f"{seen:.2f}", (0.1, seen), xytext=(9, 2), textcoords="offset points", fontsize=SIZE
        )
    weights.plot(p, p * (1.0 - p), color=BLACK, linewidth=1.5, label="p(1 − p)")
    label_axes(
        ends,
        "true pass rate p (number: at p = 0.1)",
        "probability of weight 0",
        "all K right, or all wrong",
    )
    label_axes(
        weights, "true pass rate p", "mean of p̂(1 − p̂)", "the weight's mean is (1 − 1/K) p(1 − p)"
    )
    for axes in (ends, weights):
        axes.legend(fontsize=SIZE)
    return figure


def bias_figure(by_n: Mapping[int, tuple[float, float]]) -> Figure:
    """The signal-to-noise ratio of the same gradients from n of them: with its bias, without, and
    the bias 1/n."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    axes = figure.subplots()
    places = range(len(by_n))
    looks = (
        (0, VERMILION, "^-", 10, "‖ḡ‖² / trΣ as it is"),
        (1, BLUE, "o-", -18, "its bias taken off"),
    )
    for which, colour, mark, offset, name in looks:
        values = [pair[which] for pair in by_n.values()]
        axes.plot(places, values, mark, color=colour, linewidth=2, markersize=9, label=name)
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                signed(value, 3).lstrip("+"),
                (place, value),
                xytext=(0, offset),
                color=colour,
                textcoords="offset points",
                fontsize=SIZE,
                ha="center",
            )
    axes.plot(
        places, [1.0 / n for n in by_n], ":", color=BLACK, linewidth=2, label="1/n: noise alone"
    )
    axes.set_xticks(places, [str(n) for n in by_n])
    axes.margins(x=0.06, y=0.2)
    axes.legend(fontsize=SIZE)
    label_axes(
        axes,
        "n, sentences that are looked at",
        "signal-to-noise",
        "the same gradients, fewer and more of them",
    )
    return figure


def noise_figure(by_seed: Sequence[Rows]) -> Figure:
    """Signal-to-noise of the start's gradient by pass rate in thousandths, a panel a loss: every
    seed, mean with number and 95% interval; dashed p(1 − p), scaled to the highest mean."""
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, loss in zip(panels, (FORWARD, REVERSE), strict=True):
        columns = [
            [1_000.0 * value for value in values]
            for values in zip(*(ratios(rows, loss) for rows in by_seed), strict=True)
        ]
        means = _marks(axes, range(N_BINS), columns, BLUE, 1)
        p = np.linspace(0.0, 1.0, 101)
        axes.plot(
            p * (N_BINS - 1),
            4.0 * max(means) * p * (1.0 - p),
            "--",
            color=VERMILION,
            linewidth=2,
            label="p(1 − p), scaled",
        )
        axes.plot([], [], "o-", color=BLUE, label="mean of the seeds, 95% interval")
        axes.plot([], [], "_", color=BLUE, label="a seed")
        axes.axhline(0.0, color=BLACK, linewidth=1)
        axes.set_xticks(range(N_BINS), EIGHTHS)
        axes.margins(y=0.12)
        n = (
            min(rows["noise"][loss]["n"] for rows in by_seed),
            max(rows["noise"][loss]["n"] for rows in by_seed),
        )
        label_axes(
            axes,
            "pass rate p̂ of the source",
            "signal-to-noise, thousandths" if loss == FORWARD else "",
            f"{loss}, {n[0]}–{n[1]} sentences a bin"
            if n[0] < n[1]
            else f"{loss}, {n[0]} sentences a bin",
        )
    figure.legend(
        *panels[0].get_legend_handles_labels(), fontsize=SIZE, loc="outside lower center", ncols=3
    )
    return figure


def _marks(
    axes, places: Sequence[float], columns: Sequence[Sequence[float]], colour: str, digits: int
) -> list[float]:
    """Seeds as dashes, mean with its number above the interval; returns the means."""
    means = []
    for place, values in zip(places, columns, strict=True):
        mean, (low, high) = mean_and_interval(values)
        axes.plot([place] * len(values), values, "_", color=colour, markersize=10, alpha=0.7)
        if len(values) > 1:
            axes.plot([place, place], [low, high], "-", color=colour, linewidth=2)
        axes.plot(place, mean, "o", color=colour, markersize=8)
        top = max(*values, high if len(values) > 1 else mean)
        axes.annotate(
            signed(mean, digits).lstrip("+"),
            (place, top),
            xytext=(0, 6),
            fontsize=SIZE - 1,
            textcoords="offset points",
            ha="center",
        )
        means.append(mean)
    return means


def initial_figure(by_seed: Sequence[Rows]) -> Figure:
    """How many points more of the draws are valid than at the start, by the start's pass rate: a
    panel a loss, a line a kind of weights (mean of the seeds, 95% interval)."""
    figure = Figure(figsize=(13, 5.0), layout="constrained")
    panels = figure.subplots(1, len(LOSSES), sharey=True)
    for axes, loss in zip(panels, LOSSES, strict=True):
        kinds = [kind for one, kind in ARMS if one == loss]
        for number, kind in enumerate(kinds):
            colour, mark, line = LOOKS[kind]
            every = {place: _gains(by_seed, label((loss, kind)), place) for place in range(N_BINS)}
            points = {place: values for place, values in every.items() if values}
            found = {place: mean_and_interval(values) for place, values in points.items()}
            shift = 0.16 * (number - (len(kinds) - 1) / 2)
            axes.plot(
                [place + shift for place in found],
                [mean for mean, _ in found.values()],
                line,
                marker=mark,
                color=colour,
                linewidth=2,
                markersize=7,
                label=kind,
            )
            for place, (_, interval) in found.items():
                if len(points[place]) > 1:
                    axes.plot(
                        [place + shift] * 2, interval, "-", color=colour, linewidth=1.2, alpha=0.7
                    )
        axes.axhline(0.0, color=BLACK, linewidth=1)
        axes.set_xticks(range(N_BINS), EIGHTHS)
        label_axes(
            axes,
            "pass rate at the start",
            "valid draws: points since the start" if axes is panels[0] else "",
            loss,
        )
    figure.legend(
        *panels[0].get_legend_handles_labels(), fontsize=SIZE, loc="outside lower center", ncols=4
    )
    return figure


def _gains(by_seed: Sequence[Rows], name: str, place: int) -> list[float]:
    """Points of valid draws since the start of one bin, in the seeds that have it."""
    pairs = [
        (
            rows["arms"]["arms"][name]["by_initial"][place],
            rows["arms"]["arms"][START]["by_initial"][place],
        )
        for rows in by_seed
    ]
    return [
        100.0 * (after - before)
        for after, before in pairs
        if after is not None and before is not None
    ]


def arms_figure(by_seed: Sequence[Rows]) -> Figure:
    """A row an arm: points of valid draws since the start on what is distilled, and on the skill
    that is left out."""
    figure = Figure(figsize=(13, 6.4), layout="constrained")
    kept, left = figure.subplots(1, 2, sharey=True)
    names = [label(arm) for arm in ARMS]
    for row, (name, (_, kind)) in enumerate(zip(names, ARMS, strict=True)):
        gains = [percent(rows, name) - percent(rows, START) for rows in by_seed]
        losses = [-forgetting(rows, name) for rows in by_seed]
        for axes, values in ((kept, gains), (left, losses)):
            _row(axes, row, values, LOOKS[kind][0], LOOKS[kind][1])
    kept.set_yticks(range(len(names)), names)
    kept.set_ylim(len(names) - 0.5, -0.75)
    for axes, title in (
        (kept, "what is distilled"),
        (left, "the skill that is left out: forgetting"),
    ):
        axes.axvline(0.0, color=BLACK, linewidth=1)
        axes.margins(x=0.14)
        label_axes(axes, "valid draws: points since the start", "", title)
    return figure


def _row(axes, row: int, values: Sequence[float], colour: str, mark: str) -> None:
    """Seeds as dashes, the mean with its interval, its number above."""
    mean, interval = mean_and_interval(values)
    axes.plot(values, [row] * len(values), "|", color=colour, markersize=10, alpha=0.7)
    if len(values) > 1:
        axes.plot(interval, [row, row], "-", color=colour, linewidth=2)
    axes.plot(mean, row, mark, color=colour, markersize=9)
    axes.annotate(
        signed(mean, 1),
        (mean, row),
        xytext=(0, 9),
        textcoords="offset points",
        fontsize=SIZE - 1,
        ha="center",
    )
