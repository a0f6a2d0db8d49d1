"""Figures of lesson 09 and of Table 3: what pruning costs, where it bites, and what it saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.compression.storage import FORMS
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import BLACK, GREY, ORANGE, SERIES, panels, role_of, styled
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.pruning.measures import FREQUENCIES
from seqkd_lab.studies.pruning.recipes import (
    PRUNED,
    RETRAINED,
    SMALL,
    SMALL_LONGER,
    Place,
    unpruned,
)
from seqkd_lab.studies.pruning.study import PAPER_SHARE, shares

PARAMETERS = "pruned, % of all parameters"
STAGE_LOOKS = {PRUNED: ("--", "o", "not retrained"), RETRAINED: ("none", "D", "retrained")}
"""Line, mark and name of the distilled student after each stage."""
COMPARED = {
    "teacher": unpruned(TEACHER),
    "student before pruning": unpruned(SEQ_KD),
    "… trained on as long": Place(SEQ_KD, 0.0, RETRAINED),
    f"… pruned by {PAPER_SHARE:.0%}, retrained": Place(SEQ_KD, PAPER_SHARE, RETRAINED),
    "small dense student, twice the training": unpruned(SMALL_LONGER),
    "small dense student": unpruned(SMALL),
}
"""What stands beside the pruned student, in the order of the picture."""


def percent(levels: Sequence[float]) -> list[float]:
    """Return levels of pruning in percent."""
    return [100.0 * level for level in levels]


@styled
def table3_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw BLEU by beam of the distilled student: on the left over all levels, mean of the seeds;
    on the right the pruned student beside others, each with the weights that it has, by seed."""
    figure, (levels, others) = panels(13, 4.8, columns=2, width_ratios=(1, 1.2))
    _draw_levels(levels, by_seed)
    for height, place in enumerate(reversed(COMPARED.values())):
        values = [rows[place.row]["beam"] for rows in by_seed]
        draw_seeds(others, height, values, role_of(place.model).colour, role_of(place.model).marker)
        write_beyond(others, height, values, f"{fmean(values):.1f}")
    names = [
        f"{name}\n{by_seed[0][place.row]['n_nonzero']:,} weights"
        for name, place in COMPARED.items()
    ]
    others.set_yticks(range(len(names)), names[::-1])
    others.margins(x=0.12, y=0.1)
    others.set(xlabel="BLEU, beam of 5 (stroke: a seed, line: 95% interval)")
    others.set_title("as many weights, pruned or dense")
    others.grid(axis="y", visible=False)
    return figure


def _draw_levels(axes: Axes, by_seed: Sequence[Rows]) -> None:
    """Draw BLEU by beam of the distilled student over the levels, a line or marks for each
    stage."""
    look = role_of(SEQ_KD)
    for stage, (line, marker, label) in STAGE_LOOKS.items():
        levels = shares(by_seed, stage)
        rows = [Place(SEQ_KD, level, stage).row for level in levels]
        means = [fmean(seed[row]["beam"] for seed in by_seed) for row in rows]
        axes.plot(
            percent(levels), means, linestyle=line, marker=marker, color=look.colour, label=label,
            markersize=8,
        )  # fmt: skip
    axes.axvline(100 * PAPER_SHARE, color=GREY, linewidth=1, linestyle=":")
    axes.set(xlabel=PARAMETERS, ylabel="BLEU, beam of 5", title="distilled student, class-blind")
    axes.legend(loc="lower left")


@styled
def words_figure(
    by_seed: Sequence[Rows], stages: Sequence[str] = (PRUNED,), model: str = SEQ_KD
) -> Figure:
    """Draw what the greedy translations keep of the unpruned model's words, by how often training
    showed them."""
    figure, all_axes = panels(13, 5, columns=len(stages), sharey=True, squeeze=False)
    for axes, stage in zip(all_axes[0], stages, strict=True):
        levels = shares(by_seed, stage)
        rows = [Place(model, level, stage).row for level in levels]
        for number, (name, (colour, marker)) in enumerate(zip(FREQUENCIES, SERIES, strict=False)):
            kept = [[seed[row]["words_kept"][number] for seed in by_seed] for row in rows]
            known = [
                (100 * level, 100 * fmean(share for share in shares if share is not None))
                for level, shares in zip(levels, kept, strict=True)
                if any(share is not None for share in shares)
            ]
            look = {"color": colour, "marker": marker, "markersize": 8}
            if known:
                axes.plot(*zip(*known, strict=True), label=name, **look)
        axes.set(xlabel=PARAMETERS, title=f"{model}, {stage}", ylim=(-3, 103))
    all_axes[0, 0].set_ylabel("words kept, %")
    all_axes[0, -1].legend(title="in training", loc="lower left")
    return figure


@styled
def files_figure(sizes: Mapping[float, Mapping[str, int]]) -> Figure:
    """Draw the bytes of the student's file over the share of zeros, a line for each form."""
    figure, axes = panels(12, 4.6)
    for form, (colour, marker) in zip(FORMS, SERIES, strict=False):
        kilobytes = [by_form[form] / 1000 for by_form in sizes.values()]
        axes.plot(
            percent(list(sizes)), kilobytes, color=colour, marker=marker, markersize=8, label=form
        )
    axes.set_ylim(bottom=0.0)
    axes.set(xlabel=PARAMETERS, ylabel="thousand bytes", title="the student's file")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def ratios_figure(ratios: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how many times as fast something is, a row for each comparison: each round, the mean,
    its 95% interval."""
    figure, axes = panels(12, 0.8 * len(ratios) + 1.2)
    for height, values in enumerate(list(ratios.values())[::-1]):
        draw_seeds(axes, height, values, ORANGE, "s")
        mean, (low, high) = mean_and_interval(values)
        interval = f" [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ""
        write_beyond(axes, height, values, f"{mean:.2f} ×{interval}")
    axes.axvline(1.0, color=BLACK, linewidth=1.5)
    axes.set_yticks(range(len(ratios)), list(ratios)[::-1])
    axes.set_ylim(-0.6, len(ratios) - 0.4)
    axes.margins(x=0.2)
    axes.set_xlabel("times as fast (stroke: a round, line: 95% interval)")
    axes.grid(axis="y", visible=False)
    return figure


@styled
def products_figure(times: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draw how many times as fast as the dense product the sparse one is, by share of zeros; a line
    for each size."""
    figure, axes = panels(12, 4.8)
    for (name, by_share), (colour, marker) in zip(times.items(), SERIES, strict=False):
        look = {"color": colour, "marker": marker, "markersize": 8}
        axes.plot(percent(list(by_share)), list(by_share.values()), label=name, **look)
    axes.axhline(1.0, color=BLACK, linewidth=1.5)
    axes.set_yscale("log")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
    axes.set_yticks(ticks, [f"{tick:g} ×" for tick in ticks])
    axes.minorticks_off()
    ratios = [1.0, *(ratio for by_share in times.values() for ratio in by_share.values())]
    axes.set_ylim(0.7 * min(ratios), 1.4 * max(ratios))
    title = "torch's sparse product against its dense one; above the line it pays"
    axes.set(xlabel="zeros, %", ylabel="as fast as dense", title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def scales_figure(
    by_method: Mapping[str, Mapping[str, float]], scores: Mapping[str, float], share: float
) -> Figure:
    """Draw the zeros in each weight class of one model, by method; beside each method stands the
    share of valid translations."""
    figure, axes = panels(12, 4.8)
    names = list(next(iter(by_method.values())))
    for number, (method, zeros) in enumerate(by_method.items()):
        positions = [row + (number - 1) * 0.27 for row in range(len(names))]
        label, (colour, _) = f"{method}: {scores[method]:.0%} valid", SERIES[number]
        axes.bar(
            positions, percent([zeros[name] for name in names]), 0.25, color=colour, label=label
        )
    axes.axhline(100 * share, color=GREY, linestyle=":", linewidth=1.5)
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names])
    title = f"{share:.0%} of all parameters pruned, without retraining"
    axes.set(ylabel="zeros in the class, %", title=title)
    axes.grid(axis="x", visible=False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
