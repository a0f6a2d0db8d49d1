"""Figures of lesson 3: where a model's probability lies, entropy, calibration, its nearness to the
truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from torch import Tensor

from seqkd_lab.lab.next_word.sweep_measures import Mass, Reliability, Sweep
from seqkd_lab.lab.shared.next_words import TEACHER
from seqkd_lab.lab.shared.score_figures import TRUTH, colour_of
from seqkd_lab.lab.shared.style import GREY, SIZE, SKY, VERMILION
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD

LEAST_IN_A_BIN = 20
MARKS = {TRUTH: "s", TEACHER: "o", BASELINE: "^", SEQ_KD: "D", WORD_KD: "v"}


def mass_figure(found: Mapping[str, Mass]) -> Figure:
    """Of each model: the mean probability on gold's word, on the other right words, on wrong words;
    the sum is 1."""
    figure = Figure(figsize=(11, 1.5 + 0.7 * len(found)), layout="constrained")
    axes = figure.subplots()
    parts = (
        ("on gold's word", "#bbbbbb", "", lambda mass: mass.gold),
        ("on other right words", SKY, "//", lambda mass: mass.other_right),
        ("on wrong words", VERMILION, "", lambda mass: mass.wrong),
    )
    left = [0.0] * len(found)
    for label, colour, hatch, value_of in parts:
        values = [value_of(mass) for mass in found.values()]
        axes.barh(
            range(len(found)),
            values,
            0.66,
            left=left,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=label,
        )
        left = [start + value for start, value in zip(left, values, strict=True)]
    for place, mass in enumerate(found.values()):
        numbers = "   ".join(f"{value:.3f}" for value in (mass.gold, mass.other_right, mass.wrong))
        axes.annotate(
            numbers, (1.0, place), xytext=(8, -5), textcoords="offset points", fontsize=SIZE
        )
    axes.annotate(
        " gold    other    wrong",
        (1.0, -0.5),
        xytext=(8, 2),
        textcoords="offset points",
        fontsize=SIZE - 1,
    )
    axes.set_yticks(range(len(found)), list(found), fontsize=SIZE)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
    axes.tick_params(labelsize=SIZE - 1)
    axes.set_xlabel("probability, mean over positions", fontsize=SIZE)
    figure.legend(fontsize=SIZE - 1, loc="outside lower center", ncols=3)
    return figure


def sweep_figure(found: Sweep) -> Figure:
    """KL(truth ‖ model) over τ of each model, both on logarithmic scales; its lowest point with the
    numbers."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    for name, values in found.kl.items():
        tau, least = found.nearest[name]
        colour, mark = colour_of(name), MARKS.get(name, "o")
        axes.plot(found.temperatures, values, "-", color=colour, linewidth=2)
        axes.plot(
            tau,
            least,
            mark,
            color=colour,
            markersize=11,
            label=f"{name}: nearest at τ = {tau:.2f}, KL {least:.3f}",
        )
    axes.axvline(1.0, color=GREY, linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1.0, 2.0, 4.0, 8.0]))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("temperature τ", fontsize=SIZE)
    axes.set_ylabel("KL(truth ‖ model), nats a word", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 1, loc="lower right")
    return figure


def sentence_entropy_figure(
    words: Sequence[str], entropies: Mapping[str, Sequence[float]]
) -> Figure:
    """The entropy (nats) of the next word before each of `words`, one bar a model."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.84 / len(entropies)
    for turn, (name, values) in enumerate(entropies.items()):
        places = [place + (turn - (len(entropies) - 1) / 2) * width for place in range(len(words))]
        axes.bar(places, values, 0.92 * width, color=colour_of(name), label=name)
    axes.set_xticks(
        range(len(words)), words, fontsize=SIZE, rotation=35, ha="right", parse_math=False
    )
    axes.set_ylabel("entropy of the next word (nats)", fontsize=SIZE)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    axes.set_ylim(0.0, 1.25 * max(0.1, *(max(values) for values in entropies.values())))
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(fontsize=SIZE - 1, loc="upper right", ncols=len(entropies))
    return figure


def place_entropy_figure(place: Tensor, entropies: Mapping[str, Tensor], least: int = 20) -> Figure:
    """The mean entropy (nats) of the next word over its place in the sentence, where `least`
    sentences reach so far.

    place (N,) counts from 0; each entropy is (N,).
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    axes = figure.subplots()
    number = place.bincount()
    reached = [p for p in range(len(number)) if number[p] >= min(least, int(number.max()))]
    for name, values in entropies.items():
        means = place.bincount(weights=values) / number.clamp(min=1)
        axes.plot(
            [p + 1 for p in reached],
            means[reached],
            "-",
            marker=MARKS.get(name, "o"),
            markersize=6,
            color=colour_of(name),
            label=f"{name}: mean of all {float(values.mean()):.3f}",
        )
    axes.set_xlabel("place of the word in the sentence", fontsize=SIZE)
    axes.set_ylabel("entropy (nats), mean", fontsize=SIZE)
    axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 1, loc="upper right")
    return figure


def reliability_figure(found: Mapping[str, Reliability]) -> Figure:
    """One panel a model: how probable its likeliest words really are, over how probable it says
    they are.

    Full marks: the exact truth, their area by the number of words. Hollow ones: the share of gold
    in the same bins with its 95% interval (Wilson): what you could measure without the truth. They
    are left out where a bin has fewer than LEAST_IN_A_BIN words.
    """
    figure = Figure(figsize=(4.2 * len(found), 5.6), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, (name, bins) in zip(panels, found.items(), strict=True):
        axes.plot([0, 1], [0, 1], "-", color=GREY, linewidth=1)
        _draw_gold(axes, bins)
        axes.scatter(
            bins.confidence,
            bins.truth,
            [30 + 250 * n / max(bins.number) for n in bins.number],
            zorder=3,
            color=colour_of(name),
        )
        axes.set_title(f"{name}: error {bins.error:.3f}", fontsize=SIZE + 1)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_xlabel("p that the model gives its first word", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
    panels[0].set_ylabel("how probable the word really is", fontsize=SIZE)
    label = f"share of gold with its 95% interval, in bins of {LEAST_IN_A_BIN} words or more"
    marks = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            color=GREY,
            markersize=10,
            markerfacecolor=face,
            label=words,
        )
        for face, words in ((GREY, "the exact truth"), ("none", label))
    ]
    figure.legend(handles=marks, fontsize=SIZE, loc="outside lower center", ncols=2)
    return figure


def _draw_gold(axes, bins: Reliability) -> None:
    """The share of gold in each bin that has enough words."""
    kept = [
        (c, g, n)
        for c, g, n in zip(bins.confidence, bins.gold, bins.number, strict=True)
        if n >= LEAST_IN_A_BIN
    ]
    ends = [wilson(g, n) for _, g, n in kept]
    reach = [
        [g - low for (_, g, _), (low, _) in zip(kept, ends, strict=True)],
        [high - g for (_, g, _), (_, high) in zip(kept, ends, strict=True)],
    ]
    axes.errorbar(
        [c for c, _, _ in kept],
        [g for _, g, _ in kept],
        reach if kept else None,
        fmt="o",
        markersize=8,
        markerfacecolor="none",
        color=GREY,
    )


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95% interval of a share of n independent trials (Wilson 1927): it has a width at 0
    and at 1, too."""
    middle, scale = share + z * z / (2 * n), 1.0 + z * z / n
    reach = z * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, (middle - reach) / scale)), min(
        1.0, max(share, (middle + reach) / scale)
    )
