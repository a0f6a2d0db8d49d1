"""The pictures of lesson 04 that no view draws: the size of the pull over τ, and where a student's
mistakes happen."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from seqkd_lab.lab.paper_table.table_figures import CURVE_COLOURS
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, ORANGE, PURPLE, SIZE, SKY, VERMILION
from seqkd_lab.lab.word_kd.measures import Pulls
from seqkd_lab.lab.word_kd.paths import Walk

MARKS = ("o-", "s--", "^:", "D-.")
PARTS = (
    ("no mistake", "#d9d9d9", BLACK),
    ("first mistake on the path", SKY, BLACK),
    ("first mistake off the path", VERMILION, "white"),
)
LEAST_LABELLED = 3.0  # percent: a narrower part has no room for its number


def pulls_figure(pulls: Pulls) -> Figure:
    """Draw the size of Word-KD's gradient over τ: with τ², without it, and balanced; and the limit
    of the first."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    axes = figure.subplots()
    label_axes(axes, "temperature τ", "size of the gradient, sum over the words, a token")
    highest = max(*pulls.with_factor, *pulls.without, pulls.limit)
    for values, look, colour, label in (
        (pulls.with_factor, "o-", PURPLE, "with τ²"),
        (pulls.without, "s--", ORANGE, "without τ²"),
        (pulls.balanced, "^:", BLUE, "balanced: c(τ) in the place of τ²"),
    ):
        axes.plot(
            pulls.temperatures, values, look, color=colour, linewidth=2.5, markersize=8, label=label
        )
    axes.axhline(
        pulls.limit,
        color=GREY,
        linewidth=1.5,
        linestyle=(0, (6, 3)),
        label="with τ², as τ grows on",
    )
    axes.set_xscale("log")
    axes.set_ylim(0.0, 1.08 * highest)
    axes.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1.0, 2.0, 4.0, 8.0]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(fontsize=SIZE, loc="center left", bbox_to_anchor=(0.01, 0.62))
    return figure


def walks_figure(walks: Mapping[str, Walk]) -> Figure:
    """Draw how long each student's own words are those of its training path, and where its first
    mistake lies."""
    figure = Figure(figsize=(13, 4.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.15])
    label_axes(left, "words written", "% of sentences still on the path")
    for (name, walk), look in zip(walks.items(), MARKS, strict=False):
        left.plot(
            range(len(walk.still)),
            [100.0 * share for share in walk.still],
            look,
            linewidth=2.5,
            markersize=7,
            color=CURVE_COLOURS.get(name, GREY),
            label=name,
        )
    left.set(ylim=(0.0, 103.0), xlim=(0.0, None))
    left.legend(fontsize=SIZE, loc="upper right")
    _draw_mistakes(right, walks)
    figure.legend(
        *right.get_legend_handles_labels(), fontsize=SIZE, loc="outside lower center", ncols=3
    )
    return figure


def _draw_mistakes(axes: Axes, walks: Mapping[str, Walk]) -> None:
    """One bar a student, which makes 100% of the sentences, with the numbers in it."""
    label_axes(axes, "% of sentences", "")
    starts = [0.0] * len(walks)
    shares = [(walk.shares[2], walk.shares[0], walk.shares[1]) for walk in walks.values()]
    for part, (label, colour, ink) in enumerate(PARTS):
        values = [100.0 * share[part] for share in shares]
        axes.barh(
            range(len(walks)),
            values,
            0.6,
            left=starts,
            color=colour,
            edgecolor="white",
            label=label,
        )
        for row, (start, value) in enumerate(zip(starts, values, strict=True)):
            if value >= LEAST_LABELLED:
                axes.annotate(
                    f"{value:.0f}",
                    (start + value / 2, row),
                    ha="center",
                    va="center_baseline",
                    color=ink,
                    fontsize=SIZE,
                    weight="bold",
                )
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    axes.set_yticks(range(len(walks)), list(walks), fontsize=SIZE)
    axes.set_ylim(len(walks) - 0.5, -0.5)
    axes.set_xlim(0.0, 100.0)
