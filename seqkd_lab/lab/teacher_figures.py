"""Figures of lesson 2: curves above the floor, losses without masks, attention beside the true alignment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from seqkd_lab.lab.figures.learning import Curve
from seqkd_lab.lab.figures.picture import BLACK, BLUE, GREY, ORANGE, SIZE, SKY, VERMILION
from seqkd_lab.lab.teacher_measures import Attention

Points = Sequence[tuple[float, float]]
LINES = ((BLUE, "o", "-"), (VERMILION, "^", "--"), (ORANGE, "s", "-."))


def curve_figure(here: Curve, committed: Points, floor: float, n_words: int) -> Figure:
    """A training and the committed teacher's validation over the pairs read: the loss, and its height above the floor.

    All in nats a token; a model that knows nothing of its `n_words` words stands at ln n_words.
    """
    figure = Figure(figsize=(13, 4.8), layout="constrained")
    whole, above = figure.subplots(1, 2)
    label = "trained here: training, mean of 20 updates"
    whole.plot(*_columns(here.smoothed()), "-", color=SKY, linewidth=2, label=label)
    for axes, below in ((whole, 0.0), (above, floor)):
        axes.plot(*_columns(here.validations, below), "o-", color=BLUE, linewidth=2, label="trained here: validation")
        axes.plot(*_columns(committed, below), "s-", color=ORANGE, linewidth=2, label="committed teacher: validation")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.set_xlabel("sentence pairs read", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
    whole.axhline(math.log(n_words), color=GREY, linestyle=":", label=f"knows nothing: ln {n_words}")
    whole.axhline(floor, color=BLACK, linestyle="--", label=f"the floor: {floor:.3f}")
    whole.set_ylim(0.0, 1.05 * math.log(n_words))
    whole.set_ylabel("loss (nats a token)", fontsize=SIZE)
    above.set_yscale("log")
    above.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]))
    for points in (here.validations, committed):
        if points:
            x, y = points[-1]
            above.annotate(f"{y - floor:.3f}", (x, y - floor), xytext=(0, -20), textcoords="offset points", color=BLACK,
                           fontsize=SIZE, ha="center")
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    above.yaxis.set_minor_formatter(NullFormatter())
    above.set_ylabel("validation above the floor (nats a token)", fontsize=SIZE)
    above.margins(0.12, 0.2)
    figure.legend(*whole.get_legend_handles_labels(), fontsize=SIZE - 1, loc="outside lower center", ncols=3)
    return figure


def memory_figure(here: Curve, floor: float, n_pairs: int) -> Figure:
    """A model that reads a few pairs again and again: training and validation (nats a token) over the epochs."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    axes = figure.subplots()
    for points, colour, label in ((here.smoothed(), SKY, f"training: the same {n_pairs} pairs again and again"),
                                  (here.validations, VERMILION, "validation: new sentences")):
        x, y = _columns(points)
        axes.plot([pairs / n_pairs for pairs in x], y, "-", color=colour, linewidth=2.5, label=label)
        axes.annotate(f"{y[-1]:.2f}", (x[-1] / n_pairs, y[-1]), xytext=(6, -4), textcoords="offset points",
                      fontsize=SIZE)
    axes.axhline(floor, color=BLACK, linestyle="--", label=f"the floor of these pairs: {floor:.3f}")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("epochs", fontsize=SIZE)
    axes.set_ylabel("loss (nats a token)", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.margins(x=0.07)
    figure.legend(fontsize=SIZE - 1, loc="outside lower center", ncols=3)
    return figure


def padding_figure(
    numbers: Sequence[int], losses: Mapping[str, Mapping[str, Sequence[float]]], readings: Mapping[str, Sequence[float]]
) -> Figure:
    """The same sentences in longer batches: a panel for each model of `losses`, with padding behind the targets; the
    last panel with padding behind the sources. Nats a token, the panels of losses on one logarithmic scale.
    """
    figure = Figure(figsize=(4.6 * (len(losses) + 1), 5.4), layout="constrained")
    panels = figure.subplots(1, len(losses) + 1)
    values = [value for lines in losses.values() for line in lines.values() for value in line]
    for axes, (title, lines) in zip(panels, losses.items(), strict=False):
        _lines(axes, numbers, lines, f"{title}\npadding behind the targets")
        axes.set_yscale("log")
        axes.set_ylim(0.7 * min(values), 1.5 * max(values))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    _lines(panels[-1], numbers, readings, "the same weights, masks taken away\npadding behind the sources")
    panels[0].set_ylabel("loss (nats a token)", fontsize=SIZE)
    return figure


def _lines(axes, x: Sequence[int], lines: Mapping[str, Sequence[float]], title: str) -> None:
    """Each line with its mark, and the legend below the panel."""
    for (label, y), (colour, mark, dash) in zip(lines.items(), LINES, strict=False):
        axes.plot(x, y, dash, marker=mark, color=colour, linewidth=2, markersize=7, label=label)
    axes.set_title(title, fontsize=SIZE)
    axes.set_xlabel("places of padding added", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 2, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def means_figure(batch_sizes: Sequence[int], right: Sequence[float], of_means: Sequence[float], n_pairs: int) -> Figure:
    """The loss of the same sentences (nats a token) over the size of the batches that they were read in."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(len(batch_sizes)), right, "o-", color=BLUE, linewidth=2, label="sum / number of tokens")
    axes.plot(range(len(batch_sizes)), of_means, "^--", color=VERMILION, linewidth=2, label="mean of batch means")
    axes.set_xticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
    axes.set_xlabel(f"sentences in a batch, {n_pairs} in all", fontsize=SIZE)
    axes.set_ylabel("loss (nats a token)", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.margins(y=0.2)
    axes.legend(fontsize=SIZE, loc="best")
    return figure


def attention_figure(seen: Attention) -> Figure:
    """Left the true alignment, right the attention: rows are German words, columns English ones, dark is much.

    The true place is framed in both.
    """
    rows, columns = len(seen.target), len(seen.source)
    figure = Figure(figsize=(14, 1.9 + 0.33 * rows), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    truth = [[float(place == s) for s in range(columns)] for place in seen.aligned]
    for axes, values, title in ((panels[0], truth, "true alignment"),
                                (panels[1], seen.weights.tolist(), "attention of the model")):
        shown = axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        axes.set_title(title, fontsize=SIZE + 1)
        axes.set_xticks(range(columns), seen.source, fontsize=SIZE, rotation=45, ha="right", parse_math=False)
        for t, place in enumerate(seen.aligned):
            if place >= 0:
                axes.add_patch(Rectangle((place - 0.5, t - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2))
    panels[0].set_yticks(range(rows), seen.target, fontsize=SIZE, parse_math=False)
    for t, row in enumerate(seen.weights.tolist()):
        s = max(range(columns), key=row.__getitem__)
        panels[1].text(s, t, f"{row[s]:.2f}", ha="center", va="center", fontsize=SIZE - 2,
                       color="white" if row[s] > 0.55 else BLACK)
    bar = figure.colorbar(shown, ax=panels, shrink=0.8)
    bar.set_label("weight (a row sums to 1)", fontsize=SIZE)
    bar.ax.tick_params(labelsize=SIZE - 1)
    return figure


def _columns(points: Points, below: float = 0.0) -> tuple[list[float], list[float]]:
    """The xs, and the ys less `below`."""
    return [x for x, _ in points], [y - below for _, y in points]
