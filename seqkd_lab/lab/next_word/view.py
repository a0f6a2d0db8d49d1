"""Temperature explorer: the teacher's next-word distribution beside the true one, softened by τ."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_word_view import NextWordView
from seqkd_lab.lab.shared.next_words import TEACHER, NextWords, NextWordsDrawing
from seqkd_lab.lab.shared.view import NOBODY, prefix_html, temperature_slider
from seqkd_lab.models.seq2seq import Seq2Seq


class TemperatureExplorer(NextWordView):
    """Bars of teacher, truth and, by choice, a student before one word of a sentence; entropy and
    KL in nats.

    The prefix is gold. τ softens teacher and student, as Word-KD does; the truth has no
    temperature. Controls: `sentence`, `position`, `student` (NOBODY or a name), `temperature`.
    Without a language there is no truth.
    """

    def __init__(
        self,
        teacher: Seq2Seq,
        corpus: ParallelCorpus,
        language: ToyLanguage | None = None,
        students: Mapping[str, Seq2Seq] | None = None,
        n_sentences: int = 30,
    ) -> None:
        self.temperature = temperature_slider()
        self._drawing = NextWordsDrawing()
        super().__init__(
            self._drawing.picture,
            teacher,
            students or {},
            corpus,
            language,
            n_sentences,
            [self.temperature],
            nobody=True,
        )

    @property
    def data(self) -> NextWords:
        """What is shown."""
        return self.reading.next_words(
            self.position.value, self.temperature.value, self.student.value or None
        )

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        names = [TEACHER] if self.student.value == NOBODY else [TEACHER, self.student.value]
        next_words = self.data
        self._drawing.show(next_words, self.reading.order(self.position.value, names))
        self.show(self._text(next_words))

    def _text(self, next_words: NextWords) -> str:
        entropies, divergences = map(_in_nats, (next_words.entropies(), next_words.divergences()))
        missing = "" if next_words.truth is not None else "<br>The truth is not known here."
        return (
            f"{escape(' '.join(self.reading.source))}<br>{prefix_html(self.reading.target, self.position.value)}"  # noqa: E501
            f"<br>entropy (nats): {entropies}<br>KL divergence (nats): "
            f"{divergences or 'nothing to compare with'}{missing}"
        )


def _in_nats(values: Mapping[str, float]) -> str:
    return " · ".join(f"{name} <b>{shown_number(value, 2)}</b>" for name, value in values.items())
