"""What a short memory leaves: the words that are remembered, the next word by each predictor, and
validity over the memory w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from seqkd_lab.corpus.toy.limited_memory import BEGIN
from seqkd_lab.lab.shared.bars import unsigned
from seqkd_lab.lab.shared.picture import (
    DOTS_PER_INCH,
    BlittedFigure,
    Label,
    add_label,
    rendered_text,
)
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLACK, FAINT, GREY, LIT, SIZE, TRUTH, ready, role_of, styled
from seqkd_lab.runs.study import by_seed
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.live import CORPORA, GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.examples import N_WORDS as N_KEPT
from seqkd_lab.studies.memory.reading import examples_in
from seqkd_lab.studies.memory.students import MEMORIES, memory_key

PREDICTORS = {
    "truth": role_of(TRUTH).colour,
    "truth, memory w": GREY,
    "gold's student": role_of(GOLD).colour,
    "mode's student (Seq-KD)": role_of(MODE).colour,
}
"""The colour of each predictor of the next word, in the bars and on the curves."""
N_WORDS = 4
"""Rows of bars."""
WIDTH = 13.0
HEIGHT = 7.4
"""Inches, of the figure."""
PADDING = 9
"""Pixels within a box beside its word."""
GAP = 5
"""Pixels between boxes."""
NEXT = "?"
ELLIPSIS = "…"


def distributions(example: Mapping, memory: int | None, place: int) -> dict[str, dict[str, float]]:
    """Return the next word's distribution by predictor, at a place of an example's translation."""
    measured = example["places"][place]
    limited = measured["memories"][memory_key(memory)]
    values = (measured["truth"], limited["truth"], limited[GOLD], limited[MODE])
    return dict(zip(PREDICTORS, values, strict=True))


def shown_words(by_predictor: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the N_WORDS words that get the most probability from any predictor, the most probable
    first."""
    most: dict[str, float] = {}
    for distribution in by_predictor.values():
        for word, p in distribution.items():
            most[word] = max(p, most.get(word, 0.0))
    return sorted(most, key=lambda word: (-most[word], word))[:N_WORDS]


def in_digits(distribution: Mapping[str, float], word: str) -> str:
    """Return the probability of `word` in two digits; of one that was not kept, the bound that it
    cannot exceed."""
    if word in distribution:
        return unsigned(distribution[word], 2)
    if len(distribution) < N_KEPT:  # all that can come next was kept
        return "0"
    most = min(*distribution.values(), max(0.0, 1.0 - sum(distribution.values())))
    return "<0.01" if most < 0.01 else f"≤{most:.2f}"


def is_remembered(place: int, next_place: int, memory: int | None) -> bool:
    """Tell whether the word at `place` is among the last `memory` words before `next_place`; −1 is
    the begin symbol."""
    return place < next_place and (memory is None or place >= next_place - memory)


class MemoryDrawing:
    """The picture of the memory dial; `show` moves it.

    Raise ValueError where the results hold no examples.
    """

    @styled
    def __init__(self, results: Mapping) -> None:
        self.examples = examples_in(results)
        figure = Figure(figsize=(WIDTH, HEIGHT))
        words = figure.add_axes((0.012, 0.8, 0.976, 0.185))
        bars = ready(figure.add_axes((0.135, 0.17, 0.365, 0.595)))
        curves = ready(figure.add_axes((0.578, 0.17, 0.41, 0.595)))
        n_boxes = 2 + max(len(example["target"]) for example in self.examples)
        animated = [*self._draw_words(words, n_boxes), *self._draw_bars(bars)]
        _draw_curves(curves, by_seed(results))
        self._mark = curves.axvline(0, color=GREY, linewidth=11, alpha=0.3)
        figure.legend(
            handles=_legend(),
            loc="lower center",
            ncols=6,
            frameon=False,
            handlelength=1.2,
            columnspacing=1.3,
            handletextpad=0.7,
        )
        self.picture = BlittedFigure(figure, [*animated, self._mark])

    def _draw_words(self, axes: Axes, n_boxes: int) -> list[Artist]:
        """Prepare a row of boxes, a word in each; the axes measure pixels."""
        axes.set(xlim=(0.0, 0.976 * WIDTH * DOTS_PER_INCH), ylim=(0.0, 1.0))
        axes.axis("off")
        self._words_axes = axes
        self._boxes = [
            axes.add_patch(Rectangle((0.0, 0.08), 0.0, 0.46, linewidth=1.5)) for _ in range(n_boxes)
        ]
        self._words = [add_label(axes, 0.0, 0.31, ha="center") for _ in range(n_boxes)]
        self._headings = [add_label(axes, 2.0, y, fontsize=SIZE + 1) for y in (0.93, 0.69)]
        return [*self._boxes, *self._words, *self._headings]

    def _draw_bars(self, axes: Axes) -> list[Artist]:
        """Prepare for each of the words a bar for each predictor, its number after it."""
        axes.set(xlim=(0.0, 1.17), ylim=(N_WORDS - 0.5, -0.5), yticks=[])
        axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
        axes.set_xlabel("probability of the next word")
        height = 0.88 / len(PREDICTORS)
        self._bars: dict[tuple[int, str], Rectangle] = {}
        self._numbers: dict[tuple[int, str], Label] = {}
        for row in range(N_WORDS):
            for column, (name, colour) in enumerate(PREDICTORS.items()):
                y = row + (column - (len(PREDICTORS) - 1) / 2) * height
                self._bars[row, name] = axes.barh(y, 0.0, 0.92 * height, color=colour)[0]
                self._numbers[row, name] = add_label(axes, 0.0, y)
        self._names = [
            add_label(axes, -0.02, row, ha="right", fontsize=SIZE + 1) for row in range(N_WORDS)
        ]
        return [*self._bars.values(), *self._numbers.values(), *self._names]

    def show(self, memory: int | None, sentence: int, place: int) -> dict[str, dict[str, float]]:
        """Draw one setting and return the distributions that are shown, by predictor.

        Raise IndexError for a sentence or place that there is not, KeyError for a memory that was
        not measured.
        """
        example = self.examples[sentence]
        by_predictor = distributions(example, memory, place)
        self._show_words(example, memory, place)
        names = shown_words(by_predictor)
        for row, label in enumerate(self._names):
            word = names[row] if row < len(names) else ""
            label.set_text(word)
            for predictor, distribution in by_predictor.items():
                p = distribution.get(word, 0.0)
                self._bars[row, predictor].set_width(p)
                text = in_digits(distribution, word) if word else ""
                self._numbers[row, predictor].set(text=text, x=p + 0.012)
        self._mark.set_xdata([MEMORIES.index(memory)] * 2)
        return by_predictor

    def _show_words(self, example: Mapping, memory: int | None, place: int) -> None:
        """Light the words that are remembered; hide those that are not written yet."""
        kept = {None: "all words", 1: "the last word"}.get(memory, f"the last {memory} words")
        source, question = self._headings
        source.set_text(" ".join(example["source"]))
        question.set_text(f"w = {memory_key(memory)}: {kept} can be seen. Which word comes next?")
        boxes = []
        for position, word in enumerate([BEGIN, *example["target"][:place], NEXT], start=-1):
            seen = is_remembered(position, place, memory)
            boxes.append((word, seen, box_width(word, seen or word is NEXT)))
        self._show_boxes(boxes)

    def _show_boxes(self, boxes: Sequence[tuple[str, bool, int]]) -> None:
        """Draw (word, whether it is seen, pixels) side by side; where there is no room, the oldest
        become an ellipsis."""
        room, left = self._words_axes.get_xlim()[1], 2.0
        if sum(width + GAP for *_, width in boxes) > room:
            ellipsis = (ELLIPSIS, False, box_width(ELLIPSIS, False))
            while sum(width + GAP for *_, width in (ellipsis, *boxes)) > room:
                boxes = boxes[1:]
            boxes = [ellipsis, *boxes]
        empty = [("", False, 0)] * (len(self._boxes) - len(boxes))
        for patch, label, (word, seen, width) in zip(
            self._boxes, self._words, [*boxes, *empty], strict=True
        ):
            is_next = word is NEXT
            label.set(
                text=word,
                x=left + width / 2,
                color=BLACK if seen or is_next else GREY,
                fontweight="bold" if seen or is_next else "normal",
            )
            patch.set(
                x=left,
                width=width,
                visible=bool(word),
                edgecolor=BLACK if is_next else "none",
                facecolor="white" if is_next else LIT if seen else FAINT,
            )
            left += width + GAP


def box_width(word: str, bold: bool) -> int:
    """Return the pixels that a word's box takes."""
    pixels, _ = rendered_text(word, SIZE, "bold" if bold else "normal", BLACK, False, DOTS_PER_INCH)
    return 2 * PADDING + pixels.shape[1]


def _draw_curves(axes: Axes, rows: Sequence[Rows]) -> None:
    """Draw the valid translations over the memory, of the truth and of the students by corpus."""
    labels = [memory_key(memory) for memory in MEMORIES]
    positions = list(range(len(labels)))
    truth, mark = rows[0][TRUTH], role_of(TRUTH).marker
    look: dict[str, Any] = {"color": PREDICTORS["truth, memory w"], "clip_on": False}
    for how, line, fill in (("greedy", "-", None), ("draws", "--", "white")):
        shares = [100 * truth[label][how] for label in labels]
        axes.plot(positions, shares, mark + line, markersize=12, markerfacecolor=fill, **look)
    for name in CORPORA:
        role = role_of(name)
        columns = [[100 * seed[name][label]["valid_as_truth"] for seed in rows] for label in labels]
        means = [
            draw_seeds(axes, position, values, role.colour, role.marker, upright=True)
            for position, values in zip(positions, columns, strict=True)
        ]
        axes.plot(positions, means, color=role.colour, linewidth=2.5)
    axes.set_xticks(positions, labels)
    axes.set_ylim(0.0, 103.0)
    axes.set_xlabel("w, words remembered")
    axes.set_ylabel("valid translations (%)")


def _legend() -> list[Artist]:
    """Return one entry a colour, for bars and curves alike, and what the broken line is."""
    colours = PREDICTORS | {"samples' student": role_of(SAMPLES).colour}
    entries = [Line2D([], [], color=colours[name], linewidth=9, label=name) for name in colours]
    drawn = Line2D(
        [],
        [],
        color=PREDICTORS["truth, memory w"],
        linestyle="--",
        marker=role_of(TRUTH).marker,
        markersize=12,
        markerfacecolor="white",
        label="drawn, not greedy",
    )
    return [*entries, drawn]


def memory_figure(
    results: Mapping, memory: int | None, sentence: int = 0, place: int | None = None
) -> Figure:
    """Draw the still twin of the memory dial; without `place`, at the place where the short memory
    is not enough.

    Raise ValueError where the results hold no examples.
    """
    drawing = MemoryDrawing(results)
    telling = drawing.examples[sentence]["telling"]
    drawing.show(memory, sentence, telling if place is None else place)
    return drawing.picture.still()
