"""The attention view: choose a sentence, point at a word of its translation, and see what the
teacher looks at."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.visible import visible
from seqkd_lab.lab.shared.view import STYLE, View, sentence_chooser, unheard
from seqkd_lab.lab.teacher.attention import AttentionReading, read_pair, readable
from seqkd_lab.lab.teacher.attention_picture import AttentionDrawing
from seqkd_lab.lab.teacher.attention_words import weights_in_words
from seqkd_lab.models.lstm import LSTMSeq2Seq


class AttentionView(View):
    """The attention of `model` over the source words before one word of the translation.

    Controls: `sentence`, a pair of `corpus`, and `word`, a button for each word of its translation
    (its value is the word's position). Raises ValueError for an empty corpus, and for a target that
    is no translation of its source.
    """

    begins_anew = {"sentence": ("word",)}

    sentence: widgets.Dropdown
    word: widgets.ToggleButtons

    def __init__(
        self, model: LSTMSeq2Seq, corpus: ParallelCorpus, language: ToyLanguage, position: int = 0
    ) -> None:
        self._read = lru_cache(maxsize=64)(
            lambda pair: read_pair(model, language, corpus.source[pair], corpus.target[pair])
        )
        self._drawing = AttentionDrawing()
        sentence = sentence_chooser(corpus.source)
        self._shown = sentence.value
        word = widgets.ToggleButtons(
            options=word_options(self._read(sentence.value)),
            index=position,
            description="word",
            style={**STYLE, "button_width": "auto"},
        )
        super().__init__({"sentence": sentence, "word": word}, self._drawing.picture)
        self.redraw()

    @property
    def reading(self) -> AttentionReading:
        """The sentence that is shown, as the model reads it."""
        return self._read(self.sentence.value)

    def draw(self) -> str:
        """Draw the attention before the chosen word, and return its largest weights."""
        if self.sentence.value != self._shown:  # of a new sentence the first word is chosen
            self._shown = self.sentence.value
            with unheard(self.word, self.redraw):
                self.word.options = word_options(self.reading)
                self.word.index = 0
        self._drawing.show(self.reading, self.word.value)
        return escape(weights_in_words(self.reading, self.word.value))


def word_options(reading: AttentionReading) -> list[tuple[str, int]]:
    """Return each target word with its position."""
    return [(visible(readable(word)), position) for position, word in enumerate(reading.target)]
