"""Figures of lesson 14: packed rows, what k words see, accuracy by tokens and clock, Δ-IFD, and the
factor's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.packing import NOBODY, PackedBatch
from seqkd_lab.distillation.generation import GENERATOR, TRAINER
from seqkd_lab.lab.near_policy.explorer import COLOURS
from seqkd_lab.lab.near_policy.measures import curves, delta_counts, factors, seconds_by_arm
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    BROWN,
    GREY,
    GRID,
    ORANGE,
    OTHER,
    SAMPLES,
    SERIES,
    SIZE,
    SKY,
    VERMILION,
    panels,
    role_of,
    styled,
)
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows
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
    EVERY[16]: (VERMILION, "s"),
    EVERY[64]: (ORANGE, "d"),
    EVERY[None]: (BROWN, "<"),
    SYNCHRONOUS: (GREY, "*"),
    TEACHER_SAMPLES: (role_of(SAMPLES).colour, role_of(SAMPLES).marker),
    TEACHER_SCORED: (role_of(SAMPLES).text, "p"),
    TEACHER_MODE: (role_of(SEQ_KD).colour, role_of(SEQ_KD).marker),
}
"""Colour and mark of the arms with a curve: the teacher's data look as in the other lessons."""


@styled
def packing_figure(packed: PackedBatch, efficiencies: Mapping[str, float]) -> Figure:
    """Draw on the left the target's side of the rows, a colour and a number a sentence; in the
    middle what each position of the first row may look at; on the right the share of positions that
    hold a real token."""
    figure, (rows, mask, bars) = panels(13, 4.6, columns=3, width_ratios=(1.25, 0.95, 0.9))
    for r, row in enumerate(packed.target_sentence.tolist()):
        for sentence in dict.fromkeys(row):
            left, n = row.index(sentence), row.count(sentence)
            real = sentence != NOBODY
            colour = SERIES[sentence % len(SERIES)][0] if real else GRID
            rows.barh(
                r, n, 0.8, left=left, color=colour, alpha=0.75 if real else 0.6, edgecolor="white"
            )
            if real:
                rows.text(left + n / 2, r, str(sentence), ha="center", va="center")
    rows.set(ylim=(len(packed.target_in) - 0.5, -0.5), xlim=(0, packed.length), yticks=[])
    rows.set(xlabel="position in the row", ylabel="row")
    rows.set_title("sentences, by number, in their rows")
    mask.imshow(packed.target_mask[0, 0].numpy(), cmap="Greys", vmin=0, vmax=1.6)
    mask.set(xlabel="position that is looked at", ylabel="position that looks")
    mask.set_title("decoder's mask of row 0")
    mask.grid(False)
    values = list(efficiencies.values())
    bars.barh(range(len(values)), values, 0.65, color=[GREY, *[BLUE] * (len(values) - 1)])
    for number, value in enumerate(values):
        bars.text(value - 0.02, number, f"{value:.0%}", ha="right", va="center", color="white")
    bars.set_yticks(range(len(values)), list(efficiencies))
    bars.set(xlim=(0.0, 1.0), xlabel="real tokens / positions", title="packing efficiency")
    bars.invert_yaxis()
    return figure


@styled
def seen_figure(seen: Mapping[int, float]) -> Figure:
    """Draw the share of the full KL that k words and the rest see, over k."""
    figure, axes = panels(7.5, 3.6)
    x, values = range(len(seen)), list(seen.values())
    axes.plot(x, values, "o-", color=BLUE, linewidth=2.5, markersize=9)
    for point in zip(x, values, strict=True):
        axes.annotate(f"{point[1]:.0%}", point, (0, 9), textcoords="offset points", ha="center")
    axes.axhline(1.0, color=GREY, linestyle="--")
    axes.set_xticks(x, [str(k) for k in seen])
    axes.set(ylim=(0.0, 1.2), xlabel="k, words that the teacher sends")
    axes.set_ylabel("share of the full KL")
    return figure


@styled
def accuracy_figure(by_seed: Sequence[Rows], rounds: Sequence[Rows]) -> Figure:
    """Draw the validity of validation sentences during training: over the tokens learned from, and
    over the seconds that so many tokens take by the clock, where the way was timed. Means over the
    seeds."""
    figure, (tokens, seconds) = panels(13, 5.4, columns=2, sharey=True)
    timed = seconds_by_arm(rounds)
    for arm, (n, validity) in curves(by_seed, list(LOOKS)).items():
        colour, marker = LOOKS[arm]
        look = {"color": colour, "marker": marker, "markersize": 8}
        look["linestyle"] = "--" if arm.startswith("teacher") else "-"
        tokens.plot(n / 1000, validity, label=arm, **look)
        if arm in timed:
            seconds.plot(n / 1000 * timed[arm], validity, **look)
    tokens.set(xlabel="thousand tokens learned from", ylabel="valid translations, %")
    tokens.set_title(f"by tokens ({N_WATCHED} validation sentences)")
    seconds.set_xlabel("seconds (two cores)")
    seconds.set_title(f"by the clock ({MAIN} sentences an update)")
    figure.legend(loc="outside lower center", ncols=5, fontsize=SIZE - 1)
    return figure


@styled
def arms_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw validity on the test set after training: each seed, the mean and its 95% interval, and
    the mean as a number."""
    names = [name for name in by_seed[0] if name != TEACHER]
    figure, axes = panels(12, 0.42 * len(names) + 1.2)
    for number, name in enumerate(names):
        values = [rows[name]["validity"] for rows in by_seed]
        colour, marker = LOOKS.get(name, (OTHER.colour, OTHER.marker))
        mean = draw_seeds(axes, number, values, colour, marker)
        write_beyond(axes, number, values, f"{mean:.1f}")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    teacher = fmean(rows[TEACHER]["validity"] for rows in by_seed)
    axes.set_xlabel(f"valid translations of the test set, % (the teacher: {teacher:.1f})")
    axes.get_yticklabels()[names.index(WARM_START)].set_fontweight("bold")
    return figure


@styled
def delta_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw rollouts by Δ-IFD: valid ones and wrong ones on top of each other, and the share of
    valid ones in each bin."""
    counts = delta_counts(by_seed)
    edges, valid, wrong = counts["edges"], counts["valid"], counts["wrong"]
    figure, (bars, share) = panels(12, 5.2, rows=2, sharex=True, height_ratios=(1.6, 1.0))
    width, left, total = np.diff(edges), edges[:-1], valid + wrong
    bars.bar(left, valid, width, align="edge", color=BLUE, label=f"valid: {valid.sum():,}")
    hatched = {"hatch": "//", "edgecolor": "white", "label": f"wrong: {wrong.sum():,}"}
    bars.bar(left, wrong, width, bottom=valid, align="edge", color=ORANGE, **hatched)
    bars.legend()
    bars.set_ylabel("samples")
    filled = np.flatnonzero(total)
    centres, percent = (left + width / 2)[filled], 100 * valid[filled] / total[filled]
    share.plot(centres, percent, "o-", color=BLACK)
    for centre, height, n in zip(centres, percent, total[filled], strict=True):
        text, offset = f"{n:,}", {"xytext": (0, 8), "textcoords": "offset points"}
        share.annotate(text, (centre, height), ha="center", fontsize=9, **offset)
    share.set(ylim=(0, 125), yticks=[0, 50, 100], xlim=(edges[filled[0]], edges[filled[-1] + 1]))
    share.set(xlabel="Δ-IFD = IFD of the student − IFD of the teacher", ylabel="valid, %")
    return figure


@styled
def factor_figure(rounds: Sequence[Rows]) -> Figure:
    """Draw on the left the factor as one thing after another is switched on, each with all before
    it; on the right the seconds by who did what. Medians over the rounds; a thin line goes from the
    least to the most."""
    names = [LOOP_2, *(way.name for way in LADDER)]
    figure, (ladder, costs) = panels(13, 4.8, columns=2, sharey=True)
    by_way = factors(rounds)
    for number, name in enumerate(names):
        values = by_way[name]
        colour = GREY if name in (LOOP, LOOP_2) else BLUE
        ladder.barh(number, median(values), 0.65, color=colour)
        ladder.plot([min(values), max(values)], [number] * 2, color=BLACK, linewidth=1.5)
        ladder.text(max(values) + 0.08, number, f"{median(values):.2f}", va="center")
        _cost_bars(costs, number, [rows[str(MAIN)][name] for rows in rounds])
    ladder.axvline(LEAST_FACTOR, color=VERMILION, linestyle="--")
    ladder.set_yticks(range(len(names)), names)
    ladder.set_xlim(0.0, 1.25 * max(LEAST_FACTOR, *map(max, by_way.values())))
    ladder.set_xlabel(f"times as fast as the faster loop (dashed: the aim, {LEAST_FACTOR:g})")
    costs.set_xlabel("ms for 1,000 tokens; two bars: generator, trainer")
    handles = [costs.barh(-5, 0, color=colour, label=what) for what, colour in COLOURS.items()]
    costs.set_ylim(len(names) - 0.5, -0.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(COLOURS))
    return figure


def _cost_bars(axes: Axes, number: int, rounds: Sequence[Mapping]) -> None:
    """Draw milliseconds for 1,000 tokens by what was done: one bar, or one for each of two
    processes."""
    bars: list[tuple[tuple[str, ...], float, float]] = [((GENERATOR, TRAINER), 0.0, 0.65)]
    if any(name.endswith(" wait") for name in rounds[0]["costs"]):
        bars = [((GENERATOR,), -0.18, 0.33), ((TRAINER,), 0.18, 0.33)]
    for processes, shift, height in bars:
        left = 0.0
        for what, colour in COLOURS.items():
            costs = [
                sum(row["costs"].get(f"{who} {what}", 0.0) for who in processes) / row["tokens"]
                for row in rounds
            ]
            milliseconds = 1e6 * median(costs)
            axes.barh(number + shift, milliseconds, height, left=left, color=colour)
            left += milliseconds
