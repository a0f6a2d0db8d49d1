"""Speculative sampling round by round: what the draft proposed, what stood, and what the target
said where it ended."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqkd_lab.decoding.draft_trace import (
    ACCEPTED,
    REJECTED,
    UNREAD,
    DraftedWord,
    DraftTrace,
    TracedRound,
)
from seqkd_lab.lab.shared.distribution_columns import KEY, LawBars, PlaceLaws, place_laws, said
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, SIZE, VERMILION

MOST_DRAFTED, N_ROUNDS = 8, 6
EXTRA = "extra"
FILL = {ACCEPTED: "#cfe6f5", REJECTED: "#fbdccb", UNREAD: "#ffffff", EXTRA: "#bfe8da"}
EDGE = {ACCEPTED: BLUE, REJECTED: VERMILION, UNREAD: "#bbbbbb", EXTRA: GREEN}
LEGEND = (
    "✓ stands   ✗ refused   %: its chance to stand   grey: behind a refused one, not read   + "
    "added by the target"
)
WIDE_WORD = 11
"""Letters of a word that fit into a box at its usual size; a longer one is written smaller."""


class Box(NamedTuple):
    """A word of a round: what it says, the line below, and its fate or EXTRA."""

    word: str
    note: str
    fate: str


def chance(word: DraftedWord) -> float:
    """min(1, q / p): how likely the proposal was to stand."""
    return min(1.0, word.q / word.p) if word.p > 0.0 else 1.0


def note(word: DraftedWord) -> str:
    """The sign of a proposal's fate, and its chance to stand where it was judged."""
    if word.fate == UNREAD:
        return "not read"
    return f"{'✓' if word.fate == ACCEPTED else '✗'} {percent(chance(word))}"


def percent(share: float) -> str:
    """A share (0–1) in whole percent; what would round to 0 or 100 and is neither says so."""
    if 0.0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1.0 else f"{share:.0%}"


def boxes(one: TracedRound) -> list[Box]:
    """The words of a round from left to right, the one that the target adds the last."""
    drafted = [Box(said(word.token), note(word), word.fate) for word in one.words]
    return drafted if one.extra is None else [*drafted, Box(said(one.extra), "+", EXTRA)]


def window(number: int, n_rounds: int) -> range:
    """The rounds (from 0) that are shown when `number` (from 1) is chosen: at most N_ROUNDS of
    them."""
    first = min(max(0, number - 1 - N_ROUNDS // 2), max(0, n_rounds - N_ROUNDS))
    return range(first, min(first + N_ROUNDS, n_rounds))


def laws_of(trace: DraftTrace, number: int) -> PlaceLaws | None:
    """The laws where round `number` (from 1) ended; None where the end of the sentence stood and
    nothing was drawn."""
    one = trace.rounds[number - 1]
    if one.extra is None:
        return None
    refused = None if one.rejected is None else one.rejected.token
    return place_laws(one.p, one.q, one.extra_law, trace.tokens, refused, one.extra)


def title_of(one: TracedRound) -> str:
    """What the last word of the round is drawn from."""
    if one.extra is None:
        return "the end stands: nothing is drawn"
    return "all stand: q once more" if one.rejected is None else "(q − p)₊, scaled to 1"


class DraftingDrawing:
    """Above a window of rounds, a row each; below p, q and the law of the extra word in the round
    that is chosen."""

    def __init__(self) -> None:
        figure = Figure(figsize=(12, 7.1))
        axes = figure.add_axes((0.005, 0.44, 0.99, 0.515))
        axes.axis("off")
        axes.set(xlim=(-0.95, MOST_DRAFTED + 1), ylim=(N_ROUNDS - 0.42, -0.5))
        axes.set_title(LEGEND, fontsize=SIZE, parse_math=False)
        self._boxes = axes.add_collection(PolyCollection([], linewidths=1.4))
        corner = (-0.93, 0.0), MOST_DRAFTED + 1.9, 0.96
        self._frame = axes.add_patch(Rectangle(*corner, fill=False, edgecolor=BLACK, linewidth=2.2))
        cells = [(row, column) for row in range(N_ROUNDS) for column in range(MOST_DRAFTED + 1)]
        self._words = {
            cell: add_label(axes, cell[1] + 0.46, cell[0] - 0.17, ha="center") for cell in cells
        }
        self._notes = {
            cell: add_label(axes, cell[1] + 0.46, cell[0] + 0.21, ha="center", fontsize=SIZE - 1)
            for cell in cells
        }
        self._heads = [add_label(axes, -0.86, row - 0.17) for row in range(N_ROUNDS)]
        self._counts = [
            add_label(axes, -0.86, row + 0.21, fontsize=SIZE - 1) for row in range(N_ROUNDS)
        ]
        panels = [figure.add_axes((left, 0.05, 0.265, 0.31)) for left in (0.13, 0.42, 0.71)]
        self._laws = LawBars(panels)
        figure.text(0.5, 0.422, KEY, fontsize=SIZE - 1, ha="center", va="center", parse_math=False)
        labels = [*self._words.values(), *self._notes.values(), *self._heads, *self._counts]
        self.picture = BlittedFigure(
            figure, [self._boxes, self._frame, *labels, *self._laws.animated]
        )

    def show(self, trace: DraftTrace, number: int) -> None:
        """Shows round `number` (from 1) of `trace`, and the rounds around it."""
        shown = window(number, len(trace.rounds))
        rows = [boxes(trace.rounds[place]) for place in shown]
        for (row, column), word in self._words.items():
            there = row < len(rows) and column < len(rows[row])
            self._show_box(word, self._notes[row, column], rows[row][column] if there else None)
        for row, (head, count) in enumerate(zip(self._heads, self._counts, strict=True)):
            place = shown[row] if row < len(shown) else None
            head.set_text("" if place is None else f"round {place + 1}")
            tokens = 0 if place is None else trace.rounds[place].n_tokens
            count.set_text("" if place is None else f"{tokens} token{'s' * (tokens != 1)}")
        self._show_corners(rows)
        self._frame.set_y(shown.index(number - 1) - 0.48)
        self._laws.show(laws_of(trace, number), title_of(trace.rounds[number - 1]))

    def _show_box(self, word, below, box: Box | None) -> None:
        if box is None:
            word.set_text("")
            below.set_text("")
            return
        colour = GREY if box.fate == UNREAD else BLACK
        size = (
            SIZE - 1
            if len(box.word) <= WIDE_WORD
            else max(7.0, (SIZE - 1) * WIDE_WORD / len(box.word))
        )
        word.set(text=box.word, color=colour, fontsize=size)
        below.set(text=box.note, color=colour)

    def _show_corners(self, rows: list[list[Box]]) -> None:
        placed = [
            (row, column, box.fate)
            for row, line in enumerate(rows)
            for column, box in enumerate(line)
        ]
        self._boxes.set_verts(
            [
                [
                    (column, row - 0.4),
                    (column + 0.92, row - 0.4),
                    (column + 0.92, row + 0.4),
                    (column, row + 0.4),
                ]
                for row, column, _ in placed
            ]
        )
        self._boxes.set_facecolor([FILL[fate] for _, _, fate in placed])
        self._boxes.set_edgecolor([EDGE[fate] for _, _, fate in placed])
        self._boxes.set_linestyle([":" if fate == UNREAD else "-" for _, _, fate in placed])


def drafting_figure(trace: DraftTrace, number: int = 1) -> Figure:
    """Still twin of the DraftingStepper: round `number` (from 1). Raises ValueError for one that
    was not needed."""
    if not 1 <= number <= len(trace.rounds):
        raise ValueError(f"the sentence took rounds 1 to {len(trace.rounds)}; got {number}")
    drawing = DraftingDrawing()
    drawing.show(trace, number)
    figure = drawing.picture.figure
    how = (
        "greedy"
        if trace.distribution.temperature == 0.0
        else f"temperature {trace.distribution.temperature:g}"
    )
    title = f"{' '.join(trace.source)}   K = {trace.draft_length}, {how}\n{LEGEND}"
    figure.set_figheight(7.4)
    figure.axes[0].set_position((0.005, 0.44, 0.99, 0.485))
    figure.axes[0].set_title(title, fontsize=SIZE, parse_math=False)
    return figure
