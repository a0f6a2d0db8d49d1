"""Mode mass: how the probability of whole translations gathers in a few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.seq_kd.mass import MOST_RANKS, TRUTH, MassCurve, MassDrawing, mass_curves
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, table
from seqkd_lab.models.seq2seq import Seq2Seq

N_SHOWN = 3
FEW_TRANSLATIONS = 600
RANKS = sorted({round(10 ** (step / 10)) for step in range(31)})


class ModeMass(View):
    """The mass of the n most probable translations, by truth and by each model; and the first few
    themselves.

    models: by name, "teacher", "baseline", "seq-kd" for example, six at most. Controls: `sentence`,
    `rank`, n from 1 to 1000 in about equal factors. All sources are scored when the view is made,
    some tenths of a second for each source and model. Raises ValueError for a source that the
    language does not have, or with more translations than `limit`.
    """

    def __init__(
        self,
        models: Mapping[str, Seq2Seq],
        language: ToyLanguage,
        sources: Sequence[tuple[str, ...]],
        limit: int = FEW_TRANSLATIONS,
    ) -> None:
        self.sources = [tuple(source) for source in sources]
        self.sentence = sentence_chooser(self.sources)
        self.curves = [
            mass_curves(models, language, source, limit=limit) for source in self.sources
        ]
        self.rank = widgets.SelectionSlider(
            options=RANKS, value=1, description="top n", style=STYLE, layout=WIDE
        )
        self._drawing = MassDrawing([TRUTH, *models])
        super().__init__([self.sentence, self.rank], self._drawing.picture)
        self.draw()
        self.sentence.observe(self.draw, "value")
        self.rank.observe(self.draw, "value")

    @property
    def data(self) -> dict[str, MassCurve]:
        """The curves that are shown, by name."""
        return self.curves[self.sentence.value]

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        curves = self.data
        self._drawing.show(curves, self.rank.value)
        self.show(self._text(curves))

    def _text(self, curves: Mapping[str, MassCurve]) -> str:
        valid = set(curves[TRUTH].translations)
        n, rows = self.rank.value, []
        for name, curve in curves.items():
            best = zip(curve.translations[:N_SHOWN], curve.probabilities, strict=False)
            shown = "; ".join(
                f"{100 * p:.1f}% {' '.join(t)} {'✓' if t in valid else '✗'}" for t, p in best
            )
            rows.append((name, f"{curve.top(n):.3f}", f"{curve.valid_mass:.3f}", shown))
        source, n_valid = escape(" ".join(self.sources[self.sentence.value])), len(valid)
        head = (
            "",
            f"mass of the top {n}",
            "mass of all valid ones",
            "the most probable (✓ valid, ✗ not)",
        )
        return (
            f"{source}<br>n = <b>{n}</b>; {n_valid} valid translations.{table(head, rows)}A "
            "model's curve holds all valid translations and its own best 20; the mass of its top "
            f"n is at least what is shown. The picture ends at {MOST_RANKS} translations."
        )
