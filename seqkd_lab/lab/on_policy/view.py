"""Exposure explorer: how far student and teacher are apart along gold, the teacher's and the
student's own words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.distillation.exposure import STUDENT, WRITERS
from seqkd_lab.lab.on_policy.explorer import (
    BETAS,
    NAMES,
    ExposureDrawing,
    ExposureTable,
    ShownSentence,
    beta_in_words,
    most_nats,
)
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.distribution_columns import display_word
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

    Controls: `student`, `sentence`, `writer` (whose translation is read), `beta`, and `position` in
    it (from 1). Raises ValueError without a student, and for tables of other sources.
    """

    begins_anew = {name: ("position",) for name in ("student", "sentence", "writer")}
    thinned = {"sentence": slice(6), "beta": slice(None, None, 5)}

    student: widgets.Dropdown
    sentence: widgets.Dropdown
    writer: widgets.Dropdown
    beta: widgets.SelectionSlider
    position: widgets.IntSlider

    def __init__(self, tables: Mapping[str, ExposureTable]) -> None:
        self.tables = dict(tables)
        student = student_chooser(self.tables, nobody=False)
        sources = next(iter(self.tables.values())).sources
        if any(table.sources != sources for table in self.tables.values()):
            raise ValueError("the students' tables must show the same sentences")
        writers = [(NAMES[writer], writer) for writer in WRITERS]
        betas = [(f"{beta:g}", beta) for beta in BETAS]
        looks = {"style": STYLE, "layout": WIDE}
        controls = {
            "student": student,
            "sentence": sentence_chooser(sources),
            "writer": widgets.Dropdown(
                options=writers, value=STUDENT, description="read along", **looks
            ),
            "beta": widgets.SelectionSlider(options=betas, value=1.0, description="β", **looks),
            "position": slider("position", 1, 1, 2),
        }
        self._drawing = ExposureDrawing(most_nats(list(self.tables.values())))
        self._opened: ShownSentence | None = None
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> ShownSentence:
        """The translation that is read."""
        return self.tables[self.student.value].sentences[self.writer.value][self.sentence.value]

    def draw(self) -> str:
        """Show what the controls say; a translation that is opened starts at its worst position."""
        table, shown, beta = self.tables[self.student.value], self.data, self.beta.value
        if shown is not self._opened:
            self._opened = shown
            with unheard(self.position, self.redraw):
                end_at(self.position, len(shown.tokens))
                self.position.value = shown.worst(beta) + 1
        position = self.position.value - 1
        self._drawing.show(table, self.sentence.value, self.writer.value, beta, position)
        source = escape(shortened(" ".join(table.sources[self.sentence.value])))
        prefix = prefix_html(shown.tokens[:-1], position)
        return f"<b>{source}</b><br>{prefix}<br>{self._in_words(table, shown, position)}"

    def _in_words(self, table: ExposureTable, shown: ShownSentence, position: int) -> str:
        """The numbers of the position, and of all positions."""
        beta = self.beta.value
        teacher, student = (
            escape(display_word(table.words[int(distribution[position].argmax())]))
            for distribution in (shown.teacher, shown.student)
        )
        nats = shown_number(float(shown.divergence[BETAS.index(beta)][position]), 3)
        means = ", ".join(
            f"{NAMES[writer]} {shown_number(table.per_token(writer, beta), 3)}"
            for writer in WRITERS
        )
        return (
            f"{escape(beta_in_words(beta))}: {nats} nats at position {position + 1}, where the "
            f"teacher would write “{teacher}” first and the student “{student}”. Mean over all "
            f"sentences, nats a token: {means}."
        )
