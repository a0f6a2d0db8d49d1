"""Figures of lesson 14: packed rows, what k words see, accuracy by tokens and clock, Δ-IFD, and the
factor's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.figure import Figure

from seqkd_lab.corpus.packing import NOBODY, PackedBatch
from seqkd_lab.lab.near_policy.measures import by_clock, curves, delta_counts, factors
from seqkd_lab.lab.near_policy.picture import COLOURS
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
)
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.near_policy.measures import N_WATCHED
from seqkd_lab.studies.near_policy.recipes import (
    EVERY,
    SYNCHRONOUS,
    TEACHER_MODE,
    TEACHER_SAMPLES,
    TEACHER_SCORED,
    WARM_START,
)
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, LOOP_2, MAIN
from seqkd_lab.studies.near_policy_clock import LEAST_FACTOR

LOOKS = {
    EVERY[1]: (BLUE, "o"),
    EVERY[4]: (SKY, "v"),
    EVERY[16]: (GREEN, "s"),
    EVERY[64]: (ORANGE, "^"),
    EVERY[None]: (VERMILION, "D"),
    SYNCHRONOUS: (GREY, "P"),
    TEACHER_SAMPLES: (PURPLE, "X"),
    TEACHER_SCORED: (BROWN, "*"),
    TEACHER_MODE: (BLACK, "h"),
}
ROW_COLOURS = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILION)


def packing_figure(packed: PackedBatch, efficiencies: Mapping[str, float]) -> Figure:
    """Left the target's side of the rows, a colour and a number a sentence; middle what each place
    of the first row may look at; right the share of places that hold a real token."""
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    rows, mask, bars = figure.subplots(1, 3, width_ratios=(1.25, 0.95, 0.9))
    for r, row in enumerate(packed.target_sentence.tolist()):
        for sentence in dict.fromkeys(row):
            places = [t for t, whose in enumerate(row) if whose == sentence]
            colour = "#eeeeee" if sentence == NOBODY else ROW_COLOURS[sentence % len(ROW_COLOURS)]
            rows.barh(r, len(places), 0.8, left=places[0], color=colour, edgecolor="white")
            if sentence != NOBODY:
                rows.text(
                    places[0] + len(places) / 2,
                    r,
                    str(sentence),
                    ha="center",
                    va="center",
                    fontsize=SIZE - 1,
                )
    rows.set(ylim=(len(packed.target_in) - 0.5, -0.5), xlim=(0, packed.length), yticks=[])
    label_axes(rows, "place in the row", "row", "sentences, by number, in their rows")
    mask.imshow(packed.target_mask[0, 0].numpy(), cmap="Greys", vmin=0, vmax=1.6)
    label_axes(mask, "place that is looked at", "place that looks", "decoder's mask of row 0")
    mask.grid(False)
    names = list(efficiencies)
    bars.barh(
        range(len(names)),
        list(efficiencies.values()),
        0.65,
        color=[GREY, *[BLUE] * (len(names) - 1)],
    )
    for place, value in enumerate(efficiencies.values()):
        bars.text(
            value - 0.02,
            place,
            f"{value:.0%}",
            ha="right",
            va="center",
            fontsize=SIZE,
            color="white",
        )
    bars.set(xlim=(0.0, 1.0), yticks=range(len(names)))
    bars.set_yticks(range(len(names)), names)
    bars.invert_yaxis()
    label_axes(bars, "real tokens / places", "", "packing efficiency")
    return figure


def seen_figure(seen: Mapping[int, float]) -> Figure:
    """The share of the full KL that k words and the rest see, over k."""
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(len(seen)), list(seen.values()), "o-", color=BLUE, linewidth=2.5, markersize=9)
    for place, value in enumerate(seen.values()):
        axes.annotate(
            f"{value:.0%}",
            (place, value),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=SIZE,
        )
    axes.axhline(1.0, color=GREY, linestyle="--")
    axes.set(ylim=(0.0, 1.2), xticks=range(len(seen)))
    axes.set_xticks(range(len(seen)), [str(k) for k in seen])
    label_axes(axes, "k, words that the teacher sends", "share of the full KL", "")
    return figure


def accuracy_figure(by_seed: Sequence[Rows], clock: Sequence[Rows]) -> Figure:
    """Validity on validation sentences while training proceeds: over tokens learned from, and over
    the seconds that so many tokens take by the clock, where the way was timed. Means over the
    seeds."""
    figure = Figure(figsize=(13, 5.4), layout="constrained")
    tokens, seconds = figure.subplots(1, 2, sharey=True)
    timed, found = by_clock(clock), curves(by_seed, list(LOOKS))
    for arm, (n, validity) in found.items():
        colour, mark = LOOKS[arm]
        line = "--" if arm.startswith("teacher") else "-"
        tokens.plot(
            n / 1000,
            validity,
            line,
            marker=mark,
            color=colour,
            linewidth=2,
            markersize=8,
            label=arm,
        )
        if arm in timed:
            seconds.plot(
                n / 1000 * timed[arm],
                validity,
                line,
                marker=mark,
                color=colour,
                linewidth=2,
                markersize=8,
            )
    label_axes(
        tokens,
        "thousand tokens learned from",
        "valid translations, %",
        f"by tokens ({N_WATCHED} validation sentences)",
    )
    label_axes(seconds, "seconds (two cores)", "", f"by the clock ({MAIN} sentences an update)")
    figure.legend(
        *tokens.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=SIZE - 1
    )
    return figure


def arms_figure(by_seed: Sequence[Rows]) -> Figure:
    """Validity on the test set after training: a mark a seed, a line the mean's 95% interval, a
    number the mean."""
    names = [name for name in by_seed[0] if name != TEACHER]
    figure = Figure(figsize=(12, 0.42 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        values = [one[name]["validity"] for one in by_seed]
        mean, (low, high) = mean_and_interval(values)
        colour = LOOKS.get(name, (GREY, "o"))[0]
        axes.plot([low, high], [place, place], color=colour, linewidth=3)
        axes.plot(
            values, [place] * len(values), "o", color=colour, markersize=8, markeredgecolor="white"
        )
        axes.annotate(
            f"{mean:.1f}",
            (max(*values, high if np.isfinite(high) else mean), place),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=SIZE,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    master = np.mean([one[TEACHER]["validity"] for one in by_seed])
    label_axes(axes, f"valid translations of the test set, % (the teacher: {master:.1f})", "", "")
    axes.get_yticklabels()[names.index(WARM_START)].set_fontweight("bold")
    return figure


def delta_figure(by_seed: Sequence[Rows]) -> Figure:
    """Samples by Δ-IFD: valid ones and wrong ones on top of each other, and the share of valid ones
    in each bin."""
    counts = delta_counts(by_seed)
    edges, valid, wrong = counts["edges"], counts["valid"], counts["wrong"]
    filled = np.flatnonzero(valid + wrong)
    figure = Figure(figsize=(12, 5.2), layout="constrained")
    bars, share = figure.subplots(2, 1, sharex=True, height_ratios=(1.6, 1.0))
    width, left = np.diff(edges), edges[:-1]
    bars.bar(left, valid, width, align="edge", color=BLUE, label=f"valid: {valid.sum():,}")
    bars.bar(
        left,
        wrong,
        width,
        bottom=valid,
        align="edge",
        color=ORANGE,
        hatch="//",
        edgecolor="white",
        label=f"wrong: {wrong.sum():,}",
    )
    bars.legend(fontsize=SIZE)
    label_axes(bars, "", "samples", "")
    total = valid + wrong
    centres = (left + width / 2)[filled]
    share.plot(centres, 100 * valid[filled] / total[filled], "o-", color=BLACK, linewidth=2)
    for centre, n, each in zip(
        centres, total[filled], 100 * valid[filled] / total[filled], strict=True
    ):
        share.annotate(
            f"{n:,}",
            (centre, each),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    share.set(ylim=(0, 125), yticks=[0, 50, 100], xlim=(edges[filled[0]], edges[filled[-1] + 1]))
    label_axes(share, "Δ-IFD = IFD of the student − IFD of the teacher", "valid, %", "")
    return figure


def factor_figure(clock: Sequence[Rows]) -> Figure:
    """Left the factor as one thing after another is switched on, each with all before it; right the
    seconds by who did what. Medians over the rounds; a thin line goes from the least to the
    most."""
    names = [LOOP_2, *(way.name for way in LADDER)]
    found, figure = factors(clock), Figure(figsize=(13, 4.8), layout="constrained")
    ladder, costs = figure.subplots(1, 2, sharey=True)
    for place, name in enumerate(names):
        values = found[name]
        ladder.barh(place, median(values), 0.65, color=GREY if name in (LOOP, LOOP_2) else BLUE)
        ladder.plot([min(values), max(values)], [place, place], color=BLACK, linewidth=1.5)
        ladder.text(max(values) + 0.08, place, f"{median(values):.2f}", va="center", fontsize=SIZE)
        _cost_bars(costs, place, [one[str(MAIN)][name] for one in clock])
    ladder.axvline(LEAST_FACTOR, color=VERMILION, linestyle="--", linewidth=2)
    ladder.set_yticks(range(len(names)), names)
    ladder.set_xlim(0.0, 1.25 * max(LEAST_FACTOR, *map(max, found.values())))
    ladder.invert_yaxis()
    label_axes(
        ladder, f"times as fast as the faster loop (dashed: the aim, {LEAST_FACTOR:g})", "", ""
    )
    label_axes(costs, "ms for 1,000 tokens; two bars: generator, trainer", "", "")
    handles = [costs.barh(-5, 0, color=colour, label=what) for what, colour in COLOURS.items()]
    costs.set_ylim(len(names) - 0.5, -0.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(COLOURS), fontsize=SIZE)
    return figure


def _cost_bars(axes, place: int, rounds: Sequence[Mapping]) -> None:
    """One bar, or one a process: milliseconds for 1,000 tokens, by what was done."""
    two = any(name.endswith(" wait") for name in rounds[0]["costs"])
    for who in ("generator", "trainer"):
        left, at = 0.0, place + (0.0 if not two else -0.18 if who == "generator" else 0.18)
        if not two and who == "generator":
            continue
        for what, colour in COLOURS.items():
            names = [f"{who} {what}"] if two else [f"generator {what}", f"trainer {what}"]
            value = median(
                1e6 * sum(one["costs"].get(name, 0.0) for name in names) / one["tokens"]
                for one in rounds
            )
            axes.barh(at, value, 0.33 if two else 0.65, left=left, color=colour)
            left += value
