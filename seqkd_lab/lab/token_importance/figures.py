"""Figures of lesson 13: what selectors keep, and the memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy.planted import PLANTED_KINDS
from seqkd_lab.distillation.tip import DELTA, ENTROPY, Q3, RANDOM, SOFT_OR
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILION,
    panels,
    styled,
)
from seqkd_lab.lab.token_importance.readings import found
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.token_importance.memory import LEAN, MANY_WORDS, TOY_WORDS, Case
from seqkd_lab.studies.token_importance.recipes import SHARES

LOOKS = {
    RANDOM: (GREY, "x"),
    ENTROPY: (ORANGE, "^"),
    SOFT_OR: (GREEN, "s"),
    DELTA: (BLUE, "o"),
    Q3: (VERMILION, "D"),
}
"""Colour and mark of the selectors."""


@styled
def recall_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the share of the planted words of each kind that each selector keeps at the start, over
    ρ."""
    figure, each = panels(13, 5.0, columns=len(PLANTED_KINDS))
    for axes, kind in zip(each, PLANTED_KINDS, strict=True):
        for number, selector in enumerate(LOOKS):
            shift = 0.14 * (number - (len(LOOKS) - 1) / 2)
            for x, share in enumerate(SHARES):
                values = found(by_seed, selector, share, kind)
                if values:
                    label = selector if x == 0 else None
                    draw_seeds(axes, x + shift, values, *LOOKS[selector], True, label)
        axes.set_xticks(range(len(SHARES)), [f"{share:g}" for share in SHARES])
        axes.set(xlim=(-0.5, len(SHARES) - 0.5), ylim=(-4, 104), title=f"{kind}s")
        axes.set(xlabel="ρ, share of the tokens that teach")
    each[0].set_ylabel("kept before training, %")
    figure.legend(*each[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@styled
def memory_figure(record: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draw megabytes of one loss and its gradient: the usual loss, and the lean loss by share, at
    the toy's vocabulary and at a usual one."""
    figure, both = panels(12, 4.6, columns=2)
    for axes, n_words in zip(both, (TOY_WORDS, MANY_WORDS), strict=True):
        _draw_memory(axes, record, n_words)
    handles = both[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
    return figure


def _draw_memory(axes: Axes, record: Mapping[str, Mapping[str, int]], n_words: int) -> None:
    shares = (None, 1.0, *LEAN)
    bars = (
        (-0.2, "logits_gradient", BLUE, "gradient of the logits"),
        (0.2, "peak", SKY, "peak of the whole loss"),
    )
    for shift, key, colour, name in bars:
        sizes = [record[Case(n_words, share).name][key] / 1e6 for share in shares]
        heights = [number + shift for number in range(len(shares))]
        axes.barh(heights, sizes, 0.38, color=colour, label=name)
        for height, size in zip(heights, sizes, strict=True):
            axes.text(size, height, f" {size:.3g}", va="center", color=BLACK)
    names = ["usual loss" if share is None else f"lean, ρ = {share:g}" for share in shares]
    axes.set_yticks(range(len(shares)), names)
    axes.invert_yaxis()
    axes.set(xlabel="MB", title=f"V = {n_words:,}")
    axes.margins(x=0.18)
