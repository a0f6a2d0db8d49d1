"""Divergence of student and teacher by place, along what gold, teacher and student wrote, above one
translation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.distillation.exposure import GOLD, STUDENT, TEACHER, WRITERS
from seqkd_lab.lab.on_policy.table import BETAS, ExposureTable, ShownSentence
from seqkd_lab.lab.shared.bars import REST, BarRows
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.distribution_columns import column, said
from seqkd_lab.lab.shared.next_words import likeliest
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label, label_axes
from seqkd_lab.lab.shared.style import BLACK, BLUE, BROWN, ORANGE, SIZE, VERMILION

LOOKS = {GOLD: (ORANGE, "^"), TEACHER: (BLUE, "o"), STUDENT: (VERMILION, "s")}
KEYS = {GOLD: BROWN, TEACHER: BLUE, STUDENT: VERMILION}
NAMES = {GOLD: "gold", TEACHER: "teacher's sample", STUDENT: "student's sample"}
N_COLUMNS, N_ROWS, N_WORDS, N_PLACES = 10, 2, 5, 22
LEAST_SENTENCES = 20
"""A place of a curve needs so many translations that reach it."""
WIDE_WORD = 10
DARKEST = 3.0
"""Nats: from here on a box has its full colour; its number tells more."""


def most_nats(tables: Sequence[ExposureTable]) -> float:
    """The top of a scale that holds every curve of every table, whatever is chosen."""
    top = max(
        max(table.curve(writer, beta, LEAST_SENTENCES), default=0.0)
        for table in tables
        for writer in WRITERS
        for beta in BETAS
    )
    return max(0.5, math.ceil(13.0 * top) / 10.0)  # with room for the key


def beta_in_words(beta: float) -> str:
    """What a β measures."""
    ends = {0.0: "β = 0: forward KL(p_T‖p_S)", 1.0: "β = 1: reverse KL(p_S‖p_T)"}
    return ends.get(beta, f"β = {beta:g}: JSD_β / (β (1 − β))")


def first_shown(place: int) -> int:
    """The first place (from 0) that has a box when `place` is chosen: whole rows scroll."""
    row = place // N_COLUMNS
    return max(0, row - N_ROWS + 1) * N_COLUMNS


class ExposureDrawing:
    """Above, the three curves and the laws at the chosen place; below, the chosen translation, a
    box a word."""

    def __init__(self, most: float) -> None:
        figure = Figure(figsize=(12, 7.2))
        curves = figure.add_axes((0.075, 0.49, 0.545, 0.44))
        curves.set(xlim=(0.3, N_PLACES + 0.7), ylim=(0.0, most))
        curves.set_xticks(range(2, N_PLACES + 1, 2))
        label_axes(curves, "place t in the translation", "nats, mean over sentences")
        self._lines = {
            writer: curves.plot([], [], f"{mark}-", color=colour, markersize=6)[0]
            for writer, (colour, mark) in LOOKS.items()
        }
        self._here = curves.axvline(1, color=BLACK, linewidth=1.5, linestyle=":")
        self._title = add_label(curves, 0.4, most * 1.045)
        self._keys = {
            writer: add_label(
                curves,
                N_PLACES + 0.4,
                most * (0.94 - 0.075 * row),
                color=KEYS[writer],
                ha="right",
                bbox={"color": "white", "pad": 1},
            )
            for row, writer in enumerate(WRITERS)
        }
        distributions = figure.add_axes((0.765, 0.49, 0.215, 0.44))
        self._laws = BarRows(distributions, ("p_T", "p_S"), (BLUE, VERMILION), N_WORDS + 1)
        self._law_title = add_label(distributions, 0.0, -0.82)
        distributions.set_xlim(0.0, 1.3)
        distributions.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
        distributions.set_xlabel("probability of the next word", fontsize=SIZE)
        self._make_boxes(figure.add_axes((0.005, 0.015, 0.99, 0.375)))
        labels = [
            self._title,
            *self._keys.values(),
            self._law_title,
            *self._words,
            *self._numbers,
            self._head,
        ]
        self.picture = BlittedFigure(
            figure,
            [
                *self._lines.values(),
                self._here,
                *self._laws.animated,
                self._boxes,
                self._frame,
                *labels,
            ],
        )

    def _make_boxes(self, axes) -> None:
        axes.axis("off")
        axes.set(xlim=(-0.02, N_COLUMNS), ylim=(N_ROWS - 0.4, -0.85))
        self._boxes = axes.add_collection(PolyCollection([], edgecolor="#bbbbbb", linewidths=1.2))
        self._frame = axes.add_patch(
            Rectangle((0, 0), 0.96, 0.88, fill=False, edgecolor=BLACK, linewidth=2.4)
        )
        places = [(column, row) for row in range(N_ROWS) for column in range(N_COLUMNS)]
        self._words = [
            add_label(axes, column + 0.46, row - 0.17, ha="center") for column, row in places
        ]
        self._numbers = [
            add_label(axes, column + 0.46, row + 0.21, ha="center") for column, row in places
        ]
        self._head = add_label(axes, 0.0, -0.66)

    def show(
        self, table: ExposureTable, sentence: int, writer: str, beta: float, place: int
    ) -> None:
        """Shows place `place` (from 0) of what `writer` wrote for a sentence; β is one of BETAS."""
        for other, line in self._lines.items():
            values = table.curve(other, beta, LEAST_SENTENCES)[:N_PLACES]
            line.set_data(range(1, len(values) + 1), values)
            line.set_linewidth(3.5 if other == writer else 1.5)
            mean = shown_number(table.per_token(other, beta), 2)
            self._keys[other].set_text(f"along {NAMES[other]}: {mean} nats a token")
        self._here.set_xdata([place + 1, place + 1])
        self._title.set_text(beta_in_words(beta))
        shown = table.sentences[writer][sentence]
        self._show_laws(shown, table.words, place)
        self._show_boxes(shown, shown.divergence[BETAS.index(beta)].tolist(), place)
        self._head.set_text(f"{NAMES[writer]}; below each word the nats where it is written")

    def _show_laws(self, shown: ShownSentence, words: Sequence[str], place: int) -> None:
        p, q = shown.teacher[place], shown.student[place]
        order = likeliest([p, q], N_WORDS)
        names = [*(said(words[word]) for word in order), REST]
        self._laws.show(names, [column(p, order), column(q, order)], decimals=2)
        self._law_title.set_text(f"place {place + 1}: blue p_T, red p_S")

    def _show_boxes(self, shown: ShownSentence, nats: Sequence[float], place: int) -> None:
        start = first_shown(place)
        corners, colours = [], []
        for box, (word, number) in enumerate(zip(self._words, self._numbers, strict=True)):
            there = start + box < len(shown.tokens)
            text = said(shown.tokens[start + box]) if there else ""
            size = SIZE if len(text) <= WIDE_WORD else max(7.0, SIZE * WIDE_WORD / len(text))
            word.set(text=text, fontsize=size)
            number.set_text(shown_number(nats[start + box], 2) if there else "")
            if there:
                x, y = box % N_COLUMNS, box // N_COLUMNS
                corners.append(
                    [(x, y - 0.42), (x + 0.92, y - 0.42), (x + 0.92, y + 0.42), (x, y + 0.42)]
                )
                colours.append(to_rgba(VERMILION, 0.55 * min(1.0, nats[start + box] / DARKEST)))
        self._boxes.set_verts(corners)
        self._boxes.set_facecolor(colours)
        self._frame.set_xy(
            ((place - start) % N_COLUMNS - 0.02, (place - start) // N_COLUMNS - 0.44)
        )


def exposure_figure(
    table: ExposureTable,
    sentence: int = 0,
    writer: str = STUDENT,
    beta: float = 1.0,
    place: int | None = None,
) -> Figure:
    """Still twin of the ExposureExplorer; without `place`, that of the largest divergence. Raises
    ValueError for a β, a writer or a place that the table does not have."""
    if beta not in BETAS or writer not in WRITERS:
        raise ValueError(
            f"β is one of {BETAS} and the writer one of {WRITERS}; got {beta} and {writer!r}"
        )
    shown = table.sentences[writer][sentence]
    place = worst_place(shown, beta) if place is None else place
    if not 0 <= place < len(shown.tokens):
        raise ValueError(f"the translation has places 0 to {len(shown.tokens) - 1}; got {place}")
    drawing = ExposureDrawing(most_nats([table]))
    drawing.show(table, sentence, writer, beta, place)
    return drawing.picture.figure


def worst_place(shown: ShownSentence, beta: float) -> int:
    """Where teacher and student are furthest apart."""
    return int(torch.argmax(shown.divergence[BETAS.index(beta)]))
