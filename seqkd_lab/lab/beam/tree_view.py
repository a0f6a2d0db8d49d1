"""Beam explorer: the search step by step, what it threw away and by what, and what a length penalty
prefers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.corpus.vocabulary import UNK
from seqkd_lab.decoding.trace import PRUNED, trace_search
from seqkd_lab.lab.beam.game import END
from seqkd_lab.lab.beam.pruned import lost_at
from seqkd_lab.lab.beam.tree import Node, rerank
from seqkd_lab.lab.beam.tree_picture import MOST_BEAM, BeamTree, BeamTreeDrawing, percent
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
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
from seqkd_lab.models.seq2seq import Seq2Seq

MOST_WORDS = 40

N_RANKED = 6

TYPED = -1
"""The value of `sentence` while a typed sentence is shown; its label in the list names that
sentence."""

Words = tuple[str, ...]


class BeamExplorer(View):
    """The tree of a beam search of one sentence, up to one step, and its translations ranked by a
    length penalty.

    Controls: `sentence` (one of the corpus) or `typed` (any text); `beam_size`, 1 to 10; `step`;
    `length_penalty`, 0 to 2. A typed sentence that is accepted becomes the choice of `sentence`
    (TYPED); a choice from the list empties `typed`; a text that is refused leaves both as they
    were. A sentence or a beam size is searched when it is chosen, once; step and penalty only read
    the trace.
    """

    def __init__(
        self,
        model: Seq2Seq,
        corpus: ParallelCorpus,
        language: ToyLanguage | None = None,
        n_sentences: int = 30,
        tokenise: Callable[[str], Sequence[str]] = tokenise,
    ) -> None:
        self.model, self.language, self._tokenise = model, language, tokenise
        self.corpus = first(corpus, n_sentences)
        self.sentence = sentence_chooser(self.corpus.source)
        self._listed = self.sentence.options
        self.typed = widgets.Text(
            description="or type one",
            placeholder="a sentence, then Enter",
            style=STYLE,
            layout=WIDE,
            continuous_update=False,
        )
        self.beam_size = slider("K (beam size)", 3, 1, MOST_BEAM, continuous=False)
        self.step = slider("step", 1, 1, 2)
        self.length_penalty = widgets.FloatSlider(
            value=0.0,
            min=0.0,
            max=2.0,
            step=0.1,
            description="length penalty",
            style=STYLE,
            layout=WIDE,
        )
        self.answer = widgets.HTML()  # what the view says of a typed sentence
        self._drawing = BeamTreeDrawing()
        self._tree_of = lru_cache(maxsize=64)(self._search)
        controls = [
            self.sentence,
            self.typed,
            self.answer,
            self.beam_size,
            self.step,
            self.length_penalty,
        ]
        super().__init__(controls, self._drawing.picture)
        self._open_source()
        self.sentence.observe(self._choose, "value")
        self.typed.observe(self._type, "value")
        self.beam_size.observe(self._open_source, "value")
        self.step.observe(self.draw, "value")
        self.length_penalty.observe(self.draw, "value")

    @property
    def source(self) -> Words:
        """The sentence that is shown."""
        typed = self.sentence.value == TYPED
        return (
            tuple(self._tokenise(self.typed.value))
            if typed
            else self.corpus.source[self.sentence.value]
        )

    @property
    def data(self) -> BeamTree:
        """The tree that is shown, all of its steps."""
        return self._tree_of(self.source, self.beam_size.value)

    def _search(self, source: Words, beam_size: int) -> BeamTree:
        trace = trace_search(self.model, source, beam_size)
        greedy = trace_search(self.model, source, 1).hypotheses
        return BeamTree.of(trace, greedy[0].tokens if greedy else None, self._mode(source))

    def _mode(self, source: Words) -> Words | None:
        try:
            return self.language.mode(source)[0] if self.language is not None else None
        except ValueError:  # not a sentence of the toy language
            return None

    def _choose(self, _: dict) -> None:
        """Show a sentence of the list: the typed one leaves the field and the list."""
        with unheard(self.typed, self._type):
            self.typed.value = ""
        self._list(self.sentence.value)
        self.answer.value = ""
        self._open_source()

    def _type(self, change: dict) -> None:
        source = tuple(self._tokenise(self.typed.value))
        fault = self.fault(source)
        if fault is not None:
            with unheard(self.typed, self._type):
                self.typed.value = change["old"]  # the sentence that is shown, or none
            self.answer.value = f"{fault} Still shown: “{escape(shortened(' '.join(self.source)))}”"
            return
        self._list(TYPED)
        self.answer.value = self._remark(source)
        self._open_source()

    def _list(self, chosen: int) -> None:
        """Offer the sentences of the corpus, with the typed one on top while it is the one that is
        chosen."""
        typed = [(f"typed: {shortened(self.typed.value)}", TYPED)] if chosen == TYPED else []
        with self.sentence.hold_sync(), unheard(self.sentence, self._choose):
            self.sentence.options = [*typed, *self._listed]
            self.sentence.value = chosen

    def fault(self, source: Words) -> str | None:
        """Why a sentence cannot be searched, as HTML; None if it can."""
        if not source or not any(any(map(str.isalnum, word)) for word in source):
            return "Type a sentence: one word at least."
        if len(source) > MOST_WORDS:
            return f"That is {len(source):,} words and marks; the view takes {MOST_WORDS} at most."
        known = [
            word
            for word in source
            if word.isalpha() and self.model.source_vocabulary.ids([word]) != [UNK]
        ]
        if not known:
            return f"The model knows no word of “{escape(shortened(' '.join(source)))}”."
        return None

    def _remark(self, source: Words) -> str:
        """What is to be said of a sentence that is searched: unknown words, and whether the truth
        is known."""
        vocabulary, remarks = self.model.source_vocabulary, []
        for word in dict.fromkeys(word for word in source if vocabulary.ids([word]) == [UNK]):
            near = get_close_matches(word[:50], vocabulary.tokens[4:], n=2)
            hint = f" (like {' or '.join(map(escape, near))}?)" if near else ""
            remarks.append(
                f"“{escape(shortened(word))}” is unknown: the model reads &lt;unk&gt;{hint}."
            )
        if self.language is not None and self._mode(source) is None:
            remarks.append(
                "The toy language has no such sentence, so no true translation is marked."
            )
        return " ".join(remarks)

    def _open_source(self, _: dict | None = None) -> None:
        with unheard(self.step, self.draw):
            end_at(self.step, len(self.data.columns))
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        beam_tree, step = self.data, self.step.value
        self._drawing.show(beam_tree, step)
        self.show(
            f"<b>{escape(shortened(' '.join(self.source)))}</b><br>{self._steps_text(beam_tree, step)}"  # noqa: E501
            f"{self._mode_text(beam_tree)}{self._ranking(beam_tree)}"
        )

    def _steps_text(self, beam_tree: BeamTree, step: int) -> str:
        nodes = beam_tree.columns[step - 1]
        digits = deciding_digits([node.candidate.log_prob for node in nodes])
        rows = [_row(node, beam_tree, digits) for node in nodes]
        return f"Step {step}:{table(('rank', 'hypothesis', 'log p (nats)', 'p', 'fate'), rows)}"

    def _mode_text(self, beam_tree: BeamTree) -> str:
        if beam_tree.mode is None:
            return ""
        text = f"★ The most probable true translation, “{escape(' '.join(beam_tree.mode))}”, "
        try:
            lost = lost_at(beam_tree.trace, beam_tree.mode)
        except ValueError as error:
            return f"{text}cannot be found: {escape(str(error))}.<br>"
        if lost is None:
            return f"{text}kept its place to the end.<br>"
        digits = deciding_digits([lost.log_prob, lost.last_kept])
        return (
            f"{text}was pruned at step {lost.step}: its prefix had rank {lost.rank} with log p "
            f"{shown_log_prob(lost.log_prob, digits)}, the last one that was kept had "
            f"{shown_log_prob(lost.last_kept, digits)}.<br>"
        )

    def _ranking(self, beam_tree: BeamTree) -> str:
        penalty = self.length_penalty.value
        ranked = rerank(beam_tree.translations, penalty)[:N_RANKED]
        digits = deciding_digits([found.score(penalty) for found in ranked])
        own_digits = deciding_digits([found.log_prob for found in ranked])
        rows = [
            (
                str(number),
                " ".join(found.tokens) + _sign(found.tokens, beam_tree),
                shown_log_prob(found.score(penalty), digits),
                shown_log_prob(found.log_prob, own_digits),
                str(found.length),
                found.place,
            )
            for number, found in enumerate(ranked, start=1)
        ]
        head = (
            "rank",
            "translation",
            f"log p / length^{penalty:.1f}",
            "log p",
            "length",
            "in the search",
        )
        return (
            "Complete translations that the search has scored, ranked with length penalty "
            f"{penalty:.1f}:{table(head, rows)}The penalty re-ranks what one search (without a "
            "penalty) has found. It cannot bring back a hypothesis that was pruned on the way: a "
            "search with this penalty might keep others. One that “never had a place” may rank "
            "high: those that were better at its step ended worse."
        )


def _sign(tokens: Words, beam_tree: BeamTree) -> str:
    return " ●" * (tokens == beam_tree.greedy) + " ★" * (tokens == beam_tree.mode)


def _row(node: Node, beam_tree: BeamTree, digits: int) -> tuple[str, ...]:
    words = " ".join(word if word != END else "(end)" for word in node.words) + beam_tree.marks(
        node
    )
    fate = node.fate
    if fate == PRUNED and node.pruned_by is not None:
        fate = (
            f"pruned: “{' '.join(node.pruned_by[-3:]).replace(END, '(end)')}” and those above are "
            "more probable"
        )
    log_prob = node.candidate.log_prob
    return (
        str(node.candidate.rank + 1),
        words,
        shown_log_prob(log_prob, digits),
        percent(log_prob),
        fate,
    )
