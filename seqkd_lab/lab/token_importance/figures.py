"""Figures of lesson 13: what selectors find, what their arms come to, and the memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure

from seqkd_lab.distillation.tip import ALL, BOTTOM, DELTA, ENTROPY, Q3, RANDOM, SOFT_OR, TOP_ENTROPY
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
)
from seqkd_lab.runs.verdicts import mean_and_interval
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
Seeds = Sequence[Mapping]


def over_shares(
    axes, selectors: Sequence[str], values: Callable[[str, float], Sequence[float]]
) -> None:
    """Each selector's mean over ρ with its 95% interval, every seed as a faint dash; side by side
    at each ρ."""
    for number, selector in enumerate(selectors):
        colour, mark = LOOKS[selector]
        places = [
            place + 0.11 * (number - (len(selectors) - 1) / 2) for place in range(len(SHARES))
        ]
        means = []
        for place, share in zip(places, SHARES, strict=True):
            found = values(selector, share)
            mean, (low, high) = mean_and_interval(tuple(found))
            means.append(mean)
            axes.plot([place] * len(found), found, "_", color=colour, markersize=9, alpha=0.6)
            if len(found) > 1:
                axes.plot([place, place], [low, high], "-", color=colour, linewidth=2)
        axes.plot(places, means, mark, color=colour, markersize=8, label=selector)
    axes.set_xticks(range(len(SHARES)), [f"{share:g}" for share in SHARES])
    axes.set_xlim(-0.5, len(SHARES) - 0.5)


def recall_figure(by_seed: Seeds) -> Figure:
    """The share of the planted mistakes that each selector keeps at the start, over ρ."""
    figure = Figure(figsize=(12, 5.2), layout="constrained")
    axes = figure.subplots()
    over_shares(
        axes,
        tuple(LOOKS),
        lambda selector, share: [
            100.0 * rows["selection"][selector][f"{share:g}"]["recall"] for rows in by_seed
        ],
    )
    for level in (20, 80):
        axes.axhline(level, color=BLACK, linestyle=":", linewidth=1.5)
    label_axes(
        axes,
        "ρ, share of each output's tokens that teach",
        "planted mistakes kept, %",
        f"before training; mean, 95% interval and each of {len(by_seed)} seeds; dotted: this lab's "
        "aims",
    )
    axes.set_ylim(-4, 104)
    figure.legend(fontsize=SIZE, loc="outside lower center", ncols=4)
    return figure


def outcome_figure(by_seed: Seeds) -> Figure:
    """Against ρ: valid translations minus those of all tokens, seed by seed; and the planted
    mistakes that are left."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    over_shares(
        left,
        COMPARED,
        lambda selector, share: [
            100.0 * (rows["arms"][arm(selector, share)]["validity"] - rows["arms"][ALL]["validity"])
            for rows in by_seed
        ],
    )
    left.axhline(0.0, color=BLACK, linewidth=2)
    label_axes(
        left,
        "ρ",
        "valid translations, arm − all tokens\n(points of percent)",
        "greedy; black line: all tokens",
    )
    over_shares(
        right,
        COMPARED,
        lambda selector, share: [
            100.0 * rows["arms"][arm(selector, share)]["mistakes"] for rows in by_seed
        ],
    )
    for name, line in ((START, "--"), (ALL, "-")):
        mean, _ = mean_and_interval(
            tuple(100.0 * rows["arms"][name]["mistakes"] for rows in by_seed)
        )
        right.axhline(mean, color=BLACK, linewidth=2, linestyle=line)
    label_axes(
        right,
        "ρ",
        "planted mistakes left, % of sources that tempt",
        "dashed: before training; black line: all tokens",
    )
    right.set_ylim(-4, 104)
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, fontsize=SIZE, loc="outside lower center", ncols=6)
    return figure


def memory_figure(by_seed: Seeds) -> Figure:
    """Megabytes of one loss and its gradient by share, at the toy's vocabulary and at a usual
    one."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    shares = (None, *reversed(SHARES))
    for axes, n_words in zip(figure.subplots(1, 2), (TOY_WORDS, MANY_WORDS), strict=True):
        for offset, key, colour, name in (
            (-0.2, "logits_gradient", BLUE, "gradient of the logits"),
            (0.2, "peak", SKY, "peak of the whole loss"),
        ):
            sizes = [
                mean_and_interval(
                    tuple(
                        rows["memory"][memory_case(n_words, share)][key] / 1e6 for rows in by_seed
                    )
                )[0]
                for share in shares
            ]
            axes.barh(
                [place + offset for place in range(len(shares))],
                sizes,
                0.38,
                color=colour,
                label=name,
            )
            for place, size in enumerate(sizes):
                axes.text(size, place + offset, f" {size:.3g}", va="center", fontsize=SIZE)
        axes.set_yticks(
            range(len(shares)), ["all" if share is None else f"ρ = {share:g}" for share in shares]
        )
        axes.invert_yaxis()
        label_axes(axes, "MB", "", f"V = {n_words:,}")
        axes.margins(x=0.16)
    figure.legend(
        *axes.get_legend_handles_labels(), fontsize=SIZE, loc="outside lower center", ncols=2
    )
    return figure
