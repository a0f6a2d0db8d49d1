"""Where a distribution over whole translations has its mass: truth, teacher and students, most
probable first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.figure import Figure

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import BLACK, GREY, ORANGE, PURPLE, SIZE, SKY, VERMILION
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import TEACHER

TRUTH = "truth"
OTHERS = (ORANGE, VERMILION, SKY, PURPLE)
"""Colours of distributions that have no role of their own."""
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MOST_RANKS = 1000
Words = tuple[str, ...]


@dataclass(frozen=True)
class MassCurve:
    """Translations of one source, the most probable first, with their probabilities and their
    cumulative mass.

    For the truth it is complete. For a model it holds all valid translations and its own n best:
    what lies elsewhere is not known, so the mass of its top n is at least what is shown. valid_mass
    is that of the valid ones.
    """

    translations: tuple[Words, ...]
    probabilities: tuple[float, ...]
    cumulative: tuple[float, ...]
    valid_mass: float

    @classmethod
    def of(cls, mass: Mapping[Words, float], valid: Mapping[Words, float]) -> MassCurve:
        """Sorts `mass`; `valid` holds the valid translations."""
        ranked = sorted(mass.items(), key=lambda item: (-item[1], item[0]))
        probabilities = tuple(p for _, p in ranked)
        valid_mass = math.fsum(p for tokens, p in ranked if tokens in valid)
        return cls(
            tuple(tokens for tokens, _ in ranked),
            probabilities,
            tuple(accumulate(probabilities)),
            valid_mass,
        )

    def top(self, n: int) -> float:
        """The mass of the n most probable translations, n ≥ 1."""
        return self.cumulative[min(n, len(self.cumulative)) - 1]


def mass_curves(
    models: Mapping[str, Seq2Seq],
    language: ToyLanguage,
    source: Words,
    n_best: int = 20,
    limit: int = 2000,
) -> dict[str, MassCurve]:
    """The curve of the truth and of each model for one source; scores every valid translation with
    every model.

    Raises ValueError for a source that the language does not have, or with more than `limit`
    translations.
    """
    valid = language.targets(source, limit)
    curves = {TRUTH: MassCurve.of(valid, valid)}
    for name, model in models.items():
        own = {found.tokens: found.log_prob for found in search(model, [source], n_best, n_best)[0]}
        rest = [tokens for tokens in valid if tokens not in own]
        own.update(zip(rest, sentence_log_probs(model, [source] * len(rest), rest), strict=True))
        curves[name] = MassCurve.of(
            {tokens: math.exp(log_prob) for tokens, log_prob in own.items()}, valid
        )
    return curves


def line_colours(names: Sequence[str]) -> list[str]:
    """A colour a distribution: the truth is black, the teacher grey beside it, students by their
    role, others apart."""
    others, colours = iter(OTHERS), []
    for name in names:
        known = {TRUTH: BLACK, TEACHER: GREY}.get(name, colour_of(name))
        colours.append(known if known != GREY or name == TEACHER else next(others, GREY))
    return colours


class MassDrawing:
    """Cumulative mass over the rank of a translation (1 to MOST_RANKS, logarithmic), a line a
    distribution.

    The numbers stand at the right of the axes, so that they cover no line.
    """

    def __init__(self, names: Sequence[str]) -> None:
        if len(names) > len(STYLES):
            raise ValueError(
                f"at most {len(STYLES)} distributions can be told apart; got {len(names)}"
            )
        figure = Figure(
            figsize=(10.5, 5)
        )  # margins by hand: room for the names and numbers at the right
        axes = figure.add_axes((0.08, 0.13, 0.62, 0.78))
        axes.set_xscale("log")
        axes.set(xlim=(0.9, MOST_RANKS), ylim=(0.0, 1.0))
        axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        axes.set_xlabel("n, the number of most probable translations", fontsize=SIZE)
        axes.set_ylabel("their probability together", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
        self._lines, self._dots, self._numbers = {}, {}, {}
        for row, (name, colour, style) in enumerate(
            zip(names, line_colours(names), STYLES, strict=False)
        ):
            (self._lines[name],) = axes.plot(
                [], [], drawstyle="steps-post", color=colour, linestyle=style, linewidth=2.5
            )
            (self._dots[name],) = axes.plot([], [], "o", color=colour, markersize=9, clip_on=False)
            y = 0.9 - 0.085 * row
            axes.plot(
                [1.03, 1.1],
                [y, y],
                transform=axes.transAxes,
                color=colour,
                linestyle=style,
                linewidth=2.5,
                clip_on=False,
            )
            axes.text(
                1.12,
                y,
                name,
                transform=axes.transAxes,
                fontsize=SIZE,
                va="center",
                parse_math=False,
            )
            self._numbers[name] = add_label(axes, 1.42, y, transform=axes.transAxes, ha="right")
        self._head = add_label(axes, 1.03, 0.98, transform=axes.transAxes)
        self._cut = axes.axvline(1.0, color=GREY, linewidth=1.5)
        animated = [
            *self._lines.values(),
            self._cut,
            *self._dots.values(),
            *self._numbers.values(),
            self._head,
        ]
        self.picture = BlittedFigure(figure, animated)

    def show(self, curves: Mapping[str, MassCurve], n: int) -> None:
        """Draws the curves and marks the mass of the top n: a dot on each line, its number beside
        its name."""
        self._cut.set_xdata([n, n])
        self._head.set_text(f"top {n:,}:")
        for name, line in self._lines.items():
            mass = curves[name].cumulative[:MOST_RANKS]
            line.set_data([*range(1, len(mass) + 1), MOST_RANKS], [*mass, mass[-1]])
            self._dots[name].set_data([n], [curves[name].top(n)])
            self._numbers[name].set_text(f"{curves[name].top(n):.3f}")


def mass_figure(curves: Mapping[str, MassCurve], n: int, source: Words = ()) -> Figure:
    """Still twin of ModeMass: the cumulative mass of each distribution, the top n marked."""
    drawing = MassDrawing(list(curves))
    drawing.show(curves, n)
    drawing.picture.figure.axes[0].set_title(" ".join(source), fontsize=SIZE, parse_math=False)
    for artist in drawing.picture.animated:
        artist.set_animated(False)
    return drawing.picture.figure
