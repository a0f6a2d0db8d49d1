"""The beam's tree as a picture: a window of steps, each a column of candidates with log p of their
hypotheses."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.trace import FINISHED, KEPT, PRUNED, SearchTrace, trace_search
from seqkd_lab.lab.beam.game import END, Words
from seqkd_lab.lab.beam.tree import Node, Translation, scored_translations, tree
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq

COLUMNS, MOST_BEAM, N_PRUNED = 4, 10, 3

ROWS = MOST_BEAM + N_PRUNED

FILL = {KEPT: "#cfe6f5", FINISHED: "#bfe8da", PRUNED: "#ffffff"}

EDGE = {KEPT: BLUE, FINISHED: GREEN, PRUNED: "#999999"}

MARK = {KEPT: "", FINISHED: "■ ", PRUNED: "✗ "}

LEGEND = (
    "number: log p of the whole hypothesis   ■ finished   ✗ pruned   ● greedy path   ★ the true "
    "mode\nthick line: the beam's answer (orange: greedy's)"
)


MOST_LETTERS = 18
"""Of a box's text: more would run into its number."""


@dataclass(frozen=True)
class BeamTree:
    """A trace ready to be drawn: its columns of nodes, every complete translation that was scored.

    To be marked, where known: greedy, what K = 1 finds, and mode, the truth's most probable
    translation.
    """

    trace: SearchTrace
    columns: list[list[Node]]
    translations: list[Translation]
    greedy: Words | None = None
    mode: Words | None = None

    @classmethod
    def of(
        cls, trace: SearchTrace, greedy: Words | None = None, mode: Words | None = None
    ) -> BeamTree:
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


def names_of(nodes: list[Node], rooms: list[int]) -> list[str]:
    """What the boxes of a column are called: the last word; where others have the same one, before
    it the word that tells most of them apart. Each has room for so many letters."""
    names = []
    for node, room in zip(nodes, rooms, strict=True):
        rivals = [
            other.words
            for other in nodes
            if other.words[-1] == node.words[-1] and other.words != node.words
        ]
        word, gap = _telling_word(node.words, rivals)
        last = _shortened(_shown(node.words[-1]), min(11, room - len(gap) - 4) if word else room)
        names.append(_shortened(word, room - len(gap) - len(last)) + gap + last)
    return names


def _telling_word(words: Words, rivals: list[Words]) -> tuple[str, str]:
    """The earlier word at whose place most rivals have another one, and what stands between it and
    the last word."""
    n_apart = {
        place: sum(rival[place : place + 1] != (words[place],) for rival in rivals)
        for place in range(len(words) - 1)
    }
    if not any(n_apart.values()):
        return "", ""
    place = max(n_apart, key=lambda place: (n_apart[place], place))
    return words[place], " " if place == len(words) - 2 else " … "


def _shown(word: str) -> str:
    return "(end)" if word == END else word


def _shortened(word: str, most: int) -> str:
    """A word with a full stop where it is cut off; three letters at least."""
    return word if len(word) <= most else f"{word[: max(3, most - 1)]}."


def window(step: int) -> range:
    """The steps (from 0) of the columns that are shown when `step` (from 1) is the last of them."""
    first = max(0, step - COLUMNS)
    return range(first, step)


def _clear(*labels) -> None:
    for label in labels:
        label.set_text("")


class BeamTreeDrawing:
    """The columns up to one step. Its size is fixed; K + N_PRUNED rows share the height."""

    def __init__(self) -> None:
        figure = Figure(figsize=(12, 6.4))
        axes = figure.add_axes((0.005, 0.005, 0.99, 0.90))
        axes.axis("off")
        axes.set_xlim(-0.08, COLUMNS)
        axes.set_title(LEGEND, fontsize=SIZE, parse_math=False)
        self._axes = axes
        self._lines = axes.add_collection(LineCollection([], linewidths=1.0))
        self._boxes = axes.add_collection(PolyCollection([], linewidths=1.2))
        cells = [(column, row) for column in range(COLUMNS) for row in range(ROWS)]
        self._tokens = {cell: add_label(axes, cell[0] + 0.03, cell[1]) for cell in cells}
        self._numbers = {
            cell: add_label(axes, cell[0] + 0.83, cell[1], ha="right", fontsize=12)
            for cell in cells
        }
        self._heads = [
            add_label(axes, c + 0.4, -0.9, ha="center", color=GREY) for c in range(COLUMNS)
        ]
        labels = [*self._tokens.values(), *self._numbers.values(), *self._heads]
        self.picture = BlittedFigure(figure, [self._lines, self._boxes, *labels])

    def show(self, beam_tree: BeamTree, step: int) -> None:
        """Shows the columns that end with `step` (from 1)."""
        steps = window(step)
        self._axes.set_ylim(beam_tree.trace.beam_size + N_PRUNED - 0.4, -1.4)
        columns = [beam_tree.columns[t] for t in steps]
        for column in range(COLUMNS):
            nodes = columns[column] if column < len(columns) else []
            digits = deciding_digits([node.candidate.log_prob for node in nodes])
            signs = [(MARK[node.fate], beam_tree.marks(node)) for node in nodes]
            names = names_of(
                nodes, [MOST_LETTERS - len(before) - len(after) for before, after in signs]
            )
            for row in range(ROWS):
                labels = self._tokens[column, row], self._numbers[column, row]
                if row < len(nodes):
                    name = "(stays)" if nodes[row].candidate.carried else names[row]
                    self._show_node(*labels, nodes[row], name.join(signs[row]), digits)
                else:
                    _clear(*labels)
        for column, head in enumerate(self._heads):
            head.set_text(f"step {steps[column] + 1}" if column < len(columns) else "")
        self._show_boxes(columns)
        self._show_lines(columns, beam_tree)

    @staticmethod
    def _show_node(token, number, node: Node, name: str, digits: int) -> None:
        colour = GREY if node.fate == PRUNED else BLACK
        token.set(text=name, color=colour)
        number.set(text=shown_log_prob(node.candidate.log_prob, digits), color=colour)

    def _show_boxes(self, columns: list[list[Node]]) -> None:
        placed = [(c, r, node) for c, nodes in enumerate(columns) for r, node in enumerate(nodes)]
        corners = [
            [(c, r - 0.4), (c + 0.85, r - 0.4), (c + 0.85, r + 0.4), (c, r + 0.4)]
            for c, r, _ in placed
        ]
        self._boxes.set_verts(corners)
        self._boxes.set_facecolor([FILL[node.fate] for _, _, node in placed])
        self._boxes.set_edgecolor([EDGE[node.fate] for _, _, node in placed])

    def _show_lines(self, columns: list[list[Node]], beam_tree: BeamTree) -> None:
        segments, colours, widths, styles = [], [], [], []
        for c, nodes in enumerate(columns):
            for row, node in enumerate(
                nodes if c else ()
            ):  # the first column's parents are outside of the window
                segments.append([(c - 0.15, node.parent), (c, row)])
                answer, greedy = node.on_path(beam_tree.answer), node.on_path(beam_tree.greedy)
                colours.append(BLACK if answer else ORANGE if greedy else EDGE[node.fate])
                widths.append(3.5 if answer else 2.5 if greedy else 1.0)
                styles.append(":" if node.fate == PRUNED else "-")
        self._lines.set_segments(segments)
        self._lines.set(
            color=colours or BLACK, linewidths=widths or [1.0], linestyles=styles or ["-"]
        )


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
    drawing.picture.figure.set_figheight(7.0)
    drawing.picture.figure.axes[0].set_position((0.005, 0.005, 0.99, 0.87))
    drawing.picture.figure.axes[0].set_title(title, fontsize=SIZE, parse_math=False)
    return drawing.picture.figure


def tree_figure(
    model: Seq2Seq, source: Words, language: ToyLanguage, beam_size: int, step: int
) -> Figure:
    """Draws the steps of a beam up to `step`, or up to its last one."""
    greedy = search(model, [source], 1)[0][0].tokens
    beam_tree = BeamTree.of(
        trace_search(model, source, beam_size), greedy, language.mode(source)[0]
    )
    return beam_figure(beam_tree, min(step, len(beam_tree.columns)))
