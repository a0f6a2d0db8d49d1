"""Divergence of student and teacher by position, along what gold, teacher and student wrote, above
one translation: its numbers and its picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.distillation.exposure import (
    GOLD,
    STUDENT,
    TEACHER,
    WRITERS,
    PlaceSums,
    along,
    written_by,
)
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.lab.on_policy.figures import role_of_arm
from seqkd_lab.lab.shared.bars import REST, BarRows
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.distribution_columns import column, display_word
from seqkd_lab.lab.shared.next_words import likeliest
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import (
    BLACK,
    LIGHT_GREY,
    OWN,
    SIZE,
    VERMILION,
    ready,
    role_of,
    styled,
)
from seqkd_lab.models.seq2seq import Seq2Seq

BETAS = tuple(round(0.1 * step, 1) for step in range(11))
"""From forward KL to reverse KL; between them JSD_β divided by β (1 − β), so that nothing jumps."""
NAMES = {GOLD: "gold", TEACHER: "teacher's sample", STUDENT: "student's sample"}
N_COLUMNS = 10
N_ROWS = 2
N_WORDS = 5
N_POSITIONS = 22
LEAST_SENTENCES = 20
"""A position of a curve needs so many translations that reach it."""
WIDE_WORD = 10
DARKEST = 3.0
"""Nats: from here on a box has its full colour; its number tells more."""


@dataclass(frozen=True)
class ShownSentence:
    """One writer's translation: its tokens, "</s>" the last; the divergence (len(BETAS), T) at each
    of them; and there the distributions p_T and p_S (T, V) of teacher and student."""

    tokens: tuple[str, ...]
    divergence: Tensor
    teacher: Tensor
    student: Tensor

    def worst(self, beta: float) -> int:
        """Return the position (from 0) at which teacher and student are furthest apart."""
        return int(torch.argmax(self.divergence[BETAS.index(beta)]))


@dataclass(frozen=True)
class ExposureTable:
    """One student: the mean by position over many sentences, for each of WRITERS and BETAS, and
    some sentences in full.

    words: the target vocabulary's tokens.
    """

    sources: tuple[tuple[str, ...], ...]
    curves: Mapping[str, Sequence[PlaceSums]]
    sentences: Mapping[str, Sequence[ShownSentence]]
    words: tuple[str, ...]

    def curve(self, writer: str, beta: float, least: int = 1) -> list[float]:
        """Return the mean at each position that at least `least` translations have."""
        sums = self.curves[writer][BETAS.index(beta)]
        return (sums.total / sums.count)[sums.count >= least].tolist()

    def per_token(self, writer: str, beta: float) -> float:
        """Return the mean over all tokens of all sentences."""
        return self.curves[writer][BETAS.index(beta)].per_token


def exposure_table(
    student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, n_shown: int = 12, seed: int = 1
) -> ExposureTable:
    """Measure `student` over the sources of `corpus`, `n_shown` of them in full. Raise ValueError
    without any."""
    n_shown = min(n_shown, len(corpus))
    if n_shown < 1:
        raise ValueError(f"need at least one sentence; got {n_shown}")
    measures = [Divergence(beta, scaled=True).per_token for beta in BETAS]
    written = written_by(student, teacher, corpus, seed)
    curves = {writer: along(student, teacher, written[writer], measures) for writer in WRITERS}
    sentences = {
        writer: [shown_sentence(student, teacher, pairs[i : i + 1]) for i in range(n_shown)]
        for writer, pairs in written.items()
    }
    sources = corpus.source[:n_shown]
    return ExposureTable(sources, curves, sentences, student.target_vocabulary.tokens)


@torch.inference_mode()
def shown_sentence(student: Seq2Seq, teacher: Seq2Seq, pair: ParallelCorpus) -> ShownSentence:
    """Measure the one pair of `pair`, position by position."""
    batch = make_batch(encode(pair, student.source_vocabulary, student.target_vocabulary), [0])
    own, other = student(batch), teacher(batch)
    rows = [Divergence(beta, scaled=True).per_token(own, batch, other)[0] for beta in BETAS]
    tokens = (*pair.target[0], SPECIALS[EOS])
    return ShownSentence(tokens, torch.stack(rows), other[0].softmax(dim=1), own[0].softmax(dim=1))


def telling_position(table: ExposureTable, most: float = 2.0) -> tuple[ShownSentence, int]:
    """Return one of the student's shown samples, and the position (from 0) in it where the two
    distributions differ most among those whose divergence is below `most` nats at every β (of all
    positions the least one, where none is): further apart, each would be one bar."""
    candidates = [
        (float(shown.divergence[:, position].max()), shown, position)
        for shown in table.sentences[STUDENT]
        for position in range(len(shown.tokens))
    ]
    below = [candidate for candidate in candidates if candidate[0] < most]
    choose, among = (max, below) if below else (min, candidates)
    _, shown, position = choose(among, key=lambda candidate: candidate[0])
    return shown, position


def most_nats(tables: Sequence[ExposureTable]) -> float:
    """Return the top of a scale that holds every curve of every table, whatever is chosen."""
    top = max(
        max(table.curve(writer, beta, LEAST_SENTENCES), default=0.0)
        for table in tables
        for writer in WRITERS
        for beta in BETAS
    )
    return max(0.5, math.ceil(13.0 * top) / 10.0)  # with room for the key


def beta_in_words(beta: float) -> str:
    """Return in words what a β measures."""
    ends = {0.0: "β = 0: forward KL(p_T‖p_S)", 1.0: "β = 1: reverse KL(p_S‖p_T)"}
    return ends.get(beta, f"β = {beta:g}: JSD_β / (β (1 − β))")


def first_shown(position: int) -> int:
    """Return the first position (from 0) that has a box when `position` is chosen: whole rows
    scroll."""
    row = position // N_COLUMNS
    return max(0, row - N_ROWS + 1) * N_COLUMNS


class ExposureDrawing:
    """Above, the three curves and the distributions at the chosen position; below, the chosen
    translation, a box a word. `most` is the top of the curves' scale, in nats."""

    @styled
    def __init__(self, most: float) -> None:
        figure = Figure(figsize=(12, 7.2))
        self._make_curves(ready(figure.add_axes((0.075, 0.49, 0.545, 0.44))), most)
        axes = figure.add_axes((0.765, 0.49, 0.215, 0.44))
        colours = role_of(TEACHER).colour, role_of(OWN).colour
        self._bars = BarRows(axes, ("p_T", "p_S"), colours, N_WORDS + 1)
        self._bars_title = add_label(axes, 0.0, -0.82)
        axes.set_xlim(0.0, 1.3)
        axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
        axes.set_xlabel("probability of the next word")
        self._make_boxes(figure.add_axes((0.005, 0.015, 0.99, 0.375)))
        labels = [self._title, *self._keys.values(), self._bars_title, self._head]
        lines = [*self._lines.values(), self._here]
        boxes = [self._boxes, self._frame, *self._words, *self._numbers]
        self.picture = BlittedFigure(figure, [*lines, *self._bars.animated, *boxes, *labels])

    def _make_curves(self, axes: Axes, most: float) -> None:
        axes.set(xlim=(0.3, N_POSITIONS + 0.7), ylim=(0.0, most))
        axes.set_xticks(range(2, N_POSITIONS + 1, 2))
        axes.set(xlabel="position t in the translation", ylabel="nats, mean over sentences")
        self._here = axes.axvline(1, color=BLACK, linewidth=1.5, linestyle=":")
        self._title = add_label(axes, 0.4, most * 1.045)
        self._lines, self._keys = {}, {}
        for row, writer in enumerate(WRITERS):
            role = role_of_arm(writer)
            line = axes.plot([], [], markersize=6, **role.line)[0]
            key = add_label(axes, N_POSITIONS + 0.4, most * (0.94 - 0.075 * row), color=role.text)
            key.set(ha="right", bbox={"color": "white", "pad": 1})
            self._lines[writer], self._keys[writer] = line, key

    def _make_boxes(self, axes: Axes) -> None:
        axes.axis("off")
        axes.set(xlim=(-0.02, N_COLUMNS), ylim=(N_ROWS - 0.4, -0.85))
        self._boxes = PolyCollection([], edgecolor=LIGHT_GREY, linewidths=1.2)
        self._frame = Rectangle((0, 0), 0.96, 0.88, fill=False, edgecolor=BLACK, linewidth=2.4)
        axes.add_collection(self._boxes)
        axes.add_patch(self._frame)
        cells = [(column + 0.46, row) for row in range(N_ROWS) for column in range(N_COLUMNS)]
        self._words = [add_label(axes, x, row - 0.17, ha="center") for x, row in cells]
        self._numbers = [add_label(axes, x, row + 0.21, ha="center") for x, row in cells]
        self._head = add_label(axes, 0.0, -0.66)

    def show(
        self, table: ExposureTable, sentence: int, writer: str, beta: float, position: int
    ) -> None:
        """Show a position (from 0) of what `writer` wrote for a sentence; β is one of BETAS."""
        for other, line in self._lines.items():
            values = table.curve(other, beta, LEAST_SENTENCES)[:N_POSITIONS]
            line.set_data(range(1, len(values) + 1), values)
            line.set_linewidth(3.5 if other == writer else 1.5)
            mean = shown_number(table.per_token(other, beta), 2)
            self._keys[other].set_text(f"along {NAMES[other]}: {mean} nats a token")
        self._here.set_xdata([position + 1, position + 1])
        self._title.set_text(beta_in_words(beta))
        shown = table.sentences[writer][sentence]
        self._show_next_words(shown, table.words, position)
        self._show_boxes(shown, shown.divergence[BETAS.index(beta)].tolist(), position)
        self._head.set_text(f"{NAMES[writer]}; below each word the nats where it is written")

    def _show_next_words(self, shown: ShownSentence, words: Sequence[str], position: int) -> None:
        p, q = shown.teacher[position], shown.student[position]
        order = likeliest([p, q], N_WORDS)
        names = [*(display_word(words[word]) for word in order), REST]
        self._bars.show(names, [column(p, order), column(q, order)], decimals=2)
        looks = f"{role_of(TEACHER).word} p_T, {role_of(OWN).word} p_S"
        self._bars_title.set_text(f"t = {position + 1}: {looks}")

    def _show_boxes(self, shown: ShownSentence, nats: Sequence[float], position: int) -> None:
        start, corners, colours = first_shown(position), [], []
        tokens = [display_word(token) for token in shown.tokens[start : start + N_COLUMNS * N_ROWS]]
        for box, (word, number) in enumerate(zip(self._words, self._numbers, strict=True)):
            if box >= len(tokens):
                word.set_text("")
                number.set_text("")
                continue
            text, value = tokens[box], nats[start + box]
            size = SIZE if len(text) <= WIDE_WORD else max(7.0, SIZE * WIDE_WORD / len(text))
            word.set(text=text, fontsize=size)
            number.set_text(shown_number(value, 2))
            left, right = box % N_COLUMNS, box % N_COLUMNS + 0.92
            top, bottom = box // N_COLUMNS - 0.42, box // N_COLUMNS + 0.42
            corners.append([(left, top), (right, top), (right, bottom), (left, bottom)])
            colours.append(to_rgba(VERMILION, 0.55 * min(1.0, value / DARKEST)))
        self._boxes.set_verts(corners)
        self._boxes.set_facecolor(colours)
        row, across = divmod(position - start, N_COLUMNS)
        self._frame.set_xy((across - 0.02, row - 0.44))


def exposure_figure(
    table: ExposureTable,
    sentence: int = 0,
    writer: str = STUDENT,
    beta: float = 1.0,
    position: int | None = None,
) -> Figure:
    """Draw the still twin of the ExposureExplorer; without `position`, at that of the largest
    divergence. Raise ValueError for a β, a writer or a position that the table does not have."""
    if beta not in BETAS or writer not in WRITERS:
        raise ValueError(
            f"β is one of {BETAS} and the writer one of {WRITERS}; got {beta} and {writer!r}"
        )
    shown = table.sentences[writer][sentence]
    position = shown.worst(beta) if position is None else position
    if not 0 <= position < len(shown.tokens):
        raise ValueError(
            f"the translation has positions 0 to {len(shown.tokens) - 1}; got {position}"
        )
    drawing = ExposureDrawing(most_nats([table]))
    drawing.show(table, sentence, writer, beta, position)
    return drawing.picture.figure
