"""Lesson 02's drawing of the model: encoder, attention and decoder at one step."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from seqkd_lab.lab.shared.style import BLACK, FAINT, GREY, LIGHT_BLUE, LIGHT_ORANGE, ORANGE, styled
from seqkd_lab.lab.teacher.attention import DecodingStep, readable

Point = tuple[float, float]


@styled
def architecture_figure(step: DecodingStep) -> Figure:
    """Draw one step of the decoder, from the source words (below) to the next word's distribution
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
    axes.text(x, y, text, **{"ha": "center", "va": "center", "zorder": 3, **properties})


def _arrow(
    axes: Axes,
    start: Point,
    end: Point,
    colour: str = BLACK,
    style: str = "-|>",
    width: float = 1.8,
) -> None:
    look = {"arrowstyle": style, "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look, zorder=2)


def _draw_encoder(axes: Axes, step: DecodingStep, x: np.ndarray) -> None:
    """Draw the source words, and above each the encoder's state, linked in both directions."""
    for number, (middle, word) in enumerate(zip(x, step.source, strict=True), start=1):
        _text(axes, middle, 0.62, readable(word))
        _box(axes, middle - 0.24, 1.1, 0.48, 0.42, FAINT)
        _text(axes, middle, 1.31, f"$h_{{{number}}}$", parse_math=True)
        _arrow(axes, (middle, 0.8), (middle, 1.1))
    for left, right in zip(x, x[1:], strict=False):
        _arrow(axes, (left + 0.24, 1.31), (right - 0.24, 1.31), GREY, "<->", 1.2)
    _text(
        axes,
        0.3,
        0.2,
        "ENCODER: reads the source in both directions, one state for each word",
        ha="left",
        weight="bold",
    )


def _draw_attention(axes: Axes, step: DecodingStep, x: np.ndarray) -> None:
    """Draw the weights as bars over the states, and lines from their tops into the context."""
    context = (4.45, 4.55)
    for middle, weight in zip(x, step.weights, strict=True):
        height = 1.5 * weight
        axes.bar(middle, height, 0.44, bottom=1.75, color=ORANGE, zorder=2)
        top = 1.75 + height + (0.32 if weight >= 0.05 else 0.05)
        if weight >= 0.05:
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            _text(axes, middle, 1.91 + height, f"{weight:.2f}", bbox=ground)
        axes.plot(
            (middle, context[0]),
            (top, context[1]),
            color=ORANGE,
            linewidth=0.6 + 9.0 * weight,
            alpha=0.6,
            solid_capstyle="butt",
            zorder=1,
        )
    _box(axes, 2.5, 4.55, 3.9, 0.6, LIGHT_ORANGE)
    _text(axes, 4.45, 4.85, "context $c_t$: weighted mean of $h_s + e_s$", parse_math=True)
    title = "ATTENTION:\nweights $a_{t,s}$,\nthey sum to 1"
    _text(axes, 0.3, 4.2, title, ha="left", weight="bold", parse_math=True)


def _draw_decoder(axes: Axes, step: DecodingStep) -> None:
    """Draw what was written so far, the decoder's state, and its two ways: to the weights and to
    the next word."""
    middle = 10.9
    words = list(map(readable, step.written))
    half = (len(words) + 1) // 2
    lines = (
        [" ".join(words[:half]), " ".join(words[half:])] if len(words) > 4 else [" ".join(words)]
    )
    _text(axes, middle, 0.86, "\n".join(lines))
    _text(axes, middle, 0.2, "DECODER: has written these words", weight="bold")
    _arrow(axes, (middle, 1.2), (middle, 1.6))
    _box(axes, middle - 1.15, 1.6, 2.3, 0.6, LIGHT_BLUE)
    _text(axes, middle, 1.9, "decoder state $d_t$", parse_math=True)
    _arrow(axes, (middle - 1.15, 1.9), (8.75, 1.9))
    _text(axes, 9.25, 2.2, "score")
    _arrow(axes, (middle, 2.2), (middle, 3.0))
    _box(axes, middle - 1.4, 3.0, 2.8, 0.6, LIGHT_BLUE)
    _text(axes, middle, 3.3, r"$\tilde d_t$ = tanh$(W\,[c_t; d_t])$", parse_math=True)
    axes.plot((6.4, 7.6, 7.6), (4.85, 4.85, 3.3), color=BLACK, linewidth=1.8, zorder=2)
    _arrow(axes, (7.6, 3.3), (middle - 1.4, 3.3))
    _arrow(axes, (middle, 3.6), (middle, 4.1))


def _draw_next_words(axes: Axes, step: DecodingStep) -> None:
    """Draw the most probable next words as bars, and the rest."""
    others = 1.0 - sum(p for _, p in step.next_words)
    words = [*((readable(word), p) for word, p in step.next_words), ("all others", others)]
    _text(axes, 10.9, 6.12, "softmax: distribution of the next word", weight="bold")
    for row, (word, p) in enumerate(words):
        y = 5.74 - 0.45 * row
        _text(axes, 10.1, y, word, ha="right")
        axes.barh(y, 1.8 * p, 0.32, left=10.25, color=BLACK, zorder=2)
        _text(axes, 10.35 + 1.8 * p, y, f"{p:.2f}", ha="left")
