"""Figures of lesson 09 and of Table 3: what pruning costs, where it bites, and what it saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.compression.pruning import METHODS
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    SEQ_INTER,
    SERIES,
    SIZE,
    VERMILION,
    panels,
    role_of,
    styled,
)
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.pruning.costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.measures import FREQUENCIES
from seqkd_lab.studies.pruning.recipes import (
    AT_ONCE,
    IN_STEPS,
    MODELS,
    PRUNED,
    RETRAINED,
    TUNED,
    Place,
    class_blind,
)
from seqkd_lab.studies.pruning.study import PAPER_SHARE, loss_at, shares

PARAMETERS = "pruned, % of all parameters"
MOST_SHOWN = 15.0
"""BLEU lost at which the scale of losses ends: beyond it a model is broken, and no comparison is
left."""
LINES = {PRUNED: "--", RETRAINED: "-", TUNED: "-."}
FORM_LOOKS = {
    DENSE: (GREY, "o"),
    SPARSE: (BLUE, "s"),
    DENSE_INT8: (ORANGE, "D"),
    SPARSE_INT8: (VERMILION, "^"),
}


def percent(levels: Sequence[float]) -> list[float]:
    """Return levels of pruning in percent."""
    return [100.0 * level for level in levels]


def draw_levels(
    axes: Axes,
    levels: Sequence[float],
    values: Sequence[Sequence[float]],
    name: str,
    line: str = "-",
    label: str = "",
) -> None:
    """Draw the mean over the seeds at each level in the look of the model `name`, and its 95%
    interval as a band."""
    role, x = role_of(name), percent(levels)
    means, intervals = zip(*map(mean_and_interval, values), strict=True)
    axes.plot(x, means, line, markersize=7, label=label, **role.line)
    if all(math.isfinite(low) for low, _ in intervals):
        lows, highs = zip(*intervals, strict=True)
        axes.fill_between(x, lows, highs, color=role.colour, alpha=0.18, linewidth=0)


@styled
def table3_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw BLEU by beam over the levels: a panel for each of the three models, one scale; band: 95%
    interval of the mean."""
    levels = shares(by_seed)
    figure, all_axes = panels(13, 5.2, columns=len(MODELS), sharey=True)
    for axes, model in zip(all_axes, MODELS, strict=True):
        for stage, line in LINES.items():
            rows = [class_blind(model, level, stage).row for level in levels]
            if rows[0] in by_seed[0]:
                values = [[seed[row]["beam"] for seed in by_seed] for row in rows]
                look = SEQ_INTER if stage == TUNED else model
                draw_levels(axes, levels, values, look, line, stage)
        axes.axvline(100 * PAPER_SHARE, color=GREY, linewidth=1, linestyle=":")
        axes.set(xlabel=PARAMETERS, title=model)
    all_axes[0].set_ylabel("BLEU, K = 5")
    all_axes[-1].legend(loc="lower left")
    return figure


@styled
def losses_figure(by_seed: Sequence[Rows], models: Sequence[str] = (BASELINE, SEQ_KD)) -> Figure:
    """Draw the BLEU lost by beam against the same model unpruned, both retrained alike: which model
    bears pruning better?"""
    levels = shares(by_seed)
    figure, axes = panels(12, 4.8)
    for model in models:
        values = [[loss_at(rows, model, level, RETRAINED) for rows in by_seed] for level in levels]
        draw_levels(axes, levels, values, model, label=model)
        for level, mean in zip(levels, map(fmean, values), strict=True):
            if level >= PAPER_SHARE and mean < MOST_SHOWN:
                beside(axes, f"{mean:.1f}", 100 * level, mean, color=role_of(model).text)
    axes.axhline(0.0, color=BLACK, linewidth=1)
    axes.set(
        xlabel=PARAMETERS,
        ylabel="BLEU lost, K = 5",
        ylim=(-1.0, MOST_SHOWN),
        title="lost against the unpruned model, retrained alike (band: 95% interval)",
    )
    axes.legend(loc="upper left")
    return figure


def beside(axes: Axes, text: str, x: float, y: float, **properties) -> None:
    """Write `text` to the right of a point; properties are Text's."""
    axes.annotate(text, (x, y), xytext=(11, -5), textcoords="offset points", **properties)


@styled
def ways_figure(by_seed: Sequence[Rows], share: float = PAPER_SHARE) -> Figure:
    """Draw BLEU by beam of the distilled student at one level, retrained: by method, in steps, and
    at once for as long."""
    places = {"unpruned, retrained": class_blind(SEQ_KD, 0.0, RETRAINED)} | {
        method: Place(SEQ_KD, method, share, RETRAINED) for method in (*METHODS, IN_STEPS, AT_ONCE)
    }
    measured = {name: place.row for name, place in places.items() if place.row in by_seed[0]}
    figure, axes = panels(12, 1.2 + 0.62 * len(measured))
    for height, row in enumerate(measured.values()):
        values = [rows[row]["beam"] for rows in by_seed]
        colour = role_of(SEQ_KD).colour if height else GREY
        mean = draw_seeds(axes, height, values, colour, role_of(SEQ_KD).marker)
        _, (_, high) = mean_and_interval(values)
        right = max(high if math.isfinite(high) else mean, *values)
        beside(axes, f"{mean:.1f}", right, height)
    axes.set_yticks(range(len(measured)), list(measured))
    axes.set_ylim(len(measured) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlabel("BLEU, K = 5 (stroke: a seed, mark: mean, line: 95% interval)")
    axes.set_title(f"{share:.0%} pruned, retrained")
    return figure


@styled
def classes_figure(by_seed: Sequence[Rows], model: str = SEQ_KD) -> Figure:
    """Draw the share of zeros in each weight class over the levels, class-blind; mean of the
    seeds."""
    levels = shares(by_seed)
    rows = [class_blind(model, level, PRUNED).row for level in levels]
    figure, axes = panels(12, 5)
    for (colour, marker), name in zip(SERIES, by_seed[0][rows[0]]["zeros"], strict=False):
        zeros = [fmean(seed[row]["zeros"][name] for seed in by_seed) for row in rows]
        look = {"color": colour, "marker": marker, "markersize": 8}
        axes.plot(percent(levels), percent(zeros), label=name.replace("_", " "), **look)
    axes.plot([0, 100], [0, 100], ":", color=GREY, linewidth=1.5, label="all classes alike")
    title = f"{model}, class-blind: which part loses most?"
    axes.set(xlabel=PARAMETERS, ylabel="zeros in the class, %", title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def words_figure(
    by_seed: Sequence[Rows], stages: Sequence[str] = (PRUNED, RETRAINED), model: str = SEQ_KD
) -> Figure:
    """Draw what the greedy translations keep of the unpruned model's words, by how often training
    showed them."""
    levels = shares(by_seed)
    figure, all_axes = panels(13, 5, columns=len(stages), sharey=True, squeeze=False)
    for axes, stage in zip(all_axes[0], stages, strict=True):
        rows = [class_blind(model, level, stage).row for level in levels]
        for number, (name, (colour, marker)) in enumerate(zip(FREQUENCIES, SERIES, strict=False)):
            kept = [[seed[row]["words_kept"][number] for seed in by_seed] for row in rows]
            known = [
                (100 * level, 100 * fmean(share for share in shares if share is not None))
                for level, shares in zip(levels, kept, strict=True)
                if any(share is not None for share in shares)
            ]
            look = {"color": colour, "marker": marker, "markersize": 8}
            if known:
                axes.plot(*zip(*known, strict=True), label=name, **look)
        axes.set(xlabel=PARAMETERS, title=f"{model}, {stage}", ylim=(-3, 103))
    all_axes[0, 0].set_ylabel("words kept, %")
    all_axes[0, -1].legend(title="in training", loc="lower left")
    return figure


@styled
def costs_figure(costs: Mapping[float, Cost]) -> Figure:
    """Draw on the left the bytes of the file by form (full marks) and compressed (hollow marks); on
    the right words a second, dense and sparse."""
    widths = (1.5, *(1 for _ in BATCHES))
    figure, (files, *speeds) = panels(13, 5.2, columns=len(widths), width_ratios=widths)
    x = percent(list(costs))
    for form, (colour, marker) in FORM_LOOKS.items():
        look = {"color": colour, "marker": marker, "markersize": 7}
        stored, compressed = (
            [cost[kind][form] / 1000 for cost in costs.values()] for kind in ("file", "compressed")
        )
        files.plot(x, stored, "-", label=form, **look)
        files.plot(x, compressed, ":", markerfacecolor="white", label=f"{form}, zlib", **look)
    files.legend(fontsize=SIZE - 3, ncols=2, loc="upper right")
    files.set(xlabel=PARAMETERS, ylabel="file, thousand bytes", title="on disk")
    for axes, batch in zip(speeds, BATCHES, strict=True):
        for kernel in (DENSE, SPARSE):
            colour, marker = FORM_LOOKS[kernel]
            rounds = [cost["speed"][batch][kernel] for cost in costs.values()]
            look = {"color": colour, "marker": marker, "markersize": 7}
            axes.plot(x, list(map(median, rounds)), label=f"{kernel} output layer", **look)
            slowest, fastest = list(map(min, rounds)), list(map(max, rounds))
            axes.fill_between(x, slowest, fastest, color=colour, alpha=0.2, linewidth=0)
        axes.set(xlabel=PARAMETERS, ylabel="source words / second", title=f"greedy, {batch}")
    for axes in (files, *speeds):
        axes.set_ylim(bottom=0.0)
    speeds[0].legend(loc="lower left")
    return figure


@styled
def products_figure(times: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draw how many times as fast as the dense product the sparse one is, by share of zeros; a line
    for each size."""
    figure, axes = panels(12, 4.8)
    for (name, by_share), (colour, marker) in zip(times.items(), SERIES, strict=False):
        look = {"color": colour, "marker": marker, "markersize": 8}
        axes.plot(percent(list(by_share)), list(by_share.values()), label=name, **look)
    axes.axhline(1.0, color=BLACK, linewidth=1.5)
    axes.set_yscale("log")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
    axes.set_yticks(ticks, [f"{tick:g} ×" for tick in ticks])
    axes.minorticks_off()
    ratios = [1.0, *(ratio for by_share in times.values() for ratio in by_share.values())]
    axes.set_ylim(0.7 * min(ratios), 1.4 * max(ratios))
    title = "torch's sparse product against its dense one; above the line it pays"
    axes.set(xlabel="zeros, %", ylabel="as fast as dense", title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def scales_figure(
    by_method: Mapping[str, Mapping[str, float]], scores: Mapping[str, float], share: float
) -> Figure:
    """Draw the zeros in each weight class of one model, by method; beside each method stands the
    share of valid translations."""
    figure, axes = panels(12, 4.8)
    names = list(next(iter(by_method.values())))
    for number, (method, zeros) in enumerate(by_method.items()):
        positions = [row + (number - 1) * 0.27 for row in range(len(names))]
        label, (colour, _) = f"{method}: {scores[method]:.0%} valid", SERIES[number]
        axes.bar(
            positions, percent([zeros[name] for name in names]), 0.25, color=colour, label=label
        )
    axes.axhline(100 * share, color=GREY, linestyle=":", linewidth=1.5)
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names])
    title = f"{share:.0%} of all parameters pruned, without retraining"
    axes.set(ylabel="zeros in the class, %", title=title)
    axes.grid(axis="x", visible=False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
