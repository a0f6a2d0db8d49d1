"""Figures of Table 1: what each row reaches, over the seeds, and how the students learned.

Colours are Okabe and Ito's, which colour-blind people can tell apart; the numbers stand beside
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.table1.table import PAPER, PaperRow

GREEDY, BEAM, GREY = "#0072B2", "#E69F00", "#555555"
CURVE_COLOURS = {TEACHER: "#000000", BASELINE: "#0072B2", WORD_KD: "#E69F00", SEQ_KD: "#009E73"}


def table_figure(results: Mapping) -> Figure:
    """BLEU of each row, greedy and beam: the mean, its 95% interval and every seed; the paper's
    values as triangles.

    Two panels: ours, and the paper's, each with its own scale, since the tasks differ and only the
    shape compares.
    """
    figure = Figure(figsize=(13, 6.5), layout="constrained")
    ours, paper = figure.subplots(1, 2, width_ratios=[2.2, 1.0], sharey=True)
    names = list(rows_by_seed(results)[0])
    for place, name in enumerate(names):
        cells = [rows[name] for rows in rows_by_seed(results)]
        _draw_row(ours, place - 0.17, [cell["greedy"]["bleu"] for cell in cells], GREEDY)
        _draw_row(ours, place + 0.17, [cell["beam"]["bleu"] for cell in cells], BEAM)
        for offset, value, colour in (
            (-0.17, PAPER.get(name, PaperRow()).greedy, GREEDY),
            (0.17, PAPER.get(name, PaperRow()).beam, BEAM),
        ):
            if value is not None:
                paper.plot(value, place + offset, ">", color=colour, markersize=10)
                _number(paper, value, value, place + offset)
    ours.set_yticks(range(len(names)), names, fontsize=13)
    ours.invert_yaxis()
    beam_size = rows_by_seed(results)[0][names[0]]["beam_size"]
    ours.plot([], [], "o", color=GREEDY, label="greedy, K = 1")
    ours.plot([], [], "o", color=BEAM, label=f"beam, K = {beam_size}")
    figure.legend(fontsize=13, loc="outside lower center", ncols=2)
    n_seeds = len(results["by_seed"])
    title = (
        "here: one seed"
        if n_seeds == 1
        else f"here: mean, 95% interval and each of {n_seeds} seeds"
    )
    ours.set_title(title, fontsize=14)
    paper.set_title("Kim & Rush 2016 (WMT)", fontsize=14)
    ours.margins(x=0.12)  # room for the numbers beside the marks
    paper.margins(x=0.25)
    for axes in (ours, paper):
        axes.set_xlabel("BLEU (0–100)", fontsize=13)
        axes.grid(axis="x", color="#dddddd")
        axes.set_axisbelow(True)
    return figure


def _draw_row(axes, height: float, values: list[float], colour: str) -> None:
    """One row's seeds as faint dots, the mean as a strong one with its interval, the mean's number
    beside it."""
    mean, (low, high) = mean_and_interval(values)
    axes.plot(values, [height] * len(values), "|", color=colour, markersize=9, alpha=0.7)
    if len(values) > 1:
        axes.plot([low, high], [height, height], "-", color=colour, linewidth=2)
    axes.plot(mean, height, "o", color=colour, markersize=8)
    right = max(high, *values) if len(values) > 1 else mean
    _number(axes, mean, right, height)


def _number(axes, value: float, x: float, y: float) -> None:
    """Writes `value` to the right of the mark at (x, y)."""
    axes.annotate(f"{value:.1f}", (x, y), xytext=(8, -4), textcoords="offset points", fontsize=12)


def curves_figure(results: Mapping) -> Figure:
    """Validation loss (NLL of gold, nats a token) of each epoch: one line a seed, one panel a
    model, one scale."""
    by_seed = rows_by_seed(results)
    names = [name for name in CURVE_COLOURS if name in by_seed[0]]
    figure = Figure(figsize=(4 * len(names), 4.5), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for rows in by_seed:
            losses = rows[name]["curves"]["valid_loss"]
            axes.plot(
                range(1, len(losses) + 1),
                losses,
                "o-",
                color=CURVE_COLOURS[name],
                alpha=0.6,
                markersize=4,
            )
        axes.set_title(name, fontsize=14)
        axes.set_xlabel("epoch", fontsize=13)
        axes.grid(color="#dddddd")
    panels[0].set_ylabel("NLL of gold (nats a token)", fontsize=13)
    return figure
