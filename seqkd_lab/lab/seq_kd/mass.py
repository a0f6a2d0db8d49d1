"""Where a distribution over whole translations has its mass: truth, teacher and students, the most
probable translation first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.picture import BlittedFigure, Label, add_label
from seqkd_lab.lab.shared.style import GREY, OTHER, SERIES, TRUTH, ready, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq

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
        """Sort `mass`; `valid` holds the valid translations."""
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
        """Return the mass of the n most probable translations, n ≥ 1."""
        return self.cumulative[min(n, len(self.cumulative)) - 1]


def mass_curves(
    models: Mapping[str, Seq2Seq],
    language: ToyLanguage,
    source: Words,
    n_best: int = 20,
    limit: int = 2000,
) -> dict[str, MassCurve]:
    """Return the curve of the truth and of each model for one source; score every valid translation
    with every model.

    Raise ValueError for a source that the language does not have, or with more than `limit`
    translations.
    """
    valid = language.targets(source, limit)
    curves = {TRUTH: MassCurve.of(valid, valid)}
    for name, model in models.items():
        hypotheses = search(model, [source], n_best, n_best)[0]
        own = {hypothesis.tokens: hypothesis.log_prob for hypothesis in hypotheses}
        rest = [tokens for tokens in valid if tokens not in own]
        own.update(zip(rest, sentence_log_probs(model, [source] * len(rest), rest), strict=True))
        curves[name] = MassCurve.of(
            {tokens: math.exp(log_prob) for tokens, log_prob in own.items()}, valid
        )
    return curves


def line_colours(names: Sequence[str]) -> list[str]:
    """Return a colour for each distribution: that of its role, or one that no role here has."""
    roles = [role_of(name) for name in names]
    taken = {role.colour for role in roles}
    free = (colour for colour, _ in SERIES if colour not in taken)
    return [next(free, GREY) if role is OTHER else role.colour for role in roles]


class MassDrawing:
    """Cumulative mass over the rank of a translation (1 to MOST_RANKS, logarithmic), a line a
    distribution.

    The numbers stand at the right of the axes, so that they cover no line.
    """

    @styled
    def __init__(self, names: Sequence[str]) -> None:
        if len(names) > len(STYLES):
            raise ValueError(
                f"at most {len(STYLES)} distributions can be told apart; got {len(names)}"
            )
        figure = Figure(figsize=(10.5, 5))  # margins by hand: room at the right for the numbers
        axes = ready(figure.add_axes((0.08, 0.13, 0.62, 0.78)))
        axes.set_xscale("log")
        axes.set(xlim=(0.9, MOST_RANKS), ylim=(0.0, 1.0))
        axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        axes.set_xlabel("n, the number of most probable translations")
        axes.set_ylabel("their probability together")
        self._axes = axes
        self._lines: dict[str, Line2D] = {}
        self._dots: dict[str, Line2D] = {}
        self._numbers: dict[str, Label] = {}
        for row, (name, colour) in enumerate(zip(names, line_colours(names), strict=True)):
            self._add(name, 0.9 - 0.085 * row, {"color": colour, "linestyle": STYLES[row]})
        self._head = add_label(axes, 1.03, 0.98, transform=axes.transAxes)
        self._cut = axes.axvline(1.0, color=GREY, linewidth=1.5)
        lines, dots, numbers = (d.values() for d in (self._lines, self._dots, self._numbers))
        self.picture = BlittedFigure(figure, [*lines, self._cut, *dots, *numbers, self._head])

    def _add(self, name: str, height: float, look: dict) -> None:
        """Add the line of a distribution, its dot, and its key with the number at `height`."""
        axes = self._axes
        beside: dict[str, Any] = {"transform": axes.transAxes}
        (self._lines[name],) = axes.plot([], [], drawstyle="steps-post", linewidth=2.5, **look)
        (self._dots[name],) = axes.plot(
            [], [], "o", color=look["color"], markersize=9, clip_on=False
        )
        axes.plot([1.03, 1.1], [height] * 2, linewidth=2.5, clip_on=False, **look, **beside)
        axes.text(1.12, height, name, va="center", **beside)
        self._numbers[name] = add_label(axes, 1.42, height, ha="right", **beside)

    def show(self, curves: Mapping[str, MassCurve], n: int) -> None:
        """Draw the curves and mark the mass of the top n: a dot on each line, its number beside its
        name."""
        self._cut.set_xdata([n, n])
        self._head.set_text(f"top {n:,}:")
        for name, line in self._lines.items():
            mass = curves[name].cumulative[:MOST_RANKS]
            line.set_data([*range(1, len(mass) + 1), MOST_RANKS], [*mass, mass[-1]])
            self._dots[name].set_data([n], [curves[name].top(n)])
            self._numbers[name].set_text(f"{curves[name].top(n):.3f}")


@styled
def mass_figure(curves: Mapping[str, MassCurve], n: int, source: Words = ()) -> Figure:
    """Draw the still twin of ModeMass: the cumulative mass of each distribution, the top n
    marked."""
    drawing = MassDrawing(list(curves))
    drawing.show(curves, n)
    figure = drawing.picture.still()
    figure.axes[0].set_title(" ".join(source))
    return figure
