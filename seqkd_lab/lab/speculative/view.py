"""Drafting stepper: speculative sampling of one sentence round by round, and why a word was
rejected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import UNREAD, DraftTrace, TracedRound, trace_speculative
from seqkd_lab.lab.shared.distribution_columns import display_word
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

HEAD = ("", "word", "p, the draft", "q, the target", "accepted with")
TEMPERATURES = (("1: what the target would sample", 1.0), ("0: greedy", 0.0))


class DraftingStepper(View):
    """The rounds in which `target` checks a draft's words for one sentence of the corpus.

    Controls: `sentence`; `draft` (a name of `drafts`); `temperature`; the button `another`, which
    draws with another `seed`; `draft_length`, K from 1 to 8; `round`. A sentence is drafted when it
    is shown, once for each way. Raises ValueError without a sentence or a draft, and for a draft of
    other vocabularies than the target's.
    """

    thinned = {"sentence": slice(6)}

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
        self.target, self.drafts = target, dict(drafts)
        self.corpus, self.seed = first(corpus, n_sentences), seed
        self._drawing = DraftingDrawing()
        self._trace_of = lru_cache(maxsize=256)(self._trace)
        look = {"style": STYLE, "layout": WIDE}
        controls = {
            "sentence": sentence_chooser(self.corpus.source),
            "draft": widgets.Dropdown(
                options=[(shortened(name), name) for name in drafts],
                description="draft learned by",
                **look,
            ),
            "temperature": widgets.Dropdown(
                options=TEMPERATURES, value=1.0, description="temperature", **look
            ),
            "another": widgets.Button(description="Another draw", icon="refresh"),
            "draft_length": slider("K (words drafted)", 4, 1, MOST_DRAFTED),
            "round": slider("round", 1, 1, 2),
        }
        super().__init__(controls, self._drawing.picture)
        self.another.on_click(self._draw_again)
        self.redraw()

    @property
    def data(self) -> DraftTrace:
        """Return the rounds that are shown."""
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
        source, distribution = self.corpus.source[sentence], SamplingDistribution(temperature)
        model = self.drafts[draft]
        return trace_speculative(self.target, model, source, seed, draft_length, distribution)

    def _draw_again(self, _: widgets.Button) -> None:
        self.seed += 1
        self.redraw()

    def draw(self) -> str:
        """Draw the round, and return what was accepted, what it wrote and what was drawn."""
        trace = self.data
        self.another.disabled = self.temperature.value == 0.0  # greedy has nothing to draw
        with unheard(self.round, self.redraw):
            end_at(self.round, len(trace.rounds))
        number = self.round.value
        self._drawing.show(trace, number)
        traced, source = trace.rounds[number - 1], shortened(" ".join(trace.source))
        return (
            f"<b>{escape(source)}</b>{written_in_words(trace, number)}{words_table(traced)}"
            f"{drawn_in_words(traced)}<br>{self._together(trace)}"
        )

    def _together(self, trace: DraftTrace) -> str:
        n_tokens, n_rounds = len(trace.hypothesis.tokens) + 1, len(trace.rounds)
        calls = f"{n_rounds} call{'s' * (n_rounds != 1)}"
        drawn = "greedy" if self.temperature.value == 0.0 else f"draw {self.seed}"
        return (
            f"The sentence ({drawn}): {n_tokens} tokens, the end counted, in {calls} of the "
            f"target: {n_tokens / n_rounds:.2f} tokens a call."
        )


def written_in_words(trace: DraftTrace, number: int) -> str:
    """Say what was there before the round, and what it wrote."""
    traced = trace.rounds[number - 1]
    written = [*trace.hypothesis.tokens, display_word("</s>")]
    start = len(traced.prefix)
    end = start + traced.n_tokens
    before, now = (" ".join(map(escape, part)) for part in (written[:start], written[start:end]))
    head = f"<br>Round {number} of {len(trace.rounds)} writes"
    return f"{head}: <span style='color:#666'>{before}</span> <b>{now}</b>"


def words_table(traced: TracedRound) -> str:
    """Return the proposals of a round as a table, with the probabilities of those that were
    judged."""
    rows = [
        (
            str(number),
            display_word(word.token),
            f"{word.p:.3f}",
            f"{word.q:.3f}" if word.fate != UNREAD else "–",
            note(word),
        )
        for number, word in enumerate(traced.words, start=1)
    ]
    return table(HEAD, rows)


def drawn_in_words(traced: TracedRound) -> str:
    """Say where the last word of the round came from."""
    if traced.extra is None:
        return "The end is accepted: nothing more is drawn."
    extra = f"“{escape(display_word(traced.extra))}”"
    if traced.rejected is None:
        return (
            "All are accepted, and the same call gave q after the last of them: "
            f"+ {extra} is drawn from it."
        )
    word = traced.rejected
    rejected = f"“{escape(display_word(word.token))}”"
    if traced.p is not None and word.p > 0.0:
        rejected += f" (the draft gave it {word.p:.3f}, the target {word.q:.3f})"
    return f"✗ {rejected} is rejected; + {extra} replaces it, drawn from (q − p)₊ scaled to 1."
