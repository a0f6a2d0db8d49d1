"""Speculative sampling round by round: what the draft proposed, what was accepted, and the
distributions where the round ended."""

from __future__ import annotations

from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from seqkd_lab.decoding.draft_trace import (
    ACCEPTED,
    REJECTED,
    UNREAD,
    DraftedWord,
    DraftTrace,
    TracedRound,
)
from seqkd_lab.lab.shared.distribution_columns import (
    KEY,
    DistributionBars,
    PositionDistributions,
    display_word,
    position_distributions,
)
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, LIGHT_GREY, SIZE, VERMILION, styled

MOST_DRAFTED = 8
N_ROUNDS = 6
N_COLUMNS = MOST_DRAFTED + 1
EXTRA = "extra"
EDGE = {ACCEPTED: BLUE, REJECTED: VERMILION, UNREAD: LIGHT_GREY, EXTRA: GREEN}
FILL = {fate: to_rgba(colour, 0.0 if fate == UNREAD else 0.2) for fate, colour in EDGE.items()}
LEGEND = (
    "✓ accepted   ✗ rejected   %: probability to be accepted   grey: after a rejected one, not "
    "read   + added by the target"
)
WIDE_WORD = 11
"""Letters of a word that fit into a box at its usual size; a longer one is written smaller."""
LEAST_SIZE = 7.0


class Box(NamedTuple):
    """A word of a round: its text, the line below, and its fate or EXTRA."""

    word: str
    note: str
    fate: str


def chance(word: DraftedWord) -> float:
    """Return min(1, q / p): the probability with which the proposal was accepted."""
    return min(1.0, word.q / word.p) if word.p > 0.0 else 1.0


def note(word: DraftedWord) -> str:
    """Return the sign of a proposal's fate, and where it was judged its probability to be
    accepted."""
    if word.fate == UNREAD:
        return "not read"
    return f"{'✓' if word.fate == ACCEPTED else '✗'} {percent(chance(word))}"


def percent(share: float) -> str:
    """Return a share (0–1) in whole percent, with "<" or ">" where it would round to 0 or 100 and
    is neither."""
    if 0.0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1.0 else f"{share:.0%}"


def boxes(traced: TracedRound) -> list[Box]:
    """Return the words of a round from left to right, the one that the target adds the last."""
    drafted = [Box(display_word(word.token), note(word), word.fate) for word in traced.words]
    extra = [] if traced.extra is None else [Box(display_word(traced.extra), "+", EXTRA)]
    return [*drafted, *extra]


def window(number: int, n_rounds: int) -> range:
    """Return the rounds (from 0) that are shown when `number` (from 1) is chosen: at most N_ROUNDS
    of them."""
    first = min(max(0, number - 1 - N_ROUNDS // 2), max(0, n_rounds - N_ROUNDS))
    return range(first, min(first + N_ROUNDS, n_rounds))


def distributions_of(trace: DraftTrace, number: int) -> PositionDistributions | None:
    """Return the distributions where round `number` (from 1) ended; None where the end of the
    sentence was accepted and nothing was drawn."""
    traced = trace.rounds[number - 1]
    if traced.extra is None:
        return None
    refused = None if traced.rejected is None else traced.rejected.token
    return position_distributions(
        traced.p, traced.q, traced.extra_distribution, trace.tokens, refused, traced.extra
    )


def title_of(traced: TracedRound) -> str:
    """Say what the last word of the round is drawn from."""
    if traced.extra is None:
        return "the end is accepted: nothing is drawn"
    return "all accepted: q once more" if traced.rejected is None else "(q − p)₊, scaled to 1"


class DraftingDrawing:
    """Above a window of rounds, a row each; below p, q and the distribution of the extra word in
    the round that is chosen."""

    @styled
    def __init__(self) -> None:
        figure = Figure(figsize=(12, 7.1))
        axes = figure.add_axes((0.005, 0.44, 0.99, 0.515))
        axes.axis("off")
        axes.set(xlim=(-0.95, N_COLUMNS), ylim=(N_ROUNDS - 0.42, -0.5))
        axes.set_title(LEGEND)
        self._boxes = PolyCollection([], linewidths=1.4)
        axes.add_collection(self._boxes)
        self._frame = Rectangle(
            (-0.93, 0.0), N_COLUMNS + 0.9, 0.96, fill=False, edgecolor=BLACK, linewidth=2.2
        )
        axes.add_patch(self._frame)
        self._add_labels(axes)
        columns = [figure.add_axes((left, 0.05, 0.265, 0.31)) for left in (0.13, 0.42, 0.71)]
        self._columns = DistributionBars(columns)
        figure.text(0.5, 0.422, KEY, fontsize=SIZE - 1, ha="center", va="center")
        labels = [*self._words.values(), *self._notes.values(), *self._heads, *self._counts]
        moving = [self._boxes, self._frame, *labels, *self._columns.animated]
        self.picture = BlittedFigure(figure, moving)

    def _add_labels(self, axes: Axes) -> None:
        """Add the words and notes of all boxes, and the head and count of each row."""
        small: dict[str, Any] = {"fontsize": SIZE - 1}
        self._words: dict[tuple[int, int], Text] = {}
        self._notes: dict[tuple[int, int], Text] = {}
        for row in range(N_ROUNDS):
            for column in range(N_COLUMNS):
                middle = column + 0.46
                self._words[row, column] = add_label(axes, middle, row - 0.17, ha="center")
                self._notes[row, column] = add_label(axes, middle, row + 0.21, ha="center", **small)
        self._heads = [add_label(axes, -0.86, row - 0.17) for row in range(N_ROUNDS)]
        self._counts = [add_label(axes, -0.86, row + 0.21, **small) for row in range(N_ROUNDS)]

    def show(self, trace: DraftTrace, number: int) -> None:
        """Show round `number` (from 1) of `trace`, and the rounds around it."""
        shown = window(number, len(trace.rounds))
        rows = [boxes(trace.rounds[index]) for index in shown]
        for (row, column), word in self._words.items():
            is_there = row < len(rows) and column < len(rows[row])
            self._show_box(word, self._notes[row, column], rows[row][column] if is_there else None)
        for row, (head, count) in enumerate(zip(self._heads, self._counts, strict=True)):
            n_tokens = trace.rounds[shown[row]].n_tokens if row < len(shown) else 0
            head.set_text(f"round {shown[row] + 1}" if row < len(shown) else "")
            plural = "s" * (n_tokens != 1)
            count.set_text(f"{n_tokens} token{plural}" if row < len(shown) else "")
        self._show_corners(rows)
        self._frame.set_y(shown.index(number - 1) - 0.48)
        self._columns.show(distributions_of(trace, number), title_of(trace.rounds[number - 1]))

    def _show_box(self, word: Text, below: Text, box: Box | None) -> None:
        if box is None:
            word.set_text("")
            below.set_text("")
            return
        colour = GREY if box.fate == UNREAD else BLACK
        size = (SIZE - 1) * min(1.0, WIDE_WORD / max(1, len(box.word)))
        word.set(text=box.word, color=colour, fontsize=max(LEAST_SIZE, size))
        below.set(text=box.note, color=colour)

    def _show_corners(self, rows: list[list[Box]]) -> None:
        drawn = [
            (row, column, box.fate)
            for row, line in enumerate(rows)
            for column, box in enumerate(line)
        ]
        self._boxes.set_verts([corners(row, column) for row, column, _ in drawn])
        self._boxes.set_facecolor([FILL[fate] for _, _, fate in drawn])
        self._boxes.set_edgecolor([EDGE[fate] for _, _, fate in drawn])
        self._boxes.set_linestyle([":" if fate == UNREAD else "-" for _, _, fate in drawn])


def corners(row: int, column: int) -> list[tuple[float, float]]:
    """Return the corners of a box."""
    left, right, top, bottom = column, column + 0.92, row - 0.4, row + 0.4
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def drafting_figure(trace: DraftTrace, number: int = 1) -> Figure:
    """Draw the still twin of the DraftingStepper: round `number` (from 1). Raise ValueError for one
    that was not needed."""
    if not 1 <= number <= len(trace.rounds):
        raise ValueError(f"the sentence took rounds 1 to {len(trace.rounds)}; got {number}")
    drawing = DraftingDrawing()
    drawing.show(trace, number)
    figure, temperature = drawing.picture.figure, trace.distribution.temperature
    chosen = "greedy" if temperature == 0.0 else f"temperature {temperature:g}"
    title = f"{' '.join(trace.source)}   K = {trace.draft_length}, {chosen}\n{LEGEND}"
    figure.set_figheight(7.4)
    figure.axes[0].set_position((0.005, 0.44, 0.99, 0.485))
    figure.axes[0].set_title(title, fontsize=SIZE, parse_math=False)
    without_empty_rows(figure, len(window(number, len(trace.rounds))))
    return figure


def without_empty_rows(figure: Figure, n_rows: int) -> None:
    """Cut the rows of the upper panel that have no round, and make the figure lower by them."""
    before, upper = figure.get_figheight(), figure.axes[0].get_position()
    cut = upper.height * (N_ROUNDS - n_rows) / N_ROUNDS
    after = before * (1.0 - cut)
    figure.set_figheight(after)
    figure.axes[0].set_ylim(n_rows - 0.42, -0.5)
    for place, axes in enumerate(figure.axes):
        at = axes.get_position()
        height = at.height - (cut if place == 0 else 0.0)
        axes.set_position((at.x0, at.y0 * before / after, at.width, height * before / after))
    for text in figure.texts:
        text.set_y(text.get_position()[1] * before / after)
