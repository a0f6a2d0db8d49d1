"""F7, the speed-up: its two causes apart, in a picture and in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import BLACK, BLUE, ORANGE, SIZE, panels, ready, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_turn, words_per_second
from seqkd_lab.runs.verdicts import mean_and_interval

SMALLER = "the smaller model"
GREEDY_SEARCH = "greedy search"


@dataclass(frozen=True)
class Speeds:
    """Source words per second of teacher and student, by beam and greedily. Larger is faster."""

    teacher_beam: float
    teacher_greedy: float
    student_beam: float
    student_greedy: float

    @property
    def total(self) -> float:
        """Return the greedy student's speed over that of the teacher with a beam."""
        return self.student_greedy / self.teacher_beam

    @property
    def size_then_search(self) -> tuple[float, float]:
        """Return the factor of the smaller model (both with the beam), then that of greedy search
        (both the student); their product is `total`."""
        return self.student_beam / self.teacher_beam, self.student_greedy / self.student_beam

    @property
    def search_then_size(self) -> tuple[float, float]:
        """Return the factor of greedy search (both the teacher), then that of the smaller model
        (both greedy); their product is the same."""
        return self.teacher_greedy / self.teacher_beam, self.student_greedy / self.teacher_greedy


PAPER_SPEEDS = {
    "paper, GPU": Speeds(101.9, 425.5, 181.9, 1051.3),
    "paper, CPU": Speeds(7.9, 15.0, 22.1, 63.6),
}
"""Kim & Rush 2016, Table 2: teacher 4×1000, student 2×500, beam 5; source words per second."""


def measure_speeds(
    teacher: Seq2Seq,
    student: Seq2Seq,
    sources: Sequence[Sequence[str]],
    beam_size: int = 5,
    repetitions: int = 5,
    watch: Callable[[int, int], None] | None = None,
) -> list[Speeds]:
    """Return the Speeds of each repetition, in the threads that torch has.

    All four are measured in turn, so that a busy moment of the machine touches all alike, after one
    round that is not counted. `watch` is called with (done, total) rounds.
    """
    jobs = {
        (model, size): partial(words_per_second, model, sources, size)
        for model in (teacher, student)
        for size in (beam_size, 1)
    }

    def whole_rounds(done: int, total: int) -> None:
        if watch is not None and done % len(jobs) == 0:
            watch(done // len(jobs), total // len(jobs))

    by_job = in_turn(jobs, repetitions, whole_rounds)
    return [Speeds(*speeds) for speeds in zip(*by_job.values(), strict=True)]


def middle(rounds: Sequence[Speeds]) -> Speeds:
    """Return the median of each speed."""
    names = Speeds.__dataclass_fields__
    return Speeds(*(median(getattr(speeds, name) for speeds in rounds) for name in names))


@styled
def speed_figure(speeds: Mapping[str, Speeds]) -> Figure:
    """Draw the speed-up as a product, in both orders: on a logarithmic axis factors add."""
    figure, axes = panels(13, 1.6 + 1.25 * len(speeds))
    names, most = [], max(here.total for here in speeds.values())
    for row, (name, here) in enumerate(speeds.items()):
        (size, search), (search_first, size_second) = here.size_then_search, here.search_then_size
        _draw_product(axes, 2.4 * row, ((size, BLUE), (search, ORANGE)))
        _draw_product(axes, 2.4 * row + 1, ((search_first, ORANGE), (size_second, BLUE)))
        _write(axes, f"= {here.total:.1f}", here.total, 2.4 * row + 0.5)
        names += [(2.4 * row, f"{name}: first smaller"), (2.4 * row + 1, "first greedy")]
    axes.set_xscale("log")
    axes.set_xlim(1.0, 1.6 * max(most, 2.0))
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick <= 1.6 * most]
    axes.set_xticks(ticks, [f"{tick} ×" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([height for height, _ in names], [name for _, name in names])
    axes.set_ylim(2.4 * len(speeds) - 0.8, -0.7)
    axes.set_xlabel("times as fast as the teacher with a beam (logarithmic)")
    for colour, label in ((BLUE, SMALLER), (ORANGE, f"{GREEDY_SEARCH} in place of the beam")):
        axes.plot([], [], "s", color=colour, markersize=12, label=label)
    figure.legend(loc="outside upper center", ncols=2)
    ready(axes, "x")
    return figure


def _write(axes: Axes, text: str, x: float, y: float) -> None:
    """Write a total to the right of its bars."""
    axes.annotate(
        text, (x, y), xytext=(10, -6), textcoords="offset points", size=SIZE + 2, weight="bold"
    )


def _draw_product(axes: Axes, y: float, parts: Sequence[tuple[float, str]]) -> None:
    """Draw bars one after the other, each from the product so far to the product with its
    factor."""
    reached = 1.0
    for factor, colour in parts:
        axes.barh(y, reached * factor - reached, 0.85, left=reached, color=colour)
        if factor > 1.15:
            middle_of_bar = (reached * math.sqrt(factor), y)
            light = "white" if colour == BLUE else BLACK
            axes.annotate(f"× {factor:.1f}", middle_of_bar, ha="center", va="center", color=light)
        reached *= factor


def larger_factor(rounds: Sequence[Speeds]) -> str:
    """Return which factor is the larger one, the model first; CANNOT_TELL where the rounds'
    interval holds both."""
    logs = [
        math.log(size / search) for size, search in (speeds.size_then_search for speeds in rounds)
    ]
    low, high = mean_and_interval(logs)[1]
    return SMALLER if low > 0.0 else GREEDY_SEARCH if high < 0.0 else CANNOT_TELL


def speed_in_words(rounds: Sequence[Speeds]) -> Markdown:
    """Say the product in both orders, and that distillation itself makes nothing faster."""
    here = middle(rounds)
    (size, search), (search_first, size_second) = here.size_then_search, here.search_then_size
    totals = [speeds.total for speeds in rounds]
    return Markdown(
        f"The greedy student is {here.total:.1f} times as fast as the teacher with a beam (rounds: "
        f"{min(totals):.1f} to {max(totals):.1f}). Changing the model first, the factors are "
        f"{size:.1f} for the smaller model and {search:.1f} for greedy search; changing the search "
        f"first, {search_first:.1f} for greedy search and {size_second:.1f} for the smaller model. "
        "The product is the same, its parts depend on the order.\n\n**Distillation itself makes "
        "nothing faster.** A small model is fast with or without it, and greedy search is fast "
        "for the teacher, too. Distillation makes the fast way *good enough*."
    )
