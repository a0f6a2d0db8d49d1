"""PACED's weights over a student's pass rates: how many sources each rate has, and how much of the
weight it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from seqkd_lab.distillation.paced import peak, weights
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label, label_axes
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, SIZE, VERMILION

CURVE = np.linspace(0.0, 1.0, 201)
WIDTH = 0.4
"""Of a bar, in bins."""


@dataclass(frozen=True)
class PacedBins:
    """Of each pass rate 0/K, 1/K, …, K/K: the share of the sources (0–1), the weight of one of them
    (mean 1 over all sources), and the share of the whole weight; without any weight above 0 both
    are 0 everywhere. effective: as many sources of equal weight would be as noisy, as a share of
    all: (Σw)² / (N Σw²)."""

    sources: tuple[float, ...]
    weights: tuple[float, ...]
    shares: tuple[float, ...]
    effective: float


def paced_bins(counts: Sequence[int], a: float, b: float) -> PacedBins:
    """What p̂^a (1 − p̂)^b gives to each of K + 1 pass rates, of which `counts` sources have one
    each.

    Raises ValueError without any source, and for a negative power.
    """
    n, top = sum(counts), len(counts) - 1
    if not n:
        raise ValueError("the histogram has no source")
    sources = tuple(count / n for count in counts)
    rates = [place / top for place, count in enumerate(counts) for _ in range(count)]
    if all((a > 0.0 and rate == 0.0) or (b > 0.0 and rate == 1.0) for rate in set(rates)):
        nothing = (0.0,) * len(counts)
        return PacedBins(sources, nothing, nothing, 0.0)
    found = weights(rates, a, b)
    firsts = np.cumsum([0, *counts[:-1]])
    each = tuple(
        float(found[first]) if count else 0.0 for first, count in zip(firsts, counts, strict=True)
    )
    shares = tuple(count * weight / n for count, weight in zip(counts, each, strict=True))
    return PacedBins(sources, each, shares, float(found.sum() ** 2 / (n * found.square().sum())))


class PacedDrawing:
    """Above w(p) as a curve, its peak marked; below a pair of bars for each pass rate, sources and
    their weight, the number above each."""

    def __init__(self, n_bins: int) -> None:
        self._top = n_bins - 1
        figure = Figure(figsize=(12, 6.0))
        above, axes = (
            figure.add_axes((0.085, 0.645, 0.905, 0.27)),
            figure.add_axes((0.085, 0.115, 0.905, 0.43)),
        )
        places = np.arange(n_bins)
        looks = ((-0.5, "#bbbbbb", GREY, "of the sources"), (0.5, BLUE, BLUE, "of the weight"))
        self._bars = [
            axes.bar(
                places + WIDTH * shift,
                0.0 * places,
                WIDTH * 0.94,
                color=fill,
                label=f"share {label}",
            )
            for shift, fill, _, label in looks
        ]
        self._numbers = [
            [
                add_label(
                    axes, place + WIDTH * shift, 0.0, ha="center", color=ink, fontsize=SIZE - 1
                )
                for place in places
            ]
            for shift, _, ink, _ in looks
        ]
        (self._curve,) = above.plot(
            [], [], color=VERMILION, linewidth=2.5, label="w(p) / its largest value"
        )
        (self._peak,) = above.plot([], [], ":", color=BLACK, linewidth=2, label="peak, a / (a + b)")
        for panel, y in ((above, "w(p)"), (axes, "% of all")):
            panel.set_xlim(-0.6, self._top + 0.6)
            panel.set_xticks(places, [f"{place}/{self._top}" for place in places])
            label_axes(
                panel, "" if panel is above else f"pass rate p̂: valid ones of {self._top} draws", y
            )
        above.set(ylim=(0.0, 1.1), yticks=[0.0, 0.5, 1.0])
        axes.set(
            ylim=(0.0, 1.13),
            yticks=[0.0, 0.25, 0.5, 0.75, 1.0],
            yticklabels=["0", "25", "50", "75", "100"],
        )
        figure.legend(fontsize=SIZE, loc="upper center", ncols=4, frameon=False)
        animated = [bar for bars in self._bars for bar in bars] + [
            number for row in self._numbers for number in row
        ]
        self.picture = BlittedFigure(figure, [*animated, self._curve, self._peak])

    def show(self, bins: PacedBins, a: float, b: float) -> None:
        """Draws the histogram and what p^a (1 − p)^b makes of it."""
        for bars, numbers, values in zip(
            self._bars, self._numbers, (bins.sources, bins.shares), strict=True
        ):
            for bar, number, value in zip(bars, numbers, values, strict=True):
                bar.set_height(value)
                number.set(text=percent(value), y=value + 0.06)
        heights = CURVE**a * (1.0 - CURVE) ** b
        self._curve.set_data(self._top * CURVE, heights / heights.max())
        top = [self._top * peak(a, b)] * 2 if a + b > 0.0 else []
        self._peak.set_data(top, [0.0, 1.0][: len(top)])


def percent(share: float) -> str:
    """A share (0–1) in whole percent, the sign left out; what is not 0 never reads as 0."""
    return "<1" if 0.0 < share < 0.005 else f"{100 * share:.0f}"


def paced_figure(counts: Sequence[int], a: float = 1.0, b: float = 1.0) -> Figure:
    """Still twin of the PacedExplorer: one histogram of pass rates and its weights."""
    drawing = PacedDrawing(len(counts))
    drawing.show(paced_bins(counts, a, b), a, b)
    return drawing.picture.figure
