"""Beam explorer: the search step by step, what it threw away and by what, and what a length penalty
prefers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from html import escape
from typing import Any

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.corpus.vocabulary import UNK
from seqkd_lab.decoding.trace import PRUNED, trace_search
from seqkd_lab.lab.beam.game import END, Words
from seqkd_lab.lab.beam.pruned import lost_at
from seqkd_lab.lab.beam.tree import Node, rerank
from seqkd_lab.lab.beam.tree_picture import MOST_BEAM, BeamTree, BeamTreeDrawing, percent_of
from seqkd_lab.lab.shared.digits import deciding_digits, shown_number
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    VisibleHTML,
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


class BeamExplorer(View):
    """The tree of a beam search of one sentence, up to one step, and its translations ranked by a
    length penalty.

    Controls: `sentence` (one of the corpus) or `typed` (any text); `beam_size`, 1 to 10; `step`;
    `length_penalty`, 0 to 2. A typed sentence that is accepted becomes the choice of `sentence`
    (TYPED); a choice from the list empties `typed`; a text that is refused leaves both as they
    were. A sentence or a beam size is searched when it is chosen, once; step and penalty only read
    the trace.
    """

    thinned = {
        "sentence": slice(5),
        "beam_size": slice(0, 6),
        "length_penalty": slice(None, None, 5),
    }

    sentence: widgets.Dropdown
    typed: widgets.Text
    beam_size: widgets.IntSlider
    step: widgets.IntSlider
    length_penalty: widgets.FloatSlider

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
        self._drawing = BeamTreeDrawing()
        self._tree_of = lru_cache(maxsize=64)(self._search)
        look: dict[str, Any] = {"style": STYLE, "layout": WIDE}
        controls = {
            "sentence": sentence_chooser(self.corpus.source),
            "typed": widgets.Text(
                description="or type one",
                placeholder="a sentence, then Enter",
                continuous_update=False,
                **look,
            ),
            "beam_size": slider("K (beam size)", 3, 1, MOST_BEAM, continuous=False),
            "step": slider("step", 1, 1, 2),
            "length_penalty": widgets.FloatSlider(
                0.0, min=0.0, max=2.0, step=0.1, description="length penalty", **look
            ),
        }
        self._listed = controls["sentence"].options
        self.answer = VisibleHTML()  # what the view answers to a typed sentence
        rows = list(controls.values())
        super().__init__(controls, self._drawing.picture, [*rows[:2], self.answer, *rows[2:]])
        self.redraw()

    @property
    def source(self) -> Words:
        """The sentence that is shown."""
        if self.sentence.value == TYPED:
            return tuple(self._tokenise(self.typed.value))
        return self.corpus.source[self.sentence.value]

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

    def redraw(self, event: Any = None) -> None:
        """Take over a sentence that was typed or chosen, let the steps end with its search, and
        draw; a text that cannot be searched is answered only."""
        owner: Any = event["owner"] if event else None
        with (
            unheard(self.typed, self.redraw),
            unheard(self.sentence, self.redraw),
            unheard(self.step, self.redraw),
        ):
            if owner is self.typed and not self._take_typed(event["old"]):
                return
            if owner is self.sentence:
                self.typed.value = self.answer.value = ""
                self._list(self.sentence.value)
            end_at(self.step, len(self.data.columns))
        super().redraw(event)

    def _take_typed(self, before: str) -> bool:
        """Make the typed sentence the choice of the list; or answer why it cannot be searched, put
        the text `before` back, and return False."""
        source = tuple(self._tokenise(self.typed.value))
        fault = self.fault(source)
        if fault is not None:
            self.typed.value = before
            self.answer.value = f"{fault} Still shown: “{escape(shortened(' '.join(self.source)))}”"
            return False
        self._list(TYPED)
        self.answer.value = self._remark(source)
        return True

    def _list(self, chosen: int) -> None:
        """Offer the sentences of the corpus, with the typed one on top while it is the one that is
        chosen."""
        typed = [(f"typed: {shortened(self.typed.value)}", TYPED)] if chosen == TYPED else []
        with self.sentence.hold_sync():
            self.sentence.options = [*typed, *self._listed]
            self.sentence.value = chosen

    def fault(self, source: Words) -> str | None:
        """Return why a sentence cannot be searched, as HTML; None if it can."""
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
        """Return remarks on a sentence that is searched: unknown words, and whether the truth is
        known."""
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

    def draw(self) -> str:
        """Draw the tree up to the step, and return its candidates, the fate of the true mode and
        the ranking."""
        beam_tree, step = self.data, self.step.value
        self._drawing.show(beam_tree, step)
        return (
            f"<b>{escape(shortened(' '.join(self.source)))}</b><br>"
            f"{self._steps_text(beam_tree, step)}{self._mode_text(beam_tree)}"
            f"{self._ranking(beam_tree)}"
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
            f"{shown_number(lost.log_prob, digits)}, the last one that was kept had "
            f"{shown_number(lost.last_kept, digits)}.<br>"
        )

    def _ranking(self, beam_tree: BeamTree) -> str:
        """Return a table of the translations that the search has scored, ranked with the
        penalty."""
        penalty = self.length_penalty.value
        ranked = rerank(beam_tree.translations, penalty)[:N_RANKED]
        digits = deciding_digits([translation.score(penalty) for translation in ranked])
        own_digits = deciding_digits([translation.log_prob for translation in ranked])
        rows = [
            (
                str(number),
                " ".join(translation.tokens) + _sign(translation.tokens, beam_tree),
                shown_number(translation.score(penalty), digits),
                shown_number(translation.log_prob, own_digits),
                str(translation.length),
                translation.standing,
            )
            for number, translation in enumerate(ranked, start=1)
        ]
        score = f"log p / length^{penalty:.1f}"
        head = ("rank", "translation", score, "log p", "length", "in the search")
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
    """Return the cells of one candidate."""
    words = " ".join(node.words).replace(END, "(end)") + beam_tree.marks(node)
    fate, log_prob = node.fate, node.candidate.log_prob
    if fate == PRUNED and node.pruned_by is not None:
        last = " ".join(node.pruned_by[-3:]).replace(END, "(end)")
        fate = f"pruned: “{last}” and those above are more probable"
    rank, number = str(node.candidate.rank + 1), shown_number(log_prob, digits)
    return rank, words, number, percent_of(log_prob), fate
