"""Token explorer: which tokens of a student's own outputs teach, by selector and share."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.toy.planted import KINDS
from seqkd_lab.distillation.tip import ALL, SELECTORS, SOFT_OR
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, shortened, slider, table
from seqkd_lab.lab.token_importance.measures import Labelled
from seqkd_lab.lab.token_importance.picture import ImportanceDrawing


class TokenExplorer(View):
    """The tokens of a batch over h and δ, and the words of a sentence.

    Controls: `sentence`; `selector`; `share`, ρ from 5 to 100 in hundredths. Raises ValueError
    without a sentence.
    """

    def __init__(self, batch: Labelled) -> None:
        self.batch = batch
        self.sentence = sentence_chooser(batch.sources)
        self.selector = widgets.Dropdown(
            options=[name for name in SELECTORS if name != ALL],
            value=SOFT_OR,
            description="selector",
            style=STYLE,
            layout=WIDE,
        )
        self.share = slider("ρ, in hundredths", 10, 5, 100)
        self.share.step = 5
        self._drawing = ImportanceDrawing(batch)
        super().__init__([self.sentence, self.selector, self.share], self._drawing.picture)
        self.draw()
        for control in (self.sentence, self.selector, self.share):
            control.observe(self.draw, "value")

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        selector, share, sentence = self.selector.value, self.share.value / 100, self.sentence.value
        self._drawing.show(selector, share, sentence)
        kept = self.batch.kept(selector, share)
        rows = []
        for kind in KINDS:
            here = self.batch.is_kind(kind)
            n_kept, n = int((here & kept).sum()), int(here.sum())
            rows.append((kind, str(n), str(n_kept), f"{n_kept / n:.0%}" if n else "–"))
        real = int(self.batch.seen.real.sum())
        self.show(
            f"<b>{escape(shortened(' '.join(self.batch.sources[sentence])))}</b><br>{self._kept(sentence, kept)}"  # noqa: E501
            f"<br>{escape(selector)}, ρ = {share:g}: {int(kept.sum())} of {real:,} tokens, "
            f"{int(kept.sum()) / real:.1%}.{table(('kind of place', 'tokens', 'kept', 'share'), rows)}"  # noqa: E501
        )

    def _kept(self, sentence: int, kept) -> str:
        """The words of the sentence, those that teach in bold."""
        words = []
        for place, word in enumerate(self.batch.outputs[sentence]):
            words.append(f"<b><u>{escape(word)}</u></b>" if kept[sentence, place] else escape(word))
        return " ".join(words)
