"""Figures of LSTM and Transformer side by side: how the Transformer's training was found, and who
teaches whom."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import (
    BEAM,
    BLACK,
    GREEDY,
    GREY,
    SERIES,
    SIZE,
    panels,
    role_of,
    styled,
)
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.architectures import CHOSEN, CURVES, KINDS, LSTM_TEACHER, TAUGHT, Pairing

STILL = {CHOSEN: (BLACK, "o"), LSTM_TEACHER: (GREY, "*")}
"""Of the two curves that are drawn in full; what was tried beside them is dashed."""
WORST_SHOWN = 0.6
"""Nats a token at which the scale ends: the first epochs lie above it."""


@styled
def search_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the validation loss (nats a token) after each epoch of the chosen Transformer teacher,
    of what was tried beside it, and of the LSTM teacher; the last number stands beside the name,
    also of what ends above the scale."""
    figure, axes = panels(10, 5.5)
    tried = iter(SERIES)
    for name, history in by_seed[0][CURVES].items():
        losses = history["valid_loss"]
        colour, marker = STILL[name] if name in STILL else next(tried)
        line, width = ("-", 3) if name in STILL else ("--", 1.6)
        look = {"color": colour, "marker": marker, "markersize": 9, "linewidth": width}
        epochs = range(1, len(losses) + 1)
        axes.plot(epochs, losses, line, label=f"{losses[-1]:.3f}  {name}", **look)
    title = "a Transformer teacher of the LSTM teacher's size, and what was tried beside it"
    axes.set(xlabel="epoch", ylabel="NLL of gold, validation (nats a token)", title=title)
    axes.set_ylim(0.35, WORST_SHOWN)
    axes.legend(title="after the last epoch")
    return figure


@styled
def crossed_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw BLEU, greedy and by beam, of every student under every teacher: mean, 95% interval and
    each seed."""
    lines = [Pairing(kind, "", TEACHER) for kind in KINDS]
    for student in KINDS:
        lines.append(Pairing("", student, BASELINE))
        lines += [Pairing(teacher, student, row) for teacher in KINDS for row in TAUGHT]
    figure, axes = panels(12, 11)
    for row, pairing in enumerate(lines):
        for offset, search in ((-0.22, GREEDY), (0.22, BEAM)):
            role, height = role_of(search), row + offset
            values = [rows[pairing.name][search]["bleu"] for rows in by_seed]
            mean = draw_seeds(axes, height, values, role.colour, role.marker)
            at_edge = {"xycoords": ("axes fraction", "data"), "va": "center"}
            axes.annotate(f"{mean:.1f}", (1.01, height), fontsize=SIZE - 2, **at_edge)
    axes.set_yticks(range(len(lines)), list(map(in_words, lines)))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("BLEU (0–100)")
    for search, label in ((GREEDY, "above: greedy, K = 1"), (BEAM, "below: beam, K = 5")):
        role = role_of(search)
        axes.plot([], [], role.marker, color=role.colour, label=label)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def in_words(pairing: Pairing) -> str:
    """Return a line of the table in words: "LSTM: seq-kd from a Transformer" for example."""
    teacher, student, row = pairing
    if not student:
        return f"{teacher}: teacher"
    article = "an" if teacher == "LSTM" else "a"
    return f"{student}: {row}" + (f" from {article} {teacher}" if teacher else "")
