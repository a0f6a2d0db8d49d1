"""Picture of lesson 08's view: two rows seed by seed, and the quantity that is judged with its
interval."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.paper_table.rows import Comparison
from seqkd_lab.lab.paper_table.verdict_figures import ALLOWED, OUTCOMES
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, SIZE
from seqkd_lab.runs.verdicts import number


def row_colour(name: str) -> str:
    """Return a row's colour by its role: gold's students blue, Word-KD's orange, Seq-KD's green,
    the teacher black."""
    roles = (("teacher", BLACK), ("baseline", BLUE), ("word-kd", ORANGE), ("seq-kd", GREEN))
    return next((colour for role, colour in roles if name.startswith(role)), GREY)


class ComparisonDrawing:
    """On the left the two rows, a line a seed; on the right the judged quantity: seeds, mean,
    interval, bounds."""

    def __init__(self) -> None:
        self._figure = Figure(
            figsize=(12, 4.6)
        )  # margins by hand: a computed layout takes longer than the drawing
        self._rows, self._judged = self._figure.subplots(1, 2, width_ratios=[1.0, 1.5])
        self._figure.subplots_adjust(left=0.08, right=0.98, bottom=0.16, top=0.91, wspace=0.36)
        self.picture = BlittedFigure(self._figure, [])

    def show(self, comparison: Comparison) -> None:
        """Draw `comparison` anew: other rows have other scales, so nothing of the old picture
        stays."""
        for axes in (self._rows, self._judged):
            axes.clear()
        _draw_rows(self._rows, comparison)
        _draw_judged(self._judged, comparison)
        self.picture.renew()


def _draw_rows(axes: Axes, comparison: Comparison) -> None:
    """Draw a line a seed from the other row's value to the row's."""
    for value, other in zip(comparison.values, comparison.others, strict=True):
        axes.plot([0, 1], [other, value], "-", color="#bbbbbb", linewidth=1.5, zorder=1)
    for place, name, values in (
        (0, comparison.other, comparison.others),
        (1, comparison.row, comparison.values),
    ):
        axes.plot(
            [place] * len(values), values, "o", color=row_colour(name), markersize=9, alpha=0.75
        )
    axes.set(xlim=(-0.5, 1.5))
    axes.set_xticks(
        [0, 1],
        [comparison.other.replace("+", "\n+ "), comparison.row.replace("+", "\n+ ")],
        fontsize=SIZE,
    )
    axes.set_ylabel(f"{comparison.measure.name}, {comparison.measure.unit}", fontsize=SIZE)
    axes.margins(y=0.1)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_title(f"a line a seed ({len(comparison.values)})", fontsize=SIZE)


def _draw_judged(axes: Axes, comparison: Comparison) -> None:
    """Draw the seeds' quantities as strokes over the mean and its interval, on the ground that the
    claim allows."""
    verdict = comparison.verdict
    claim, (low, high) = verdict.claim, verdict.interval
    ends = [
        end for end in (*verdict.values, low, high, claim.least, claim.most) if math.isfinite(end)
    ] or [0.0]
    room = 0.1 * (max(ends) - min(ends) or 1.0)
    edges = (min(ends) - room, max(ends) + room)
    axes.axvspan(max(claim.least, edges[0]), min(claim.most, edges[1]), color=ALLOWED, zorder=0)
    axes.plot(
        verdict.values,
        [0.45] * len(verdict.values),
        "|",
        color=BLACK,
        markersize=26,
        markeredgewidth=2,
    )
    if math.isfinite(low):
        axes.plot([low, high], [0.0, 0.0], "-", color=BLUE, linewidth=5)
    axes.plot(verdict.mean, 0.0, "o", color=BLUE, markersize=13)
    axes.annotate(
        number(verdict.mean),
        (verdict.mean, 0.0),
        xytext=(0, -24),
        textcoords="offset points",
        ha="center",
        fontsize=SIZE,
    )
    axes.set(xlim=edges, ylim=(-0.6, 0.8))
    axes.set_yticks([0.45, 0.0], ["each seed", "mean and\n95% interval"], fontsize=SIZE)
    axes.tick_params(axis="x", labelsize=SIZE - 1)
    mark, colour = OUTCOMES[verdict.outcome]
    what = (
        f"{claim.name} claims: the mean lies"
        if claim.name
        else "is the difference above 0? Its mean lies"
    )
    axes.set_xlabel(
        "green: what the claim allows" if claim.name else "green: above 0", fontsize=SIZE
    )
    axes.set_title(f"{what} on green: {mark} {verdict.outcome}", fontsize=SIZE, color=colour)


def comparison_figure(comparison: Comparison) -> Figure:
    """Still twin of TableExplorer: two rows seed by seed, and the verdict on their difference or on
    a claim."""
    drawing = ComparisonDrawing()
    drawing.show(comparison)
    return drawing.picture.figure
