"""Drafting stepper: speculative sampling of one sentence round by round, and why a word was
refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import UNREAD, DraftTrace, trace_speculative
from seqkd_lab.lab.shared.distribution_columns import said
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    end_at,
    first,
    sentence_chooser,
    shortened,
    slider,
    table,
    unheard,
)
from seqkd_lab.lab.speculative.picture import MOST_DRAFTED, DraftingDrawing, note
from seqkd_lab.models.seq2seq import Seq2Seq

HEAD = ("", "word", "p, the draft", "q, the target", "chance to stand")
TEMPERATURES = (("1: what the target would sample", 1.0), ("0: greedy", 0.0))


class DraftingStepper(View):
    """The rounds in which `target` checks a draft's words for one sentence of the corpus.

    Controls: `sentence`; `draft` (a name of `drafts`); `draft_length`, K from 1 to 8;
    `temperature`; `round`; and the button `another`, which draws with another `seed`. A sentence is
    drafted when it is asked for, once for each way. Raises ValueError without a sentence or a
    draft, and for a draft of other vocabularies than the target's.
    """

    def __init__(
        self,
        target: Seq2Seq,
        drafts: Mapping[str, Seq2Seq],
        corpus: ParallelCorpus,
        n_sentences: int = 12,
        seed: int = 1,
    ) -> None:
        if not drafts:
            raise ValueError("the view needs at least one draft")
        self.target, self.drafts, self.corpus, self.seed = (
            target,
            dict(drafts),
            first(corpus, n_sentences),
            seed,
        )
        self.sentence = sentence_chooser(self.corpus.source)
        self.draft = widgets.Dropdown(
            options=list(drafts), description="draft learned by", style=STYLE, layout=WIDE
        )
        self.draft_length = slider("K (words drafted)", 4, 1, MOST_DRAFTED)
        self.temperature = widgets.Dropdown(
            options=TEMPERATURES, value=1.0, description="temperature", style=STYLE, layout=WIDE
        )
        self.another = widgets.Button(description="Another draw", icon="refresh")
        self.round = slider("round", 1, 1, 2)
        self._drawing = DraftingDrawing()
        self._trace_of = lru_cache(maxsize=256)(self._trace)
        controls = [
            self.sentence,
            self.draft,
            self.temperature,
            self.another,
            self.draft_length,
            self.round,
        ]
        super().__init__(controls, self._drawing.picture)
        self._open()
        for control in (self.sentence, self.draft, self.draft_length, self.temperature):
            control.observe(self._open, "value")
        self.round.observe(self.draw, "value")
        self.another.on_click(self._draw_again)

    @property
    def data(self) -> DraftTrace:
        """The rounds that are shown."""
        return self._trace_of(
            self.sentence.value,
            self.draft.value,
            self.draft_length.value,
            self.temperature.value,
            self.seed,
        )

    def _trace(
        self, sentence: int, draft: str, draft_length: int, temperature: float, seed: int
    ) -> DraftTrace:
        source = self.corpus.source[sentence]
        return trace_speculative(
            self.target,
            self.drafts[draft],
            source,
            seed,
            draft_length,
            SamplingDistribution(temperature),
        )

    def _draw_again(self, _: widgets.Button) -> None:
        self.seed += 1
        self._open()

    def _open(self, _: dict | None = None) -> None:
        """Sets the end of `round`, and shows what the controls say."""
        self.another.disabled = self.temperature.value == 0.0  # greedy has nothing to draw
        with unheard(self.round, self.draw):
            end_at(self.round, len(self.data.rounds))
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        trace = self.data
        number = self.round.value
        self._drawing.show(trace, number)
        self.show(
            f"<b>{escape(shortened(' '.join(trace.source)))}</b>{self._written(trace, number)}{self._words(trace, number)}{self._drawn(trace, number)}<br>{self._together(trace)}"
        )

    def _written(self, trace: DraftTrace, number: int) -> str:
        """What stood before the round, and what it wrote."""
        one = trace.rounds[number - 1]
        written = [*trace.hypothesis.tokens, said("</s>")]
        start = len(one.prefix)
        parts = written[:start], written[start : start + one.n_tokens]
        before, now = (" ".join(map(escape, part)) for part in parts)
        head = f"<br>Round {number} of {len(trace.rounds)} writes"
        return f"{head}: <span style='color:#666'>{before}</span> <b>{now}</b>"

    def _words(self, trace: DraftTrace, number: int) -> str:
        rows = []
        for place, word in enumerate(trace.rounds[number - 1].words, start=1):
            judged = word.fate != UNREAD
            rows.append(
                (
                    str(place),
                    said(word.token),
                    f"{word.p:.3f}",
                    f"{word.q:.3f}" if judged else "–",
                    note(word),
                )
            )
        return table(HEAD, rows)

    def _drawn(self, trace: DraftTrace, number: int) -> str:
        """Where the last word of the round came from."""
        one = trace.rounds[number - 1]
        if one.extra is None:
            return "The end stands: nothing more is drawn."
        extra = f"“{escape(said(one.extra))}”"
        if one.rejected is None:
            return (
                f"All stand, so the same call of the target gives one word more: + {extra}, drawn "
                "from q."
            )
        refused = f"“{escape(said(one.rejected.token))}”"
        if one.p is not None and one.rejected.p > 0.0:
            refused += f" (the draft gave it {one.rejected.p:.3f}, the target {one.rejected.q:.3f})"
        return (
            f"✗ {refused} is refused; + {extra} is drawn in its place, from (q − p)₊ scaled to 1."
        )

    def _together(self, trace: DraftTrace) -> str:
        n_tokens, n_rounds = len(trace.hypothesis.tokens) + 1, len(trace.rounds)
        calls = f"{n_rounds} call{'s' * (n_rounds != 1)}"
        drawn = "greedy" if self.temperature.value == 0.0 else f"draw {self.seed}"
        return (
            f"The sentence ({drawn}): {n_tokens} tokens, the end counted, in {calls} of the "
            f"target: {n_tokens / n_rounds:.2f} tokens a call."
        )
