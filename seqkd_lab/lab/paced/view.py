"""Paced explorer: how PACED's weight is distributed over a student's pass rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets as widgets

from seqkd_lab.distillation.paced import peak
from seqkd_lab.lab.paced.explorer import PacedBins, PacedDrawing, paced_bins, percent
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, table

LARGEST_POWER = 4.0
STEP = 0.25
HEAD = ("pass rate", "% of the sources", "weight of each", "% of the weight")


class PacedExplorer(View):
    """Histograms of pass rates in their order: `moments` maps the name of each to how many sources
    have 0, 1, …, K valid draws.

    Controls: `moment`; `a` and `b`, the powers of the weight p̂^a (1 − p̂)^b. Raise ValueError
    without a moment, for a histogram without sources or of a single bin, and for histograms of
    different K.
    """

    moment: widgets.SelectionSlider
    a: widgets.FloatSlider
    b: widgets.FloatSlider

    def __init__(self, moments: Mapping[str, Sequence[int]]) -> None:
        if not moments:
            raise ValueError("the view needs at least one histogram of pass rates")
        self.moments = {name: tuple(counts) for name, counts in moments.items()}
        sizes = {len(counts) for counts in self.moments.values()}
        if len(sizes) > 1 or min(sizes) < 2 or not all(map(sum, self.moments.values())):
            raise ValueError(
                "every histogram needs sources, two bins or more, and as many as the others; got "
                f"{sorted(sizes)} bins"
            )
        look = {"style": STYLE, "layout": WIDE}
        scale = {"value": 1.0, "min": 0.0, "max": LARGEST_POWER, "step": STEP}
        moment = widgets.SelectionSlider(options=list(self.moments), description="moment", **look)
        a, b = (widgets.FloatSlider(description=name, **scale, **look) for name in ("a", "b"))
        self._drawing = PacedDrawing(sizes.pop())
        super().__init__({"moment": moment, "a": a, "b": b}, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> PacedBins:
        """The sources and weights that are shown."""
        return paced_bins(self.moments[self.moment.value], self.a.value, self.b.value)

    def draw(self) -> str:
        """Show what the controls say."""
        bins = self.data
        self._drawing.show(bins, self.a.value, self.b.value)
        columns = zip(bins.sources, bins.weights, bins.shares, strict=True)
        rows = [
            (f"{n}/{len(bins.sources) - 1}", percent(source), f"{weight:.2f}", percent(share))
            for n, (source, weight, share) in enumerate(columns)
        ]
        return f"<b>{escape(self.moment.value)}</b>: {self._in_words(bins)}{table(HEAD, rows)}"

    def _in_words(self, bins: PacedBins) -> str:
        """The peak, and what is left of the sources."""
        a, b = self.a.value, self.b.value
        where = (
            f"w(p) is largest at p = {peak(a, b):.2f}"
            if a + b > 0.0
            else "every source has the same weight"
        )
        if not any(bins.weights):
            return (
                f"{where}. No source has a pass rate that counts: every weight is 0, and there is "
                "nothing to learn."
            )
        pairs = zip(bins.sources, bins.weights, strict=True)
        idle = sum(source for source, weight in pairs if weight == 0.0)
        noise = (
            "All weights are equal."
            if a + b == 0.0
            else "These weights are as noisy as equal weights on "
            f"{percent(bins.effective)}% of the sources would be."
        )
        return f"{where}. {percent(idle)}% of the sources have the weight 0. {noise}"
