"""The view of the strengths of each ambiguity."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from seqkd_lab.lab.language.ambiguity import Setting, Sweep
from seqkd_lab.lab.language.figures import StrengthDrawing
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, table


class StrengthPanel(View):
    """The strength of one kind of choice against the likely translations of a sentence, and against
    means over a small corpus, all measured beforehand.

    Controls: `source` (which kind; the others stay at 1), `strength` (0: no choice, 1: all of it).
    """

    source: widgets.Dropdown
    strength: widgets.SelectionSlider

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._drawing = StrengthDrawing(sweep)
        look = {"style": STYLE, "layout": WIDE}
        options = [(f"{strength:g}", strength) for strength in sweep.strengths]
        controls = {
            "source": widgets.Dropdown(options=sweep.names, description="kind", **look),
            "strength": widgets.SelectionSlider(
                options=options, value=1.0, description="strength", **look
            ),
        }
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> Setting:
        """The setting that is shown."""
        return self.sweep.settings[self.source.value, self.strength.value]

    def draw(self) -> str:
        """Draw the setting, and return its measures and what a corpus would hold."""
        self._drawing.show(self.source.value, self.strength.value)
        measures = self.data.measures
        rows = [
            ("entropy (nats a sentence)", shown_number(measures.entropy, 2)),
            ("cost of forgetting (nats a sentence)", shown_number(measures.forgetting, 2)),
            ("translations of a sentence, mean", f"{measures.n_translations:,.0f}"),
            ("probability of the mode, mean", f"{measures.p_mode:.3f}"),
        ]
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.data.drawn)
        source = escape(" ".join(self.sweep.shown))
        return f"{table((), rows)}What a corpus would hold for <b>{source}</b><ul>{lines}</ul>"
