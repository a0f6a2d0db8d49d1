"""Every token of a batch by h and δ, whom a selector keeps, and one sentence word by word below."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy.planted import BEYOND, FREE, KINDS, MISTAKE, OTHER, RARE, SETTLED
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label, label_axes
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
)
from seqkd_lab.lab.token_importance.measures import DELTA_EDGE, H_EDGE, Labelled

LOOKS = {
    MISTAKE: (VERMILION, "D"),
    RARE: (PURPLE, "s"),
    FREE: (ORANGE, "^"),
    SETTLED: (BLUE, "v"),
    OTHER: (GREEN, "o"),
    BEYOND: ("#999999", "x"),
}
SIGNS = {MISTAKE: "M", RARE: "R", FREE: "F", SETTLED: "S", OTHER: "o", BEYOND: "–"}
"""A letter for each kind, beside its colour."""
COLUMNS, ROWS = 9, 3
LEVELS = (0.25, 0.5, 0.75)
MOST_DELTA = 32.0
LONG_WORD = 11


def height(delta: np.ndarray | float) -> np.ndarray | float:
    """Where δ nats stand: a scale by the square root, since most tokens have little and few have
    very much."""
    return np.sqrt(delta)


class ImportanceDrawing:
    """Above, the batch's tokens over ĥ and δ with the quadrants and lines of equal Soft-OR; rings
    mark the kept ones. Below, the words of a chosen sentence; kept ones have a dark frame."""

    def __init__(self, batch: Labelled) -> None:
        self.batch, real = batch, batch.seen.real
        figure = Figure(figsize=(12, 7.7))
        axes = figure.add_axes((0.075, 0.43, 0.63, 0.535))
        self._place(axes)
        self.h, self.delta = batch.h.numpy(), batch.seen.delta.clamp(max=MOST_DELTA).numpy()
        for kind in reversed(KINDS):
            here = batch.is_kind(kind).numpy()
            colour, mark = LOOKS[kind]
            size = 7 if kind == MISTAKE else 5
            axes.plot(
                self.h[here],
                height(self.delta[here]),
                mark,
                color=colour,
                markersize=size,
                alpha=0.45,
            )
        (self._rings,) = axes.plot(
            [], [], "o", markersize=9, markerfacecolor="none", color=BLACK, markeredgewidth=1.3
        )
        (self._lit,) = axes.plot(
            [], [], "o", markersize=14, markerfacecolor="none", color=SKY, markeredgewidth=3.0
        )
        self._key(figure, int(real.sum()))
        below = figure.add_axes((0.01, 0.005, 0.98, 0.32))
        below.axis("off")
        below.set(xlim=(-0.02, COLUMNS), ylim=(ROWS - 0.45, -0.55))
        self._boxes = below.add_collection(PolyCollection([]))
        cells = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
        self._words = {c: add_label(below, c[1] + 0.47, c[0] - 0.17, ha="center") for c in cells}
        self._notes = {
            c: add_label(below, c[1] + 0.47, c[0] + 0.2, ha="center", fontsize=SIZE - 2)
            for c in cells
        }
        self._head = add_label(below, 0.0, -0.72, fontsize=SIZE)
        animated = [
            self._rings,
            self._lit,
            *self._counts,
            self._boxes,
            *self._words.values(),
            *self._notes.values(),
            self._head,
        ]
        self.picture = BlittedFigure(figure, animated)

    def _place(self, axes) -> None:
        """Fixed scales, quadrants, and lines of equal s = ĥ + δ̂ − ĥδ̂."""
        label_axes(axes, "ĥ: how unsure the student is (0–1)", "δ = KL(p_S‖p_T), nats")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.1, height(MOST_DELTA)))
        ticks = (0, 0.25, 1, 2, 4, 8, 16, 32)
        axes.set_yticks([height(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.axvline(H_EDGE, color=BLACK, linestyle=":", linewidth=1.5)
        axes.axhline(height(DELTA_EDGE), color=BLACK, linestyle=":", linewidth=1.5)
        for text, x, y in (
            ("Q3 sure and far", 0.01, 0.955),
            ("Q1 unsure and far", 0.99, 0.955),
            ("Q4 sure and near", 0.01, 0.155),
            ("Q2 unsure and near", 0.99, 0.155),
        ):
            axes.text(
                x,
                y,
                text,
                transform=axes.transAxes,
                fontsize=SIZE,
                ha="left" if x < 0.5 else "right",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
            )
        for level in LEVELS:
            h = np.linspace(0.0, level, 200)
            delta = (level - h) / (1.0 - h) * self.batch.most_delta
            axes.plot(h, height(delta), color=GREY, linewidth=1.2)
            axes.text(
                h[60],
                height(delta[60]),
                f"s = {level:g}",
                fontsize=SIZE - 2,
                color=GREY,
                ha="left",
                va="bottom",
            )

    def _key(self, figure: Figure, n_tokens: int) -> None:
        """Marks of the kinds, and what of each is kept."""
        axes = figure.add_axes((0.72, 0.43, 0.275, 0.535))
        axes.axis("off")
        axes.set(xlim=(0, 10), ylim=(8.2, -0.6))
        add_label(axes, 0.0, 0.0, f"{n_tokens:,} tokens; ring: kept", fontweight="bold")
        self._counts = []
        for row, kind in enumerate(KINDS, start=1):
            colour, mark = LOOKS[kind]
            axes.plot([0.3], [row], mark, color=colour, markersize=9)
            add_label(axes, 0.9, row, f"{SIGNS[kind]}  {kind}")
            self._counts.append(add_label(axes, 9.9, row, ha="right"))
        add_label(axes, 0.0, 7.3, "blue circle: the sentence below")

    def show(self, selector: str, share: float, sentence: int) -> None:
        """Shows whom `selector` keeps at ρ = `share`, and the words of `sentence` (from 0)."""
        kept = self.batch.kept(selector, share)
        mask = kept.numpy()
        self._rings.set_data(self.h[mask], height(self.delta[mask]))
        n_words = len(self.batch.outputs[sentence])
        self._lit.set_data(self.h[sentence, :n_words], height(self.delta[sentence, :n_words]))
        for label, kind in zip(self._counts, KINDS, strict=True):
            here = self.batch.is_kind(kind)
            label.set_text(f"{int((here & kept).sum())} of {int(here.sum())}")
        self._show_sentence(sentence, mask[sentence])

    def _show_sentence(self, sentence: int, mask: np.ndarray) -> None:
        words, kinds = self.batch.outputs[sentence], self.batch.kinds[sentence]
        shown = min(len(words), ROWS * COLUMNS)
        cells = [divmod(place, COLUMNS) for place in range(shown)]
        for cell in self._words:
            self._words[cell].set_text("")
            self._notes[cell].set_text("")
        for place, cell in enumerate(cells):
            word, size = words[place], SIZE
            size = size if len(word) <= LONG_WORD else max(7.0, size * LONG_WORD / len(word))
            self._words[cell].set(
                text=word, fontsize=size, fontweight="bold" if mask[place] else "normal"
            )
            h, delta = self.h[sentence, place], self.delta[sentence, place]
            self._notes[cell].set_text(
                f"{SIGNS[kinds[place]]} ĥ {h:.2f} δ {delta:.{0 if delta >= 9.95 else 1}f}"
            )
        self._boxes.set_verts(
            [
                [(x, y - 0.4), (x + 0.94, y - 0.4), (x + 0.94, y + 0.4), (x, y + 0.4)]
                for y, x in cells
            ]
        )
        self._boxes.set_facecolor(["#fff2b3" if mask[place] else "white" for place in range(shown)])
        self._boxes.set_edgecolor([LOOKS[kinds[place]][0] for place in range(shown)])
        self._boxes.set_linewidth([3.2 if mask[place] else 1.4 for place in range(shown)])
        beyond = f"; the first {shown} are shown" if shown < len(words) else ""
        self._head.set_text(f"{int(mask.sum())} of {len(words)} tokens teach (yellow){beyond}")


def importance_figure(batch: Labelled, selector: str, share: float, sentence: int = 0) -> Figure:
    """Still twin of the TokenExplorer. Raises ValueError for a sentence that is not there."""
    if not 0 <= sentence < len(batch.outputs):
        raise ValueError(f"sentences 0 to {len(batch.outputs) - 1}; got {sentence}")
    drawing = ImportanceDrawing(batch)
    drawing.show(selector, share, sentence)
    figure = drawing.picture.figure
    figure.axes[0].set_title(f"{selector}, ρ = {share:g}", fontsize=SIZE, parse_math=False)
    return figure
