"""The distributions of draft and target for one word side by side: what both have, what only one
has, and what is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.artist import Artist
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.lab.shared.bars import REST, BarRows
from seqkd_lab.lab.shared.next_words import likeliest
from seqkd_lab.lab.shared.picture import add_label
from seqkd_lab.lab.shared.style import GREEN, GREY, SIZE, SKY, VERMILION

N_WORDS = 7
END = "(end)"
REFUSED = "✗ rejected"
DRAWN = "+ drawn"
KEY = (
    "light: shared by p and q, accepted     dark in p: too much, rejected     dark in q: missing, "
    "left for the residual"
)
Column = tuple[float, ...]


def display_word(token: str) -> str:
    """Return a word as the views write it: the end of a sentence in brackets."""
    return END if token == SPECIALS[EOS] else token


@dataclass(frozen=True)
class PositionDistributions:
    """The likeliest words of one position, "(rest)" the last, and their probabilities by draft (p)
    and target (q).

    shared is min(p, q), extra the distribution of the word that is drawn in the end: of "(rest)"
    the sums. p is None where the draft proposed nothing; refused and drawn are rows, None where no
    such word is. ids: the words' numbers."""

    ids: tuple[int, ...]
    words: tuple[str, ...]
    p: Column | None
    q: Column
    shared: Column
    extra: Column
    refused: int | None
    drawn: int | None


def position_distributions(
    p: Tensor | None,
    q: Tensor,
    extra: Tensor,
    tokens: Sequence[str],
    refused: str | None = None,
    drawn: str | None = None,
    n_words: int = N_WORDS,
) -> PositionDistributions:
    """Return the distributions p, q and extra (V,) of one position; `tokens` names the words.
    Refused and drawn word always have rows."""
    distributions = [distribution for distribution in (p, q, extra) if distribution is not None]
    marked = [tokens.index(word) for word in (refused, drawn) if word is not None]
    order = likeliest(distributions, n_words)
    absent = [word for word in dict.fromkeys(marked) if word not in order]
    kept = [word for word in order if word in marked]
    others = [word for word in order if word not in marked][: n_words - len(absent) - len(kept)]
    order = sorted(
        [*kept, *absent, *others],
        key=lambda word: -float(torch.stack(distributions)[:, word].max()),
    )
    shared = torch.zeros_like(q) if p is None else torch.minimum(p, q)
    row_of: dict[str | None, int] = {tokens[word]: row for row, word in enumerate(order)}
    return PositionDistributions(
        tuple(order),
        (*(display_word(tokens[word]) for word in order), REST),
        None if p is None else column(p, order),
        column(q, order),
        column(shared, order),
        column(extra, order),
        row_of.get(refused),
        row_of.get(drawn),
    )


def column(distribution: Tensor, ids: Sequence[int]) -> Column:
    """Return the probabilities of the words `ids` by `distribution` (V,), and the sum of all
    others."""
    shown = [float(distribution[word]) for word in ids]
    rest = float(distribution.sum()) - sum(shown)
    return (*shown, rest if rest > 1e-6 else 0.0)  # float32 leaves as much by rounding


class DistributionBars:
    """Three panels of bars on one scale from 0 to 1: p, q, and the distribution of the word that is
    drawn in the end."""

    def __init__(self, panels: Sequence, n_words: int = N_WORDS) -> None:
        n_rows, colours = n_words + 1, (VERMILION, GREEN, GREEN)
        self._rows = [
            BarRows(axes, ("",), (colour,), n_rows)
            for axes, colour in zip(panels, colours, strict=True)
        ]
        self._shared = [
            axes.barh(range(n_rows), [0.0] * n_rows, 0.84 * 0.92, color=SKY) for axes in panels[:2]
        ]
        self._marks = [
            add_label(axes, 0.0, 0.0, fontsize=SIZE - 1, weight="bold")
            for axes in (panels[0], panels[2])
        ]
        self._titles = [add_label(axes, 0.0, -1.05, fontsize=SIZE) for axes in panels]
        self._none = add_label(panels[0], 0.02, n_rows / 2 - 0.5, color=GREY)
        for axes in panels:
            axes.set_xlim(0.0, 1.85)
            axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])

    @property
    def animated(self) -> list[Artist]:
        """The artists that change with the distributions, in the order of drawing."""
        bars = [bar for rows in self._rows for bar in rows.animated]
        return [
            *bars,
            *(bar for bars in self._shared for bar in bars),
            *self._marks,
            *self._titles,
            self._none,
        ]

    def show(self, distributions: PositionDistributions | None, title: str) -> None:
        """Move the bars; `title` names the third distribution. With None draw nothing."""
        for label, text in zip(self._titles, ("p, the draft", "q, the target", title), strict=True):
            label.set_text(text)
        words: tuple[str, ...] = ()
        columns: tuple[Column | None, ...] = (None, None, None)
        shared: Column = (0.0,) * (N_WORDS + 1)
        marked: tuple[int | None, int | None] = (None, None)
        if distributions is not None:
            words, shared = distributions.words, distributions.shared
            columns = (distributions.p, distributions.q, distributions.extra)
            marked = (distributions.refused, distributions.drawn)
        for panel, (rows, values) in enumerate(zip(self._rows, columns, strict=True)):
            rows.show(words if panel == 0 else [""] * len(words), [values])
        for bars, values in zip(self._shared, columns, strict=False):
            widths = [0.0] * len(bars) if values is None else shared
            for bar, width in zip(bars, widths, strict=False):
                bar.set_width(width)
        beside = zip(self._marks, (REFUSED, DRAWN), marked, (columns[0], columns[2]), strict=True)
        for label, text, row, values in beside:
            label.set_text("" if row is None else text)
            if row is not None and values is not None:
                label.set(x=values[row] + 0.32, y=row)
        nothing_refused = distributions is not None and distributions.p is None
        self._none.set_text("no word was rejected" if nothing_refused else "")
