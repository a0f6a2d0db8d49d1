"""The figure of the budget study: what a student reaches over the updates that it is given, by
method."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from seqkd_lab.lab.paper_table.table_figures import CURVE_COLOURS
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import GREY, SIZE
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.budget import (
    FACTORS,
    GREEDY_BLEU,
    GREEDY_VALID,
    METHODS,
    TABLE,
    factor_key,
    factors_of,
    updates_at,
)

MARKS = {BASELINE: ("o", "-"), WORD_KD: ("^", "--"), SEQ_KD: ("s", "-")}
APART = {BASELINE: 0.96, WORD_KD: 1.0, SEQ_KD: 1.04}
"""The methods' marks stand this factor apart on the axis of updates, so that their intervals do not
cover each other.
"""
PANELS = (
    (GREEDY_BLEU, 100.0, "greedy BLEU (0–100)"),
    (GREEDY_VALID, 1.0, "share of valid greedy translations"),
)


def budget_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw greedy BLEU and the share of valid greedy translations over the updates, a line a
    method.

    Means with 95% intervals, every seed as a faint dot, and the budget of Table 1 as a vertical
    line.
    """
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    updates = [updates_at(by_seed[0], factor) for factor in FACTORS]
    for axes, (measure, most, name) in zip(figure.subplots(1, 2), PANELS, strict=True):
        for method in METHODS:
            _draw_method(axes, by_seed, updates, method, measure, most)
        _finish(axes, updates, most, name)
        _mark_table(axes, updates_at(by_seed[0], TABLE))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, fontsize=SIZE + 1, loc="outside lower center", ncols=len(METHODS)
    )
    spread = (
        "one seed" if len(by_seed) == 1 else f"mean, 95% interval and each of {len(by_seed)} seeds"
    )
    figure.suptitle(
        f"Every budget is a training of its own, with a whole schedule: {spread}", fontsize=SIZE + 1
    )
    return figure


def _draw_method(
    axes, by_seed: Sequence[Rows], updates: Sequence[int], method: str, measure: str, most: float
) -> None:
    """One method's line: means, intervals cut off at 0 and `most`, and the seeds."""
    colour, (mark, line) = CURVE_COLOURS[method], MARKS[method]
    factors = factors_of(method)
    x = [APART[method] * n for n in updates[: len(factors)]]
    columns = [
        [rows[method][factor_key(factor)][measure] for rows in by_seed] for factor in factors
    ]
    means = [mean_and_interval(values)[0] for values in columns]
    if len(by_seed) > 1:
        bounds = [mean_and_interval(values)[1] for values in columns]
        axes.vlines(
            x,
            [max(0.0, low) for low, _ in bounds],
            [min(most, high) for _, high in bounds],
            color=colour,
            linewidth=2.0,
        )
        for position, values in zip(x, columns, strict=True):
            axes.plot([position] * len(values), values, ".", color=colour, alpha=0.4, markersize=12)
    axes.plot(x, means, mark + line, color=colour, linewidth=2.5, markersize=9, label=method)


def _finish(axes, updates: Sequence[int], most: float, name: str) -> None:
    """Axes: every budget as a plain number, and no room above what can be reached."""
    axes.set_xscale("log")
    axes.set_xticks(updates, [f"{n:,}" for n in updates])
    axes.set_xticks([], minor=True)
    axes.set_xlim(updates[0] / 1.25, updates[-1] * 1.25)
    label_axes(axes, "updates of the training (log scale)", name)
    axes.tick_params(labelsize=SIZE)
    low, _ = axes.get_ylim()
    axes.set_ylim(max(0.0, low), most)


def _mark_table(axes, n_updates: int) -> None:
    """A thin vertical line at the budget of Table 1, named at its foot."""
    axes.axvline(n_updates, color=GREY, linewidth=1.2, zorder=1)
    axes.annotate(
        "Table 1",
        (n_updates, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        fontsize=SIZE,
        color=GREY,
    )
