"""The beam's tree as a picture: a window of steps, each a column of candidates with their probability."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.decoding.trace import FINISHED, KEPT, PRUNED, SearchTrace
from seqkd_lab.lab.figures.beam import END, Node, Translation, Words, scored_translations, tree
from seqkd_lab.lab.figures.picture import BLACK, BLUE, GREEN, GREY, ORANGE, SIZE, Picture, add_label

COLUMNS, MOST_BEAM, N_PRUNED = 5, 10, 3
ROWS = MOST_BEAM + N_PRUNED
FILL = {KEPT: "#cfe6f5", FINISHED: "#bfe8da", PRUNED: "#ffffff"}
EDGE = {KEPT: BLUE, FINISHED: GREEN, PRUNED: "#999999"}
MARK = {KEPT: "", FINISHED: "■ ", PRUNED: "✗ "}
LEGEND = "■ finished   ✗ pruned   ● greedy path   ★ the true mode   thick line: the answer (orange: greedy)"


@dataclass(frozen=True)
class BeamTree:
    """A trace ready to be drawn: its columns of nodes, every complete translation that was scored.

    To be marked, where known: greedy, what K = 1 finds, and mode, the truth's most probable translation.
    """

    trace: SearchTrace
    columns: list[list[Node]]
    translations: list[Translation]
    greedy: Words | None = None
    mode: Words | None = None

    @classmethod
    def of(cls, trace: SearchTrace, greedy: Words | None = None, mode: Words | None = None) -> BeamTree:
        """The tree of a trace, with the best N_PRUNED of each step's pruned candidates."""
        return cls(trace, tree(trace, N_PRUNED), scored_translations(trace), greedy, mode)

    @property
    def answer(self) -> Words | None:
        """The translation that the search gave, None if it found none."""
        return self.trace.hypotheses[0].tokens if self.trace.hypotheses else None

    def marks(self, node: Node) -> str:
        """The signs behind a node's word: ● on the greedy path, ★ on the true mode's."""
        return " ●" * node.on_path(self.greedy) + " ★" * node.on_path(self.mode)


def percent(log_prob: float) -> str:
    """A probability as a percentage with two digits that count."""
    share = 100.0 * math.exp(log_prob)
    if share >= 10.0:
        return f"{share:.0f}%"
    return f"{share:.1f}%" if share >= 1.0 else f"{share:.2f}%" if share >= 0.01 else "<0.01%"


def window(step: int) -> range:
    """The steps (from 0) of the columns that are shown when `step` (from 1) is the last of them."""
    first = max(0, step - COLUMNS)
    return range(first, step)


class BeamTreeDrawing:
    """The columns up to one step. Its size is fixed; K + N_PRUNED rows share the height."""

    def __init__(self) -> None:
        figure = Figure(figsize=(12, 6.2))
        axes = figure.add_axes((0.005, 0.005, 0.99, 0.93))
        axes.axis("off")
        axes.set_xlim(-0.08, COLUMNS)
        axes.set_title(LEGEND, fontsize=SIZE, parse_math=False)
        self._axes = axes
        self._lines = axes.add_collection(LineCollection([], linewidths=1.0))
        self._boxes = axes.add_collection(PolyCollection([], linewidths=1.2))
        cells = [(column, row) for column in range(COLUMNS) for row in range(ROWS)]
        self._tokens = {cell: add_label(axes, cell[0] + 0.03, cell[1]) for cell in cells}
        self._numbers = {cell: add_label(axes, cell[0] + 0.8, cell[1], ha="right", fontsize=12) for cell in cells}
        self._heads = [add_label(axes, c + 0.4, -0.9, ha="center", color=GREY) for c in range(COLUMNS)]
        labels = [*self._tokens.values(), *self._numbers.values(), *self._heads]
        self.picture = Picture(figure, [self._lines, self._boxes, *labels])

    def show(self, beam_tree: BeamTree, step: int) -> None:
        """Shows the columns that end with `step` (from 1)."""
        steps = window(step)
        self._axes.set_ylim(beam_tree.trace.beam_size + N_PRUNED - 0.4, -1.4)
        columns = [beam_tree.columns[t] for t in steps]
        for cell, token in self._tokens.items():
            column, row = cell
            node = columns[column][row] if column < len(columns) and row < len(columns[column]) else None
            self._show_node(token, self._numbers[cell], node, beam_tree)
        for column, head in enumerate(self._heads):
            head.set_text(f"step {steps[column] + 1}" if column < len(columns) else "")
        self._show_boxes(columns)
        self._show_lines(columns, beam_tree)

    def _show_node(self, token, number, node: Node | None, beam_tree: BeamTree) -> None:
        if node is None:
            token.set_text("")
            number.set_text("")
            return
        word = "(stays)" if node.candidate.carried else "(end)" if node.words[-1] == END else node.words[-1]
        colour = GREY if node.fate == PRUNED else BLACK
        token.set(text=MARK[node.fate] + word + beam_tree.marks(node), color=colour)
        number.set(text=percent(node.candidate.log_prob), color=colour)

    def _show_boxes(self, columns: list[list[Node]]) -> None:
        placed = [(c, r, node) for c, nodes in enumerate(columns) for r, node in enumerate(nodes)]
        corners = [
            [(c, r - 0.4), (c + 0.82, r - 0.4), (c + 0.82, r + 0.4), (c, r + 0.4)] for c, r, _ in placed
        ]
        self._boxes.set_verts(corners)
        self._boxes.set_facecolor([FILL[node.fate] for _, _, node in placed])
        self._boxes.set_edgecolor([EDGE[node.fate] for _, _, node in placed])

    def _show_lines(self, columns: list[list[Node]], beam_tree: BeamTree) -> None:
        segments, colours, widths, styles = [], [], [], []
        for c, nodes in enumerate(columns):
            for row, node in enumerate(nodes if c else ()):  # the first column's parents are outside of the window
                segments.append([(c - 0.18, node.parent), (c, row)])
                answer, greedy = node.on_path(beam_tree.answer), node.on_path(beam_tree.greedy)
                colours.append(BLACK if answer else ORANGE if greedy else EDGE[node.fate])
                widths.append(3.5 if answer else 2.5 if greedy else 1.0)
                styles.append(":" if node.fate == PRUNED else "-")
        self._lines.set_segments(segments)
        self._lines.set(color=colours or BLACK, linewidths=widths or [1.0], linestyles=styles or ["-"])


def beam_figure(beam_tree: BeamTree, step: int) -> Figure:
    """Still twin of the BeamExplorer: the tree's columns up to `step` (from 1).

    Raises ValueError for a step outside of the search.
    """
    if not 1 <= step <= len(beam_tree.columns):
        raise ValueError(f"the search has steps 1 to {len(beam_tree.columns)}; got {step}")
    drawing = BeamTreeDrawing()
    drawing.show(beam_tree, step)
    source = " ".join(beam_tree.trace.source)
    title = f"{source}   K = {beam_tree.trace.beam_size}, up to step {step}\n{LEGEND}"
    drawing.picture.figure.set_figheight(6.8)
    drawing.picture.figure.axes[0].set_position((0.005, 0.005, 0.99, 0.89))
    drawing.picture.figure.axes[0].set_title(title, fontsize=SIZE, parse_math=False)
    return drawing.picture.figure
