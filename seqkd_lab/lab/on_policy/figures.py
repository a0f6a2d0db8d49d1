"""Figures of lesson 11: a divergence over β, exposure by place, the experiment's arms, and the two
estimators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.lab.on_policy.measures import arm_values, beta_curves
from seqkd_lab.lab.shared.bars import REST, BarRows
from seqkd_lab.lab.shared.distribution_columns import column, said
from seqkd_lab.lab.shared.next_words import likeliest
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SIZE, VERMILION
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.on_policy.measures import DISCOUNT_0, DISCOUNT_1, ENTROPY, FULL, own_reverse
from seqkd_lab.studies.on_policy.recipes import (
    FORWARD,
    GOLD,
    HALF,
    JSD,
    NLL_GOLD,
    NLL_MODE,
    OWN,
    REVERSE,
    START,
    TEACHER_DRAWN,
)
from seqkd_lab.studies.on_policy.study import greedy_bleu, per_token, percent_drawn

COLOURS = {GOLD: ORANGE, TEACHER_DRAWN: BLUE, HALF: GREEN, OWN: VERMILION}
MARKS = "o^sD"
PANELS: dict[str, Callable[[dict], float]] = {
    "greedy BLEU": greedy_bleu,
    "valid samples, %": percent_drawn,
    "reverse KL, own prefixes": own_reverse,
    "entropy, own prefixes": lambda measured: per_token(measured, ENTROPY),
}


def beta_figure(teacher: Tensor, student: Tensor, words: Sequence[str]) -> Figure:
    """One next word by teacher and student, and its divergence over β: plain, and divided by β (1 −
    β)."""
    figure = Figure(figsize=(13, 4.2))
    distributions, axes = (
        figure.add_axes((0.12, 0.14, 0.28, 0.72)),
        figure.add_axes((0.52, 0.14, 0.46, 0.72)),
    )
    order = likeliest([teacher, student], 6)
    rows = BarRows(distributions, ("p_T", "p_S"), (BLUE, VERMILION), len(order) + 1)
    rows.show(
        [*(said(words[word]) for word in order), REST],
        [column(teacher, order), column(student, order)],
        2,
    )
    distributions.set_title("blue: p_T, the teacher; red: p_S", fontsize=SIZE, loc="left")
    curves = beta_curves(teacher, student)
    betas, inner = curves["beta"], slice(1, -1)
    axes.plot(
        betas, curves["scaled"], "-", color=GREEN, linewidth=2.5, label="divided by β (1 − β)"
    )
    axes.plot(
        betas[inner], curves["plain"][inner], "--", color=PURPLE, linewidth=2.5, label="plain"
    )
    for place, name, side in ((0, "forward KL", "left"), (-1, "reverse KL", "right")):
        value = curves["plain"][place]
        axes.plot(betas[place], value, "o", color=BLACK, markersize=9, clip_on=False)
        axes.annotate(
            f"{name}: {value:.2f}",
            (betas[place], value),
            xytext=(9 if side == "left" else -9, 9),
            textcoords="offset points",
            ha=side,
            fontsize=SIZE,
        )
    axes.set_ylim(0.0, 1.25 * max(curves["scaled"]))
    axes.set_xlim(0.0, 1.0)
    label_axes(axes, "β", "nats")
    axes.legend(fontsize=SIZE, loc="center")
    return figure


def places_figure(curves: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Reverse KL by place: one line for each of `curves` by name, its mean over places beside the
    name; the last three in the colours of gold, teacher and student, one before them black."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    axes = figure.subplots()
    colours = (BLACK, ORANGE, BLUE, VERMILION)[-len(curves) :]
    for (name, values), colour, mark in zip(curves.items(), colours, MARKS, strict=False):
        axes.plot(
            range(1, len(values) + 1),
            values,
            f"{mark}-",
            color=colour,
            linewidth=2,
            markersize=7,
            label=f"{name}: {fmean(values):.2f}",
        )
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(range(2, max(map(len, curves.values())) + 1, 2))
    label_axes(axes, "place t in the translation", "nats", title)
    axes.legend(
        fontsize=SIZE,
        title="mean over places",
        title_fontsize=SIZE,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )
    return figure


def colour_of(arm: str) -> str:
    """By whose targets an arm learned along."""
    if arm in (START, NLL_GOLD, NLL_MODE):
        return GREY
    return next(
        colour for targets, colour in reversed(COLOURS.items()) if arm.startswith(f"{targets},")
    )


def arms_figure(by_seed: Sequence[Rows], names: Sequence[str]) -> Figure:
    """A row an arm, a panel a measure: every seed, the mean with its number, and its 95%
    interval."""
    figure = Figure(figsize=(15, 1.4 + 0.46 * len(names)), layout="constrained")
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (head, value) in zip(panels, PANELS.items(), strict=True):
        for row, name in enumerate(names):
            values = arm_values(by_seed, name, value)
            draw_seeds(axes, row, values, colour_of(name))
            mean, (_, high) = mean_and_interval(values)
            right = max(high if math.isfinite(high) else mean, *values)
            decimals = 1 if "BLEU" in head or "%" in head else 2
            axes.annotate(
                f"{mean:.{decimals}f}",
                (right, row),
                xytext=(7, -5),
                textcoords="offset points",
                fontsize=SIZE - 1,
            )
        label_axes(axes, head, "")
        axes.margins(x=0.22)
        if START in names:
            axes.axvline(
                fmean(arm_values(by_seed, START, value)), color=GREY, linewidth=1, linestyle=":"
            )
    panels[0].set_yticks(range(len(names)), names, fontsize=SIZE)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def kinds_figure(by_seed: Sequence[Rows]) -> Figure:
    """Sure against broad: each arm of the grid at its entropy and its share of valid samples, mean
    of the seeds."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    shapes = {FORWARD: "o", REVERSE: "s", JSD: "D"}
    for targets, colour in COLOURS.items():
        for loss, mark in shapes.items():
            name = f"{targets}, {loss}"
            x, y = (
                fmean(arm_values(by_seed, name, value))
                for value in (PANELS["entropy, own prefixes"], percent_drawn)
            )
            axes.plot(x, y, mark, color=colour, markersize=12, label=name)
    x, y = (
        fmean(arm_values(by_seed, START, value))
        for value in (PANELS["entropy, own prefixes"], percent_drawn)
    )
    axes.plot(x, y, "*", color=BLACK, markersize=16, label=START)
    label_axes(
        axes, "entropy of the next word along own prefixes, nats (left: sure)", "valid samples, %"
    )
    axes.legend(fontsize=SIZE - 1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def estimators_figure(by_seed: Sequence[Rows]) -> Figure:
    """Left: cosines between the expected gradients. Right: the variance of one batch's gradient,
    full vocabulary 1."""
    figure = Figure(figsize=(13, 3.4), layout="constrained")
    cosines, variances = figure.subplots(1, 2)
    _gradient_rows(cosines, by_seed, "cosine", [f"{FULL} / {DISCOUNT_0}", f"{FULL} / {DISCOUNT_1}"])
    _gradient_rows(variances, by_seed, "variance", [FULL, DISCOUNT_0, DISCOUNT_1])
    cosines.axvline(1.0, color=BLACK, linewidth=1)
    variances.set_xscale("log")
    label_axes(cosines, "cosine (1: the same direction)", "", "expected gradients")
    label_axes(variances, "times the full one's", "", "variance of one batch's gradient")
    return figure


def _gradient_rows(axes, by_seed: Sequence[Rows], kind: str, names: Sequence[str]) -> None:
    for row, name in enumerate(names):
        values = [rows["gradient"][kind][name] for rows in by_seed]
        draw_seeds(axes, row, values, BLUE)
        axes.annotate(
            f"{np.mean(values):.2f}",
            (np.mean(values), row),
            xytext=(0, 11),
            textcoords="offset points",
            fontsize=SIZE,
            ha="center",
        )
    axes.set_yticks(
        range(len(names)), [name.replace(" / ", " /\n") for name in names], fontsize=SIZE - 1
    )
    axes.set_ylim(len(names) - 0.4, -0.75)
    axes.margins(x=0.15)
