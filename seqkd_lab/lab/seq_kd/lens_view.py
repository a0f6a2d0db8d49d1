"""Corpus lens: what the teacher made of one sentence of its corpus, and of all of them."""

from __future__ import annotations

from bisect import bisect_left
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.seq_kd.lens import (
    TEXT_COLOURS,
    ChoicesDrawing,
    ChoiceShares,
    Pair,
    compare_pair,
    marked,
)
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, end_at, first, slider, table, unheard


class CorpusLens(View):
    """Gold and distilled target of one source, their differences marked in [−gold−] and
    {+distilled+}; the picture shows how often each option of a choice was taken in both corpora.

    Controls: `number` of the pair, `only_changed` (leave out pairs that the teacher wrote as gold),
    and `choice`. `number` counts the pairs that are not left out: with `only_changed` the pair that
    is shown stays, or the next one that differs takes its place, or the last one that does.
    The corpora are aligned, or ValueError is raised; the first `n_pairs` are shown. Without a
    language there are no choices and no verdicts.
    """

    def __init__(
        self,
        gold: ParallelCorpus,
        distilled: ParallelCorpus,
        language: ToyLanguage | None = None,
        n_pairs: int = 500,
    ) -> None:
        if gold.source[: len(distilled)] != distilled.source:
            raise ValueError(
                "gold and distilled corpus have different sources: their targets cannot be compared"
            )
        self.gold, self.distilled, self.language = (
            first(gold[: len(distilled)], n_pairs),
            distilled[:n_pairs],
            language,
        )
        pairs = zip(self.gold.target, self.distilled.target, strict=True)
        self._changed = [place for place, (one, other) in enumerate(pairs) if one != other]
        self.shares = (
            ChoiceShares.of(language, self.gold, self.distilled, n_pairs)
            if language
            else ChoiceShares({}, 0)
        )
        self.number = slider("pair", 1, 1, len(self.gold))
        self.only_changed = widgets.Checkbox(
            value=False,
            description="only pairs that differ",
            layout=WIDE,
            disabled=not self._changed,
        )
        options = list(self.shares.by_choice) or ["(none)"]
        self.choice = widgets.Dropdown(
            options=options, description="choice", style=STYLE, layout=WIDE
        )
        self._drawing = ChoicesDrawing()
        super().__init__([self.number, self.only_changed, self.choice], self._drawing.picture)
        self.children = (self.number, self.only_changed, self.text, self.choice, self.image)
        self.draw()
        self.only_changed.observe(self._narrow, "value")
        self.number.observe(self.draw, "value")
        self.choice.observe(self.draw, "value")

    @property
    def data(self) -> Pair:
        """The pair that is shown."""
        place = self._place(self.only_changed.value)
        return compare_pair(
            self.gold.source[place],
            self.gold.target[place],
            self.distilled.target[place],
            self.language,
        )

    def _place(self, only_changed: bool) -> int:
        """Where the pair with the number stands in the corpora, when the number counts all pairs or
        changed ones."""
        return self._changed[self.number.value - 1] if only_changed else self.number.value - 1

    def _narrow(self, _: dict) -> None:
        """Counts other pairs, and gives `number` the value that the pair now has."""
        place = self._place(not self.only_changed.value)
        counted = self._changed if self.only_changed.value else range(len(self.gold))
        with unheard(self.number, self.draw):
            end_at(self.number, len(counted))
            self.number.value = min(bisect_left(counted, place) + 1, len(counted))
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        self._drawing.show(self.shares.by_choice.get(self.choice.value, ()))
        self.show(self._text(self.data))

    def _text(self, pair: Pair) -> str:
        changed = len(self._changed)
        return (
            f"{changed} of {len(self.gold)} targets differ from gold.<br><b>source</b>: "
            f"{escape(' '.join(pair.source))}<br><b>gold</b>: {_marked_html(pair, 'gold')} "
            f"{_verdict(pair, pair.gold_fault, pair.p_gold)}<br><b>distilled</b>: "
            f"{_marked_html(pair, 'distilled')} "
            f"{_verdict(pair, pair.distilled_fault, pair.p_distilled)}{_choices(pair)}"
        )


def _marked_html(pair: Pair, side: str) -> str:
    mark = f'<b style="color:{TEXT_COLOURS[side]}">%s</b>'
    return " ".join(
        mark % escape(text) if changed else escape(text) for text, changed in marked(pair, side)
    )


def _verdict(pair: Pair, fault: str | None, p: float | None) -> str:
    if pair.entropy is None:
        return ""
    return f"✗ not valid: {escape(fault)}" if fault else f"✓ valid, true probability {100 * p:.2g}%"


def _choices(pair: Pair) -> str:
    if pair.entropy is None:
        return ""
    rows = [
        (name, gold, other, "same" if gold == other else "differs")
        for name, gold, other in pair.choices
    ]
    text = f"<br>The source leaves {shown_number(pair.entropy, 2)} nats open."
    return text + table(("choice", "gold", "distilled", ""), rows)
