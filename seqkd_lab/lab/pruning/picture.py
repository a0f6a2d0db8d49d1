"""Pruning level by level, drawn: which weights fall below the threshold, what that costs in BLEU,
what it saves on disk."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.compression.pruning import CLASS_BLIND
from seqkd_lab.lab.pruning.levels import N_BINS, WIDEST, PruningLevels
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import GREY, SIZE, SKY, VERMILION, ready, role_of, styled
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.studies.pruning.costs import DENSE, SPARSE, SPARSE_INT8
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED

STUDENT = role_of(SEQ_KD)
CURVES = {RETRAINED: ("-", "D", "retrained"), PRUNED: ("--", "o", "pruned only")}
"""Line, mark and name of the class-blind curves."""
FORMS = {
    DENSE: ("with zeros", GREY),
    SPARSE: ("without zeros", STUDENT.colour),
    SPARSE_INT8: ("and in 8 bits", SKY),
}
"""Of the student's file: as it is, without zeros, and with 8 bits; the first stands still."""


class PruningDrawing:
    """Left: the weights of each class by size, and where the level cuts. Right: BLEU over the
    levels; bytes on disk."""

    @styled
    def __init__(self, levels: PruningLevels) -> None:
        self._levels = levels
        figure = Figure(figsize=(12, 6), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1), height_ratios=(1.7, 1))
        self._draw_weights(ready(figure.add_subplot(grid[:, 0]), grid=""))
        self._draw_curves(ready(figure.add_subplot(grid[0, 1])))
        self._draw_files(ready(figure.add_subplot(grid[1, 1]), grid="x"))
        moving = [*self._gone, *self._cuts, *self._shares, self._other, *self._dots]
        moving += [*self._scores, *self._bars, *self._bytes]
        self.picture = BlittedFigure(figure, moving)

    def _draw_weights(self, axes: Axes) -> None:
        """Draw a row for each class: its histogram, and what moves over it: the part that goes, its
        edge, its share."""
        edges = np.linspace(0.0, WIDEST, N_BINS + 1)
        names = list(self._levels.histograms)
        bases = range(len(names) - 1, -1, -1)
        for base, heights in zip(bases, self._levels.histograms.values(), strict=True):
            top = base + 0.8 * heights / heights.max()
            axes.stairs(top, edges, baseline=base, fill=True, color=SKY)
            axes.axhline(base, color=GREY, linewidth=0.8)
        self._gone = [
            Rectangle((0.0, base), 0.0, 0.85, color=VERMILION, alpha=0.45, linewidth=0)
            for base in bases
        ]
        for rectangle in self._gone:
            axes.add_patch(rectangle)
        self._cuts = [
            axes.plot([0.0, 0.0], [base, base + 0.85], color=VERMILION)[0] for base in bases
        ]
        on_white: dict[str, Any] = {"ha": "right", "bbox": {"facecolor": "white"}}
        self._shares = [add_label(axes, 0.985 * WIDEST, base + 0.42, **on_white) for base in bases]
        axes.set(xlim=(0.0, WIDEST), ylim=(-0.05, len(names)))
        axes.set_yticks([base + 0.4 for base in bases], [name.replace("_", "\n") for name in names])
        axes.set_xlabel(f"|w| (the last bin: {WIDEST:g} and more)")
        axes.set_title("the weights of each class; shaded: pruned")

    def _draw_curves(self, axes: Axes) -> None:
        """Draw the class-blind curves, still; and what moves: a mark on each, its number, and the
        curve of another method."""
        self._dots, self._scores = [], []
        for stage, (line, marker, label) in CURVES.items():
            curve = self._levels.curves[CLASS_BLIND, stage]
            x = [100 * share for share in curve]
            axes.plot(x, list(curve.values()), line, color=STUDENT.colour, label=label)
            self._dots += axes.plot([], [], marker, color=STUDENT.colour, markersize=11)
            self._scores.append(add_label(axes, 0.0, 0.0, ha="center", bbox={"facecolor": "white"}))
        label = "pruned only, other method"
        (self._other,) = axes.plot([], [], ":", color=VERMILION, label=label)
        axes.set(xlim=(-4, 104), ylim=(-6, 112), yticks=range(0, 101, 25))
        axes.set(xlabel="pruned, % of all parameters", ylabel="BLEU, K = 5")
        axes.set_title("class-blind, mean of the seeds")
        axes.legend(fontsize=SIZE - 2, loc="lower left")

    def _draw_files(self, axes: Axes) -> None:
        """Draw the bytes of the student's file, a bar for each of FORMS."""
        labels, colours = zip(*FORMS.values(), strict=True)
        most = self._levels.files[self._levels.shares[0]][SPARSE]
        self._bars = axes.barh(range(len(FORMS)), [0.0] * len(FORMS), 0.7, color=colours)
        self._bytes = [add_label(axes, 0.0, row) for row in range(len(FORMS))]
        axes.set(xlim=(0.0, 1.25 * most / 1000), ylim=(2.6, -0.6))
        axes.set_yticks(range(len(FORMS)), labels)
        axes.set_xlabel("the student's file, thousand bytes")

    def show(self, share: float, method: str) -> None:
        """Draw the level `share` of `method`; curves and files are those of class-blind pruning."""
        cuts = self._levels.cuts[method, share].values()
        for gone, cut, label, level in zip(self._gone, self._cuts, self._shares, cuts, strict=True):
            edge = min(level.threshold, WIDEST)
            gone.set_width(edge)
            cut.set_xdata([edge, edge])
            label.set_text(f"{level.pruned:.0%} go")
        self._show_curves(share, method)
        for bar, number, form in zip(self._bars, self._bytes, FORMS, strict=True):
            thousands = self._levels.files[share][form] / 1000
            bar.set_width(thousands)
            number.set(x=thousands + 15, text=f"{thousands:,.0f}")

    def _show_curves(self, share: float, method: str) -> None:
        curves = self._levels.curves
        shifts = (9, -9)  # of the number, above the retrained curve and below the other
        for dot, number, stage, shift in zip(self._dots, self._scores, CURVES, shifts, strict=True):
            value = curves[CLASS_BLIND, stage][share]
            dot.set_data([100 * share], [value])
            number.set(x=100 * share, y=value + (shift if value > 30 else 9), text=f"{value:.1f}")
        other = {} if method == CLASS_BLIND else curves[method, PRUNED]
        self._other.set_data([100 * level for level in other], list(other.values()))


def pruning_figure(levels: PruningLevels, share: float = 0.8, method: str = CLASS_BLIND) -> Figure:
    """Draw the still twin of the PruningExplorer."""
    drawing = PruningDrawing(levels)
    drawing.show(share, method)
    return drawing.picture.figure
