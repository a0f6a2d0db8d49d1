"""Two small views: the check of the widget front end (lesson 0), and the strength of each ambiguity
(lesson 1)."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from seqkd_lab.lab.language.ambiguity import Setting, Sweep
from seqkd_lab.lab.language.figures import FrontEndDrawing, StrengthDrawing
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, slider, table

MOST_BARS = 10


class FrontEndCheck(View):
    """A slider and a picture that follows it: seen together, they show that widgets work here.
    Control: `n_bars`."""

    def __init__(self) -> None:
        self.n_bars = slider("bars", 3, 0, MOST_BARS)
        self._drawing = FrontEndDrawing(MOST_BARS)
        super().__init__([self.n_bars], self._drawing.picture)
        self.draw()
        self.n_bars.observe(self.draw, "value")

    def draw(self, _: dict | None = None) -> None:
        """Shows as many bars as the slider says."""
        self._drawing.show(self.n_bars.value)
        self.show(f"{self.n_bars.value} of {MOST_BARS} bars")


class StrengthPanel(View):
    """The strength of one kind of choice against the picture and a small corpus, all measured
    beforehand.

    Controls: `source` (which kind; the others stay at 1), `strength` (0: no choice, 1: all of it).
    """

    def __init__(self, found: Sweep) -> None:
        self.found = found
        self.source = widgets.Dropdown(
            options=found.names, description="kind", style=STYLE, layout=WIDE
        )
        options = [(f"{strength:g}", strength) for strength in found.strengths]
        self.strength = widgets.SelectionSlider(
            options=options, value=1.0, description="strength", style=STYLE, layout=WIDE
        )
        self._drawing = StrengthDrawing(found)
        super().__init__([self.source, self.strength], self._drawing.picture)
        self.draw()
        self.source.observe(self.draw, "value")
        self.strength.observe(self.draw, "value")

    @property
    def data(self) -> Setting:
        """What is shown."""
        return self.found.settings[self.source.value, self.strength.value]

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        self._drawing.show(self.source.value, self.strength.value)
        measures = self.data.measures
        rows = [
            ("entropy (nats a sentence)", shown_number(measures.entropy, 2)),
            ("cost of forgetting (nats a sentence)", shown_number(measures.forgetting, 2)),
            ("translations of a sentence, mean", f"{measures.n_translations:,.0f}"),
            ("probability of the mode, mean", f"{measures.p_mode:.3f}"),
        ]
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.data.drawn)
        source = escape(" ".join(self.found.shown))
        self.show(f"{table((), rows)}What a corpus would hold for <b>{source}</b><ul>{lines}</ul>")
