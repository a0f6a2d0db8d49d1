"""Pruning explorer: slide the level, and the student is pruned and translates on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.lab.pruning.live import LivePruning, Written
from seqkd_lab.lab.pruning.picture import Curves, PruningDrawing
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, slider, table
from seqkd_lab.studies.pruning.study import PAPER_SHARE

HEAD = ("the student", "greedy translation", "")
MOST = 95
"""Percent."""


class PruningExplorer(View):
    """An explorer that prunes a copy of the student at every move, and lets it translate.

    Controls: `sentence`, `method`, `level` (percent of all parameters). Raises ValueError without
    any sentence.
    """

    thinned = {"sentence": slice(6), "level": slice(None, None, 5)}

    def __init__(
        self,
        live: LivePruning,
        sources: Sequence[tuple[str, ...]],
        curves: Curves,
        teacher_size: int,
        level: int = 50,
    ) -> None:
        self.live, self.sources, self.teacher_size = live, list(sources), teacher_size
        controls = {
            "sentence": sentence_chooser(self.sources),
            "method": widgets.Dropdown(
                options=list(METHODS),
                value=CLASS_BLIND,
                description="method",
                style=STYLE,
                layout=WIDE,
            ),
            "level": slider("pruned, %", level, 0, MOST),
        }
        self._drawing = PruningDrawing(live, curves)
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def share(self) -> float:
        """Return the share of the parameters that is pruned."""
        return self.level.value / 100

    @property
    def source(self) -> tuple[str, ...]:
        """Return the sentence that is shown."""
        return self.sources[self.sentence.value]

    @property
    def data(self) -> dict[str, Written]:
        """Return the translations that are shown, by what was done to the student."""
        method = self.method.value
        return {
            "not pruned": self.live.written(0.0, CLASS_BLIND, self.source),
            f"pruned by {self.level.value}%, {method}": self.live.written(
                self.share, method, self.source
            ),
            f"pruned by {PAPER_SHARE:.0%} and retrained": self.live.written_retrained(self.source),
        }

    def draw(self) -> str:
        """Prune, draw, and return what is left and what the student writes."""
        level = self.live.at(self.share, self.method.value)
        self._drawing.show(self.share, level)
        rows = [(how, written.text, written.judged) for how, written in self.data.items()]
        times = self.teacher_size / level.n_left
        return (
            f"{escape(' '.join(self.source))}{table(HEAD, rows)}<b>{self.level.value}%</b> pruned: "
            f"{level.n_left:,} weights are left, {times:.1f} times fewer than the teacher has."
        )
