"""Token explorer: which tokens of a student's own outputs teach, by selector and share."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets
from torch import Tensor

from seqkd_lab.corpus.toy.planted import KINDS
from seqkd_lab.distillation.tip import ALL, SELECTORS, SOFT_OR
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, shortened, slider, table
from seqkd_lab.lab.token_importance.explorer import ImportanceDrawing
from seqkd_lab.lab.token_importance.measures import LabelledBatch

HEAD = ("kind of token", "tokens", "kept", "share")


class TokenExplorer(View):
    """The tokens of a batch over h and δ, and the words of a sentence.

    Controls: `sentence`; `selector`; `share`, ρ from 5 to 100 in hundredths. Raises ValueError
    without a sentence.
    """

    order = ("selector", "share", "sentence")  # the tokens are those of all sentences
    thinned = {"sentence": slice(12)}

    sentence: widgets.Dropdown
    selector: widgets.Dropdown
    share: widgets.IntSlider

    def __init__(self, batch: LabelledBatch) -> None:
        self.batch = batch
        names = [name for name in SELECTORS if name != ALL]
        share = slider("ρ, in hundredths", 10, 5, 100)
        share.step = 5
        controls = {
            "sentence": sentence_chooser(batch.sources),
            "selector": widgets.Dropdown(
                options=names, value=SOFT_OR, description="selector", style=STYLE, layout=WIDE
            ),
            "share": share,
        }
        self._drawing = ImportanceDrawing(batch)
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    def draw(self) -> str:
        """Show what the controls say."""
        selector, share, sentence = self.selector.value, self.share.value / 100, self.sentence.value
        self._drawing.show(selector, share, sentence)
        kept = self.batch.kept(selector, share)
        rows = []
        for kind in KINDS:
            mask = self.batch.is_kind(kind)
            n_kept, n = int((mask & kept).sum()), int(mask.sum())
            rows.append((kind, str(n), str(n_kept), f"{n_kept / n:.0%}" if n else "–"))
        n_kept, n = int(kept.sum()), int(self.batch.real.sum())
        source = escape(shortened(" ".join(self.batch.sources[sentence])))
        return (
            f"<b>{source}</b><br>{self._output(sentence, kept)}<br>{escape(selector)}, "
            f"ρ = {share:g}: {n_kept} of {n:,} tokens, {n_kept / n:.1%}.{table(HEAD, rows)}"
        )

    def _output(self, sentence: int, kept: Tensor) -> str:
        """The words of the sentence, those that teach in bold."""
        return " ".join(
            f"<b><u>{escape(word)}</u></b>" if kept[sentence, t] else escape(word)
            for t, word in enumerate(self.batch.outputs[sentence])
        )
