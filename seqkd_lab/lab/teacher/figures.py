"""Lesson 02's drawings: encoder, attention and decoder at one step; the attention before one word
of a translation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from seqkd_lab.lab.shared.picture import (
    DOTS_PER_INCH,
    BlittedFigure,
    Label,
    add_label,
    rendered_text,
)
from seqkd_lab.lab.shared.style import BLACK, GREY, ORANGE, SIZE
from seqkd_lab.lab.teacher.attention import END, AttentionReading, DecodingStep

ENCODER, ATTENTION, DECODER = "#e8e8e8", "#fbe3b5", "#cfe6f5"
"""Fills: light, so that black text on them is legible."""
LEGEND = (
    "bar and line: attention weight (all weights sum to 1).   Black frames: the German word, and "
    "the English word that it translates."
)


def readable(word: str) -> str:
    """Returns a token as text: the end of a sentence in brackets."""
    return "(end)" if word == END else word


def architecture_figure(step: DecodingStep) -> Figure:
    """Draws one step of the decoder, from the source words (below) to the next word's distribution
    (top right).

    The bars are the attention weights of this step; lines lead from the encoder's states to their
    weighted mean.
    """
    figure = Figure(figsize=(13, 6.4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0.0, 13.0), ylim=(0.0, 6.4))
    axes.set_axis_off()
    x = np.linspace(0.55, 8.35, len(step.source))
    _draw_encoder(axes, step, x)
    _draw_attention(axes, step, x)
    _draw_decoder(axes, step)
    _draw_next_words(axes, step)
    return figure


def _box(axes: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour,
            edgecolor=BLACK,
            linewidth=1.2,
            zorder=2,
        )
    )


def _text(axes: Axes, x: float, y: float, text: str, **properties) -> None:
    axes.text(
        x, y, text, **{"fontsize": SIZE, "ha": "center", "va": "center", "zorder": 3, **properties}
    )


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = BLACK
) -> None:
    axes.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 1.8,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=2,
    )


def _draw_encoder(axes: Axes, step: DecodingStep, x: np.ndarray) -> None:
    """The source words, and above each the encoder's state, linked in both directions."""
    for number, (place, word) in enumerate(zip(x, step.source, strict=True), start=1):
        _text(axes, place, 0.62, readable(word), parse_math=False)
        _box(axes, place - 0.24, 1.1, 0.48, 0.42, ENCODER)
        _text(axes, place, 1.31, f"$h_{{{number}}}$")
        _arrow(axes, (place, 0.8), (place, 1.1))
    for left, right in zip(x, x[1:], strict=False):
        axes.annotate(
            "",
            (right - 0.24, 1.31),
            (left + 0.24, 1.31),
            zorder=2,
            arrowprops={
                "arrowstyle": "<->",
                "color": GREY,
                "linewidth": 1.2,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    _text(
        axes,
        0.3,
        0.2,
        "ENCODER: reads the source in both directions, one state for each word",
        ha="left",
        weight="bold",
    )


def _draw_attention(axes: Axes, step: DecodingStep, x: np.ndarray) -> None:
    """The weights as bars over the states, and lines from their tops into the context."""
    context = (4.45, 4.55)
    for place, weight in zip(x, step.weights, strict=True):
        height = 1.5 * weight
        axes.bar(place, height, 0.44, bottom=1.75, color=ORANGE, zorder=2)
        top = 1.75 + height + (0.32 if weight >= 0.05 else 0.05)
        if weight >= 0.05:
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            _text(axes, place, 1.91 + height, f"{weight:.2f}", bbox=ground)
        axes.plot(
            (place, context[0]),
            (top, context[1]),
            color=ORANGE,
            linewidth=0.6 + 9.0 * weight,
            alpha=0.6,
            solid_capstyle="butt",
            zorder=1,
        )
    _box(axes, 2.5, 4.55, 3.9, 0.6, ATTENTION)
    _text(axes, 4.45, 4.85, "context $c_t$: weighted mean of $h_s + e_s$")
    _text(axes, 0.3, 4.2, "ATTENTION:\nweights $a_{t,s}$,\nthey sum to 1", ha="left", weight="bold")


def _draw_decoder(axes: Axes, step: DecodingStep) -> None:
    """What was written so far, the decoder's state, and its two ways: to the weights and to the
    next word."""
    middle = 10.9
    words = list(map(readable, step.written))
    half = (len(words) + 1) // 2
    lines = (
        [" ".join(words[:half]), " ".join(words[half:])] if len(words) > 4 else [" ".join(words)]
    )
    _text(axes, middle, 0.86, "\n".join(lines), parse_math=False)
    _text(axes, middle, 0.2, "DECODER: has written these words", weight="bold")
    _arrow(axes, (middle, 1.2), (middle, 1.6))
    _box(axes, middle - 1.15, 1.6, 2.3, 0.6, DECODER)
    _text(axes, middle, 1.9, "decoder state $d_t$")
    _arrow(axes, (middle - 1.15, 1.9), (8.75, 1.9))
    _text(axes, 9.25, 2.2, "score")
    _arrow(axes, (middle, 2.2), (middle, 3.0))
    _box(axes, middle - 1.4, 3.0, 2.8, 0.6, DECODER)
    _text(axes, middle, 3.3, r"$\tilde d_t$ = tanh$(W\,[c_t; d_t])$")
    axes.plot((6.4, 7.6, 7.6), (4.85, 4.85, 3.3), color=BLACK, linewidth=1.8, zorder=2)
    _arrow(axes, (7.6, 3.3), (middle - 1.4, 3.3))
    _arrow(axes, (middle, 3.6), (middle, 4.1))


def _draw_next_words(axes: Axes, step: DecodingStep) -> None:
    """The most probable next words as bars, and the rest."""
    others = 1.0 - sum(p for _, p in step.next_words)
    words = [*((readable(word), p) for word, p in step.next_words), ("all others", others)]
    _text(axes, 10.9, 6.12, "softmax: distribution of the next word", weight="bold")
    for row, (word, p) in enumerate(words):
        y = 5.74 - 0.45 * row
        _text(axes, 10.1, y, word, ha="right", parse_math=False)
        axes.barh(y, 1.8 * p, 0.32, left=10.25, color=BLACK, zorder=2)
        _text(axes, 10.35 + 1.8 * p, y, f"{p:.2f}", ha="left")


class AttentionDrawing:
    """The attention before one target word: bars over the source words, and lines from the target
    word to them.

    Every part moves, so one drawing serves sentences of all lengths. Lengths are pixels of a figure
    that is WIDTH wide.
    """

    WIDTH, HEIGHT, MARGIN = 1300, 440, 70
    BASE, FULL = 90.0, 165.0  # where bars begin, and the height of the weight 1
    MOST_WORDS = 32

    def __init__(self) -> None:
        figure = Figure(figsize=(self.WIDTH / DOTS_PER_INCH, self.HEIGHT / DOTS_PER_INCH))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, self.WIDTH), ylim=(0, self.HEIGHT))
        axes.set_axis_off()
        for weight in (0.0, 0.5, 1.0):
            y = self.BASE + self.FULL * weight
            axes.plot(
                (self.MARGIN - 10, self.WIDTH - 20), (y, y), color="#dddddd", linewidth=1, zorder=0
            )
            axes.text(
                self.MARGIN - 16, y, f"{weight:g}", ha="right", va="center", fontsize=SIZE - 1
            )
        axes.text(
            self.WIDTH / 2, 16, LEGEND, ha="center", va="center", fontsize=SIZE - 1, color=GREY
        )
        self._lines = LineCollection([], colors=ORANGE, alpha=0.75)
        self._bars = PolyCollection([], facecolors=ORANGE, edgecolors="none")
        self._frames = PolyCollection([], facecolors="none", edgecolors=BLACK, linewidths=2)
        for collection in (self._lines, self._bars, self._frames):
            axes.add_collection(collection, autolim=False)
        self._source, self._target, self._numbers = (
            [
                add_label(axes, 0, 0, ha="center", fontsize=SIZE, **properties)
                for _ in range(self.MOST_WORDS)
            ]
            for properties in (
                {},
                {},
                {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.3}},
            )
        )
        labels = [*self._source, *self._target, *self._numbers]
        self.picture = BlittedFigure(figure, [self._lines, self._bars, self._frames, *labels])

    @classmethod
    def fits(cls, words: Sequence[str]) -> bool:
        """Returns whether the words, their end included, have room side by side."""
        return (
            len(words) <= cls.MOST_WORDS
            and sum(map(cls._slot, words)) <= cls.WIDTH - cls.MARGIN - 20
        )

    @staticmethod
    def _slot(word: str) -> float:
        """The room that a word takes: its width, that of a number at least, and a gap."""
        pixels, _ = rendered_text(readable(word), SIZE, "normal", BLACK, False, DOTS_PER_INCH)
        return max(pixels.shape[1], 44) + 12.0

    def _places(self, words: Sequence[str]) -> list[float]:
        """The middle of each word, the rest of the width spread between them."""
        slots = list(map(self._slot, words))
        gap = min(24.0, (self.WIDTH - self.MARGIN - 20 - sum(slots)) / len(slots))
        ends = np.cumsum([slot + gap for slot in slots])
        left = self.MARGIN + (self.WIDTH - self.MARGIN - 20 - ends[-1]) / 2
        return [float(left + end - (slot + gap) / 2) for end, slot in zip(ends, slots, strict=True)]

    def show(self, reading: AttentionReading, position: int) -> None:
        """Draws the attention before the target word at `position`."""
        x, above = self._places(reading.source), self._places(reading.target)
        weights = reading.weights[position].tolist()
        tops = [self.BASE + self.FULL * weight for weight in weights]
        bars = zip(x, tops, strict=True)
        self._bars.set_verts(
            [_rectangle(place, self.BASE, 30, top - self.BASE) for place, top in bars]
        )
        shown = [s for s, weight in enumerate(weights) if weight >= 0.01]
        self._lines.set_segments([[(above[position], 392), (x[s], tops[s] + 28)] for s in shown])
        self._lines.set_linewidths([0.5 + 11.0 * weights[s] for s in shown])
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
    def _write(labels: Sequence[Label], x: Sequence[float], y: Sequence[float], texts) -> None:
        """Places the texts and empties the labels that are left over."""
        for label in labels:
            label.set_text("")
        for label, place, height, text in zip(labels, x, y, texts, strict=False):
            label.set(x=place, y=height, text=text)


def _rectangle(
    middle: float, bottom: float, width: float, height: float
) -> list[tuple[float, float]]:
    left, right = middle - width / 2, middle + width / 2
    return [(left, bottom), (right, bottom), (right, bottom + height), (left, bottom + height)]


def attention_figure(reading: AttentionReading, position: int) -> Figure:
    """Draws the still twin of the AttentionView."""
    drawing = AttentionDrawing()
    drawing.show(reading, position)
    return drawing.picture.figure
