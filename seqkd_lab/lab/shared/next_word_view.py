"""What the two next-word views share: a sentence pair that the models have read, and a position in
its target."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.next_words import TEACHER, SentenceReading
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.view import (
    View,
    end_at,
    first,
    sentence_chooser,
    slider,
    student_chooser,
    unheard,
)
from seqkd_lab.models.seq2seq import Seq2Seq


class NextWordView(View):
    """Controls `sentence`, `position` (0 is before the first target word) and `student`; `reading`
    is the sentence.

    A sentence is read by all models when it is chosen, once.
    """

    def __init__(
        self,
        picture: BlittedFigure,
        teacher: Seq2Seq,
        students: Mapping[str, Seq2Seq],
        corpus: ParallelCorpus,
        language: ToyLanguage | None,
        n_sentences: int,
        more: list,
        nobody: bool,
    ) -> None:
        self.models = {TEACHER: teacher, **students}
        self.corpus, self.language = first(corpus, n_sentences), language
        self.sentence = sentence_chooser(self.corpus.source)
        self.position = slider("position", 0, 0, 1)
        self.student = student_chooser(students, nobody)
        self._readings: dict[int, SentenceReading] = {}
        super().__init__([self.sentence, self.position, self.student, *more], picture)
        self._open_sentence()
        self.sentence.observe(self._open_sentence, "value")
        for control in (self.position, self.student, *more):
            control.observe(self.draw, "value")

    @property
    def reading(self) -> SentenceReading:
        """What the models say of the sentence at hand."""
        place = self.sentence.value
        if place not in self._readings:
            source, target = self.corpus.source[place], self.corpus.target[place]
            self._readings[place] = SentenceReading(self.models, source, target, self.language)
        return self._readings[place]

    def _open_sentence(self, _: dict | None = None) -> None:
        with unheard(self.position, self.draw):
            end_at(self.position, len(self.reading) - 1)
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        raise NotImplementedError
