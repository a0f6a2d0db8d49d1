"""Temperature explorer: the teacher's next-word distribution beside the true one, softened by τ."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_word_view import NextWordView
from seqkd_lab.lab.shared.next_words import TEACHER, NextWords, NextWordsDrawing
from seqkd_lab.lab.shared.view import first, prefix_html, student_chooser, temperature_slider
from seqkd_lab.models.seq2seq import Seq2Seq


class TemperatureExplorer(NextWordView):
    """Bars of teacher, truth and, by choice, a student before one word of a sentence; entropy and
    KL in nats.

    The prefix is gold. τ softens teacher and student, as Word-KD does; the truth has no
    temperature. Controls: `sentence`, `position`, `student` (NOBODY or a name), `temperature`.
    Without a language there is no truth.
    """

    thinned = {"sentence": slice(12)}

    temperature: widgets.SelectionSlider

    def __init__(
        self,
        teacher: Seq2Seq,
        corpus: ParallelCorpus,
        language: ToyLanguage | None = None,
        students: Mapping[str, Seq2Seq] | None = None,
        n_sentences: int = 30,
    ) -> None:
        self._drawing = NextWordsDrawing()
        super().__init__(
            self._drawing.picture,
            {TEACHER: teacher, **(students or {})},
            first(corpus, n_sentences),
            language,
            student_chooser(students or {}, nobody=True),
            {"temperature": temperature_slider()},
        )

    @property
    def data(self) -> NextWords:
        """The distributions that are shown."""
        student = self.student.value or None
        return self.reading.next_words(self.position.value, self.temperature.value, student)

    def draw(self) -> str:
        """Draw the bars at the position, and return entropies and divergences."""
        next_words, student = self.data, self.student.value
        names = [TEACHER, student] if student else [TEACHER]
        self._drawing.show(next_words, self.reading.order(self.position.value, names))
        entropies, divergences = map(_in_nats, (next_words.entropies(), next_words.divergences()))
        unknown = "" if next_words.truth is not None else "<br>The truth is not known here."
        return (
            f"{escape(' '.join(self.reading.source))}<br>"
            f"{prefix_html(self.reading.target, self.position.value)}"
            f"<br>entropy (nats): {entropies}<br>KL divergence (nats): "
            f"{divergences or 'nothing to compare with'}{unknown}"
        )


def _in_nats(values: Mapping[str, float]) -> str:
    return " · ".join(
        f"{escape(name)} <b>{shown_number(value, 2)}</b>" for name, value in values.items()
    )
