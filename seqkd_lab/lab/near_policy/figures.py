"""Figures of lesson 14: packed rows, what k words see, the factor's parts, the lag, curves by
tokens and over seconds, Δ-IFD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from seqkd_lab.corpus.packing import NOBODY, PackedBatch
from seqkd_lab.distillation.generation import GENERATOR, TRAINER
from seqkd_lab.lab.near_policy.explorer import COLOURS
from seqkd_lab.lab.near_policy.results import (
    TO_TEACHER,
    curve,
    delta_counts,
    factors,
    lags,
    seconds_by_way,
)
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREY,
    GRID,
    ORANGE,
    SERIES,
    VERMILION,
    panels,
    styled,
)
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.near_policy.measures import N_WATCHED
from seqkd_lab.studies.near_policy.recipes import EVERY, LATE, REVERSE, arm_name
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, LOOP_2, MAIN
from seqkd_lab.studies.near_policy_clock import LEAST_FACTOR

LEAST_IN_BIN = 20
"""Rollouts: of fewer, no share is drawn."""
MAY_LOOK = 0.62
"""Grey of a pair of positions that may look, from white 0 to black 1."""
LOOKS = {(EVERY[1], REVERSE): (BLUE, "o"), (EVERY[16], REVERSE): (VERMILION, "s")}
"""Colour and mark of the arms with a curve, by schedule and loss."""


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
    mask.imshow(packed.target_mask[0, 0].numpy(), cmap="Greys", vmin=0, vmax=1.0 / MAY_LOOK)
    mask.set(xlabel="position that is looked at", ylabel="position that looks")
    mask.set_title("decoder's mask of row 0")
    key = [
        Patch(facecolor=str(1.0 - MAY_LOOK), edgecolor=GREY, label="may look"),
        Patch(facecolor="white", edgecolor=GREY, label="may not"),
    ]
    mask.legend(handles=key, loc="upper right")
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
def curves_figure(by_seed: Sequence[Rows], rounds: Sequence[Rows]) -> Figure:
    """Draw the validity of validation sentences during training: over the tokens learned from, and
    over the seconds that so many tokens take. Means over the seeds."""
    figure, (tokens, seconds) = panels(13, 5.0, columns=2, sharey=True)
    timed = seconds_by_way(rounds)
    for (way, loss), (colour, marker) in LOOKS.items():
        n, validity = curve(by_seed, arm_name(LATE, way, loss))
        look = {"color": colour, "marker": marker, "markersize": 8}
        tokens.plot(n / 1000, validity, label=f"{way}, {loss} KL", **look)
        seconds.plot(n / 1000 * timed[way], validity, **look)
    tokens.set(xlabel="thousand tokens learned from", ylabel="valid translations, %")
    tokens.set_title(f"by tokens ({N_WATCHED} validation sentences)")
    seconds.set(xlabel="seconds (two cores)", title="by wall-clock time")
    figure.legend(loc="outside lower center", ncols=len(LOOKS))
    return figure


@styled
def lag_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw how far the student was from the one that wrote its sentences, and from its teacher: the
    KL in nats a token, by seed."""
    found = lags(by_seed)
    figure, axes = panels(11, 0.7 * len(found) + 1.2)
    for height, (name, values) in enumerate(found.items()):
        colour = GREY if name == TO_TEACHER else BLUE
        mean = draw_seeds(axes, float(height), values, colour)
        write_beyond(axes, float(height), values, f"{mean:.4f}")
    axes.set_yticks(range(len(found)), list(found))
    axes.set(ylim=(len(found) - 0.4, -0.6), xlabel="KL, nats a token")
    axes.set_xlim(0.0, 1.15 * max(map(max, found.values())))
    return figure


@styled
def delta_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw a warm start's rollouts by Δ-IFD: valid ones and wrong ones on top of each other, and
    the share of valid ones in each bin of at least LEAST_IN_BIN."""
    counts = delta_counts(by_seed)
    edges, valid, wrong = counts["edges"], counts["valid"], counts["wrong"]
    figure, (bars, share) = panels(12, 5.2, rows=2, sharex=True, height_ratios=(1.6, 1.0))
    width, left, total = np.diff(edges), edges[:-1], valid + wrong
    bars.bar(left, valid, width, align="edge", color=BLUE, label=f"valid: {valid.sum():,}")
    hatched = {"hatch": "//", "edgecolor": "white", "label": f"wrong: {wrong.sum():,}"}
    bars.bar(left, wrong, width, bottom=valid, align="edge", color=ORANGE, **hatched)
    bars.legend()
    bars.set_ylabel("samples")
    filled = np.flatnonzero(total >= LEAST_IN_BIN)
    centres, percent = (left + width / 2)[filled], 100 * valid[filled] / total[filled]
    share.plot(centres, percent, "o-", color=BLACK)
    shown = np.flatnonzero(total)
    share.set(ylim=(-5, 105), yticks=[0, 50, 100], xlim=(edges[shown[0]], edges[shown[-1] + 1]))
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
    longest = 0.0
    for number, name in enumerate(names):
        values = by_way[name]
        colour = GREY if name in (LOOP, LOOP_2) else BLUE
        ladder.barh(number, median(values), 0.65, color=colour)
        ladder.plot([min(values), max(values)], [number] * 2, color=BLACK, linewidth=1.5)
        ladder.text(max(values) + 0.08, number, f"{median(values):.2f}", va="center")
        rows = [row[str(MAIN)][name] for row in rounds]
        longest = max(longest, _cost_bars(costs, number, rows))
    ladder.axvline(LEAST_FACTOR, color=VERMILION, linestyle="--")
    ladder.set_yticks(range(len(names)), names)
    ladder.set_xlim(0.0, 1.25 * max(LEAST_FACTOR, *map(max, by_way.values())))
    ladder.set_xlabel(f"times as fast as a loop (dashed: {LEAST_FACTOR:g})")
    costs.set(xlim=(0.0, 1.06 * longest))
    costs.set_xlabel("ms for 1,000 tokens (two bars: generator, trainer)")
    done = {cost.split(" ")[1] for name in names for cost in rounds[0][str(MAIN)][name]["costs"]}
    handles = [
        costs.barh(-5, 0, color=colour, label=what)
        for what, colour in COLOURS.items()
        if what in done
    ]
    costs.set_ylim(len(names) - 0.5, -0.5)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _cost_bars(axes: Axes, number: int, rounds: Sequence[Mapping]) -> float:
    """Draw milliseconds for 1,000 tokens by what was done: one bar, or one for each of two
    processes; return the length of the longest."""
    longest = 0.0
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
        longest = max(longest, left)
    return longest
