"""Pictures of lesson 08: the findings seed by seed, speed as a product, chance of two kinds, where
there is a gain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from seqkd_lab.lab.paper_table.measures import Gain, Speeds, middle_95
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, SIZE, SKY, VERMILION
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    NOT_HELD,
    UNDECIDED,
    Verdict,
    mean_and_interval,
    number,
)
from seqkd_lab.studies.no_help import CONDITIONS

ALLOWED = "#d9efe6"
OUTCOMES = {
    HELD: ("✓", GREEN),
    NOT_HELD: ("✗", VERMILION),
    UNDECIDED: ("?", BROWN),
    CANNOT_BE_ASKED: ("–", GREY),
    CANNOT_BE_JUDGED: ("–", GREY),
}
"""Mark and colour of each outcome; its word stands beside them, for colour alone tells nothing to
some."""


def findings_figure(verdicts: Sequence[Verdict]) -> Figure:
    """Draw a row a claim: what it allows (green ground), every seed (strokes), mean (dot) and its
    95% interval."""
    figure = Figure(figsize=(13, 1.0 * len(verdicts) + 0.4), layout="constrained")
    panels = figure.subplots(len(verdicts), 1, squeeze=False)[:, 0]
    for axes, verdict in zip(panels, verdicts, strict=True):
        _verdict_row(axes, verdict)
    return figure


def _verdict_row(axes, verdict: Verdict) -> None:
    claim, (low, high) = verdict.claim, verdict.interval
    ends = [
        end for end in (*verdict.values, low, high, claim.least, claim.most) if math.isfinite(end)
    ] or [0.0]
    room = 0.12 * (max(ends) - min(ends) or 1.0)
    edges = min(ends) - room, max(ends) + room
    axes.axvspan(max(claim.least, edges[0]), min(claim.most, edges[1]), color=ALLOWED)
    draw_seeds(axes, 0.0, verdict.values, BLUE)
    axes.set(xlim=edges, ylim=(-1.0, 1.0), yticks=[])
    axes.tick_params(labelsize=SIZE - 2)
    axes.set_ylabel(
        fill(f"{claim.name}  {claim.ours}", 46),
        rotation=0,
        ha="left",
        va="center",
        fontsize=SIZE - 2,
        labelpad=305,
        parse_math=False,
    )
    mark, colour = OUTCOMES[verdict.outcome]
    axes.annotate(
        f"{number(verdict.mean)}  {mark} {verdict.outcome}",
        (1.0, 0.5),
        xycoords="axes fraction",
        xytext=(10, -5),
        textcoords="offset points",
        fontsize=SIZE,
        color=colour,
    )


def speed_figure(found: Mapping[str, Speeds]) -> Figure:
    """The speed-up as a product: on a logarithmic axis factors add. Two ways from one end to the
    other."""
    figure = Figure(figsize=(13, 1.6 + 1.25 * len(found)), layout="constrained")
    axes = figure.subplots()
    names, most = [], max(each.total for each in found.values())
    for row, (name, each) in enumerate(found.items()):
        size, search = each.size_then_search
        _product(axes, 2.4 * row, ((size, BLUE), (search, ORANGE)))
        search, size = each.search_then_size
        _product(axes, 2.4 * row + 1, ((search, ORANGE), (size, BLUE)))
        axes.annotate(
            f"= {each.total:.1f}",
            (each.total, 2.4 * row + 0.5),
            xytext=(10, -6),
            textcoords="offset points",
            fontsize=SIZE + 2,
            weight="bold",
        )
        names += [(2.4 * row, f"{name}: first smaller"), (2.4 * row + 1, "first greedy")]
    axes.set_xscale("log")
    axes.set_xlim(1.0, 1.6 * max(most, 2.0))
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick <= 1.6 * most]
    axes.set_xticks(ticks, [f"{tick} ×" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([y for y, _ in names], [name for _, name in names], fontsize=SIZE)
    axes.set_ylim(2.4 * len(found) - 0.8, -0.7)
    axes.set_xlabel("times as fast as the teacher with a beam (logarithmic)", fontsize=SIZE)
    axes.tick_params(axis="x", labelsize=SIZE - 1)
    for colour, label in (
        (BLUE, "the smaller model"),
        (ORANGE, "greedy search in place of the beam"),
    ):
        axes.plot([], [], "s", color=colour, markersize=12, label=label)
    figure.legend(fontsize=SIZE, loc="outside upper center", ncols=2)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    return figure


def _product(axes, y: float, parts: Sequence[tuple[float, str]]) -> None:
    """Bars one after the other, each from the product so far to the product with its factor."""
    reached = 1.0
    for factor, colour in parts:
        axes.barh(y, reached * factor - reached, 0.85, left=reached, color=colour)
        if factor > 1.15:
            axes.annotate(
                f"× {factor:.1f}",
                (reached * math.sqrt(factor), y),
                ha="center",
                va="center",
                fontsize=SIZE,
                color="white" if colour == BLUE else BLACK,
            )
        reached *= factor


def chances_figure(resampled: np.ndarray, own: float, others: Sequence[float], seed: int) -> Figure:
    """Draw the gain of `seed` in other test sets (histogram), and other seeds' gains on one test
    set (dashes), in points."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    axes = figure.subplots()
    points = 100.0 * np.asarray(resampled)
    low, high = middle_95(points)
    axes.hist(points, bins=30, color=SKY, label=f"seed {seed}, resampled test sets")
    top = axes.get_ylim()[1]
    axes.axvspan(low, high, color=GREY, alpha=0.15, label="95% of them")
    axes.axvline(100.0 * own, color=BLUE, linewidth=3, label=f"seed {seed}, this test set")
    axes.axvline(0.0, color=BLACK, linewidth=1, linestyle=":")
    for place, gain in enumerate(others):
        label = "other seeds, this test set" if place == 0 else None
        axes.plot(
            [100.0 * gain] * 2,
            [0.0, 0.6 * top],
            color=VERMILION,
            linewidth=3,
            linestyle="--",
            label=label,
        )
    axes.set_xlabel(
        "Seq-KD − baseline: valid greedy translations, percentage points", fontsize=SIZE
    )
    axes.set_ylabel("resamples", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.legend(fontsize=SIZE, loc="upper right")
    return figure


def gains_figure(found: Mapping[str, Gain]) -> Figure:
    """What Seq-KD gains in each condition: greedy BLEU and valid translations, every seed, mean,
    95% interval."""
    figure = Figure(figsize=(13, 1.6 + 0.95 * len(found)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    columns = (
        ("greedy", "valid"),
        (1.0, 100.0),
        ("greedy BLEU", "valid translations, percentage points"),
    )
    for axes, of, scale, label in zip(panels, *columns, strict=True):
        for row, each in enumerate(found.values()):
            values = [scale * value for value in getattr(each, of)]
            draw_seeds(axes, row, values, BLUE)
            mean, (_, high) = mean_and_interval(values)
            right = max(high if math.isfinite(high) else mean, *values)
            axes.annotate(
                f"{mean:+.1f}".replace("-", "−"),
                (right, row),
                xytext=(10, -5),
                textcoords="offset points",
                fontsize=SIZE,
            )
        axes.axvline(0.0, color=BLACK, linewidth=1.5)
        axes.margins(x=0.22)
        axes.set_xlabel(f"Seq-KD − gold, {label}", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(axis="x", color="#dddddd")
    panels[0].set_yticks(
        range(len(found)), [fill(CONDITIONS[name], 26) for name in found], fontsize=SIZE
    )
    panels[0].set_ylim(len(found) - 0.4, -0.6)
    return figure
