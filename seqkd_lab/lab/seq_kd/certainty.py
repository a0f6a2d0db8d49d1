"""Picture of how sure models are of their translations, and how often greedy finds the beam's."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import BarRows, room_for_names
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import GREY, SIZE, SKY
from seqkd_lab.lab.shared.translated import Translated

MODEL_LOOKS = ("o-", "s--", "^-.", "D:", "v-", "P--")
CERTAINTY_BINS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
FEWEST = 8
"""Sentences in a bin: a share of fewer is not drawn."""


def certainty_figure(found: Mapping[str, Translated]) -> Figure:
    """Left: p(ŷ) and the share of sentences with greedy = beam. Right: that share over p(ŷ) of the
    sentence."""
    if not 1 <= len(found) <= len(MODEL_LOOKS):
        raise ValueError(f"one to {len(MODEL_LOOKS)} models can be told apart; got {len(found)}")
    figure = Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    bars = BarRows(left, ("p(ŷ), mean", "share with greedy = beam"), (GREY, SKY), len(found))
    bars.show(
        list(found),
        [
            [each.p_mode for each in found.values()],
            [each.same_share()[0] for each in found.values()],
        ],
        decimals=2,
    )
    left.set_xlim(0.0, 1.0)
    left.set_xlabel("probability, and share of the sentences", fontsize=SIZE)
    left.legend(fontsize=SIZE - 1, loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)
    room_for_names(left, max(map(len, found)))
    places = range(len(CERTAINTY_BINS) - 1)
    for (name, each), look in zip(found.items(), MODEL_LOOKS, strict=False):
        shares = [_share_between(each, *CERTAINTY_BINS[i : i + 2]) for i in places]
        right.plot(
            places,
            shares,
            look,
            color=colour_of(name),
            markersize=9,
            linewidth=2,
            label=name,
            clip_on=False,
        )
    labels = [
        f"{100 * low:g}–{100 * high:g}"
        for low, high in zip(CERTAINTY_BINS, CERTAINTY_BINS[1:], strict=False)
    ]
    right.set_xticks(list(places), labels)
    right.set(ylim=(0.0, 1.0))
    right.set_xlabel("p(ŷ) of the sentence, %", fontsize=SIZE)
    right.set_ylabel("share with greedy = beam", fontsize=SIZE)
    right.tick_params(labelsize=SIZE - 1)
    right.grid(color="#dddddd")
    right.legend(fontsize=SIZE, loc="lower right")
    return figure


def _share_between(found: Translated, low: float, high: float) -> float:
    same = [same for same, p in zip(found.same, found.p, strict=True) if low < p <= high]
    return fmean(same) if len(same) >= FEWEST else float("nan")
