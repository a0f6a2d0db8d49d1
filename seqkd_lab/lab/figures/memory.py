"""What a short memory leaves: the words that are remembered, the next word by who predicts it, and validity over w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.experiments.later_experiment import by_seed
from seqkd_lab.experiments.live_students import GOLD, MODE, SAMPLES
from seqkd_lab.experiments.memory_study import MEMORIES, TRUTH, examples_in, memory_key
from seqkd_lab.experiments.verdicts import Rows, mean_and_interval
from seqkd_lab.lab.figures.picture import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    Picture,
    add_label,
    label_axes,
)

WHOLE = "truth"
LIMITED = "truth with this memory"
ROLES = {WHOLE: BLACK, LIMITED: ORANGE, "student of gold": BLUE, "student of the mode (Seq-KD)": GREEN}
"""Who predicts the next word, and the colour of each, in the bars and on the curve."""
STUDENTS = ((MODE, GREEN, "^", "student of the mode"), (SAMPLES, PURPLE, "s", "student of samples"),
            (GOLD, BLUE, "o", "student of gold"))
N_WORDS, N_BOXES = 4, 16
"""Rows of bars, and words of a translation that have room."""
SEEN, GONE = "#ffe7a0", "#eeeeee"


def distributions(example: Mapping, memory: int | None, place: int) -> dict[str, dict[str, float]]:
    """Return the next word's distribution by role, at a place of an example's translation."""
    said = example["places"][place]
    students = said["memories"][memory_key(memory)]
    return dict(zip(ROLES, (said["truth"], students["truth"], students[GOLD], students[MODE]), strict=True))


def shown_words(by_role: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the N_WORDS words that get the most probability from any role, the most probable first."""
    most: dict[str, float] = {}
    for distribution in by_role.values():
        for word, p in distribution.items():
            most[word] = max(p, most.get(word, 0.0))
    return sorted(most, key=lambda word: (-most[word], word))[:N_WORDS]


def is_remembered(place: int, next_place: int, memory: int | None) -> bool:
    """Tell whether the word at `place` is among the last `memory` words before `next_place`."""
    return place < next_place and (memory is None or place >= next_place - memory)


class MemoryDrawing:
    """The picture of the memory dial; `show` moves it."""

    def __init__(self, results: Mapping) -> None:
        self.examples, rows = examples_in(results), by_seed(results)
        figure = Figure(figsize=(13, 6.8), layout="constrained")
        panels = figure.subplot_mosaic([["words", "words"], ["bars", "curve"]], height_ratios=[1.0, 4.4],
                                       width_ratios=[1.15, 1.0])
        moving = [*self._draw_words(panels["words"]), *self._draw_bars(panels["bars"]),
                  *self._draw_curve(panels["curve"], rows)]
        self.picture = Picture(figure, moving)

    def _draw_words(self, axes: Axes) -> list:
        """A row of boxes, a word in each."""
        axes.set(xlim=(0, N_BOXES), ylim=(0, 1))
        axes.axis("off")
        self._boxes = [axes.add_patch(Rectangle((place + 0.04, 0.12), 0.92, 0.62, linewidth=1.5))
                       for place in range(N_BOXES)]
        self._words = [add_label(axes, place + 0.5, 0.43, ha="center", fontsize=SIZE - 2) for place in range(N_BOXES)]
        self._heading = add_label(axes, 0.04, 0.93, fontsize=SIZE)
        return [*self._boxes, *self._words, self._heading]

    def _draw_bars(self, axes: Axes) -> list:
        """For each of the words a bar a role, its number after it."""
        axes.set(xlim=(0, 1.0), ylim=(N_WORDS - 0.45, -0.55), yticks=[])
        label_axes(axes, "probability of the next word", "")
        height = 0.84 / len(ROLES)
        self._bars, self._numbers = {}, {}
        for row in range(N_WORDS):
            for column, (role, colour) in enumerate(ROLES.items()):
                y = row + (column - (len(ROLES) - 1) / 2) * height
                self._bars[row, role] = axes.barh(y, 0.0, height, color=colour, left=0.0)[0]
                self._numbers[row, role] = add_label(axes, 0.0, y, fontsize=SIZE - 2)
        self._names = [add_label(axes, -0.02, row, ha="right", fontsize=SIZE + 1) for row in range(N_WORDS)]
        axes.set_ylabel(" \n \n \n \n", fontsize=SIZE)  # room for the words
        for role, colour in ROLES.items():
            axes.barh(-5, 0.0, color=colour, label=role)
        axes.legend(fontsize=SIZE - 1, loc="upper center", bbox_to_anchor=(0.42, 1.21), ncols=2)
        return [*self._bars.values(), *self._numbers.values(), *self._names]

    def _draw_curve(self, axes: Axes, rows: Sequence[Rows]) -> list:
        """Valid translations over the memory, of the truth and of the students; the present memory marked."""
        places = range(len(MEMORIES))
        labels = [memory_key(memory) for memory in MEMORIES]
        truth = rows[0][TRUTH]
        axes.plot(places, [100 * truth[label]["draws"] for label in labels], "D--", color=ORANGE, linewidth=2,
                  markersize=8, label=f"{LIMITED}, drawn")
        for name, colour, mark, said in STUDENTS:
            columns = [[100 * seed[name][label]["valid_as_truth"] for seed in rows] for label in labels]
            means = [mean_and_interval(values) for values in columns]
            axes.plot(places, [mean for mean, _ in means], f"{mark}-", color=colour, linewidth=2.5, markersize=9,
                      label=said)
            if len(rows) > 1:
                axes.vlines(places, [max(0.0, low) for _, (low, _) in means],
                            [min(100.0, high) for _, (_, high) in means], color=colour, linewidth=2)
        axes.set_xticks(list(places), labels)
        axes.set_ylim(0.0, 100.0)
        label_axes(axes, "w, the words remembered", "valid translations (%)")
        axes.legend(fontsize=SIZE - 1, loc="upper center", bbox_to_anchor=(0.5, 1.21), ncols=2)
        self._mark = axes.axvline(0, color=GREY, linewidth=9, alpha=0.35)
        return [self._mark]

    def show(self, memory: int | None, sentence: int, place: int) -> dict[str, dict[str, float]]:
        """Draw one setting and return the distributions that are shown, by role.

        Raises IndexError for a sentence or place that there is not, KeyError for a memory that was not measured.
        """
        example = self.examples[sentence]
        by_role = distributions(example, memory, place)
        self._show_words(example["target"], memory, place)
        names = shown_words(by_role)
        for row in range(N_WORDS):
            name = names[row] if row < len(names) else ""
            self._names[row].set_text(name)
            for role in ROLES:
                p = by_role[role].get(name, 0.0)
                self._bars[row, role].set_width(p)
                inside = p > 0.85
                number = self._numbers[row, role]
                number.set_text(f"{p:.2f}" if name else "")
                number.set(x=p - 0.01 if inside else p + 0.01, ha="right" if inside else "left",
                           color="white" if inside else BLACK)
        self._mark.set_xdata([MEMORIES.index(memory)] * 2)
        return by_role

    def _show_words(self, target: Sequence[str], memory: int | None, place: int) -> None:
        """Light the words that are remembered."""
        width = "all its words" if memory is None else f"{memory} word{'s' * (memory > 1)}"
        self._heading.set_text(f"A student that remembers {width} sees these; which word comes next?")
        for position, (box, label) in enumerate(zip(self._boxes, self._words, strict=True)):
            seen, is_next = is_remembered(position, place, memory), position == place
            written = position < place
            box.set_visible(written or is_next)
            box.set(facecolor=SEEN if seen else "white" if is_next else GONE, edgecolor=BLACK if is_next else "none")
            label.set(text="?" if is_next else target[position] if written else "", color=BLACK if seen else GREY,
                      fontweight="bold" if seen else "normal")


def memory_figure(results: Mapping, memory: int | None, sentence: int = 0, place: int | None = None) -> Figure:
    """Draw the still twin of the memory dial; without `place`, at the place where the short memory tells."""
    drawing = MemoryDrawing(results)
    drawing.show(memory, sentence, drawing.examples[sentence]["telling"] if place is None else place)
    for artist in drawing.picture.moving:
        artist.set_animated(False)
    return drawing.picture.figure
