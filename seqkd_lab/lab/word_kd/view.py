"""Interpolation explorer: what α and τ make of the target, the loss and its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_word_view import NextWordView
from seqkd_lab.lab.shared.view import (
    alpha_slider,
    first,
    prefix_html,
    student_chooser,
    temperature_slider,
)
from seqkd_lab.lab.word_kd.mixing import MixingDrawing, Mixture, mixture_at, shown_words
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import TEACHER


class InterpolationExplorer(NextWordView):
    """Hard, soft and mixed target beside a student, and the gradient of losses.WordKD by each
    word's logit.

    Controls: `sentence`, `position`, `student`, `alpha` (0: gold alone, 1: the teacher alone),
    `temperature`. Raise ValueError without a student.
    """

    thinned = {
        "sentence": slice(5),
        "alpha": slice(None, None, 5),
        "temperature": slice(None, None, 2),
    }

    alpha: widgets.FloatSlider
    temperature: widgets.SelectionSlider

    def __init__(
        self,
        teacher: Seq2Seq,
        students: Mapping[str, Seq2Seq],
        corpus: ParallelCorpus,
        n_sentences: int = 30,
    ) -> None:
        self._drawing = MixingDrawing()
        super().__init__(
            self._drawing.picture,
            {TEACHER: teacher, **students},
            first(corpus, n_sentences),
            None,
            student_chooser(students, nobody=False),
            {"alpha": alpha_slider(), "temperature": temperature_slider()},
        )

    @property
    def data(self) -> Mixture:
        """The targets, losses and gradient that are shown."""
        position, student = self.position.value, self.student.value
        return mixture_at(self.reading, position, student, self.alpha.value, self.temperature.value)

    def draw(self) -> str:
        """Draw the targets and the gradient, and return the loss in numbers."""
        mixture, reading, position = self.data, self.reading, self.position.value
        order = shown_words(reading, position, self.student.value)
        self._drawing.show(mixture, order, reading.vocabulary.tokens)
        alpha, tau = self.alpha.value, self.temperature.value
        word_kd, nll, loss = (
            shown_number(nats, 3) for nats in (mixture.word_kd, mixture.nll, mixture.loss)
        )
        rule = (
            "p − mixed target"
            if tau == 1.0
            else "(1 − α)(p − hard) + α τ (p<sub>τ</sub> − q<sub>τ</sub>)"
        )
        return (
            f"{escape(' '.join(reading.source))}<br>{prefix_html(reading.target, position)}<br>"
            f"loss = α · Word-KD + (1 − α) · NLL = {alpha:.2f} · {word_kd} + {1 - alpha:.2f} · "
            f"{nll} = <b>{loss}</b> nats (Word-KD with its factor τ² = "
            f"{tau * tau:.2f})<br>gradient by the student's logits: {rule}; its size (sum of "
            f"absolute values) <b>{float(mixture.gradient.abs().sum()):.3f}</b>"
        )
