"""Pruning level by level, drawn: which weights fall below the threshold, what that costs in BLEU,
what it saves on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.compression.pruning import CLASS_BLIND, magnitudes
from seqkd_lab.compression.storage import DENSE, SPARSE, SPARSE_INT8
from seqkd_lab.lab.pruning.live import (
    N_BINS,
    SHOWN_FORMS,
    WIDEST,
    Level,
    LivePruning,
    histogram,
    in_classes,
)
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, GREY, SIZE, SKY, VERMILION, ready, role_of, styled
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED

STUDENT = role_of(SEQ_KD)
CURVES = {RETRAINED: ("D", "none", "retrained"), PRUNED: ("o", "--", "not retrained")}
"""Mark, line and name of what the seeds measured, class-blind."""
COLOURS = {DENSE: GREY, SPARSE: STUDENT.colour, SPARSE_INT8: SKY}
"""Of the student's file by its form; the first stands still."""
Curves = Mapping[str, Mapping[float, float]]
"""BLEU by beam, mean of the seeds, by stage and share."""


class PruningDrawing:
    """Left: the weights of each class by size, and where the level cuts. Right: BLEU over the
    levels, as the seeds measured it; bytes on disk."""

    @styled
    def __init__(self, live: LivePruning, curves: Curves) -> None:
        figure = Figure(figsize=(12, 6), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1), height_ratios=(1.7, 1))
        self._draw_weights(ready(figure.add_subplot(grid[:, 0]), grid=""), live)
        self._draw_curves(ready(figure.add_subplot(grid[0, 1])), curves)
        most = live.at(0.0).files[SPARSE]
        self._draw_files(ready(figure.add_subplot(grid[1, 1]), grid="x"), most)
        moving = [*self._gone, *self._cuts, *self._shares, self._here, *self._bars, *self._bytes]
        self.picture = BlittedFigure(figure, moving)

    def _draw_weights(self, axes: Axes, live: LivePruning) -> None:
        """Draw a row for each class: its histogram, and what moves over it: the part that goes, its
        edge, its share."""
        edges = np.linspace(0.0, WIDEST, N_BINS + 1)
        classes = in_classes(live.student, magnitudes(live.student))
        bases = range(len(classes) - 1, -1, -1)
        for base, weights in zip(bases, classes.values(), strict=True):
            heights = histogram(weights)
            axes.stairs(
                base + 0.8 * heights / heights.max(), edges, baseline=base, fill=True, color=SKY
            )
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
        names = [name.replace("_", "\n") for name in classes]
        axes.set(xlim=(0.0, WIDEST), ylim=(-0.05, len(names)))
        axes.set_yticks([base + 0.4 for base in bases], names)
        axes.set_xlabel(f"|w| (the last bin: {WIDEST:g} and more)")
        axes.set_title("the weights of each class; shaded: pruned")

    def _draw_curves(self, axes: Axes, curves: Curves) -> None:
        """Draw what the seeds measured, still, and the line that says which level is shown."""
        for stage, (marker, line, label) in CURVES.items():
            x, y = [100 * share for share in curves[stage]], list(curves[stage].values())
            axes.plot(
                x, y, marker=marker, linestyle=line, color=STUDENT.colour, markersize=8, label=label
            )
        self._here = axes.plot([0.0, 0.0], [-6, 112], ":", color=BLACK)[0]
        axes.set(xlim=(-4, 104), ylim=(-6, 112), yticks=range(0, 101, 25))
        axes.set(xlabel="pruned, % of all parameters", ylabel="BLEU, beam of 5")
        axes.set_title("class-blind, mean of the seeds")
        axes.legend(fontsize=SIZE - 2, loc="lower left")

    def _draw_files(self, axes: Axes, most: int) -> None:
        """Draw the bytes of the student's file, a bar for each of SHOWN_FORMS."""
        rows = range(len(SHOWN_FORMS))
        colours = [COLOURS[form] for form in SHOWN_FORMS]
        self._bars = axes.barh(rows, [0.0] * len(SHOWN_FORMS), 0.7, color=colours)
        self._bytes = [add_label(axes, 0.0, row) for row in rows]
        axes.set(xlim=(0.0, 1.25 * most / 1000), ylim=(2.6, -0.6))
        axes.set_yticks(rows, SHOWN_FORMS)
        axes.set_xlabel("the student's file, thousand bytes")

    def show(self, share: float, level: Level) -> None:
        """Draw the student pruned by `share`."""
        parts = zip(self._gone, self._cuts, self._shares, level.classes.values(), strict=True)
        for gone, cut, label, cut_class in parts:
            edge = min(cut_class.threshold, WIDEST)
            gone.set_width(edge)
            cut.set_xdata([edge, edge])
            label.set_text(f"{cut_class.pruned:.0%} go")
        self._here.set_xdata([100 * share, 100 * share])
        for bar, number, form in zip(self._bars, self._bytes, SHOWN_FORMS, strict=True):
            thousands = level.files[form] / 1000
            bar.set_width(thousands)
            number.set(x=thousands + 15, text=f"{thousands:,.0f}")


def pruning_figure(
    live: LivePruning, curves: Curves, share: float = 0.8, method: str = CLASS_BLIND
) -> Figure:
    """Draw the still twin of the PruningExplorer."""
    drawing = PruningDrawing(live, curves)
    drawing.show(share, live.at(share, method))
    return drawing.picture.figure
