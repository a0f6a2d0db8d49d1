"""The map of Word-KD as a heat map: a number and its spread in each cell, and the reader's own
students."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, SIZE, VERMILION, panels, styled
from seqkd_lab.lab.word_kd.map_results import MEASURES, best, cells, difference
from seqkd_lab.studies.word_kd_map import Place

COLOURS = {True: colormaps["cividis"], False: colormaps["cividis_r"]}
"""By whether more is better: light is better. Made for colour-blind eyes; lightness alone tells the
order."""
MOST_OWN = 12
BELOW = 0.34  # of a cell's height: the reader's marks stand below the numbers


@dataclass(frozen=True)
class Own:
    """A student of the reader's, in the measure of the map. At α = 0, τ counts for nothing."""

    alpha: float
    temperature: float | None
    value: float


class MapDrawing:
    """α to the right, τ upwards, each step of the map one cell; α = 0 is one cell for every τ. A
    fixed scale.

    Below the mean of its students a cell has the standard deviation between their seeds. "best"
    stands in the best mean's cell, "≈ best" where the difference to it, paired by seed, has a 95%
    interval with 0 inside.
    """

    @styled
    def __init__(self, results: Mapping, measure: str = "bleu") -> None:
        self.cells, self.measure = cells(results, measure), MEASURES[measure]
        self.alphas = sorted({alpha for alpha, _ in self.cells})
        self.temperatures = sorted({tau for _, tau in self.cells if tau is not None})
        self._colours = COLOURS[self.measure.more_is_better]
        self._norm = Normalize(*self.measure.scale, clip=True)
        figure, self._axes = panels(10, 6.4)
        self._set_up(figure)
        for place in self.cells:
            self._draw_cell(place)
        self._ring = self._mark("o", 24, "none", VERMILION, 3.0)
        self._old = self._mark("D", 8, "white", BLACK, 1.0)
        self._new = self._mark("D", 11, VERMILION, "white", 1.5)
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        self._numbers = [
            add_label(self._axes, 0.0, 0.0, bbox=ground, weight="bold") for _ in range(MOST_OWN)
        ]
        self.picture = BlittedFigure(figure, [self._ring, self._old, self._new, *self._numbers])
        self.show()

    def _mark(self, shape: str, size: float, colour: str, edge: str, width: float) -> Line2D:
        """Add marks without a place yet."""
        (line,) = self._axes.plot([], [], shape, markersize=size, linestyle="none")
        line.set(markerfacecolor=colour, markeredgecolor=edge, markeredgewidth=width)
        return line

    def _set_up(self, figure: Figure) -> None:
        """Set the axes' ticks and names, and add the scale of the colours."""
        axes, rows = self._axes, len(self.temperatures)
        axes.grid(False)
        axes.set(xlim=(-0.5, len(self.alphas) - 0.5), ylim=(-0.5, rows - 0.5))
        axes.set_xticks(range(len(self.alphas)), [f"{alpha:g}" for alpha in self.alphas])
        axes.set_yticks(range(rows), [f"{tau:g}" for tau in self.temperatures])
        axes.tick_params(length=0)
        axes.set_xlabel("α: the teacher's share of the loss (0: gold alone)")
        axes.set_ylabel("τ (temperature)")
        n = len(next(iter(self.cells.values())).values)
        axes.set_title(f"mean of {n} students (seeds) ± their standard deviation")
        colours = ScalarMappable(self._norm, self._colours)
        bar = figure.colorbar(colours, ax=axes, extend="both", pad=0.02)
        bar.set_label(self.measure.label)

    def _draw_cell(self, place: Place) -> None:
        """Fill a cell with its colour, and write mean, spread and standing into it."""
        cell, x, (_, tau) = self.cells[place], self.alphas.index(place[0]), place
        bottom = -0.5 if tau is None else self.temperatures.index(tau) - 0.5
        height = len(self.temperatures) if tau is None else 1
        shade = self._colours(self._norm(cell.mean))
        ink = "white" if np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5 else BLACK
        look: dict[str, Any] = {"facecolor": shade, "edgecolor": "white", "linewidth": 2}
        self._axes.add_patch(Rectangle((x - 0.5, bottom), 1, height, **look))
        middle, digits = bottom + height / 2, self.measure.digits
        text: dict[str, Any] = {"ha": "center", "color": ink}
        mean = f"{cell.mean:.{digits}f}"
        add_label(self._axes, x, middle + 0.31, mean, fontsize=SIZE + 3, weight="bold", **text)
        add_label(self._axes, x, middle + 0.1, f"± {cell.spread:.{digits}f}", **text)
        add_label(self._axes, x, middle - 0.1, self._standing(place), **text)

    def _standing(self, place: Place) -> str:
        """Return "best", "≈ best" where the seeds leave that open, or nothing."""
        top = best(self.cells, self.measure.name)
        if place == top:
            return "best"
        cell = self.cells[place]
        is_open = len(cell.values) > 1 and not difference(cell, self.cells[top]).clear
        return "≈ best" if is_open else ""

    def at(self, alpha: float, temperature: float | None) -> tuple[float, float] | None:
        """Return where (α, τ) lies on the axes, between the cells where it must; None outside of
        the map."""
        if not self.alphas[0] <= alpha <= self.alphas[-1]:
            return None
        x = float(np.interp(alpha, self.alphas, range(len(self.alphas))))
        if alpha == 0.0 or temperature is None:
            return x, (len(self.temperatures) - 1) / 2 - BELOW
        if not self.temperatures[0] <= temperature <= self.temperatures[-1]:
            return None
        logs = [math.log(tau) for tau in self.temperatures]
        return x, float(np.interp(math.log(temperature), logs, range(len(logs)))) - BELOW

    def show(self, own: Sequence[Own] = (), chosen: Place | None = None) -> None:
        """Show the reader's students, the newest last, each with its number, and a ring around what
        is chosen now."""
        spots = [(self.at(student.alpha, student.temperature), student) for student in own]
        by_spot = {spot: student for spot, student in spots if spot is not None}
        shown = list(by_spot)[-MOST_OWN:]
        newest = spots[-1][0] if spots else None
        ring = None if chosen is None else self.at(*chosen)
        _move(self._old, [spot for spot in shown if spot != newest])
        _move(self._new, [newest])
        _move(self._ring, [ring])
        for label, spot in zip_longest(self._numbers, shown):
            label.set_text("")
            if spot is not None:
                is_last = spot[0] > len(self.alphas) - 1.25
                label.set_text(f"{by_spot[spot].value:.{self.measure.digits}f}")
                label.set_x(spot[0] + (-0.13 if is_last else 0.13))
                label.set(y=spot[1], ha="right" if is_last else "left")


def _move(marks: Line2D, spots: Sequence[tuple[float, float] | None]) -> None:
    """Put marks at `spots`; at none of those that are None."""
    known = [spot for spot in spots if spot is not None]
    marks.set_data([x for x, _ in known], [y for _, y in known])


def map_figure(results: Mapping, own: Sequence[Own] = (), measure: str = "bleu") -> Figure:
    """Draw the map of Word-KD with the reader's own students as diamonds, the newest filled with
    colour."""
    drawing = MapDrawing(results, measure)
    drawing.show(own)
    return drawing.picture.figure
