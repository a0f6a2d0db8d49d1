"""Figures of lesson 09 and of Table 3: what pruning costs, where it bites, and what it saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from matplotlib.figure import Figure

from seqkd_lab.compression.pruning import METHODS
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.seeds import draw_seeds
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
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.pruning.costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.rare_words import FREQUENCIES
from seqkd_lab.studies.pruning.recipes import (
    AT_ONCE,
    IN_STEPS,
    MODELS,
    PRUNED,
    RETRAINED,
    TUNED,
    Place,
)
from seqkd_lab.studies.pruning.table import by_seed, pruned_models
from seqkd_lab.studies.pruning.verdict import PAPER_SHARE, Row, blind, loss_at, shares

LOOKS = {PRUNED: (ORANGE, "--", "s"), RETRAINED: (BLUE, "-", "o"), TUNED: (GREEN, "-.", "^")}
MANY = (BLACK, BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE)
MARKS = "osD^vPX"
MOST_SHOWN = 15.0
"""BLEU lost at which the scale of losses ends: beyond it a model is broken, and no comparison is
left."""


def _over_levels(
    axes,
    levels: Sequence[float],
    values: Sequence[Sequence[float]],
    colour: str,
    line: str,
    mark: str,
    label: str,
) -> None:
    """The mean over the seeds at each level, and its 95% interval as a band."""
    found = [mean_and_interval(each) for each in values]
    x, means = [100 * level for level in levels], [mean for mean, _ in found]
    axes.plot(x, means, line, marker=mark, color=colour, linewidth=2.2, markersize=7, label=label)
    if all(math.isfinite(low) for _, (low, _) in found):
        axes.fill_between(
            x,
            [low for _, (low, _) in found],
            [high for _, (_, high) in found],
            color=colour,
            alpha=0.18,
            linewidth=0,
        )


PARAMETERS = "pruned, % of all parameters"


def table3_figure(results: Mapping) -> Figure:
    """BLEU by beam over the levels: a panel for each of the three models, one scale; band: 95%
    interval of the mean."""
    rows = by_seed(pruned_models(results))
    levels, figure = shares(rows), Figure(figsize=(13, 5.2), layout="constrained")
    panels = figure.subplots(1, len(MODELS), sharey=True)
    for axes, model in zip(panels, MODELS, strict=True):
        for stage, (colour, line, mark) in LOOKS.items():
            if blind(model, levels[0], stage) in rows[0]:
                values = [
                    [row[blind(model, level, stage)].beam for row in rows] for level in levels
                ]
                _over_levels(axes, levels, values, colour, line, mark, stage)
        axes.axvline(100 * PAPER_SHARE, color=GREY, linewidth=1, linestyle=":")
        label_axes(axes, PARAMETERS, "BLEU, K = 5" if axes is panels[0] else "", model)
    panels[-1].legend(fontsize=SIZE - 1, loc="lower left")
    return figure


def losses_figure(rows: Sequence[Row], models: Sequence[str] = (BASELINE, SEQ_KD)) -> Figure:
    """BLEU lost by beam against the same model unpruned, both retrained alike: who bears pruning
    better?"""
    levels, figure = shares(rows), Figure(figsize=(12, 4.8), layout="constrained")
    axes = figure.subplots()
    for model, (colour, line, mark) in zip(models, LOOKS.values(), strict=False):
        values = [[loss_at(row, model, level, RETRAINED) for row in rows] for level in levels]
        _over_levels(axes, levels, values, colour, line, mark, model)
        for level, each in zip(levels, values, strict=True):
            if level >= PAPER_SHARE and fmean(each) < MOST_SHOWN:
                axes.annotate(
                    f"{fmean(each):.1f}",
                    (100 * level, fmean(each)),
                    xytext=(10, -5),
                    fontsize=SIZE,
                    textcoords="offset points",
                    color=colour,
                )
    axes.axhline(0.0, color=BLACK, linewidth=1)
    axes.set_ylim(-1.0, MOST_SHOWN)
    label_axes(
        axes,
        PARAMETERS,
        "BLEU lost, K = 5",
        "lost against the unpruned model, retrained alike (band: 95% interval)",
    )
    axes.legend(fontsize=SIZE, loc="upper left")
    return figure


def ways_figure(rows: Sequence[Row], share: float = PAPER_SHARE) -> Figure:
    """BLEU by beam of the distilled student at one level, retrained: by method, in steps, and at
    once for as long."""
    places = {
        method: Place(SEQ_KD, method, share, RETRAINED) for method in (*METHODS, IN_STEPS, AT_ONCE)
    }
    there = {method: place for method, place in places.items() if place in rows[0]}
    unpruned = {"unpruned, retrained": blind(SEQ_KD, 0.0, RETRAINED)}
    figure = Figure(figsize=(12, 1.2 + 0.62 * (1 + len(there))), layout="constrained")
    axes = figure.subplots()
    for y, place in enumerate((unpruned | there).values()):
        values = [row[place].beam for row in rows]
        draw_seeds(axes, y, values, BLUE if y else GREY)
        mean, (_, high) = mean_and_interval(values)
        right = max(high if math.isfinite(high) else mean, *values)
        axes.annotate(
            f"{mean:.1f}", (right, y), xytext=(12, -5), textcoords="offset points", fontsize=SIZE
        )
    axes.set_yticks(range(1 + len(there)), [*unpruned, *there], fontsize=SIZE)
    axes.set_ylim(len(there) + 0.6, -0.6)
    axes.margins(x=0.12)
    label_axes(
        axes,
        "BLEU, K = 5 (stroke: a seed, dot: mean, line: 95% interval)",
        "",
        f"{share:.0%} pruned, retrained",
    )
    return figure


def classes_figure(rows: Sequence[Row], model: str = SEQ_KD) -> Figure:
    """The share of zeros in each weight class over the levels, class-blind; mean of the seeds."""
    levels, figure = shares(rows), Figure(figsize=(12, 5), layout="constrained")
    axes = figure.subplots()
    names = list(rows[0][blind(model, levels[0], PRUNED)].zeros)
    x = [100 * level for level in levels]
    for name, colour, mark in zip(names, MANY, MARKS, strict=False):
        zeros = [
            100 * fmean(row[blind(model, level, PRUNED)].zeros[name] for row in rows)
            for level in levels
        ]
        axes.plot(
            x,
            zeros,
            marker=mark,
            color=colour,
            linewidth=2,
            markersize=8,
            label=name.replace("_", " "),
        )
    axes.plot([0, 100], [0, 100], ":", color=GREY, linewidth=1.5, label="all classes alike")
    label_axes(
        axes, PARAMETERS, "zeros in the class, %", f"{model}, class-blind: which part loses most?"
    )
    axes.legend(fontsize=SIZE - 1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def words_figure(
    rows: Sequence[Row], stages: Sequence[str] = (PRUNED, RETRAINED), model: str = SEQ_KD
) -> Figure:
    """What the greedy translations keep of the unpruned model's words, by how often training showed
    them."""
    levels, figure = shares(rows), Figure(figsize=(13, 5), layout="constrained")
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        for number, (name, colour, mark) in enumerate(
            zip(FREQUENCIES, MANY[1:], MARKS, strict=False)
        ):
            kept = [
                [row[blind(model, level, stage)].words_kept[number] for row in rows]
                for level in levels
            ]
            known = [
                (100 * level, 100 * fmean(k for k in each if k is not None))
                for level, each in zip(levels, kept, strict=True)
                if any(k is not None for k in each)
            ]
            if known:
                axes.plot(
                    *zip(*known, strict=True),
                    marker=mark,
                    color=colour,
                    linewidth=2,
                    markersize=8,
                    label=name,
                )
        label_axes(
            axes, PARAMETERS, "words kept, %" if axes is panels[0] else "", f"{model}, {stage}"
        )
        axes.set_ylim(-3, 103)
    panels[-1].legend(
        fontsize=SIZE - 1, title="in training", title_fontsize=SIZE - 1, loc="lower left"
    )
    return figure


def costs_figure(costs: Sequence[Cost]) -> Figure:
    """Left: bytes of the file by form (full) and compressed (hollow marks). Right: words a second,
    dense and sparse."""
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    files, *speeds = figure.subplots(1, 1 + len(BATCHES), width_ratios=(1.5, *(1 for _ in BATCHES)))
    x = [100 * cost.share for cost in costs]
    for form, colour, mark in (
        (DENSE, GREY, "o"),
        (SPARSE, BLUE, "s"),
        (DENSE_INT8, ORANGE, "D"),
        (SPARSE_INT8, VERMILION, "^"),
    ):
        files.plot(
            x,
            [cost.file[form] / 1000 for cost in costs],
            "-",
            marker=mark,
            color=colour,
            linewidth=2,
            markersize=7,
            label=form,
        )
        files.plot(
            x,
            [cost.compressed[form] / 1000 for cost in costs],
            ":",
            marker=mark,
            color=colour,
            linewidth=1.5,
            markersize=7,
            markerfacecolor="white",
            label=f"{form}, zlib",
        )
    files.set_ylim(bottom=0.0)
    files.legend(fontsize=SIZE - 3, ncols=2, loc="upper right")
    label_axes(files, PARAMETERS, "file, thousand bytes", "on disk")
    for axes, batch in zip(speeds, BATCHES, strict=True):
        for kernel, colour, mark in ((DENSE, GREY, "o"), (SPARSE, BLUE, "s")):
            each = [cost.speed[batch][kernel] for cost in costs]
            axes.plot(
                x,
                [median(values) for values in each],
                "-",
                marker=mark,
                color=colour,
                linewidth=2,
                markersize=7,
                label=f"{kernel} output layer",
            )
            axes.fill_between(
                x,
                [min(values) for values in each],
                [max(values) for values in each],
                color=colour,
                alpha=0.2,
                linewidth=0,
            )
        axes.set_ylim(bottom=0.0)
        label_axes(axes, PARAMETERS, "source words / second", f"greedy, {batch}")
    speeds[0].legend(fontsize=SIZE - 2, loc="lower left")
    return figure


def products_figure(times: Mapping[str, Mapping[float, float]]) -> Figure:
    """How many times as fast as the dense product the sparse one is, by share of zeros; a line for
    each size."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    axes = figure.subplots()
    for (name, by_share), colour, mark in zip(times.items(), MANY[1:], MARKS, strict=False):
        x = [100 * share for share in by_share]
        axes.plot(
            x,
            list(by_share.values()),
            marker=mark,
            color=colour,
            linewidth=2.2,
            markersize=8,
            label=name,
        )
    axes.axhline(1.0, color=BLACK, linewidth=1.5)
    axes.set_yscale("log")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
    found = [value for by_share in times.values() for value in by_share.values()]
    axes.set_yticks(ticks, [f"{tick:g} ×" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0.7 * min(*found, 1.0), 1.4 * max(*found, 1.0))
    label_axes(
        axes,
        "zeros, %",
        "as fast as dense",
        "torch's sparse product against its dense one; above the line it pays",
    )
    axes.legend(fontsize=SIZE - 1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def scales_figure(
    by_method: Mapping[str, Mapping[str, float]], scores: Mapping[str, float], share: float
) -> Figure:
    """Zeros in each weight class of one model, by method; beside each method the share of valid
    translations."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    axes = figure.subplots()
    names = list(next(iter(by_method.values())))
    for place, (method, zeros) in enumerate(by_method.items()):
        positions = [row + (place - 1) * 0.27 for row in range(len(names))]
        heights, label = (
            [100 * zeros[name] for name in names],
            f"{method}: {scores[method]:.0%} valid",
        )
        axes.bar(positions, heights, 0.25, color=(BLUE, ORANGE, GREEN)[place], label=label)
    axes.axhline(100 * share, color=GREY, linestyle=":", linewidth=1.5)
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names], fontsize=SIZE)
    label_axes(
        axes,
        "",
        "zeros in the class, %",
        f"{share:.0%} of all parameters pruned, without retraining",
    )
    axes.grid(axis="x", visible=False)
    axes.legend(fontsize=SIZE, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
