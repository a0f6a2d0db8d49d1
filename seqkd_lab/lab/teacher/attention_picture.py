"""Lesson 02's drawing of the attention before one word of a translation, and the pairs that fit
it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.models import TICKET, TICKET_GOLD
from seqkd_lab.lab.shared.picture import (
    DOTS_PER_INCH,
    BlittedFigure,
    Label,
    add_label,
    rendered_text,
)
from seqkd_lab.lab.shared.style import BLACK, GREY, GRID, ORANGE, SIZE, styled
from seqkd_lab.lab.teacher.attention import END, AttentionReading, readable, valid_translation
from seqkd_lab.models.lstm import LSTMSeq2Seq

N_SENTENCES = 30
LEGEND = (
    "bar and line: attention weight (all weights sum to 1).   Black frames: the German word, and "
    "the English word that it translates."
)


class AttentionDrawing:
    """The attention before one target word: bars over the source words, and lines from the target
    word to them.

    Every part moves, so one drawing serves sentences of all lengths. Lengths are pixels of a figure
    that is WIDTH wide.
    """

    WIDTH = 1300
    HEIGHT = 440
    MARGIN = 70
    BASE = 90.0  # where bars begin
    FULL = 165.0  # the height of the weight 1
    MOST_WORDS = 32

    @styled
    def __init__(self) -> None:
        figure = Figure(figsize=(self.WIDTH / DOTS_PER_INCH, self.HEIGHT / DOTS_PER_INCH))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, self.WIDTH), ylim=(0, self.HEIGHT))
        axes.set_axis_off()
        for weight in (0.0, 0.5, 1.0):
            y = self.BASE + self.FULL * weight
            axes.plot(
                (self.MARGIN - 10, self.WIDTH - 20), (y, y), color=GRID, linewidth=1, zorder=0
            )
            axes.text(self.MARGIN - 16, y, f"{weight:g}", ha="right", va="center")
        axes.text(
            self.WIDTH / 2, 16, LEGEND, ha="center", va="center", fontsize=SIZE - 1, color=GREY
        )
        self._lines = LineCollection([], colors=ORANGE, alpha=0.75)
        self._bars = PolyCollection([], facecolors=ORANGE, edgecolors="none")
        self._frames = PolyCollection([], facecolors="none", edgecolors=BLACK, linewidths=2)
        for collection in (self._lines, self._bars, self._frames):
            axes.add_collection(collection, autolim=False)
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}
        self._source = [add_label(axes, 0, 0, ha="center") for _ in range(self.MOST_WORDS)]
        self._target = [add_label(axes, 0, 0, ha="center") for _ in range(self.MOST_WORDS)]
        self._numbers = [
            add_label(axes, 0, 0, ha="center", bbox=ground) for _ in range(self.MOST_WORDS)
        ]
        labels = [*self._source, *self._target, *self._numbers]
        self.picture = BlittedFigure(figure, [self._lines, self._bars, self._frames, *labels])

    @classmethod
    def fits(cls, words: Sequence[str]) -> bool:
        """Return whether the words, their end included, have room side by side."""
        return (
            len(words) <= cls.MOST_WORDS
            and sum(map(cls._slot, words)) <= cls.WIDTH - cls.MARGIN - 20
        )

    @staticmethod
    def _slot(word: str) -> float:
        """Return the room that a word takes: its width, that of a number at least, and a gap."""
        pixels, _ = rendered_text(readable(word), SIZE, "normal", BLACK, False, DOTS_PER_INCH)
        return max(pixels.shape[1], 44) + 12.0

    def _middles(self, words: Sequence[str]) -> list[float]:
        """Return the middle of each word, the rest of the width spread between them."""
        slots = list(map(self._slot, words))
        gap = min(24.0, (self.WIDTH - self.MARGIN - 20 - sum(slots)) / len(slots))
        ends = np.cumsum([slot + gap for slot in slots])
        left = self.MARGIN + (self.WIDTH - self.MARGIN - 20 - ends[-1]) / 2
        return [float(left + end - (slot + gap) / 2) for end, slot in zip(ends, slots, strict=True)]

    def show(self, reading: AttentionReading, position: int) -> None:
        """Draw the attention before the target word at `position`."""
        x, above = self._middles(reading.source), self._middles(reading.target)
        weights = reading.weights[position].tolist()
        tops = [self.BASE + self.FULL * weight for weight in weights]
        bars = zip(x, tops, strict=True)
        self._bars.set_verts(
            [_rectangle(middle, self.BASE, 30, top - self.BASE) for middle, top in bars]
        )
        shown = [s for s, weight in enumerate(weights) if weight >= 0.01]
        self._lines.set_segments([[(above[position], 392), (x[s], tops[s] + 28)] for s in shown])
        self._lines.set_linewidth([0.5 + 11.0 * weights[s] for s in shown])
        frames = [_rectangle(above[position], 394, self._slot(reading.target[position]), 32)]
        true = reading.aligned[position]
        if true >= 0:
            frames.append(_rectangle(x[true], 48, self._slot(reading.source[true]), 32))
        self._frames.set_verts(frames)
        self._write(self._source, x, [64.0] * len(x), map(readable, reading.source))
        self._write(self._target, above, [410.0] * len(above), map(readable, reading.target))
        self._write(
            self._numbers,
            [x[s] for s in shown],
            [tops[s] + 15 for s in shown],
            [f"{weights[s]:.2f}" for s in shown],
        )

    @staticmethod
    def _write(
        labels: Sequence[Label], x: Sequence[float], y: Sequence[float], texts: Iterable[str]
    ) -> None:
        """Place the texts and empties the labels that are left over."""
        for label in labels:
            label.set_text("")
        for label, middle, height, text in zip(labels, x, y, texts, strict=False):
            label.set(x=middle, y=height, text=text)


def _rectangle(
    middle: float, bottom: float, width: float, height: float
) -> list[tuple[float, float]]:
    left, right = middle - width / 2, middle + width / 2
    return [(left, bottom), (right, bottom), (right, bottom + height), (left, bottom + height)]


def attention_figure(reading: AttentionReading, position: int) -> Figure:
    """Draw the attention before one word: the still twin of the AttentionView."""
    drawing = AttentionDrawing()
    drawing.show(reading, position)
    return drawing.picture.still()


def pairs_to_show(
    model: LSTMSeq2Seq,
    language: ToyLanguage,
    corpus: ParallelCorpus,
    n_sentences: int = N_SENTENCES,
) -> ParallelCorpus:
    """Return the ticket with the model's own translation and with gold, then pairs of `corpus`
    that fit the view."""
    fitting = [
        row
        for row in range(len(corpus))
        if all(AttentionDrawing.fits((*side[row], END)) for side in (corpus.source, corpus.target))
    ][: n_sentences - 2]
    sources = (TICKET, TICKET, *(corpus.source[row] for row in fitting))
    targets = (
        valid_translation(model, language, TICKET),
        TICKET_GOLD,
        *(corpus.target[row] for row in fitting),
    )
    return replace(corpus, source=sources, target=targets, references=None)
