"""The beam's tree as a picture: a window of steps, each a column of candidates with log p of their
hypotheses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.trace import FINISHED, KEPT, PRUNED, SearchTrace, trace_search
from seqkd_lab.lab.beam.game import END, Words
from seqkd_lab.lab.beam.tree import Node, Translation, scored_translations, tree
from seqkd_lab.lab.shared.digits import deciding_digits, shown_number
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BEAM, BLACK, GREEDY, GREY, SIZE, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq

COLUMNS = 4
MOST_BEAM = 10
N_PRUNED = 3
ROWS = MOST_BEAM + N_PRUNED
VIOLET = role_of(BEAM).colour
FILL = {KEPT: to_rgba(VIOLET, 0.12), FINISHED: to_rgba(VIOLET, 0.35), PRUNED: to_rgba("white")}
EDGE = {KEPT: VIOLET, FINISHED: VIOLET, PRUNED: GREY}
MARK = {KEPT: "", FINISHED: "■ ", PRUNED: "✗ "}
LEGEND = (
    "number: log p of the whole hypothesis   ■ finished   ✗ pruned   ● greedy path   ★ the true "
    f"mode\nthick line: the beam's answer ({role_of(GREEDY).word}: greedy's)"
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
        """Return the tree of a trace, with the best N_PRUNED of each step's pruned candidates."""
        return cls(trace, tree(trace, N_PRUNED), scored_translations(trace), greedy, mode)

    @property
    def answer(self) -> Words | None:
        """The translation that the search gave, None if it found none."""
        return self.trace.hypotheses[0].tokens if self.trace.hypotheses else None

    def marks(self, node: Node) -> str:
        """Return the signs behind a node's word: ● on the greedy path, ★ on the true mode's."""
        return " ●" * node.on_path(self.greedy) + " ★" * node.on_path(self.mode)


def percent_of(log_prob: float) -> str:
    """Return a probability as a percentage with two digits that count."""
    share = 100.0 * math.exp(log_prob)
    if share < 0.01:
        return "<0.01%"
    return f"{share:.{0 if share >= 10.0 else 1 if share >= 1.0 else 2}f}%"


def names_of(nodes: Sequence[Node], rooms: Sequence[int]) -> list[str]:
    """Return what the boxes of a column are called: the last word; where others have the same one,
    before it the word that tells most of them apart. Each has room for so many letters."""
    names = []
    for node, room in zip(nodes, rooms, strict=True):
        alike = [other.words for other in nodes if other.words[-1] == node.words[-1]]
        word, gap = _telling_word(node.words, [words for words in alike if words != node.words])
        last = "(end)" if node.words[-1] == END else node.words[-1]
        last = _shortened(last, min(11, room - len(gap) - 4) if word else room)
        names.append(_shortened(word, room - len(gap) - len(last)) + gap + last)
    return names


def _telling_word(words: Words, rivals: Sequence[Words]) -> tuple[str, str]:
    """Return the latest of those earlier words in which most rivals differ, and what stands between
    it and the last word."""
    n_apart = {
        t: sum(rival[t : t + 1] != (words[t],) for rival in rivals) for t in range(len(words) - 1)
    }
    if not any(n_apart.values()):
        return "", ""
    t = max(n_apart, key=lambda t: (n_apart[t], t))
    return words[t], " " if t == len(words) - 2 else " … "


def _shortened(word: str, most: int) -> str:
    """Return a word with a full stop where it is cut off; three letters at least."""
    return word if len(word) <= most else f"{word[: max(3, most - 1)]}."


def window(step: int) -> range:
    """Return the steps (from 0) of the columns that are shown when `step` (from 1) is the last of
    them."""
    return range(max(0, step - COLUMNS), step)


class BeamTreeDrawing:
    """The columns up to one step. Its size is fixed; K + N_PRUNED rows share the height."""

    @styled
    def __init__(self) -> None:
        figure = Figure(figsize=(12, 6.4))
        axes = self._axes = figure.add_axes((0.005, 0.005, 0.99, 0.90))
        axes.axis("off")
        axes.set_xlim(-0.08, COLUMNS)
        axes.set_title(LEGEND)
        self._lines, self._boxes = LineCollection([]), PolyCollection([], linewidths=1.2)
        axes.add_collection(self._lines)
        axes.add_collection(self._boxes)
        cells = list(product(range(COLUMNS), range(ROWS)))
        self._tokens = {(c, r): add_label(axes, c + 0.03, r) for c, r in cells}
        self._numbers = {
            (c, r): add_label(axes, c + 0.83, r, ha="right", fontsize=SIZE - 1) for c, r in cells
        }
        self._heads = [
            add_label(axes, c + 0.4, -0.9, ha="center", color=GREY) for c in range(COLUMNS)
        ]
        labels = [*self._tokens.values(), *self._numbers.values(), *self._heads]
        self.picture = BlittedFigure(figure, [self._lines, self._boxes, *labels])

    def show(self, beam_tree: BeamTree, step: int) -> None:
        """Show the columns that end with `step` (from 1)."""
        steps = window(step)
        self._axes.set_ylim(beam_tree.trace.beam_size + N_PRUNED - 0.4, -1.4)
        columns = [beam_tree.columns[t] for t in steps]
        for label in (*self._tokens.values(), *self._numbers.values(), *self._heads):
            label.set_text("")
        for c, (t, nodes) in enumerate(zip(steps, columns, strict=True)):
            self._heads[c].set_text(f"step {t + 1}")
            self._show_column(c, nodes, beam_tree)
        self._show_boxes(columns)
        self._show_lines(columns, beam_tree)

    def _show_column(self, column: int, nodes: Sequence[Node], beam_tree: BeamTree) -> None:
        """Write the words and the numbers of one step."""
        digits = deciding_digits([node.candidate.log_prob for node in nodes])
        signs = [(MARK[node.fate], beam_tree.marks(node)) for node in nodes]
        rooms = [MOST_LETTERS - len(before) - len(after) for before, after in signs]
        rows = zip(nodes, names_of(nodes, rooms), signs, strict=True)
        for row, (node, name, (before, after)) in enumerate(rows):
            colour = GREY if node.fate == PRUNED else BLACK
            word = "(stays)" if node.candidate.carried else name
            number = shown_number(node.candidate.log_prob, digits)
            self._tokens[column, row].set(text=f"{before}{word}{after}", color=colour)
            self._numbers[column, row].set(text=number, color=colour)

    def _show_boxes(self, columns: Sequence[Sequence[Node]]) -> None:
        placed = [(c, r, node) for c, nodes in enumerate(columns) for r, node in enumerate(nodes)]
        corners = [
            [(c, r - 0.4), (c + 0.85, r - 0.4), (c + 0.85, r + 0.4), (c, r + 0.4)]
            for c, r, _ in placed
        ]
        self._boxes.set_verts(corners)
        self._boxes.set_facecolor([FILL[node.fate] for _, _, node in placed])
        self._boxes.set_edgecolor([EDGE[node.fate] for _, _, node in placed])

    def _show_lines(self, columns: Sequence[Sequence[Node]], beam_tree: BeamTree) -> None:
        """Join each candidate to its parent; those of the first column lie outside of the
        window."""
        segments, colours, widths, styles = [], [], [], []
        for c, nodes in enumerate(columns[1:], start=1):
            for row, node in enumerate(nodes):
                segments.append([(c - 0.15, node.parent), (c, row)])
                answer, greedy = node.on_path(beam_tree.answer), node.on_path(beam_tree.greedy)
                own = role_of(GREEDY).colour if greedy else EDGE[node.fate]
                colours.append(VIOLET if answer else own)
                widths.append(3.5 if answer else 2.5 if greedy else 1.0)
                styles.append(":" if node.fate == PRUNED else "-")
        self._lines.set_segments(segments)
        if segments:
            self._lines.set(color=colours, linewidths=widths, linestyles=styles)


@styled
def beam_figure(beam_tree: BeamTree, step: int) -> Figure:
    """Draw the tree's columns up to `step` (from 1): the still twin of the BeamExplorer.

    Raise ValueError for a step outside of the search.
    """
    if not 1 <= step <= len(beam_tree.columns):
        raise ValueError(f"the search has steps 1 to {len(beam_tree.columns)}; got {step}")
    drawing = BeamTreeDrawing()
    drawing.show(beam_tree, step)
    figure, source = drawing.picture.figure, " ".join(beam_tree.trace.source)
    figure.set_figheight(7.0)
    figure.axes[0].set_position((0.005, 0.005, 0.99, 0.87))
    title = f"{source}   K = {beam_tree.trace.beam_size}, up to step {step}"
    figure.axes[0].set_title(f"{title}\n{LEGEND}")
    return figure


def tree_figure(
    model: Seq2Seq, source: Words, language: ToyLanguage, beam_size: int, step: int
) -> Figure:
    """Draw the steps of a beam up to `step`, or up to its last one."""
    greedy, mode = search(model, [source], 1)[0][0].tokens, language.mode(source)[0]
    beam_tree = BeamTree.of(trace_search(model, source, beam_size), greedy, mode)
    return beam_figure(beam_tree, min(step, len(beam_tree.columns)))
