"""Where a student stands, and what it does there: behind gold's words and behind its own."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from seqkd_lab.lab.figures.bars import BarRows
from seqkd_lab.lab.figures.picture import BLUE, GREEN, GREY, ORANGE, PURPLE, SIZE, VERMILION
from seqkd_lab.lab.word_kd_measures import Prefixes

MARKS = ((BLUE, "o-"), (ORANGE, "s--"), (GREEN, "^:"), (VERMILION, "D-."))
BEHIND = ("behind gold's words", "behind its own words")
MOST_PERCENT = 20.0


def prefixes_figure(found: Mapping[str, Prefixes]) -> Figure:
    """Left: how often a model's own first words are gold's. Right: its probability of impossible next words, in %."""
    if not 1 <= len(found) <= len(MARKS):
        raise ValueError(f"one to {len(MARKS)} models can be told apart in this picture; got {len(found)}")
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.15])
    for (name, each), (colour, look) in zip(found.items(), MARKS, strict=False):
        shares = [100.0 * share for share in each.still_gold]
        left.plot(range(len(shares)), shares, look, color=colour, label=name, markersize=7, linewidth=2)
    left.set(ylim=(0.0, 104.0))
    left.set_xlabel("words written", fontsize=SIZE)
    left.set_ylabel("still gold's words, % of sentences", fontsize=SIZE)
    left.tick_params(labelsize=SIZE - 1)
    left.grid(color="#dddddd")
    left.legend(fontsize=SIZE)
    bars = BarRows(right, BEHIND, (GREY, PURPLE), len(found), (0.0, MOST_PERCENT))
    gold, own = [100.0 * each.gold for each in found.values()], [100.0 * each.own for each in found.values()]
    bars.show(list(found), [gold, own], decimals=1)
    right.set_xlabel("probability of impossible next words, %", fontsize=SIZE)
    right.set_ylabel(" \n \n \n \n", fontsize=SIZE)  # room for the names, which are no ticks
    right.legend(fontsize=SIZE, loc="lower right")
    return figure
