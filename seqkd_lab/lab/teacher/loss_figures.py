"""Figures of lesson 02: curves above the floor, losses with and without masks, two ways to average
a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.shared.style import BLACK, GREY, ORANGE, VERMILION, panels, role_of, styled
from seqkd_lab.runs.recipes import TEACHER

Points = Sequence[tuple[float, float]]
HERE = VERMILION
"""The colour of a model that the notebook trains; its training loss is pale."""
LINES = ((BLACK, "o", "-"), (VERMILION, "^", "--"), (ORANGE, "s", "-."))
"""Right, wrong, half right."""
TICKS = [digit * scale for scale in (0.01, 0.1, 1.0, 10.0) for digit in (1, 2, 5)]
LOSS = "loss (nats a token)"


@styled
def curve_figure(here: Curve, committed: Points, floor: float, n_words: int) -> Figure:
    """Draw a training, and the committed teacher's validation, over the pairs read: the loss, and
    its distance from the floor, whose last points are large: only there has a training ended.

    All in nats a token. A model that guesses among its `n_words` words has the loss ln n_words.
    """
    figure, (whole, above) = panels(13, 5.0, 1, 2)
    label = "trained here: training loss, mean of 20 updates"
    whole.plot(*_columns(here.smoothed()), "-", color=HERE, alpha=0.4, linewidth=2, label=label)
    for axes, below in ((whole, 0.0), (above, floor)):
        for name, points, colour, marker in _trainings(here.validations, committed):
            axes.plot(*_columns(points, below), f"{marker}-", color=colour, label=name)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("sentence pairs read")
    label = f"a guess among {n_words} words: ln {n_words}"
    whole.axhline(math.log(n_words), color=GREY, linestyle=":", label=label)
    whole.axhline(floor, color=GREY, linestyle="--", label=f"the floor: {floor:.3f}")
    whole.set_ylim(0.0, 1.05 * math.log(n_words))
    whole.set_ylabel(LOSS)
    whole.set_title("the whole way")
    _draw_ends(above, here.validations, committed, floor)
    figure.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _trainings(here: Points, committed: Points) -> list[tuple[str, Points, str, str]]:
    """Return name, points, colour and marker of both trainings."""
    teacher = role_of(TEACHER)
    return [
        ("trained here: validation loss", here, HERE, "o"),
        ("committed teacher: validation loss", committed, teacher.colour, teacher.marker),
    ]


def _draw_ends(above: Axes, here: Points, committed: Points, floor: float) -> None:
    """Draw the logarithmic scale above the floor, and the last point of each training with its
    number."""
    _set_log_scale(above)
    above.set_ylabel("validation loss − floor (nats a token)")
    above.set_title("the rest of it: compare only the large marks")
    for _, points, colour, marker in _trainings(here, committed):
        if points:
            x, y = points[-1]
            above.plot(x, y - floor, marker, color=colour, markersize=13)
            above.annotate(
                f"{y - floor:.3f}",
                (x, y - floor),
                (0, -25),
                textcoords="offset points",
                ha="center",
            )
    above.margins(0.12, 0.25)


def _set_log_scale(axes: Axes) -> None:
    """Set a logarithmic scale with readable numbers at TICKS."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


@styled
def memory_figure(here: Curve, floor: float, n_pairs: int) -> Figure:
    """Draw training and validation loss (nats a token) of a model that reads a few pairs in each of
    many epochs."""
    figure, axes = panels(11, 4.4)
    for points, alpha, label in (
        (here.smoothed(), 0.4, f"training loss: the same {n_pairs} pairs in each epoch"),
        (here.validations, 1.0, "validation loss: new sentences"),
    ):
        pairs, y = _columns(points)
        epochs = [n / n_pairs for n in pairs]
        axes.plot(epochs, y, "-", color=HERE, alpha=alpha, linewidth=2.5, label=label)
        axes.annotate(
            f"{y[-1]:.2f}",
            (epochs[-1], y[-1]),
            (8, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.axhline(floor, color=GREY, linestyle="--", label=f"the floor of these pairs: {floor:.3f}")
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(0.0, here.updates[-1][0] / n_pairs)
    axes.set_xlabel("epochs")
    axes.set_ylabel(LOSS)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def padding_figure(
    numbers: Sequence[int],
    losses: Mapping[str, Mapping[str, Sequence[float]]],
    readings: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw the losses of the same sentences in longer batches (nats a token).

    One panel for each model of `losses`, with padding after the targets, on one logarithmic scale;
    the last panel with padding after the sources.
    """
    figure, axes = panels(4.6 * (len(losses) + 1), 5.4, 1, len(losses) + 1)
    values = [value for lines in losses.values() for line in lines.values() for value in line]
    for panel, (title, lines) in zip(axes, losses.items(), strict=False):
        _draw_lines(panel, numbers, lines, f"{title}\npadding after the targets")
        _set_log_scale(panel)
        panel.set_ylim(0.7 * min(values), 1.5 * max(values))
    title = "the committed teacher without its masks\npadding after the sources"
    _draw_lines(axes[-1], numbers, readings, title)
    axes[0].set_ylabel(LOSS)
    return figure


def _draw_lines(
    axes: Axes, x: Sequence[int], lines: Mapping[str, Sequence[float]], title: str
) -> None:
    """Draw each line with its mark, and the legend below the panel."""
    for (label, y), (colour, marker, dash) in zip(lines.items(), LINES, strict=False):
        (line,) = axes.plot(x, y, dash, color=colour, linewidth=2, label=label)
        line.set(marker=marker, markersize=7)
    axes.set_xlabel("positions of padding added")
    axes.set_title(title)
    axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.16))


@styled
def means_figure(
    batch_sizes: Sequence[int], right: Sequence[float], of_means: Sequence[float], n_pairs: int
) -> Figure:
    """Draw the loss of the same sentences (nats a token) over the size of the batches that they
    were read in."""
    figure, axes = panels(11, 4)
    labels = ("sum over all tokens / number of tokens", "mean of the batches' means")
    positions = range(len(batch_sizes))
    for losses, (colour, marker, dash), label in zip(
        (right, of_means), LINES, labels, strict=False
    ):
        axes.plot(positions, losses, dash, marker=marker, color=colour, linewidth=2, label=label)
    axes.set_xticks(positions, list(map(str, batch_sizes)))
    axes.set_xlabel(f"sentences in a batch, {n_pairs} in all")
    axes.set_ylabel(LOSS)
    axes.margins(y=0.2)
    axes.legend(loc="best")
    return figure


def _columns(points: Points, below: float = 0.0) -> tuple[list[float], list[float]]:
    """Return the xs, and the ys less `below`."""
    return [x for x, _ in points], [y - below for _, y in points]
