"""Where a distribution over whole translations has its mass: truth, teacher and students, most probable first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.figure import Figure

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.figures import picture
from seqkd_lab.lab.figures.picture import BLACK, BLUE, GREEN, GREY, ORANGE, SIZE, VERMILION, Picture, add_label
from seqkd_lab.models.seq2seq import Seq2Seq

TRUTH = "truth"
COLOURS = (BLACK, BLUE, ORANGE, GREEN, VERMILION, picture.SKY, picture.PURPLE)
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MOST_RANKS = 1000
Words = tuple[str, ...]


@dataclass(frozen=True)
class MassCurve:
    """Translations of one source, the most probable first, with their probabilities and their cumulative mass.

    For the truth it is complete. For a model it holds all valid translations and its own n best: what lies elsewhere
    is not known, so the mass of its top n is at least what is shown. valid_mass is that of the valid ones.
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
        return cls(tuple(tokens for tokens, _ in ranked), probabilities, tuple(accumulate(probabilities)), valid_mass)

    def top(self, n: int) -> float:
        """The mass of the n most probable translations, n ≥ 1."""
        return self.cumulative[min(n, len(self.cumulative)) - 1]


def mass_curves(
    models: Mapping[str, Seq2Seq], language: ToyLanguage, source: Words, n_best: int = 20, limit: int = 2000
) -> dict[str, MassCurve]:
    """The curve of the truth and of each model for one source; scores every valid translation with every model.

    Raises ValueError for a source that the language does not have, or with more than `limit` translations.
    """
    valid = language.targets(source, limit)
    curves = {TRUTH: MassCurve.of(valid, valid)}
    for name, model in models.items():
        own = {found.tokens: found.log_prob for found in search(model, [source], n_best, n_best)[0]}
        rest = [tokens for tokens in valid if tokens not in own]
        own.update(zip(rest, sentence_log_probs(model, [source] * len(rest), rest), strict=True))
        curves[name] = MassCurve.of({tokens: math.exp(log_prob) for tokens, log_prob in own.items()}, valid)
    return curves


class MassDrawing:
    """Cumulative mass over the rank of a translation (1 to MOST_RANKS, logarithmic), a line a distribution."""

    def __init__(self, names: Sequence[str]) -> None:
        if len(names) > len(COLOURS):
            raise ValueError(f"at most {len(COLOURS)} distributions can be told apart; got {len(names)}")
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set(xlim=(0.9, MOST_RANKS * 1.1), ylim=(0.0, 1.02))
        axes.set_xlabel("the n most probable translations", fontsize=SIZE)
        axes.set_ylabel("their probability together", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
        self._lines = {}
        for name, colour, style in zip(names, COLOURS, STYLES, strict=False):
            (self._lines[name],) = axes.plot([], [], drawstyle="steps-post", color=colour, linestyle=style,
                                             linewidth=2.5, label=name)
        self._cut = axes.axvline(1.0, color=GREY, linewidth=1.5)
        box = {"facecolor": "white", "linewidth": 0, "pad": 1}
        self._numbers = {name: add_label(axes, 1.0, 0.0, bbox=box) for name in names}
        axes.legend(fontsize=SIZE, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        self.picture = Picture(figure, [*self._lines.values(), self._cut, *self._numbers.values()])

    def show(self, curves: Mapping[str, MassCurve], n: int) -> None:
        """Draws the curves and marks the mass of the top n, the numbers apart where the lines are not."""
        self._cut.set_xdata([n, n])
        for name, line in self._lines.items():
            mass = curves[name].cumulative[:MOST_RANKS]
            line.set_data([*range(1, len(mass) + 1), MOST_RANKS], [*mass, mass[-1]])
        left = n > MOST_RANKS / 4
        heights = spread([curves[name].top(n) for name in self._numbers], 0.055)
        for (name, number), y in zip(self._numbers.items(), heights, strict=True):
            number.set(x=n / 1.06 if left else n * 1.06, y=y, ha="right" if left else "left",
                       text=f"{curves[name].top(n):.3f} {name}")


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """`heights`, moved up where two would be closer than `gap`, in the order given; all below 1 where they fit."""
    order, placed = sorted(range(len(heights)), key=lambda i: heights[i]), [0.0] * len(heights)
    lowest = gap / 2
    for i in order:
        placed[i] = max(heights[i], lowest)
        lowest = placed[i] + gap
    highest = 1.0
    for i in reversed(order):
        placed[i] = min(placed[i], highest)
        highest = placed[i] - gap
    return placed


def mass_figure(curves: Mapping[str, MassCurve], n: int, source: Words = ()) -> Figure:
    """Still twin of ModeMass: the cumulative mass of each distribution, the top n marked."""
    drawing = MassDrawing(list(curves))
    drawing.show(curves, n)
    drawing.picture.figure.axes[0].set_title(" ".join(source), fontsize=SIZE, parse_math=False)
    return drawing.picture.figure
