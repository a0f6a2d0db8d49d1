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
MOST_SENTENCES = 30
MOST_ROWS = 8


class ChoiceExplorer(View):
    """Candidates that were read beforehand (choice.read_candidates), equally many for every
    sentence.

    Controls: `sentence` (those of `first`, then the first MOST_SENTENCES of `sentences`), `K`,
    `similarity`. The means are over `sentences` alone. Raise ValueError without any.
    """

    def __init__(self, sentences: Sequence[Candidates], first: Sequence[Candidates] = ()) -> None:
        self.shown = (*first, *sentences[:MOST_SENTENCES])
        self.sentences = tuple(sentences)
        self.means = {name: means(sentences, name) for name in SIMILARITIES}
        most = min(len(candidates.hypotheses) for candidates in (*first, *sentences))
        controls = {
            "sentence": sentence_chooser([candidates.source for candidates in self.shown]),
            "similarity": widgets.Dropdown(
                options=list(SIMILARITIES),
                value=BLEU,
                description="similarity",
                style=STYLE,
                layout=WIDE,
            ),
            "K": slider("K", 1, 1, most),
        }
        self._drawing = ChoiceDrawing(most, lowest_log_prob(self.shown))
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> Candidates:
        """Return the sentence that is shown."""
        return self.shown[self.sentence.value]

    def draw(self) -> str:
        """Draw the candidates and the means; return the candidates and the means in words."""
        shown, name, K = self.data, self.similarity.value, self.K.value
        averages, n = self.means[name], len(self.sentences)
        self._drawing.show(shown, averages, K, name)
        rows = [("gold", " ".join(shown.gold), "", "", ""), *_rows(shown, K, name)]
        log_prob = shown_number(averages.log_prob[K - 1], 2)
        return (
            f"{escape(' '.join(shown.source))}{table(HEAD, rows)}K = <b>{K}</b>, over {n} "
            f"sentences: mean similarity <b>{averages.similarity[K - 1]:.1f}</b>, mean log p "
            f"<b>{log_prob}</b> nats; ỹ is the mode for {averages.mode[K - 1]:.0%} of them, and "
            f"gold itself for {averages.gold[K - 1]:.0%}."
        )


def _rows(shown: Candidates, K: int, name: str) -> list[tuple[str, ...]]:
    """Return the first MOST_ROWS of the K candidates, and ỹ wherever it stands."""
    chosen = shown.chosen(K, name)
    rows: list[tuple[str, ...]] = []
    for rank, hypothesis in enumerate(shown.hypotheses[:K]):
        if rank < MOST_ROWS or rank == chosen:
            signs = ("ŷ, Seq-KD",) * (rank == 0) + ("ỹ, Seq-Inter",) * (rank == chosen)
            rows.append(
                (
                    " ".join(signs),
                    " ".join(hypothesis.tokens),
                    str(rank + 1),
                    shown_number(hypothesis.log_prob, 2),
                    f"{shown.similarity[name][rank]:.1f}",
                )
            )
    left_out = min(K, len(shown.hypotheses)) - len(rows)
    return [*rows, ("", f"({left_out} more)", "", "", "")] if left_out else rows
