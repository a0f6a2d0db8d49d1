"""Pruning explorer: slide the level and see the threshold, the BLEU, the file and one sentence's
translation change."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.lab.pruning.picture import PruningDrawing, PruningLevels
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, table
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED
from seqkd_lab.studies.pruning.table import Example

HEAD = ("", "translation, greedy", "")


class PruningExplorer(View):
    """Levels that were made beforehand (figures.pruning.pruning_levels).

    Controls: `level` (a share of `levels.shares`), `method`, `sentence`. The translations are those
    of class-blind pruning. Raises ValueError without any sentence.
    """

    def __init__(self, levels: PruningLevels) -> None:
        self.levels = levels
        self.sources = list(levels.examples)
        self.sentence = sentence_chooser([source.split(" ") for source in self.sources])
        self.level = widgets.SelectionSlider(
            options=[(f"{share:.0%}", share) for share in levels.shares],
            description="pruned",
            style=STYLE,
            layout=WIDE,
        )
        self.method = widgets.Dropdown(
            options=list(METHODS), value=CLASS_BLIND, description="method", style=STYLE, layout=WIDE
        )
        self._drawing = PruningDrawing(levels)
        super().__init__([self.sentence, self.method, self.level], self._drawing.picture)
        self.draw()
        for control in (self.sentence, self.method, self.level):
            control.observe(self.draw, "value")

    @property
    def data(self) -> dict[str, Example]:
        """The translations that are shown, by stage."""
        found = self.levels.examples[self.sources[self.sentence.value]]
        return {stage: found[stage, self.level.value] for stage in (PRUNED, RETRAINED)}

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        self._drawing.show(self.level.value, self.method.value)
        self.show(self._text(self.level.value))

    def _text(self, share: float) -> str:
        left, teacher = self.levels.left[share], self.levels.teacher_size
        rows = [
            (stage, one.text, "✓ valid" if one.fault is None else f"✗ {one.fault}")
            for stage, one in self.data.items()
        ]
        curves = {
            stage: self.levels.curves[CLASS_BLIND, stage][share] for stage in (PRUNED, RETRAINED)
        }
        said = (
            f"<b>{share:.0%}</b> pruned: {left:,} parameters are left, {teacher / left:.1f} times "
            "fewer than the "
        )
        said += f"teacher's. BLEU {curves[PRUNED]:.1f} without, {curves[RETRAINED]:.1f} with retraining (class-blind)."  # noqa: E501
        return f"{escape(self.sources[self.sentence.value])}{table(HEAD, rows)}{said}"
