"""Figures of LSTM and Transformer side by side: how the Transformer's training was found, and who
teaches whom."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SIZE,
    SKY,
    VERMILION,
)
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.studies.architectures import CHOSEN, KINDS, LSTM_TEACHER, TAUGHT, named

TRIED = (
    (BLUE, "s"),
    (GREEN, "^"),
    (ORANGE, "D"),
    (VERMILION, "v"),
    (PURPLE, "P"),
    (SKY, "X"),
    (GREY, "d"),
)
WORST_SHOWN = 0.6
"""Nats a token at which the scale ends: the first epochs lie above it."""


def search_figure(results: Mapping) -> Figure:
    """Validation loss (nats a token) after each epoch of the chosen Transformer teacher, of what
    was tried beside it, and of the LSTM teacher; the last number stands beside the name, also of
    what ends above the scale."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes, looks = figure.subplots(), iter(TRIED)
    for name, history in results["curves"].items():
        losses = history["valid_loss"]
        colour, mark, line = (
            (BLACK, "o", "-")
            if name == CHOSEN
            else (GREY, "*", "-")
            if name == LSTM_TEACHER
            else (*next(looks), "--")
        )
        axes.plot(
            range(1, len(losses) + 1),
            losses,
            line,
            marker=mark,
            color=colour,
            markersize=9,
            linewidth=3 if line == "-" else 1.6,
            label=f"{losses[-1]:.3f}  {name}",
        )
    axes.set_xlabel("epoch", fontsize=SIZE)
    axes.set_ylabel("NLL of gold, validation (nats a token)", fontsize=SIZE)
    axes.set_title(
        "a Transformer teacher of the LSTM teacher's size, and what was tried beside it",
        fontsize=SIZE,
    )
    axes.set_ylim(0.35, WORST_SHOWN)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 1, title="after the last epoch", title_fontsize=SIZE - 1)
    return figure


def crossed_figure(results: Mapping) -> Figure:
    """BLEU, greedy and by beam, of every student under every teacher: mean, 95% interval and each
    seed."""
    seeds = [named(cells) for cells in rows_by_seed(results)]
    lines = [(kind, "", TEACHER) for kind in KINDS]
    for student in KINDS:
        lines += [
            ("", student, BASELINE),
            *((teacher, student, row) for teacher in KINDS for row in TAUGHT),
        ]
    figure = Figure(figsize=(12, 11), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(lines):
        for offset, search, colour in ((-0.22, "greedy", BLUE), (0.22, "beam", ORANGE)):
            values = [seed[name][search]["bleu"] for seed in seeds]
            draw_seeds(axes, place + offset, values, colour)
            axes.annotate(
                f"{fmean(values):.1f}",
                (1.01, place + offset),
                xycoords=("axes fraction", "data"),
                fontsize=SIZE - 2,
                va="center",
            )
    axes.set_yticks(range(len(lines)), [in_words(*name) for name in lines], fontsize=SIZE - 1)
    axes.invert_yaxis()
    axes.set_xlabel("BLEU (0–100)", fontsize=SIZE)
    for colour, label in ((BLUE, "above: greedy, K = 1"), (ORANGE, "below: beam, K = 5")):
        axes.plot([], [], "o", color=colour, label=label)
    figure.legend(fontsize=SIZE - 1, loc="outside lower center", ncols=2)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    return figure


def in_words(teacher: str, student: str, row: str) -> str:
    """A line of the table: "LSTM: seq-kd from a Transformer" for example."""
    if not student:
        return f"{teacher}: teacher"
    return f"{student}: {row}" + (
        f" from {'an' if teacher == 'LSTM' else 'a'} {teacher}" if teacher else ""
    )
