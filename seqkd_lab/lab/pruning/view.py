"""Pruning explorer: slide the level and see the threshold, the BLEU, the file and one sentence's
translation change."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.lab.pruning.levels import PruningLevels
from seqkd_lab.lab.pruning.picture import PruningDrawing
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, table
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED

HEAD = ("", "translation, greedy", "")


class PruningExplorer(View):
    """An explorer of levels that were made beforehand (`pruning_levels`).

    Controls: `sentence`, `method`, `level` (a share of `levels.shares`). The translations are those
    of class-blind pruning. Raises ValueError without any sentence.
    """

    def __init__(self, levels: PruningLevels) -> None:
        self.levels = levels
        self.sources = list(levels.examples)
        self._drawing = PruningDrawing(levels)
        look = {"style": STYLE, "layout": WIDE}
        percentages = [(f"{share:.0%}", share) for share in levels.shares]
        controls = {
            "sentence": sentence_chooser([source.split(" ") for source in self.sources]),
            "method": widgets.Dropdown(
                options=list(METHODS), value=CLASS_BLIND, description="method", **look
            ),
            "level": widgets.SelectionSlider(options=percentages, description="pruned", **look),
        }
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def source(self) -> str:
        """Return the sentence that is shown."""
        return self.sources[self.sentence.value]

    @property
    def data(self) -> dict[str, Mapping]:
        """Return the translations that are shown, by stage."""
        stages = self.levels.examples[self.source]
        return {stage: stages[stage][str(self.level.value)] for stage in (PRUNED, RETRAINED)}

    def draw(self) -> str:
        """Draw the level, and return what it leaves, costs and writes."""
        share = self.level.value
        self._drawing.show(share, self.method.value)
        rows = [
            (stage, shown["text"], f"✗ {shown['fault']}" if shown["fault"] else "✓ valid")
            for stage, shown in self.data.items()
        ]
        left, teacher = self.levels.left[share], self.levels.teacher_size
        pruned, retrained = (
            self.levels.curves[CLASS_BLIND, stage][share] for stage in (PRUNED, RETRAINED)
        )
        return (
            f"{escape(self.source)}{table(HEAD, rows)}<b>{share:.0%}</b> pruned: {left:,} "
            f"parameters are left, {teacher / left:.1f} times fewer than the teacher's. BLEU "
            f"{pruned:.1f} without, {retrained:.1f} with retraining (class-blind)."
            f"{self._other_method(share)}"
        )

    def _other_method(self, share: float) -> str:
        """Return the sentence on another method than class-blind, where one is chosen."""
        method = self.method.value
        score = self.levels.curves[method, PRUNED].get(share)
        if method == CLASS_BLIND or score is None:
            return ""
        return f" Pruned by the method {method}, without retraining: BLEU {score:.1f}."
