"""What the two next-word views share: a sentence pair that the models have read, and a position in
its target."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.view import View, end_at, sentence_chooser, slider, unheard
from seqkd_lab.models.seq2seq import Seq2Seq


class NextWordView(View):
    """A view with the controls `sentence`, `position` (0 is before the first target word) and
    `student`, and those that a subclass adds; `reading` is the sentence.

    Each sentence is read by all models once, when it is first chosen.
    """

    sentence: widgets.Dropdown
    position: widgets.IntSlider
    student: widgets.Dropdown

    def __init__(
        self,
        picture: BlittedFigure,
        models: Mapping[str, Seq2Seq],
        corpus: ParallelCorpus,
        language: ToyLanguage | None,
        student: widgets.Dropdown,
        more: Mapping[str, widgets.Widget],
    ) -> None:
        self.models, self.corpus, self.language = models, corpus, language
        self._readings: dict[int, SentenceReading] = {}
        controls = {
            "sentence": sentence_chooser(corpus.source),
            "position": slider("position", 0, 0, 1),
            "student": student,
        }
        super().__init__({**controls, **more}, picture)
        self.redraw()

    @property
    def reading(self) -> SentenceReading:
        """What the models predict along the chosen sentence."""
        number = self.sentence.value
        if number not in self._readings:
            source, target = self.corpus.source[number], self.corpus.target[number]
            self._readings[number] = SentenceReading(self.models, source, target, self.language)
        return self._readings[number]

    def redraw(self, event: object = None) -> None:
        """Let the positions end with the sentence, and draw."""
        with unheard(self.position, self.redraw):
            end_at(self.position, len(self.reading) - 1)
        super().redraw(event)
