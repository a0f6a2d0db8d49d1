"""Paired differences: what was judged is what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.digits import mean_in_digits
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLACK, GREEN, GREY, VERMILION, panels, styled
from seqkd_lab.runs.verdicts import mean_and_interval

ABOVE, BELOW, OPEN = "above 0", "below 0", "the interval contains 0"
COLOURS = {ABOVE: GREEN, BELOW: VERMILION, OPEN: GREY}
MARKERS = {ABOVE: "^", BELOW: "v", OPEN: "o"}


def side_of(values: Sequence[float]) -> str:
    """Return on which side of 0 the 95% interval of the mean lies: ABOVE, BELOW or OPEN."""
    _, (low, high) = mean_and_interval(values)
    return ABOVE if low > 0.0 else BELOW if high < 0.0 else OPEN


def by_side(values: Sequence[float], above: str, below: str, open_: str) -> str:
    """Return `above`, `below` or `open_`: where the 95% interval of the mean lies, seen from 0."""
    return {ABOVE: above, BELOW: below, OPEN: open_}[side_of(values)]


@styled
def paired_figure(
    differences: Mapping[str, Sequence[float]], xlabel: str, decimals: int = 1
) -> Figure:
    """Draw a row for each difference: its value in every seed (strokes), the mean (a mark whose
    shape and colour say on which side of 0 the interval lies) and the 95% interval.

    `differences` maps "arm − arm" to one value a seed. Raise ValueError where there is none.
    """
    if not differences:
        raise ValueError("no difference to draw")
    figure, axes = panels(12, 0.75 * len(differences) + 1.3)
    rows = list(differences.items())[::-1]  # the first one at the top
    for height, (_, values) in enumerate(rows):
        side = side_of(values)
        draw_seeds(axes, float(height), values, COLOURS[side], MARKERS[side])
        axes.annotate(
            mean_in_digits(values, decimals),
            (1.0, height),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
    axes.axvline(0.0, color=BLACK, linewidth=1.0)
    names = [fill(name, 34) for name, _ in rows]
    axes.set(xlabel=xlabel, ylim=(-0.6, len(names) - 0.4))
    axes.set_yticks(range(len(names)), names)
    axes.grid(axis="y", visible=False)
    return figure
