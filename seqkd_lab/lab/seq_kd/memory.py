"""What a short memory leaves: the words that are remembered, the next word by who predicts it, and
validity over w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    add_label,
    label_axes,
    rendered_text,
)
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SIZE
from seqkd_lab.runs.study import by_seed
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.examples import N_WORDS as N_KEPT
from seqkd_lab.studies.memory.study import MEMORIES, TRUTH, examples_in, memory_key

WHOLE, LIMITED, FROM_GOLD, FROM_MODE = (
    "truth",
    "truth, memory w",
    "gold's student",
    "mode's student (Seq-KD)",
)
ROLES = {WHOLE: BLACK, LIMITED: ORANGE, FROM_GOLD: BLUE, FROM_MODE: GREEN}
"""Who predicts the next word, and the colour of each, in the bars and on the curves."""
CURVES = ((MODE, GREEN, "^"), (SAMPLES, PURPLE, "s"), (GOLD, BLUE, "o"))
N_WORDS = 4
"""Rows of bars."""
WIDTH, HEIGHT = 13.0, 7.4
"""Inches."""
PADDING, GAP = 9, 5
"""Pixels: within a box beside its word, and between boxes."""
SEEN, GONE = "#ffe7a0", "#eeeeee"
NEXT, ELLIPSIS = "?", "…"


def distributions(example: Mapping, memory: int | None, place: int) -> dict[str, dict[str, float]]:
    """Return the next word's distribution by role, at a place of an example's translation."""
    said = example["places"][place]
    limited = said["memories"][memory_key(memory)]
    return dict(
        zip(ROLES, (said["truth"], limited["truth"], limited[GOLD], limited[MODE]), strict=True)
    )


def shown_words(by_role: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the N_WORDS words that get the most probability from any role, the most probable
    first."""
    most: dict[str, float] = {}
    for distribution in by_role.values():
        for word, p in distribution.items():
            most[word] = max(p, most.get(word, 0.0))
    return sorted(most, key=lambda word: (-most[word], word))[:N_WORDS]


def in_digits(distribution: Mapping[str, float], word: str) -> str:
    """Return the probability of `word` for people; of one that was not kept, what it cannot be
    above."""
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

    Raises ValueError where the results hold no examples.
    """

    def __init__(self, results: Mapping) -> None:
        self.examples, rows = examples_in(results), by_seed(results)
        figure = Figure(figsize=(WIDTH, HEIGHT))
        words = figure.add_axes((0.012, 0.8, 0.976, 0.185))
        bars, curve = (
            figure.add_axes((0.135, 0.17, 0.365, 0.595)),
            figure.add_axes((0.578, 0.17, 0.41, 0.595)),
        )
        n_boxes = 2 + max(len(example["target"]) for example in self.examples)
        animated = [
            *self._draw_words(words, n_boxes),
            *self._draw_bars(bars),
            *self._draw_curves(curve, rows),
        ]
        figure.legend(
            handles=_legend(),
            fontsize=SIZE,
            loc="lower center",
            ncols=6,
            frameon=False,
            handlelength=1.2,
            columnspacing=1.3,
            handletextpad=0.7,
        )
        self.picture = BlittedFigure(figure, animated)

    def _draw_words(self, axes: Axes, n_boxes: int) -> list[Artist]:
        """A row of boxes, a word in each; the axes measure pixels."""
        axes.set(xlim=(0.0, 0.976 * WIDTH * DOTS_PER_INCH), ylim=(0.0, 1.0))
        axes.axis("off")
        self._boxes = [
            axes.add_patch(Rectangle((0.0, 0.08), 0.0, 0.46, linewidth=1.5)) for _ in range(n_boxes)
        ]
        self._words = [add_label(axes, 0.0, 0.31, ha="center") for _ in range(n_boxes)]
        self._headings = [add_label(axes, 2.0, y, fontsize=SIZE + 1) for y in (0.93, 0.69)]
        return [*self._boxes, *self._words, *self._headings]

    def _draw_bars(self, axes: Axes) -> list[Artist]:
        """For each of the words a bar a role, its number after it."""
        axes.set(
            xlim=(0.0, 1.17),
            ylim=(N_WORDS - 0.5, -0.5),
            yticks=[],
            xticks=[0.0, 0.25, 0.5, 0.75, 1.0],
        )
        label_axes(axes, "probability of the next word", "")
        axes.tick_params(labelsize=SIZE)
        height = 0.88 / len(ROLES)
        self._bars, self._numbers = {}, {}
        for row in range(N_WORDS):
            for column, (role, colour) in enumerate(ROLES.items()):
                y = row + (column - (len(ROLES) - 1) / 2) * height
                self._bars[row, role] = axes.barh(y, 0.0, 0.92 * height, color=colour)[0]
                self._numbers[row, role] = add_label(axes, 0.0, y)
        self._names = [
            add_label(axes, -0.02, row, ha="right", fontsize=SIZE + 1) for row in range(N_WORDS)
        ]
        return [*self._bars.values(), *self._numbers.values(), *self._names]

    def _draw_curves(self, axes: Axes, rows: Sequence[Rows]) -> list[Artist]:
        """Valid translations over the memory, of the truth and of the students; the present memory
        marked."""
        labels, places = [memory_key(memory) for memory in MEMORIES], range(len(MEMORIES))
        for how, line, fill in (("greedy", "-", ORANGE), ("draws", "--", "white")):
            axes.plot(
                places,
                [100 * rows[0][TRUTH][label][how] for label in labels],
                f"D{line}",
                color=ORANGE,
                linewidth=2,
                markersize=8,
                markerfacecolor=fill,
                clip_on=False,
            )
        for name, colour, mark in CURVES:
            columns = [
                mean_and_interval([100 * seed[name][label]["valid_as_truth"] for seed in rows])
                for label in labels
            ]
            axes.plot(
                places,
                [mean for mean, _ in columns],
                f"{mark}-",
                color=colour,
                linewidth=2.5,
                markersize=9,
                clip_on=False,
            )
            if len(rows) > 1:
                axes.vlines(
                    places,
                    [max(0.0, low) for _, (low, _) in columns],
                    [min(100.0, high) for _, (_, high) in columns],
                    color=colour,
                    linewidth=2,
                )
        axes.set_xticks(list(places), labels)
        axes.set_ylim(0.0, 103.0)
        label_axes(axes, "w, words remembered", "valid translations (%)")
        axes.tick_params(labelsize=SIZE)
        self._mark = axes.axvline(0, color=GREY, linewidth=11, alpha=0.3)
        return [self._mark]

    def show(self, memory: int | None, sentence: int, place: int) -> dict[str, dict[str, float]]:
        """Draw one setting and return the distributions that are shown, by role.

        Raises IndexError for a sentence or place that there is not, KeyError for a memory that was
        not measured.
        """
        example = self.examples[sentence]
        by_role = distributions(example, memory, place)
        self._show_words(example, memory, place)
        names = shown_words(by_role)
        for row, label in enumerate(self._names):
            name = names[row] if row < len(names) else ""
            label.set_text(name)
            for role, distribution in by_role.items():
                p, number = distribution.get(name, 0.0), self._numbers[row, role]
                self._bars[row, role].set_width(p)
                number.set(text=in_digits(distribution, name) if name else "", x=p + 0.012)
        self._mark.set_xdata([MEMORIES.index(memory)] * 2)
        return by_role

    def _show_words(self, example: Mapping, memory: int | None, place: int) -> None:
        """Light the words that are remembered; hide those that are not written yet."""
        kept = (
            "all words"
            if memory is None
            else f"the last {memory} words"
            if memory > 1
            else "the last word"
        )
        self._headings[0].set_text(" ".join(example["source"]))
        self._headings[1].set_text(
            f"w = {memory_key(memory)}: {kept} can be seen. Which word comes next?"
        )
        written = [BEGIN, *example["target"][:place], NEXT]
        boxes = [
            (word, is_remembered(position - 1, place, memory))
            for position, word in enumerate(written)
        ]
        self._show_boxes(
            [(word, seen, box_width(word, seen or word is NEXT)) for word, seen in boxes]
        )

    def _show_boxes(self, boxes: Sequence[tuple[str, bool, int]]) -> None:
        """Draw (word, whether it is seen, pixels) side by side; where there is no room, the oldest
        become an ellipsis."""
        room, left = self._boxes[0].axes.get_xlim()[1], 2.0
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
                facecolor="white" if is_next else SEEN if seen else GONE,
            )
            left += width + GAP


def box_width(word: str, bold: bool) -> int:
    """Return the pixels that a word's box takes."""
    pixels, _ = rendered_text(word, SIZE, "bold" if bold else "normal", BLACK, False, DOTS_PER_INCH)
    return 2 * PADDING + pixels.shape[1]


def _legend() -> list[Artist]:
    """One entry a colour, for bars and curves alike, and what the broken line is."""
    entries = [
        Line2D([], [], color=colour, linewidth=9, label=role) for role, colour in ROLES.items()
    ]
    samples = Line2D([], [], color=PURPLE, linewidth=9, label="samples' student")
    drawn = Line2D(
        [],
        [],
        color=ORANGE,
        linewidth=2,
        linestyle="--",
        marker="D",
        markersize=8,
        markerfacecolor="white",
        label="drawn, not greedy",
    )
    return [*entries, samples, drawn]


def memory_figure(
    results: Mapping, memory: int | None, sentence: int = 0, place: int | None = None
) -> Figure:
    """Draw the still twin of the memory dial; without `place`, at the place where the short memory
    tells.

    Raises ValueError where the results hold no examples.
    """
    drawing = MemoryDrawing(results)
    drawing.show(
        memory, sentence, drawing.examples[sentence]["telling"] if place is None else place
    )
    for artist in drawing.picture.animated:
        artist.set_animated(False)
    return drawing.picture.figure
