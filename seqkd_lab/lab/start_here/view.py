"""The check of the front end as a view."""

from __future__ import annotations

import ipywidgets as widgets

from seqkd_lab.lab.shared.view import View, slider
from seqkd_lab.lab.start_here.figures import MOST_BARS, FrontEndDrawing


class FrontEndCheck(View):
    """A slider, `n_bars`, and a picture that follows it: together they show that widgets work in
    this front end."""

    n_bars: widgets.IntSlider

    def __init__(self) -> None:
        self._drawing = FrontEndDrawing()
        super().__init__({"n_bars": slider("bars", 3, 0, MOST_BARS)}, self._drawing.picture)
        self.redraw()

    def draw(self) -> str:
        """Draw as many bars as the slider says, and return their number."""
        self._drawing.show(self.n_bars.value)
        return f"{self.n_bars.value} of {MOST_BARS} bars"
