"""The attention view: choose a sentence, point at a word of its translation, and see what the
teacher looks at."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.view import STYLE, View, sentence_chooser
from seqkd_lab.lab.teacher.attention import AttentionReading, read_pair
from seqkd_lab.lab.teacher.figures import AttentionDrawing, readable
from seqkd_lab.lab.teacher.words import weights_in_words
from seqkd_lab.models.lstm import LSTMSeq2Seq


class AttentionView(View):
    """The attention of `model` over the source words before one word of the translation.

    Controls: `sentence`, a pair of `corpus`, and `word`, a button for each word of its translation
    (its value is the word's position). Raises ValueError for an empty corpus, and for a target that
    is no translation of its source.
    """

    def __init__(
        self, model: LSTMSeq2Seq, corpus: ParallelCorpus, language: ToyLanguage, position: int = 0
    ) -> None:
        self._read = lru_cache(maxsize=64)(
            lambda pair: read_pair(model, language, corpus.source[pair], corpus.target[pair])
        )
        self.sentence = sentence_chooser(corpus.source)
        self.word = widgets.ToggleButtons(
            options=self._options(),
            index=position,
            description="word",
            style={**STYLE, "button_width": "auto"},
        )
        self._drawing = AttentionDrawing()
        super().__init__([self.sentence, self.word], self._drawing.picture)
        self.draw()
        self.sentence.observe(self._open_sentence, "value")
        self.word.observe(self.draw, "value")

    @property
    def reading(self) -> AttentionReading:
        """The sentence that is shown, as the model reads it."""
        return self._read(self.sentence.value)

    def _options(self) -> list[tuple[str, int]]:
        return [(readable(word), position) for position, word in enumerate(self.reading.target)]

    def _open_sentence(self, _: dict) -> None:
        """Offers the words of the new sentence; the first one is chosen."""
        self.word.unobserve(self.draw, "value")
        self.word.options = self._options()
        self.word.index = 0
        self.word.observe(self.draw, "value")
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        self._drawing.show(self.reading, self.word.value)
        self.show(escape(weights_in_words(self.reading, self.word.value)))
