"""PACED's weights over a student's pass rates: how many sources each rate has, and how much of the
weight it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.distillation.paced import peak, weights
from seqkd_lab.lab.shared.picture import BlittedFigure, Label, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, LIGHT_GREY, SIZE, VERMILION, ready, styled

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
    """Return what p̂^a (1 − p̂)^b gives to each of K + 1 pass rates, which `counts` sources have.

    Raises ValueError without any source, and for a negative power.
    """
    n, top = sum(counts), len(counts) - 1
    if not n:
        raise ValueError("the histogram has no source")
    sources = tuple(count / n for count in counts)
    rates = [number / top for number, count in enumerate(counts) for _ in range(count)]
    if all((a > 0.0 and rate == 0.0) or (b > 0.0 and rate == 1.0) for rate in set(rates)):
        zeros = (0.0,) * len(counts)
        return PacedBins(sources, zeros, zeros, 0.0)
    of_sources = weights(rates, a, b)
    by_rate = dict(zip(rates, of_sources.tolist(), strict=True))
    of_bins = tuple(by_rate.get(number / top, 0.0) for number in range(len(counts)))
    shares = tuple(count * weight / n for count, weight in zip(counts, of_bins, strict=True))
    effective = float(of_sources.sum() ** 2 / (n * of_sources.square().sum()))
    return PacedBins(sources, of_bins, shares, effective)


class PacedDrawing:
    """Above w(p) as a curve, its peak marked; below a pair of bars for each pass rate, sources and
    their weight, the number above each."""

    @styled
    def __init__(self, n_bins: int) -> None:
        self._top = n_bins - 1
        figure = Figure(figsize=(12, 6.0))
        above = ready(figure.add_axes((0.085, 0.645, 0.905, 0.27)))
        below = ready(figure.add_axes((0.085, 0.115, 0.905, 0.43)))
        for axes in (above, below):
            axes.set_xlim(-0.6, self._top + 0.6)
            axes.set_xticks(range(n_bins), [f"{number}/{self._top}" for number in range(n_bins)])
        (self._curve,) = above.plot(
            [], [], color=VERMILION, linewidth=2.5, label="w(p) / its largest value"
        )
        (self._peak,) = above.plot([], [], ":", color=BLACK, label="peak, a / (a + b)")
        above.set(ylim=(0.0, 1.1), yticks=[0.0, 0.5, 1.0], ylabel="w(p)")
        self._bars = [
            _bars(below, n_bins, -WIDTH / 2, LIGHT_GREY, "share of the sources"),
            _bars(below, n_bins, WIDTH / 2, BLUE, "share of the weight"),
        ]
        self._numbers = [
            _numbers(below, n_bins, -WIDTH / 2, GREY),
            _numbers(below, n_bins, WIDTH / 2, BLUE),
        ]
        below.set_ylim(0.0, 1.13)
        below.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100"])
        below.set(xlabel=f"pass rate p̂: valid ones of {self._top} draws", ylabel="% of all")
        figure.legend(loc="upper center", ncols=4, frameon=False)
        animated = [*chain(*self._bars), *chain(*self._numbers), self._curve, self._peak]
        self.picture = BlittedFigure(figure, animated)

    def show(self, bins: PacedBins, a: float, b: float) -> None:
        """Draw the histogram and what p^a (1 − p)^b makes of it."""
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


def _bars(axes: Axes, n_bins: int, shift: float, colour: str, label: str) -> list[Rectangle]:
    x = np.arange(n_bins) + shift
    return list(axes.bar(x, 0.0 * x, WIDTH * 0.94, color=colour, label=label))


def _numbers(axes: Axes, n_bins: int, shift: float, colour: str) -> list[Label]:
    return [
        add_label(axes, number + shift, 0.0, ha="center", color=colour, fontsize=SIZE - 1)
        for number in range(n_bins)
    ]


def percent(share: float) -> str:
    """Return a share (0–1) in whole percent, the sign left out; what is not 0 never reads as 0."""
    return "<1" if 0.0 < share < 0.005 else f"{100 * share:.0f}"


def paced_figure(counts: Sequence[int], a: float = 1.0, b: float = 1.0) -> Figure:
    """Draw the still twin of the PacedExplorer: one histogram of pass rates and its weights."""
    drawing = PacedDrawing(len(counts))
    drawing.show(paced_bins(counts, a, b), a, b)
    return drawing.picture.figure
