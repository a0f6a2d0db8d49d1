"""The one style sheet: what each role looks like, and how every picture is set.

A role keeps its colour and its mark in all lessons. The colours are Okabe and Ito's (2008), which
colour-blind people can tell apart, and three darker ones; a mark or a word always stands beside the
colour. Another palette or another size of text is a change of this file alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD

BLACK = "#000000"
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
BROWN = "#8a4b00"
VIOLET = "#5e3c99"
WINE = "#882255"
GREY = "#666666"
LIGHT_GREY = "#bbbbbb"
LIGHT_ORANGE = "#fbe3b5"
LIGHT_BLUE = "#cfe6f5"
GRID = "#dddddd"
LIT = "#ffe7a0"
FAINT = "#eeeeee"
"""The grounds of words that a model can see, and of those that it cannot."""

SIZE = 13
"""Points: readable from the back of a classroom when the picture fills a projector's width."""


@dataclass(frozen=True)
class Role:
    """How a role looks: its colour, the word for it in a caption, its mark, and the colour of text
    that belongs to it, which has more contrast on white."""

    colour: str
    word: str
    marker: str
    text: str

    @property
    def line(self) -> dict[str, Any]:
        """Return the colour and the mark of a line, as arguments of `Axes.plot`."""
        return {"color": self.colour, "marker": self.marker}


TRUTH = "truth"
SEQ_INTER = "seq-inter"
SAMPLES = "samples"
OWN = "own"
GREEDY = "greedy"
BEAM = "beam"

ROLES = {
    TRUTH: Role(SKY, "light blue", "*", "#1f6f9f"),
    TEACHER: Role(BLACK, "black", "s", BLACK),
    BASELINE: Role(BLUE, "blue", "o", BLUE),
    WORD_KD: Role(ORANGE, "orange", "^", BROWN),
    SEQ_KD: Role(GREEN, "green", "D", "#00664b"),
    SEQ_INTER: Role(VERMILION, "red", "v", "#9a3b00"),
    SAMPLES: Role(PURPLE, "pink", "P", "#8e4a74"),
    OWN: Role(WINE, "wine red", "X", WINE),
    GREEDY: Role(BROWN, "brown", "o", BROWN),
    BEAM: Role(VIOLET, "violet", "s", VIOLET),
}
"""By name. Gold is what the baseline learns from, and the teacher's mode what Seq-KD learns from:
each has the look of its student. SAMPLES are drawn by the teacher, OWN rollouts by the student."""
ALIASES = {
    "gold": BASELINE,
    "mode": SEQ_KD,
    "teacher's mode": SEQ_KD,
    "teacher's samples": SAMPLES,
    "distilled": SEQ_KD,
    "student": OWN,
    "on-policy": OWN,
}
OTHER = Role(GREY, "grey", "o", GREY)
SERIES = (
    (BLUE, "o"),
    (ORANGE, "s"),
    (GREEN, "D"),
    (VERMILION, "^"),
    (SKY, "v"),
    (PURPLE, "P"),
    (WINE, "X"),
)
"""Colour and mark of the first, second, … of several lines that have no role: weight classes, word
frequencies, sizes."""


def role_of(name: str) -> Role:
    """Return the look of a model, a corpus or a search by its name; OTHER for what has no role.

    A model that was tuned further ("seq-kd + …") keeps the look that it had.
    """
    for known in (name, name.split(" ")[0], name.split("+")[0]):
        known = ALIASES.get(known, known)
        if known in ROLES:
            return ROLES[known]
    return OTHER


SETTINGS = {
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "legend.fontsize": SIZE,
    "legend.title_fontsize": SIZE,
    "lines.linewidth": 2.0,
    "figure.titlesize": SIZE,
    "text.parse_math": False,
}
"""matplotlib's settings of every picture here; those of the person who runs the lab stay as they
are."""
Drawing = TypeVar("Drawing", bound=Callable[..., Any])


def styled(function: Drawing) -> Drawing:
    """Decorate a function that draws, or the constructor of a drawing: it runs with SETTINGS."""
    return rc_context(SETTINGS)(function)  # type: ignore[arg-type]  # a dict of rcParams


def panels(
    width: float, height: float, rows: int = 1, columns: int = 1, **layout: Any
) -> tuple[Figure, Any]:
    """Return a figure of `width` × `height` inches, and its axes as `Figure.subplots` gives them.

    Every axes has the style's ticks and its grid below the marks. `layout` goes to `subplots`
    (sharex, sharey, width_ratios, …). Call it from a function that is `styled`.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, **layout)
    for panel in figure.axes:
        ready(panel)
    return figure, axes


def ready(axes: Axes, grid: Literal["x", "y", "both", ""] = "both") -> Axes:
    """Give `axes` the style's ticks, also those that are made later, and a grid along `grid` ("x",
    "y", "both" or "" for none) below the marks; return them."""
    axes.tick_params(labelsize=SIZE)
    if grid:
        axes.grid(color=GRID, axis=grid)
    axes.set_axisbelow(True)
    return axes


def plain_ticks(axis: Axis, ticks: Sequence[float] = ()) -> None:
    """Write the ticks of a logarithmic axis as plain numbers: at `ticks` alone, where some are
    given."""
    if ticks:
        axis.set_major_locator(FixedLocator(list(ticks)))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
