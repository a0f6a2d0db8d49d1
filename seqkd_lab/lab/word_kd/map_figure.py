"""The map of Word-KD as a heat map: a number in each cell, its spread, and the reader's own students on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, SIZE, VERMILION
from seqkd_lab.lab.word_kd.map_cells import MEASURES, best, cells, difference
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

    def __init__(self, results: Mapping, measure: str = "bleu") -> None:
        self.cells, self.measure = cells(results, measure), MEASURES[measure]
        self.alphas = sorted({place[0] for place in self.cells})
        self.temperatures = sorted({place[1] for place in self.cells if place[1] is not None})
        figure = Figure(figsize=(10, 6.4), layout="constrained")
        self._axes = figure.subplots()
        self._norm, self._colours = (
            Normalize(*self.measure.scale, clip=True),
            COLOURS[self.measure.more_is_better],
        )
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

    def _mark(self, shape: str, size: float, colour: str, edge: str, edge_width: float):
        (line,) = self._axes.plot(
            [],
            [],
            shape,
            markersize=size,
            markerfacecolor=colour,
            markeredgecolor=edge,
            markeredgewidth=edge_width,
            linestyle="none",
        )
        return line

    def _set_up(self, figure: Figure) -> None:
        axes, rows = self._axes, len(self.temperatures)
        axes.set(xlim=(-0.5, len(self.alphas) - 0.5), ylim=(-0.5, rows - 0.5))
        axes.set_xticks(
            range(len(self.alphas)), [f"{alpha:g}" for alpha in self.alphas], fontsize=SIZE
        )
        axes.set_yticks(range(rows), [f"{tau:g}" for tau in self.temperatures], fontsize=SIZE)
        axes.set_xlabel("α: the teacher's share of the loss (0: gold alone)", fontsize=SIZE)
        axes.set_ylabel("τ (temperature)", fontsize=SIZE)
        axes.tick_params(length=0)
        n = len(next(iter(self.cells.values())).values)
        axes.set_title(f"mean of {n} students (seeds) ± their standard deviation", fontsize=SIZE)
        bar = figure.colorbar(
            ScalarMappable(self._norm, self._colours), ax=axes, extend="both", pad=0.02
        )
        bar.set_label(self.measure.label, fontsize=SIZE)
        bar.ax.tick_params(labelsize=SIZE - 1)

    def _draw_cell(self, place: Place) -> None:
        cell, x, rows = self.cells[place], self.alphas.index(place[0]), len(self.temperatures)
        bottom, height = (
            (-0.5, rows) if place[1] is None else (self.temperatures.index(place[1]) - 0.5, 1)
        )
        shade = self._colours(self._norm(cell.mean))
        ink = "white" if np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5 else BLACK
        self._axes.add_patch(
            Rectangle((x - 0.5, bottom), 1, height, facecolor=shade, edgecolor="white", linewidth=2)
        )
        middle, digits = bottom + height / 2, self.measure.digits
        lines = (
            (0.31, f"{cell.mean:.{digits}f}", SIZE + 3, "bold"),
            (0.1, f"± {cell.spread:.{digits}f}", SIZE, "normal"),
            (-0.1, self._standing(place), SIZE, "normal"),
        )
        for up, text, size, weight in lines:
            add_label(
                self._axes,
                x,
                middle + up,
                text,
                ha="center",
                fontsize=size,
                weight=weight,
                color=ink,
            )

    def _standing(self, place: Place) -> str:
        top = best(self.cells, self.measure.name)
        if place == top:
            return "best"
        cell = self.cells[place]
        return (
            "≈ best" if len(cell.values) > 1 and not difference(cell, self.cells[top]).clear else ""
        )

    def at(self, alpha: float, temperature: float | None) -> tuple[float, float] | None:
        """Where (α, τ) lies on the axes, between the cells where it must; None outside of the
        map."""
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
        """The reader's students, the newest last, each with its number, and a ring around what is
        chosen now."""
        spots = {
            spot: each
            for each in own
            if (spot := self.at(each.alpha, each.temperature)) is not None
        }
        places = list(spots)[-MOST_OWN:]
        newest = self.at(own[-1].alpha, own[-1].temperature) if own else None
        old, ring = (
            [spot for spot in places if spot != newest],
            None if chosen is None else self.at(*chosen),
        )
        for line, shown in ((self._old, old), (self._new, [newest]), (self._ring, [ring])):
            shown = [spot for spot in shown if spot is not None]
            line.set_data([x for x, _ in shown], [y for _, y in shown])
        for place, number in enumerate(self._numbers):
            number.set_text("")
            if place < len(places):
                x, y = places[place]
                left = x > len(self.alphas) - 1.25
                number.set(
                    x=x + (-0.13 if left else 0.13),
                    y=y,
                    ha="right" if left else "left",
                    text=f"{spots[x, y].value:.{self.measure.digits}f}",
                )


def map_figure(results: Mapping, own: Sequence[Own] = (), measure: str = "bleu") -> Figure:
    """The map of Word-KD with the reader's own students as diamonds, the newest filled with
    colour."""
    drawing = MapDrawing(results, measure)
    drawing.show(own)
    return drawing.picture.figure
