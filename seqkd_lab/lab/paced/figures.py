"""Figures of lesson 12: what few draws do, signal-to-noise by pass rate, and what the arms gain and
forget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from seqkd_lab.lab.shared.bars import signed
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import BLACK, GREY, SERIES, panels, styled
from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.paced.measures import N_BINS, START, forgetting, percent_valid, ratios
from seqkd_lab.studies.paced.recipes import ARMS, FORWARD, REVERSE, TWO_STAGE, UNIFORM, label
from seqkd_lab.studies.paced.study import initial_columns

LOOKS = {
    UNIFORM: (GREY, "o", "-"),
    PACED: (*SERIES[0], "-"),
    HARD: (*SERIES[1], "--"),
    SHUFFLED: (*SERIES[2], ":"),
}
LOSSES = (FORWARD, TWO_STAGE, REVERSE)
LINES = ("-", "--", "-.")
EIGHTHS = [f"{number}/8" for number in range(N_BINS)]
P = np.linspace(0.0, 1.0, 101)


@styled
def few_draws_figure(numbers: Sequence[int] = (4, 8, 32)) -> Figure:
    """Draw, by the binomial distribution over the true pass rate, how often K draws are all valid
    or all invalid, so that the weight is 0; and the mean of p̂(1 − p̂) beside p(1 − p)."""
    figure, (ends, weights) = panels(13, 4.2, columns=2)
    for K, (colour, _), line in zip(numbers, SERIES, LINES, strict=False):
        look = {"color": colour, "linestyle": line, "linewidth": 2.5}
        ends.plot(P, _weight_0(P, K), label=f"K = {K}", **look)
        mean = (1.0 - 1.0 / K) * P * (1.0 - P)
        weights.plot(P, mean, label=f"K = {K}: {1 - 1 / K:.3f} of it", **look)
        point = (0.1, float(_weight_0(0.1, K)))
        ends.plot(*point, "o", color=colour, markersize=8)
        ends.annotate(f"{point[1]:.2f}", point, xytext=(9, 2), textcoords="offset points")
    weights.plot(P, P * (1.0 - P), color=BLACK, linewidth=1.5, label="p(1 − p)")
    ends.set(xlabel="true pass rate p (number: at p = 0.1)", ylabel="probability of weight 0")
    ends.set_title("all K right, or all wrong")
    weights.set(xlabel="true pass rate p", ylabel="mean of p̂(1 − p̂)")
    weights.set_title("the weight's mean is (1 − 1/K) p(1 − p)")
    for axes in (ends, weights):
        axes.legend()
    return figure


def _weight_0(p: np.ndarray | float, n_draws: int) -> np.ndarray:
    return binom.pmf(0, n_draws, p) + binom.pmf(n_draws, n_draws, p)


@styled
def bias_figure(by_number: Mapping[int, tuple[float, float]]) -> Figure:
    """Draw the signal-to-noise ratio of the same gradients from n of them: with its bias, without,
    and the bias 1/n."""
    figure, axes = panels(12, 4.4)
    x = range(len(by_number))
    curves = zip(*by_number.values(), strict=True)
    names = (("‖ḡ‖² / trΣ as it is", 10), ("its bias taken off", -18))
    for values, (name, shift), (colour, marker) in zip(curves, names, SERIES[1::-1], strict=True):
        axes.plot(x, values, f"{marker}-", color=colour, markersize=9, label=name)
        for point in zip(x, values, strict=True):
            text, offset = shown_number(point[1], 3), (0, shift)
            axes.annotate(text, point, xytext=offset, textcoords="offset points", ha="center")
    axes.plot(x, [1.0 / n for n in by_number], ":", color=BLACK, label="1/n: noise alone")
    axes.set_xticks(x, [str(n) for n in by_number])
    axes.margins(x=0.06, y=0.2)
    axes.legend()
    axes.set(xlabel="n, sentences that are looked at", ylabel="signal-to-noise")
    axes.set_title("the same gradients, fewer and more of them")
    return figure


@styled
def noise_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the signal-to-noise ratio of the start's gradient by pass rate in thousandths, a panel a
    loss: every seed, mean with number and 95% interval; dashed p(1 − p), scaled to the highest
    mean."""
    figure, all_axes = panels(13, 5.2, columns=2)
    colour, marker = SERIES[0]
    for axes, loss in zip(all_axes, (FORWARD, REVERSE), strict=True):
        means = []
        for x, column in enumerate(zip(*(ratios(rows, loss) for rows in by_seed), strict=True)):
            values = [1_000.0 * value for value in column]
            means.append(draw_seeds(axes, x, values, colour, marker, upright=True))
            write_beyond(axes, x, values, shown_number(means[-1], 1), upright=True)
        bell = 4.0 * max(means) * P * (1.0 - P)
        axes.plot(P * (N_BINS - 1), bell, "--", color=SERIES[1][0], label="p(1 − p), scaled")
        axes.plot([], [], f"{marker}-", color=colour, label="mean of the seeds, 95% interval")
        axes.plot([], [], "_", color=BLACK, label="a seed")
        axes.axhline(0.0, color=BLACK, linewidth=1)
        axes.set_xticks(range(N_BINS), EIGHTHS)
        axes.margins(y=0.12)
        numbers = sorted({rows["noise"][loss]["n"] for rows in by_seed})
        n = "–".join(dict.fromkeys(str(end) for end in (numbers[0], numbers[-1])))
        axes.set(xlabel="pass rate p̂ of the source", title=f"{loss}, {n} sentences a bin")
    all_axes[0].set_ylabel("signal-to-noise, thousandths")
    _key_below(figure, all_axes[0])
    return figure


def _key_below(figure: Figure, axes: Axes) -> None:
    """Write the key of `axes` below all panels."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


@styled
def initial_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw how many points more of the draws are valid than at the start, by the start's pass rate:
    a panel a loss, a line a kind of weights (mean of the seeds, 95% interval)."""
    figure, all_axes = panels(13, 5.0, columns=len(LOSSES), sharey=True)
    for axes, loss in zip(all_axes, LOSSES, strict=True):
        kinds = [kind for other, kind in ARMS if other == loss]
        for number, kind in enumerate(kinds):
            shift = 0.16 * (number - (len(kinds) - 1) / 2)
            _draw_gains(axes, gains(by_seed, label(loss, kind)), kind, shift)
        axes.axhline(0.0, color=BLACK, linewidth=1)
        axes.set_xticks(range(N_BINS), EIGHTHS)
        axes.set(xlabel="pass rate at the start", title=loss)
    all_axes[0].set_ylabel("valid draws: points since the start")
    _key_below(figure, all_axes[0])
    return figure


def gains(by_seed: Sequence[Rows], name: str) -> dict[int, list[float]]:
    """Return an arm's points of valid draws since the start by bin, in the seeds that have it."""
    columns = zip(initial_columns(by_seed, name), initial_columns(by_seed, START), strict=True)
    differences = (
        [100.0 * (after - before) for after, before in zip(*column, strict=True)]
        for column in columns
    )
    return {number: values for number, values in enumerate(differences) if values}


def _draw_gains(axes: Axes, by_bin: Mapping[int, Sequence[float]], kind: str, shift: float) -> None:
    colour, marker, line = LOOKS[kind]
    x = [number + shift for number in by_bin]
    means, intervals = zip(*map(mean_and_interval, by_bin.values()), strict=True)
    axes.plot(x, means, line, marker=marker, color=colour, markersize=7, label=kind)
    for position, interval in zip(x, intervals, strict=True):
        if math.isfinite(interval[0]):
            axes.plot([position] * 2, interval, "-", color=colour, linewidth=1.2, alpha=0.7)


@styled
def arms_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw a row for each arm: points of valid draws since the start on what is distilled, and on
    the skill that is left out."""
    figure, (kept, left_out) = panels(13, 6.4, columns=2, sharey=True)
    names = [label(*arm) for arm in ARMS]
    for row, (name, (_, kind)) in enumerate(zip(names, ARMS, strict=True)):
        gained = [percent_valid(rows, name) - percent_valid(rows, START) for rows in by_seed]
        lost = [-forgetting(rows, name) for rows in by_seed]
        colour, marker, _ = LOOKS[kind]
        for axes, values in ((kept, gained), (left_out, lost)):
            mean = draw_seeds(axes, row, values, colour, marker)
            write_beyond(axes, row, values, signed(mean, 1))
    kept.set_yticks(range(len(names)), names)
    kept.set_ylim(len(names) - 0.5, -0.5)
    kept.set_title("what is distilled")
    left_out.set_title("the skill that is left out: forgetting")
    for axes in (kept, left_out):
        axes.axvline(0.0, color=BLACK, linewidth=1)
        axes.margins(x=0.16)
        axes.set_xlabel("valid draws: points since the start")
    return figure
