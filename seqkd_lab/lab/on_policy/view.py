"""Exposure explorer: how far student and teacher are apart along gold, the teacher's and the
student's own words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.distillation.exposure import STUDENT, WRITERS
from seqkd_lab.lab.on_policy.picture import (
    NAMES,
    ExposureDrawing,
    beta_in_words,
    most_nats,
    worst_place,
)
from seqkd_lab.lab.on_policy.table import BETAS, ExposureTable, ShownSentence
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.distribution_columns import said
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    end_at,
    prefix_html,
    sentence_chooser,
    shortened,
    slider,
    student_chooser,
    unheard,
)


class ExposureExplorer(View):
    """Tables of several students by name, made beforehand by `exposure_table` for the same sources.

    Controls: `student`, `sentence`, `writer` (whose translation is read), `beta`, and `place` in it
    (from 1). Raises ValueError without a student, and for tables of other sources.
    """

    def __init__(self, tables: Mapping[str, ExposureTable]) -> None:
        self.tables = dict(tables)
        self.student = student_chooser(self.tables, nobody=False)
        sources = next(iter(self.tables.values())).sources
        if any(table.sources != sources for table in self.tables.values()):
            raise ValueError("the students' tables must show the same sentences")
        self.sentence = sentence_chooser(sources)
        self.writer = widgets.Dropdown(
            options=[(NAMES[writer], writer) for writer in WRITERS],
            value=STUDENT,
            description="read along",
            style=STYLE,
            layout=WIDE,
        )
        self.beta = widgets.SelectionSlider(
            options=[(f"{beta:g}", beta) for beta in BETAS],
            value=1.0,
            description="β",
            style=STYLE,
            layout=WIDE,
        )
        self.place = slider("place", 1, 1, 2)
        self._drawing = ExposureDrawing(most_nats(list(self.tables.values())))
        super().__init__(
            [self.student, self.sentence, self.writer, self.beta, self.place], self._drawing.picture
        )
        for control in (self.beta, self.place):
            control.observe(self.draw, "value")
        for control in (self.student, self.sentence, self.writer):
            control.observe(self._open, "value")
        self._open()

    @property
    def data(self) -> ShownSentence:
        """The translation that is read."""
        return self.tables[self.student.value].sentences[self.writer.value][self.sentence.value]

    def _open(self, _: dict | None = None) -> None:
        """Goes to the worst place of a translation that is opened."""
        shown = self.data
        with unheard(self.place, self.draw):
            end_at(self.place, len(shown.tokens))
            self.place.value = worst_place(shown, self.beta.value) + 1
        self.draw()

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        table, shown = self.tables[self.student.value], self.data
        place = self.place.value - 1
        self._drawing.show(table, self.sentence.value, self.writer.value, self.beta.value, place)
        source = escape(shortened(" ".join(table.sources[self.sentence.value])))
        self.show(
            f"<b>{source}</b><br>{prefix_html(shown.tokens[:-1], place)}<br>{self._said(table, shown, place)}"  # noqa: E501
        )

    def _said(self, table: ExposureTable, shown: ShownSentence, place: int) -> str:
        """The numbers of the place, and of all places."""
        beta = self.beta.value
        likeliest = [
            escape(said(table.words[int(distribution[place].argmax())]))
            for distribution in (shown.teacher, shown.student)
        ]
        nats = shown_number(float(shown.divergence[BETAS.index(beta)][place]), 3)
        means = ", ".join(
            f"{NAMES[writer]} {shown_number(table.per_token(writer, beta), 3)}"
            for writer in WRITERS
        )
        return (
            f"{escape(beta_in_words(beta))}: {nats} nats at place {place + 1}, where the teacher "
            f"would write “{likeliest[0]}” first and the student “{likeliest[1]}”. Mean over all "
            f"sentences, nats a token: {means}."
        )
