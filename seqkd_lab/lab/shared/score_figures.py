"""The paper's headline in two pictures: what three models reach, and how the seeds of Table 1
scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import signed
from seqkd_lab.lab.shared.style import BLACK, GREY, SIZE, panels, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows, mean_and_interval

if TYPE_CHECKING:  # the measures import pictures themselves
    from seqkd_lab.lab.shared.scores import Score


@styled
def scores_figure(scores: Mapping[str, Score], beam_size: int) -> Figure:
    """Draw BLEU of each model, from greedy (dot) to beam search (ring), its share of valid greedy
    translations, and p(ŷ)."""
    size = (13, 1.7 + 0.75 * len(scores))
    figure, axes = panels(*size, columns=3, sharey=True, width_ratios=[1.6, 1.0, 1.0])
    bleu, valid, certain = axes
    # So that the last number of a scale does not touch the next scale.
    figure.set_layout_engine("constrained", w_pad=0.12)
    low = min(min(score.bleu) for score in scores.values())
    bleu.set_xlim(low - 1.0, 100.0)
    valid.set_xlim(0.0, 1.0)
    valid.set_xticks([0.0, 0.5, 1.0])
    certain.set_xlim(0.0, min(1.0, 1.25 * max(score.p_mode for score in scores.values())))
    for row, (name, score) in enumerate(scores.items()):
        _draw_searches(bleu, row, score, role_of(name).colour)
        _draw_bar(valid, row, score.valid[0], f"{score.valid[0]:.0%}", role_of(name).colour)
        _draw_bar(certain, row, score.p_mode, f"{score.p_mode:.2f}", role_of(name).colour)
    bleu.set_title("BLEU (at most 100)")
    valid.set_title("valid translations, greedy")
    certain.set_title("p(ŷ): probability of its own best")
    bleu.set_yticks(range(len(scores)), list(scores))
    bleu.set_ylim(len(scores) - 0.5, -0.5)
    bleu.plot([], [], "o", color=GREY, markersize=11, label="greedy search")
    bleu.plot(
        [],
        [],
        "o",
        color=GREY,
        markersize=11,
        markerfacecolor="white",
        markeredgewidth=2.5,
        label=f"beam search, beam size {beam_size}",
    )
    figure.legend(loc="outside lower center", ncols=2)
    for panel in axes:
        panel.grid(visible=False, axis="y")
    return figure


def _draw_searches(axes: Axes, row: int, score: Score, colour: str) -> None:
    """Draw a dot for greedy search, a ring for the beam, and above them what the beam adds, within
    the axes."""
    greedy, beam = score.bleu
    at_left = greedy < sum(axes.get_xlim()) / 2
    axes.plot([greedy, beam], [row, row], "-", color=colour, linewidth=4)
    axes.plot(greedy, row, "o", color=colour, markersize=13)
    axes.plot(
        beam, row, "o", color=colour, markersize=13, markerfacecolor="white", markeredgewidth=2.5
    )
    axes.annotate(
        f"{greedy:.1f}, the beam adds {signed(beam - greedy, 1)}",
        (greedy if at_left else beam, row),
        xytext=(-8 if at_left else 8, 12),
        textcoords="offset points",
        ha="left" if at_left else "right",
    )


def _draw_bar(axes: Axes, row: int, value: float, text: str, colour: str) -> None:
    """Draw a bar with its number inside where there is room, else after its end."""
    axes.barh(row, value, 0.6, color=colour)
    inside = value > 0.5 * axes.get_xlim()[1] or value > 0.5
    axes.annotate(
        text,
        (value, row),
        xytext=(-8 if inside else 8, 0),
        textcoords="offset points",
        fontsize=SIZE + 1,
        ha="right" if inside else "left",
        va="center",
        color="white" if inside else BLACK,
    )


def gains_by_seed(by_seed: Sequence[Rows]) -> dict[str, tuple[list[float], str]]:
    """Return the three gains of the headline, in BLEU, seed by seed, each with its colour."""

    def bleu(rows: Rows, name: str, search: str) -> float:
        return rows[name][search]["bleu"]

    return {
        "Seq-KD over the baseline, greedy": (
            [bleu(rows, SEQ_KD, "greedy") - bleu(rows, BASELINE, "greedy") for rows in by_seed],
            BLACK,
        ),
        "the beam adds to the baseline": (
            [bleu(rows, BASELINE, "beam") - bleu(rows, BASELINE, "greedy") for rows in by_seed],
            role_of(BASELINE).colour,
        ),
        "the beam adds to Seq-KD": (
            [bleu(rows, SEQ_KD, "beam") - bleu(rows, SEQ_KD, "greedy") for rows in by_seed],
            role_of(SEQ_KD).colour,
        ),
    }


@styled
def seeds_figure(by_seed: Mapping[str, Rows], committed: int) -> Figure:
    """Draw the three gains of the headline: a dot a seed, the mean with its 95% interval, the
    committed seed ringed."""
    seeds = sorted(by_seed, key=int)
    figure, axes = panels(12, 3.6)
    gains = gains_by_seed([by_seed[seed] for seed in seeds])
    for row, (values, colour) in enumerate(gains.values()):
        mean, (low, high) = mean_and_interval(values)
        axes.plot(
            values,
            [row] * len(values),
            "o",
            color=colour,
            alpha=0.45,
            markersize=10,
            markeredgewidth=0,
        )
        if len(values) > 1:
            axes.plot([low, high], [row + 0.27] * 2, "-", color=colour, linewidth=3)
        axes.plot(mean, row + 0.27, "D", color=colour, markersize=8)
        axes.annotate(
            signed(mean, 1),
            (mean, row + 0.27),
            xytext=(0, -19),
            textcoords="offset points",
            ha="center",
        )
        if str(committed) in seeds:
            axes.plot(
                values[seeds.index(str(committed))],
                row,
                "o",
                color=colour,
                markersize=17,
                markerfacecolor="none",
                markeredgewidth=2,
            )
    axes.axvline(0.0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(gains)), list(gains))
    axes.set_ylim(len(gains) - 0.2, -0.5)
    axes.set_xlabel("BLEU")
    axes.grid(visible=False, axis="y")
    axes.plot(
        [], [], "o", color=GREY, alpha=0.6, markersize=10, label=f"each of {len(seeds)} seeds"
    )
    axes.plot([], [], "D-", color=GREY, markersize=8, linewidth=3, label="mean, 95% interval")
    axes.plot(
        [],
        [],
        "o",
        color=GREY,
        markersize=15,
        markerfacecolor="none",
        markeredgewidth=2,
        label=f"seed {committed}: the models of the lessons",
    )
    figure.legend(loc="outside lower center", ncols=3)
    return figure
