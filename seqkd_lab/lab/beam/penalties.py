"""What a length penalty does, also to a model that ends its sentences too early."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.beam.outputs import Outputs, outputs
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.style import GREY, SERIES, panels, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, train_student

Swept = dict[int, dict[float, Outputs]]
"""One model's Outputs by beam size and length penalty."""


def train_brief(data: Dataset) -> tuple[str, Seq2Seq]:
    """Train a baseline within seconds, far too briefly; return its name, which says on how much,
    and the model."""
    settings = lesson.scaled(QuickStudent(epochs=2), QuickStudent(8, 1, 320, n_valid=20))
    model, _ = train_student(settings, data, NLL(), seed=1)
    return f"trained on {settings.n_pairs:,} pairs, {settings.epochs} times each", model


def over_penalties(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    penalties: Sequence[float],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Swept]:
    """Return Outputs by model, beam size and length penalty. `watch` is called with (done, total)
    searches."""
    by_model: dict[str, Swept] = {name: {K: {} for K in beam_sizes} for name in models}
    searches = list(product(models, beam_sizes, penalties))
    for done, (name, K, penalty) in enumerate(searches, start=1):
        by_model[name][K][penalty] = outputs(models[name], corpus, data, K, penalty)
        watch(done, len(searches))
    return by_model


@styled
def penalties_figure(by_model: Mapping[str, Swept]) -> Figure:
    """Draw a column a model: BLEU and length ratio over the length penalty, a line a beam size; one
    scale of lengths."""
    figure, grid = panels(12, 7, 2, len(by_model), sharex=True, squeeze=False)
    for (bleu, length), (name, by_size) in zip(grid.T, by_model.items(), strict=True):
        for (K, by_penalty), (colour, mark) in zip(by_size.items(), SERIES, strict=False):
            scores = [outputs.score for outputs in by_penalty.values()]
            look: dict[str, Any] = {"color": colour, "linewidth": 2, "markersize": 8}
            for axes, values in (
                (bleu, [score.bleu for score in scores]),
                (length, [score.length_ratio for score in scores]),
            ):
                axes.plot(list(by_penalty), values, f"{mark}-", label=f"K = {K}", **look)
        bleu.set_title(name)
        length.set_xlabel("length penalty (0: none; 1: mean per token)")
        length.axhline(1.0, color=GREY, linewidth=1, linestyle=":")
    for axes in grid.flat:
        axes.yaxis.set_major_locator(MaxNLocator(6))
    _equal_scales(grid[1])
    _equal_spans(grid[0])
    grid[0, 0].set_ylabel("BLEU (equal steps, other levels)")
    grid[1, 0].set_ylabel("length ratio")
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4)
    return figure


def _equal_scales(row: Sequence[Axes]) -> None:
    """Give the panels of length ratios one scale, which holds every value."""
    ratios = [float(y) for axes in row for line in axes.lines for y in np.asarray(line.get_ydata())]
    margin = 0.05 * (max(ratios) - min(ratios)) + 0.005
    for axes in row:
        axes.set_ylim(min(ratios) - margin, max(ratios) + margin)


def _equal_spans(row: Sequence[Axes]) -> None:
    """Give each panel as many units of height as the one that needs most, up to 100 at most."""
    limits = [axes.get_ylim() for axes in row]
    half = max(high - low for low, high in limits) / 2
    for axes, (low, high) in zip(row, limits, strict=True):
        bottom = max(0.0, min(100.0, (low + high) / 2 + half) - 2 * half)
        axes.set_ylim(bottom, bottom + 2 * half)


def penalties_in_words(by_model: Mapping[str, Swept], wide: int) -> str:
    """Say for each model what a wide beam does to length and BLEU without a penalty, and what the
    penalty changes."""
    lines = []
    for name, by_size in by_model.items():
        plain, greedy = by_size[wide][0.0].score, by_size[1][0.0].score
        penalty, best = max(by_size[wide].items(), key=lambda item: item[1].score.bleu)
        change = (
            "None of the penalties does better."
            if penalty == 0.0
            else f"The best of the penalties, {penalty:g}, changes BLEU by "
            f"{best.score.bleu - plain.bleu:+.1f}."
        )
        lines.append(
            f"- **{name}**: without a penalty, K = {wide} has a length ratio of "
            f"{plain.length_ratio:.3f} and {plain.bleu:.1f} BLEU; greedy search has "
            f"{greedy.length_ratio:.3f} and {greedy.bleu:.1f}. {change}"
        )
    return "\n".join(lines)
