"""Figures of lesson 2: curves above the floor, losses with and without masks, two ways to average a
loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import BLACK, GREY, ORANGE, SIZE, VERMILION

Points = Sequence[tuple[float, float]]
HERE, COMMITTED = VERMILION, BLACK
"""A model that the notebook trains (pale: its training loss), and the committed teacher, black as
in all lessons."""
LINES = ((BLACK, "o", "-"), (VERMILION, "^", "--"), (ORANGE, "s", "-."))
"""Right, wrong, half right."""
TICKS = [digit * scale for scale in (0.01, 0.1, 1.0, 10.0) for digit in (1, 2, 5)]


def curve_figure(here: Curve, committed: Points, floor: float, n_words: int) -> Figure:
    """Draws a training, and the committed teacher's validation, over the pairs read: the loss, and
    its distance from the floor, whose last points are large: only there has a training ended.

    All in nats a token. A model that guesses among its `n_words` words has the loss ln n_words.
    """
    figure = Figure(figsize=(13, 5.0), layout="constrained")
    whole, above = figure.subplots(1, 2)
    whole.plot(
        *_columns(here.smoothed()),
        "-",
        color=HERE,
        alpha=0.4,
        linewidth=2,
        label="trained here: training loss, mean of 20 updates",
    )
    for axes, below in ((whole, 0.0), (above, floor)):
        axes.plot(
            *_columns(here.validations, below),
            "o-",
            color=HERE,
            label="trained here: validation loss",
        )
        axes.plot(
            *_columns(committed, below),
            "s-",
            color=COMMITTED,
            label="committed teacher: validation loss",
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        label_axes(axes, "sentence pairs read", "")
    whole.axhline(
        math.log(n_words),
        color=GREY,
        linestyle=":",
        label=f"a guess among {n_words} words: ln {n_words}",
    )
    whole.axhline(floor, color=GREY, linestyle="--", label=f"the floor: {floor:.3f}")
    whole.set_ylim(0.0, 1.05 * math.log(n_words))
    whole.set_ylabel("loss (nats a token)", fontsize=SIZE)
    whole.set_title("the whole way", fontsize=SIZE)
    _draw_ends(above, here.validations, committed, floor)
    figure.legend(
        *whole.get_legend_handles_labels(), fontsize=SIZE - 1, loc="outside lower center", ncols=3
    )
    return figure


def _draw_ends(above: Axes, here: Points, committed: Points, floor: float) -> None:
    """The logarithmic scale above the floor, and the last point of each training with its
    number."""
    above.set_yscale("log")
    above.yaxis.set_major_locator(FixedLocator(TICKS))
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    above.yaxis.set_minor_formatter(NullFormatter())
    above.set_ylabel("validation loss − floor (nats a token)", fontsize=SIZE)
    above.set_title("the rest of it: compare only the large marks", fontsize=SIZE)
    for points, colour, mark in ((here, HERE, "o"), (committed, COMMITTED, "s")):
        if points:
            x, y = points[-1]
            above.plot(x, y - floor, mark, color=colour, markersize=13)
            above.annotate(
                f"{y - floor:.3f}",
                (x, y - floor),
                xytext=(0, -25),
                textcoords="offset points",
                color=BLACK,
                fontsize=SIZE,
                ha="center",
            )
    above.margins(0.12, 0.25)


def memory_figure(here: Curve, floor: float, n_pairs: int) -> Figure:
    """Draws training and validation loss (nats a token) of a model that reads a few pairs in each
    of many epochs."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    axes = figure.subplots()
    for points, alpha, label in (
        (here.smoothed(), 0.4, f"training loss: the same {n_pairs} pairs in each epoch"),
        (here.validations, 1.0, "validation loss: new sentences"),
    ):
        x, y = _columns(points)
        axes.plot(
            [pairs / n_pairs for pairs in x],
            y,
            "-",
            color=HERE,
            alpha=alpha,
            linewidth=2.5,
            label=label,
        )
        axes.annotate(
            f"{y[-1]:.2f}",
            (x[-1] / n_pairs, y[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            fontsize=SIZE,
            va="center",
            annotation_clip=False,
        )
    axes.axhline(floor, color=GREY, linestyle="--", label=f"the floor of these pairs: {floor:.3f}")
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(0.0, here.updates[-1][0] / n_pairs)
    label_axes(axes, "epochs", "loss (nats a token)")
    figure.legend(fontsize=SIZE - 1, loc="outside lower center", ncols=3)
    return figure


def padding_figure(
    numbers: Sequence[int],
    losses: Mapping[str, Mapping[str, Sequence[float]]],
    readings: Mapping[str, Sequence[float]],
) -> Figure:
    """Draws the losses of the same sentences in longer batches (nats a token).

    One panel for each model of `losses`, with padding after the targets, on one logarithmic scale;
    the last panel with padding after the sources.
    """
    figure = Figure(figsize=(4.6 * (len(losses) + 1), 5.4), layout="constrained")
    panels = figure.subplots(1, len(losses) + 1)
    values = [value for lines in losses.values() for line in lines.values() for value in line]
    for axes, (title, lines) in zip(panels, losses.items(), strict=False):
        _lines(axes, numbers, lines, f"{title}\npadding after the targets")
        axes.set_yscale("log")
        axes.set_ylim(0.7 * min(values), 1.5 * max(values))
        axes.yaxis.set_major_locator(FixedLocator(TICKS))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    _lines(
        panels[-1],
        numbers,
        readings,
        "the committed teacher without its masks\npadding after the sources",
    )
    panels[0].set_ylabel("loss (nats a token)", fontsize=SIZE)
    return figure


def _lines(axes: Axes, x: Sequence[int], lines: Mapping[str, Sequence[float]], title: str) -> None:
    """Each line with its mark, and the legend below the panel."""
    for (label, y), (colour, mark, dash) in zip(lines.items(), LINES, strict=False):
        axes.plot(x, y, dash, marker=mark, color=colour, linewidth=2, markersize=7, label=label)
    label_axes(axes, "positions of padding added", "", title)
    axes.legend(fontsize=SIZE - 2, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def means_figure(
    batch_sizes: Sequence[int], right: Sequence[float], of_means: Sequence[float], n_pairs: int
) -> Figure:
    """Draws the loss of the same sentences (nats a token) over the size of the batches that they
    were read in."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots()
    for losses, (colour, mark, dash), label in zip(
        (right, of_means),
        LINES,
        ("sum over all tokens / number of tokens", "mean of the batches' means"),
        strict=False,
    ):
        axes.plot(
            range(len(batch_sizes)),
            losses,
            dash,
            marker=mark,
            color=colour,
            linewidth=2,
            label=label,
        )
    axes.set_xticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
    label_axes(axes, f"sentences in a batch, {n_pairs} in all", "loss (nats a token)")
    axes.margins(y=0.2)
    axes.legend(fontsize=SIZE, loc="best")
    return figure


def _columns(points: Points, below: float = 0.0) -> tuple[list[float], list[float]]:
    """The xs, and the ys less `below`."""
    return [x for x, _ in points], [y - below for _, y in points]
