"""The picture of lesson 03 that no other lesson draws: one sentence at the places where it chooses
and must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import BarRows
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.shared.score_figures import TRUTH, colour_of
from seqkd_lab.lab.shared.style import SIZE

N_WORDS = 4


def places_figure(reading: SentenceReading, positions: Mapping[str, int]) -> Figure:
    """Draw a panel for each of `positions`, by title: the next word by the truth and by every
    model, at τ = 1."""
    figure = Figure(figsize=(13, 6.4), layout="constrained")
    panels = figure.subplots(1, len(positions), squeeze=False)[0]
    series = (TRUTH, *reading.log_prob)
    for axes, (title, position) in zip(panels, positions.items(), strict=True):
        bars = BarRows(axes, series, [colour_of(name) for name in series], N_WORDS)
        order = reading.order(position, list(reading.log_prob), N_WORDS)
        bars.show(
            [reading.vocabulary.tokens[k] for k in order],
            [_column(reading, name, position, order) for name in series],
        )
        prefix = " ".join(reading.target[:position]) or "(the beginning)"
        axes.set_title(f"{title}\n{prefix} …", fontsize=SIZE, parse_math=False)
        axes.set_xlabel("probability of the next word", fontsize=SIZE)
        axes.set_ylabel(" \n \n \n \n", fontsize=SIZE)  # room for the words, which are no ticks
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=len(series),
    )
    return figure


def _column(
    reading: SentenceReading, name: str, position: int, order: Sequence[int]
) -> list[float] | None:
    p = reading.truth(position) if name == TRUTH else reading.log_prob[name][position].exp()
    return None if p is None else p[list(order)].tolist()
