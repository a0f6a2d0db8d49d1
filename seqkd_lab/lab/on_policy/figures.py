"""Figures of lesson 11: a divergence over β, exposure by position, the study's arms by validity and
entropy, and the estimators of a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.distillation import exposure
from seqkd_lab.lab.on_policy.measures import arm_mean, beta_curves
from seqkd_lab.lab.shared.bars import REST, BarRows, room_for_names
from seqkd_lab.lab.shared.distribution_columns import column, display_word
from seqkd_lab.lab.shared.next_words import likeliest
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import (
    BLACK,
    OTHER,
    OWN,
    SAMPLES,
    SERIES,
    Role,
    panels,
    plain_ticks,
    role_of,
    styled,
)
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy import recipes
from seqkd_lab.studies.on_policy.claims import GRADIENT
from seqkd_lab.studies.on_policy.gradients import (
    FULL,
    WHOLE,
    WHOLE_OTHERS,
    WORD,
    WORD_EXPECTED,
    WORD_OTHERS,
)
from seqkd_lab.studies.on_policy.measures import own_entropy, percent_drawn
from seqkd_lab.studies.on_policy.recipes import ARMS, START

ROLES = {
    recipes.GOLD: role_of(BASELINE),
    recipes.TEACHER_MODE: role_of(SEQ_KD),
    recipes.TEACHER_DRAWN: role_of(SAMPLES),
    exposure.TEACHER: role_of(SAMPLES),
    recipes.OWN: role_of(OWN),
    exposure.STUDENT: role_of(OWN),
}
"""By whose words an arm learns along, or are read."""


def role_of_arm(name: str) -> Role:
    """Return the look of an arm by whose words it learned along, or of a curve "along" a writer's
    words; OTHER for the start."""
    words = name.removeprefix("along ")
    return ROLES.get(words) or ROLES.get(words.split(",")[0], OTHER)


@styled
def beta_figure(teacher: Tensor, student: Tensor, words: Sequence[str]) -> Figure:
    """Draw one next word by teacher and student (V,), and its divergence over β: plain, and divided
    by β (1 − β)."""
    figure, (left, right) = panels(13, 4.2, columns=2, width_ratios=(2, 3))
    teacher_role, student_role = role_of(TEACHER), role_of(OWN)
    order = likeliest([teacher, student], 6)
    names = [*(display_word(words[word]) for word in order), REST]
    bars = BarRows(left, ("p_T", "p_S"), (teacher_role.colour, student_role.colour), len(names))
    bars.show(names, [column(teacher, order), column(student, order)], 2)
    room_for_names(left, max(map(len, names)))
    title = f"{teacher_role.word}: p_T, the teacher; {student_role.word}: p_S"
    left.set_title(title, loc="left")
    left.set_xlabel("probability of the next word")
    _draw_divergence(right, beta_curves(teacher, student))
    return figure


def _draw_divergence(axes: Axes, curves: Mapping[str, Sequence[float]]) -> None:
    betas, plain, scaled = curves["beta"], curves["plain"], curves["scaled"]
    axes.plot(betas, scaled, "-", color=SERIES[0][0], linewidth=2.5, label="divided by β (1 − β)")
    axes.plot(betas[1:-1], plain[1:-1], "--", color=SERIES[1][0], linewidth=2.5, label="plain")
    for end, name, shift, side in ((0, "forward KL", 9, "left"), (-1, "reverse KL", -9, "right")):
        point = (betas[end], plain[end])
        axes.plot(*point, "o", color=BLACK, markersize=9, clip_on=False)
        text, offset = f"{name}: {plain[end]:.2f}", (shift, 9)
        axes.annotate(text, point, xytext=offset, textcoords="offset points", ha=side)
    axes.set(xlim=(0.0, 1.0), ylim=(0.0, 1.25 * max(scaled)), xlabel="β", ylabel="nats")
    axes.legend(loc="center")


@styled
def positions_figure(
    curves: Mapping[str, Sequence[float]], per_token: Mapping[str, float], title: str
) -> Figure:
    """Draw the reverse KL by position: one line for each of `curves` by name; beside the name its
    mean over all tokens (`per_token`)."""
    figure, axes = panels(12, 4.4)
    for name, values in curves.items():
        role, positions = role_of_arm(name), range(1, len(values) + 1)
        label = f"{name}: {per_token[name]:.2f}"
        axes.plot(positions, values, markersize=7, label=label, **role.line)
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(range(2, max(map(len, curves.values())) + 1, 2))
    axes.set(xlabel="position t in the translation", ylabel="nats", title=title)
    axes.legend(title="mean over all tokens", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


MARKS = {
    START: "*",
    recipes.FORWARD: "o",
    recipes.REVERSE: "s",
    "NLL": "v",
    recipes.WORD: "X",
    recipes.WORD_BASELINE: "P",
    recipes.WHOLE: "D",
}
"""Of an arm, by the end of its name: its loss."""


def mark_of_arm(name: str) -> str:
    """Return the mark of an arm, which says by which loss it learned."""
    return next(mark for loss, mark in MARKS.items() if name.endswith(loss))


@styled
def kinds_figure(by_seed: Sequence[Rows], names: Sequence[str] = (START, *ARMS)) -> Figure:
    """Draw each arm at its entropy (left: sure, right: broad) and its share of valid samples, mean
    of the seeds: the colour says whose words, the mark which loss."""
    figure, axes = panels(11, 5)
    for name in names:
        point = [arm_mean(by_seed, name, value) for value in (own_entropy, percent_drawn)]
        size = 16 if name == START else 12
        colour = role_of_arm(name).colour
        axes.plot(*point, mark_of_arm(name), color=colour, markersize=size, label=name)
    axes.set_xlabel("entropy of the next word along own prefixes, nats (left: sure)")
    axes.set_ylabel("valid samples, %")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def estimators_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw, left, the cosine of each estimator's expected gradient with the full sum's, and, right,
    the variance of one batch's gradient in multiples of the full sum's."""
    figure, (cosines, variances) = panels(14, 4.6, columns=2, sharey=True)
    names = (FULL, WORD, WORD_OTHERS, WORD_EXPECTED, WHOLE, WHOLE_OTHERS)
    _draw_gradients(cosines, by_seed, "cosine", names)
    _draw_gradients(variances, by_seed, "variance", names)
    cosines.set(xlabel="cosine (1: the same direction)", title="expected gradients", xlim=(0, 1.3))
    variances.set(xlabel="times the full sum's", title="variance of one batch's gradient")
    variances.set_xscale("log")
    plain_ticks(variances.xaxis)
    return figure


def _draw_gradients(axes: Axes, by_seed: Sequence[Rows], kind: str, names: Sequence[str]) -> None:
    for row, name in enumerate(names):
        values = [rows[GRADIENT][kind][name] for rows in by_seed]
        mean = draw_seeds(axes, row, values, SERIES[0][0])
        write_beyond(axes, row, values, f"{mean:.2f}")
    axes.set_yticks(range(len(names)), [name.replace(", ", ",\n") for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.25)
