"""Choice explorer: which of the teacher's K best is nearest to gold, for one sentence and on
average."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from seqkd_lab.lab.seq_inter.choice import (
    BLEU,
    SIMILARITIES,
    Candidates,
    ChoiceDrawing,
    lowest_log_prob,
    means,
)
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, sentence_chooser, slider, table

HEAD = ("", "translation", "rank by the teacher", "log p (nats)", "similarity to gold")
MOST_SENTENCES, MOST_ROWS = 30, 8


class ChoiceExplorer(View):
    """Candidates that were read beforehand (figures.choice.read_candidates), equally many for every
    sentence.

    Controls: `sentence` (those of `first`, then the first MOST_SENTENCES of `sentences`), `K`,
    `similarity`. The means are over `sentences` alone. Raises ValueError without any.
    """

    def __init__(self, sentences: Sequence[Candidates], first: Sequence[Candidates] = ()) -> None:
        self.shown = (*first, *sentences[:MOST_SENTENCES])
        self.sentence = sentence_chooser([each.source for each in self.shown])
        self.sentences = tuple(sentences)
        most = min(len(each.hypotheses) for each in (*first, *sentences))
        self.means = {name: means(sentences, name) for name in SIMILARITIES}
        self.K = slider("K", 1, 1, most)
        self.similarity = widgets.Dropdown(
            options=list(SIMILARITIES),
            value=BLEU,
            description="similarity",
            style=STYLE,
            layout=WIDE,
        )
        self._drawing = ChoiceDrawing(most, lowest_log_prob(self.shown))
        super().__init__([self.sentence, self.similarity, self.K], self._drawing.picture)
        self.draw()
        for control in (self.sentence, self.similarity, self.K):
            control.observe(self.draw, "value")

    @property
    def data(self) -> Candidates:
        """The sentence that is shown."""
        return self.shown[self.sentence.value]

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        name, K = self.similarity.value, self.K.value
        self._drawing.show(self.data, self.means[name], K, name)
        self.show(self._text(self.data, K, name))

    def _text(self, shown: Candidates, K: int, name: str) -> str:
        rows = [("gold", " ".join(shown.gold), "", "", ""), *self._rows(shown, K, name)]
        averages, n = self.means[name], len(self.sentences)
        log_prob = shown_number(averages.log_prob[K - 1], 2)
        return (
            f"{escape(' '.join(shown.source))}{table(HEAD, rows)}K = <b>{K}</b>, over {n} "
            f"sentences: mean similarity <b>{averages.similarity[K - 1]:.1f}</b>, mean log p "
            f"<b>{log_prob}</b> nats; ỹ is the mode for {averages.mode[K - 1]:.0%} of them, and "
            f"gold itself for {averages.gold[K - 1]:.0%}."
        )

    def _rows(self, shown: Candidates, K: int, name: str) -> list[tuple[str, ...]]:
        """The first MOST_ROWS of the K candidates, and ỹ wherever it stands."""
        place, rows = shown.chosen(K, name), []
        for at, found in enumerate(shown.hypotheses[:K]):
            if at < MOST_ROWS or at == place:
                label = " ".join(
                    sign for sign, here in (("ŷ, Seq-KD", 0), ("ỹ, Seq-Inter", place)) if here == at
                )
                rows.append(
                    (
                        label,
                        " ".join(found.tokens),
                        str(at + 1),
                        shown_number(found.log_prob, 2),
                        f"{shown.similarity[name][at]:.1f}",
                    )
                )
        left_out = min(K, len(shown.hypotheses)) - len(rows)
        return [*rows, ("", f"({left_out} more)", "", "", "")] if left_out else rows
