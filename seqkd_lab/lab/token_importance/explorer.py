"""Every token of a batch by h and δ, which of them a selector keeps, and one sentence word by
word."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy.planted import (
    BEYOND,
    FAR,
    FREE,
    HABIT,
    KINDS,
    MIDDLE,
    OTHER,
    PLANTED_KINDS,
    RARE,
    SETTLED,
)
from seqkd_lab.lab.shared.picture import BlittedFigure, Label, add_label
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
    ready,
    styled,
)
from seqkd_lab.lab.token_importance.measures import LabelledBatch
from seqkd_lab.studies.token_importance.measures import DELTA_EDGE, H_EDGE

LOOKS = {
    FAR: (VERMILION, "D"),
    MIDDLE: (BROWN, "P"),
    HABIT: (BLACK, "*"),
    RARE: (PURPLE, "s"),
    FREE: (ORANGE, "^"),
    SETTLED: (BLUE, "v"),
    OTHER: (GREEN, "o"),
    BEYOND: (LIGHT_GREY, "x"),
}
"""Colour and mark of each kind of token."""
LETTERS = {
    FAR: "F",
    MIDDLE: "M",
    HABIT: "H",
    RARE: "R",
    FREE: "O",
    SETTLED: "S",
    OTHER: "C",
    BEYOND: "E",
}
"""A letter for each kind, beside its colour."""
QUADRANTS = {
    "Q3 sure and far": (0.01, 0.955),
    "Q1 unsure and far": (0.99, 0.955),
    "Q4 sure and near": (0.01, 0.155),
    "Q2 unsure and near": (0.99, 0.155),
}
"""Where their names stand on the axes."""
YELLOW = "#fff2b3"
COLUMNS = 9
ROWS = 3
LEVELS = (0.25, 0.5, 0.75)
"""Values of Soft-OR that have a line."""
MOST_DELTA = 32.0
LONG_WORD = 11


class ImportanceDrawing:
    """Above, the batch's tokens over ĥ and δ with the quadrants and lines of equal Soft-OR; rings
    mark the kept ones. Below, the words of a chosen sentence; kept ones have a thick frame."""

    @styled
    def __init__(self, batch: LabelledBatch) -> None:
        self.batch = batch
        figure = Figure(figsize=(12, 7.7))
        axes = ready(figure.add_axes((0.075, 0.43, 0.63, 0.535)))
        _draw_scales(axes, batch.most_delta)
        self.h = batch.h.numpy()
        self.delta = batch.importance.delta.clamp(max=MOST_DELTA).numpy()
        for kind in reversed(KINDS):
            mask, (colour, marker) = batch.is_kind(kind).numpy(), LOOKS[kind]
            size = 8 if kind in PLANTED_KINDS else 5
            points = (self.h[mask], np.sqrt(self.delta[mask]))
            axes.plot(*points, marker, color=colour, markersize=size, alpha=0.45)
        self._rings, self._lit = (
            axes.plot([], [], "o", markersize=size, color=colour, markerfacecolor="none")[0]
            for size, colour in ((9, BLACK), (14, SKY))
        )
        self._rings.set_markeredgewidth(1.3)
        self._lit.set_markeredgewidth(3.0)
        self._counts = _key(figure, int(batch.real.sum()))
        self._words = _Words(figure, batch)
        animated = [self._rings, self._lit, *self._counts, *self._words.animated]
        self.picture = BlittedFigure(figure, animated)

    def show(self, selector: str, share: float, sentence: int) -> None:
        """Show what `selector` keeps at ρ = `share`, and the words of `sentence` (from 0)."""
        kept = self.batch.kept(selector, share)
        mask, n = kept.numpy(), len(self.batch.outputs[sentence])
        h, delta = self.h[sentence, :n], self.delta[sentence, :n]
        self._rings.set_data(self.h[mask], np.sqrt(self.delta[mask]))
        self._lit.set_data(h, np.sqrt(delta))
        for label, kind in zip(self._counts, KINDS, strict=True):
            of_kind = self.batch.is_kind(kind)
            label.set_text(f"{int((of_kind & kept).sum())} of {int(of_kind.sum())}")
        self._words.show(sentence, h, delta, mask[sentence, :n])


class _Words:
    """The words of a sentence in a grid of cells, each framed in the colour of its kind."""

    def __init__(self, figure: Figure, batch: LabelledBatch) -> None:
        self.batch = batch
        axes = figure.add_axes((0.01, 0.005, 0.98, 0.32))
        axes.axis("off")
        axes.set(xlim=(-0.02, COLUMNS), ylim=(ROWS - 0.45, -0.55))
        self.boxes = PolyCollection([])
        axes.add_collection(self.boxes)
        self.cells = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
        self.words = [add_label(axes, x + 0.47, y - 0.17, ha="center") for y, x in self.cells]
        self.notes = [
            add_label(axes, x + 0.47, y + 0.2, ha="center", fontsize=SIZE - 2)
            for y, x in self.cells
        ]
        self.head = add_label(axes, 0.0, -0.72)
        self.animated = [self.boxes, *self.words, *self.notes, self.head]

    def show(self, sentence: int, h: np.ndarray, delta: np.ndarray, kept: np.ndarray) -> None:
        """Show a sentence by the ĥ and δ of its words, and which of them are kept."""
        words, kinds = self.batch.outputs[sentence], self.batch.kinds[sentence]
        for label in (*self.words, *self.notes):
            label.set_text("")
        cells = self.cells[: len(words)]
        for t in range(len(cells)):
            size = SIZE * min(1.0, LONG_WORD / len(words[t]))
            weight = "bold" if kept[t] else "normal"
            self.words[t].set(text=words[t], fontsize=max(7.0, size), fontweight=weight)
            nats = f"{delta[t]:.{0 if delta[t] >= 9.95 else 1}f}"
            self.notes[t].set_text(f"{LETTERS[kinds[t]]} ĥ {h[t]:.2f} δ {nats}")
        self.boxes.set_verts([_frame(x, y) for y, x in cells])
        self.boxes.set_facecolor([YELLOW if kept[t] else "white" for t in range(len(cells))])
        self.boxes.set_edgecolor([LOOKS[kinds[t]][0] for t in range(len(cells))])
        self.boxes.set_linewidth([3.2 if kept[t] else 1.4 for t in range(len(cells))])
        beyond = f"; the first {len(cells)} are shown" if len(cells) < len(words) else ""
        self.head.set_text(f"{int(kept.sum())} of {len(words)} tokens teach (yellow){beyond}")


def _frame(x: int, y: int) -> list[tuple[float, float]]:
    return [(x, y - 0.4), (x + 0.94, y - 0.4), (x + 0.94, y + 0.4), (x, y + 0.4)]


def _draw_scales(axes: Axes, most_delta: float) -> None:
    """Draw fixed scales (that of δ by the square root, since most tokens have little and few have
    very much), quadrants, and lines of equal s = ĥ + δ̂ − ĥδ̂."""
    axes.set(xlabel="ĥ: how unsure the student is (0–1)", ylabel="δ = KL(p_S‖p_T), nats")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.1, np.sqrt(MOST_DELTA)))
    ticks = (0, 0.25, 1, 2, 4, 8, 16, 32)
    axes.set_yticks(np.sqrt(ticks), [f"{tick:g}" for tick in ticks])
    axes.axvline(H_EDGE, color=BLACK, linestyle=":", linewidth=1.5)
    axes.axhline(np.sqrt(DELTA_EDGE), color=BLACK, linestyle=":", linewidth=1.5)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
    for name, (x, y) in QUADRANTS.items():
        side = "left" if x < 0.5 else "right"
        axes.text(x, y, name, transform=axes.transAxes, ha=side, va="center", bbox=ground)
    for level in LEVELS:
        h = np.linspace(0.0, level, 200)
        height = np.sqrt((level - h) / (1.0 - h) * most_delta)
        axes.plot(h, height, color=GREY, linewidth=1.2)
        axes.text(h[60], height[60], f"s = {level:g}", fontsize=SIZE - 2, color=GREY, va="bottom")


def _key(figure: Figure, n_tokens: int) -> list[Label]:
    """Draw the marks of the kinds, and return the labels that say how many of each are kept."""
    axes = figure.add_axes((0.72, 0.43, 0.275, 0.535))
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(10.2, -0.6))
    add_label(axes, 0.0, 0.0, f"{n_tokens:,} tokens; ring: kept", fontweight="bold")
    for row, kind in enumerate(KINDS, start=1):
        colour, marker = LOOKS[kind]
        axes.plot([0.3], [row], marker, color=colour, markersize=9)
        add_label(axes, 0.9, row, f"{LETTERS[kind]}  {kind}")
    add_label(axes, 0.0, 9.3, "blue circle: the sentence below")
    return [add_label(axes, 9.9, row, ha="right") for row in range(1, len(KINDS) + 1)]


@styled
def importance_figure(
    batch: LabelledBatch, selector: str, share: float, sentence: int = 0
) -> Figure:
    """Draw the still twin of the TokenExplorer. Raises ValueError for a sentence that is not
    there."""
    if not 0 <= sentence < len(batch.outputs):
        raise ValueError(f"sentences 0 to {len(batch.outputs) - 1}; got {sentence}")
    drawing = ImportanceDrawing(batch)
    drawing.show(selector, share, sentence)
    figure = drawing.picture.figure
    figure.axes[0].set_title(f"{selector}, ρ = {share:g}")
    return figure
