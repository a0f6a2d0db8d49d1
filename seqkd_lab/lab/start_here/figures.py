"""Pictures of lesson 00: the check of the front end, and who learns from which sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import BLACK, BLUE, SIZE, panels, role_of, styled
from seqkd_lab.lab.start_here.measures import BEAM_SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

Box = tuple[float, float, float, float]
"""Left, bottom, width and height in the units of the axes."""
CORPUS: Box = (0.05, 2.75, 5.65, 1.45)
DISTILLED: Box = (0.05, 0.05, 5.65, 1.45)
BOXES: dict[str, Box] = {
    TEACHER: (6.75, 1.6, 2.2, 1.0),
    BASELINE: (9.65, 2.95, 2.3, 0.95),
    SEQ_KD: (9.65, 0.3, 2.3, 0.95),
}
MOST_BARS = 10


class FrontEndDrawing:
    """Bars, each higher than the one before: a picture that visibly follows a slider."""

    @styled
    def __init__(self) -> None:
        figure, axes = panels(6, 1.6)
        axes.set(xlim=(0, MOST_BARS + 1), ylim=(0, MOST_BARS + 1), yticks=[])
        axes.grid(False)
        self._bars = axes.bar(range(1, MOST_BARS + 1), [0] * MOST_BARS, color=BLUE)
        self.picture = BlittedFigure(figure, self._bars)

    def show(self, n_bars: int) -> None:
        """Show the first `n_bars` bars."""
        for number, bar in enumerate(self._bars, start=1):
            bar.set_height(number if number <= n_bars else 0)


def front_end_figure(n_bars: int) -> Figure:
    """Draw `n_bars` of at most MOST_BARS bars: the still twin of the FrontEndCheck."""
    drawing = FrontEndDrawing()
    drawing.show(n_bars)
    return drawing.picture.still()


def who_learns_figure(
    models: Mapping[str, Seq2Seq], source: Sequence[str], reference: Sequence[str], n_pairs: int
) -> Figure:
    """Let the teacher translate `source` with its beam, and draw `corpora_figure` with that
    translation."""
    best = search(models[TEACHER], [source], BEAM_SIZE)[0][0]
    sizes = {name: model.n_parameters() for name, model in models.items()}
    return corpora_figure(source, reference, best.tokens, n_pairs, sizes)


@styled
def corpora_figure(
    source: Sequence[str],
    reference: Sequence[str],
    by_teacher: Sequence[str],
    n_pairs: int,
    n_parameters: Mapping[str, int],
) -> Figure:
    """Draw which model learns from which target sentences, with one source sentence as the example.

    `n_parameters` has a number for the teacher, the baseline and the Seq-KD student; `n_pairs` is
    the corpus's size.
    """
    figure, axes = panels(12, 4.3)
    axes.set(xlim=(0, 12), ylim=(0, 4.3))
    axes.axis("off")
    _draw_corpus(
        axes,
        CORPUS,
        f"the corpus: {n_pairs:,} sentence pairs like this one",
        source,
        "reference",
        reference,
        role_of(BASELINE).colour,
    )
    _draw_corpus(
        axes,
        DISTILLED,
        "the distilled corpus: the same sources",
        source,
        "teacher",
        by_teacher,
        role_of(SEQ_KD).colour,
    )
    names = {TEACHER: "teacher", BASELINE: "student: baseline", SEQ_KD: "student: Seq-KD"}
    for model, box in BOXES.items():
        _draw_model(axes, box, names[model], n_parameters[model], role_of(model).colour)
    _draw_arrow(axes, (5.8, 3.42), (9.6, 3.42), "the baseline learns from the references")
    _draw_arrow(axes, (5.8, 2.9), (6.7, 2.35))
    _draw_arrow(axes, (6.7, 1.85), (5.8, 1.3))
    _draw_arrow(axes, (5.8, 0.77), (9.6, 0.77), "Seq-KD learns from the teacher's translations")
    axes.annotate("the teacher learns", (5.6, 2.62), fontsize=SIZE - 1.5, ha="right", va="top")
    axes.annotate(
        "the teacher translates, once", (5.6, 1.59), fontsize=SIZE - 1.5, ha="right", va="bottom"
    )
    return figure


def _draw_corpus(
    axes: Axes,
    box: Box,
    title: str,
    source: Sequence[str],
    kind: str,
    target: Sequence[str],
    colour: str,
) -> None:
    left, bottom, width, height = box
    _draw_box(axes, box, "white", colour)
    axes.annotate(title, (left + 0.15, bottom + height - 0.18), va="top", color=BLACK)
    for line, (name, text) in enumerate((("source", source), (kind, target))):
        y = bottom + height - 0.62 - 0.36 * line
        axes.annotate(
            f"{name}: {detokenise(text)}",
            (left + 0.15, y),
            fontsize=SIZE - 1.5,
            va="top",
            color=colour if line else BLACK,
        )


def _draw_model(axes: Axes, box: Box, name: str, n_parameters: int, colour: str) -> None:
    left, bottom, width, height = box
    _draw_box(axes, box, colour, colour)
    axes.annotate(
        f"{name}\n{n_parameters:,} parameters",
        (left + width / 2, bottom + height / 2),
        ha="center",
        va="center",
        color="white",
    )


def _draw_box(axes: Axes, box: Box, face: str, edge: str) -> None:
    left, bottom, width, height = box
    style = "round,pad=0,rounding_size=0.12"
    patch = FancyBboxPatch((left, bottom), width, height, boxstyle=style)
    patch.set(facecolor=face, edgecolor=edge, linewidth=2)
    axes.add_patch(patch)


def _draw_arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str = ""
) -> None:
    look = {"arrowstyle": "-|>", "color": BLACK, "linewidth": 2, "mutation_scale": 18}
    axes.annotate("", end, start, arrowprops=look)
    if text:
        axes.annotate(
            text,
            ((start[0] + end[0]) / 2, start[1] + 0.1),
            fontsize=SIZE - 1.5,
            ha="center",
            va="bottom",
        )
