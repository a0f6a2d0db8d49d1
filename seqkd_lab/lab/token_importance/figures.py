"""Figures of lesson 13: what selectors keep, what their arms come to, and the memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.distillation.tip import ALL, BOTTOM, DELTA, ENTROPY, Q3, RANDOM, SOFT_OR, TOP_ENTROPY
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    panels,
    styled,
)
from seqkd_lab.lab.token_importance.measures import gained, mean_outcome, mistakes_kept
from seqkd_lab.studies.token_importance.memory import MANY_WORDS, TOY_WORDS, memory_case
from seqkd_lab.studies.token_importance.recipes import COMPARED, SHARES, START, arm

LOOKS = {
    RANDOM: (GREY, "x"),
    ENTROPY: (ORANGE, "^"),
    TOP_ENTROPY: (BLACK, "v"),
    DELTA: (BLUE, "o"),
    Q3: (VERMILION, "D"),
    SOFT_OR: (GREEN, "s"),
    BOTTOM: (PURPLE, "P"),
}
"""Colour and mark of the selectors."""
Seeds = Sequence[Mapping]


def over_shares(
    axes: Axes, selectors: Sequence[str], values: Callable[[str, float], Sequence[float]]
) -> None:
    """Draw the values of each selector by seed, side by side at each ρ."""
    for number, selector in enumerate(selectors):
        shift = 0.11 * (number - (len(selectors) - 1) / 2)
        for x, share in enumerate(SHARES):
            label = selector if x == 0 else None
            draw_seeds(axes, x + shift, values(selector, share), *LOOKS[selector], True, label)
    axes.set_xticks(range(len(SHARES)), [f"{share:g}" for share in SHARES])
    axes.set_xlim(-0.5, len(SHARES) - 0.5)


@styled
def recall_figure(by_seed: Seeds) -> Figure:
    """Draw the share of the planted mistakes that each selector keeps at the start, over ρ."""
    figure, axes = panels(12, 5.2)
    over_shares(axes, tuple(LOOKS), lambda *where: mistakes_kept(by_seed, *where))
    for level in (20, 80):
        axes.axhline(level, color=BLACK, linestyle=":", linewidth=1.5)
    axes.set(xlabel="ρ, share of each output's tokens that teach", ylim=(-4, 104))
    axes.set_ylabel("planted mistakes kept, %")
    axes.set_title(
        f"before training; mean, 95% interval and each of {len(by_seed)} seeds; dotted: this lab's "
        "aims"
    )
    figure.legend(loc="outside lower center", ncols=4)
    return figure


@styled
def outcome_figure(by_seed: Seeds) -> Figure:
    """Draw over ρ valid translations minus those of all tokens, seed by seed, and the planted
    mistakes that are left."""

    def gains(selector: str, share: float) -> list[float]:
        return [gained(rows, selector, share) for rows in by_seed]

    def left(selector: str, share: float) -> list[float]:
        return [100.0 * rows["arms"][arm(selector, share)]["mistakes"] for rows in by_seed]

    figure, (valid, mistakes) = panels(13, 5.6, columns=2)
    over_shares(valid, COMPARED, gains)
    valid.axhline(0.0, color=BLACK)
    valid.set(xlabel="ρ", ylabel="valid translations, arm − all tokens\n(points of percent)")
    valid.set_title("greedy; black line: all tokens")
    over_shares(mistakes, COMPARED, left)
    for name, line in ((START, "--"), (ALL, "-")):
        mean = mean_outcome(by_seed, name, "mistakes")
        mistakes.axhline(mean, color=BLACK, linestyle=line)
    mistakes.set(xlabel="ρ", ylabel="planted mistakes left, % of sources that tempt")
    mistakes.set(title="dashed: before training; black line: all tokens", ylim=(-4, 104))
    handles = valid.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=6)
    return figure


@styled
def memory_figure(by_seed: Seeds) -> Figure:
    """Draw megabytes of one loss and its gradient by share, at the toy's vocabulary and at a usual
    one."""
    figure, both = panels(12, 4.4, columns=2)
    shares = (None, *reversed(SHARES))
    bars = (
        (-0.2, "logits_gradient", BLUE, "gradient of the logits"),
        (0.2, "peak", SKY, "peak of the whole loss"),
    )
    for axes, n_words in zip(both, (TOY_WORDS, MANY_WORDS), strict=True):
        cases = [memory_case(n_words, share) for share in shares]
        for shift, key, colour, name in bars:
            sizes = [fmean(rows["memory"][case][key] / 1e6 for rows in by_seed) for case in cases]
            heights = [number + shift for number in range(len(shares))]
            axes.barh(heights, sizes, 0.38, color=colour, label=name)
            for height, size in zip(heights, sizes, strict=True):
                axes.text(size, height, f" {size:.3g}", va="center")
        names = ["all" if share is None else f"ρ = {share:g}" for share in shares]
        axes.set_yticks(range(len(shares)), names)
        axes.invert_yaxis()
        axes.set(xlabel="MB", title=f"V = {n_words:,}")
        axes.margins(x=0.16)
    handles = both[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
    return figure
