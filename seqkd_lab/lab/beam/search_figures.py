"""Figures of lesson 5: what a wider beam brings, who is to blame for a mistake, what a length
penalty does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from seqkd_lab.lab.beam.search_measures import Faults, Outputs
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import BLACK, BROWN, GREY, ORANGE, PURPLE, SIZE, SKY, VERMILION
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

MARKS = {TEACHER: "o", BASELINE: "^", SEQ_KD: "D"}
PANELS: tuple[tuple[str, Callable[[Outputs, Outputs], float], tuple[float, float]], ...] = (
    (
        "mean log p(ŷ) gained over greedy (nats)",
        lambda made, greedy: made.log_prob - greedy.log_prob,
        (0.0, 0.5),
    ),
    ("BLEU (0–100)", lambda made, _: made.score.bleu, (84.0, 100.0)),
    (
        "valid translations (% of sentences)",
        lambda made, _: 100.0 * made.score.validity,
        (40.0, 100.0),
    ),
    (
        "length ratio: tokens per reference token",
        lambda made, _: made.score.length_ratio,
        (0.99, 1.005),
    ),
)
"""Title, value (of a search and of the narrowest one) and the scale, which is widened where a value
lies outside."""
EXACT = "∞"


def beams_figure(found: Mapping[str, Mapping[int, Outputs]]) -> Figure:
    """Four panels over K (logarithmic), a line a model: what the search maximises, and what it does
    not."""
    figure = Figure(figsize=(12, 7.6), layout="constrained")
    beam_sizes = sorted(next(iter(found.values())))
    for axes, (title, value_of, scale) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        values = []
        for name, by_size in found.items():
            line = [value_of(by_size[K], by_size[beam_sizes[0]]) for K in beam_sizes]
            axes.plot(
                beam_sizes,
                line,
                f"{MARKS.get(name, 's')}-",
                color=colour_of(name),
                linewidth=2,
                markersize=8,
                label=name,
                clip_on=False,
            )
            values += line
        axes.set_title(title, fontsize=SIZE)
        axes.set_ylim(min(scale[0], *values), max(scale[1], *values))
        _beam_axis(axes, beam_sizes)
    figure.legend(
        *axes.get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=len(found),
    )
    return figure


def _beam_axis(axes, beam_sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(beam_sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("K (beam size)", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")


BLAME = (
    ("valid, and so is the model's best", "#d9d9d9", "", lambda faults: faults.right),
    (
        "valid by luck: the model's best is wrong, and was missed",
        "#a6a6a6",
        "//",
        lambda faults: faults.lucky,
    ),
    (
        "search error: wrong, though the model's best is valid",
        SKY,
        "\\\\",
        lambda faults: faults.search,
    ),
    ("model error: wrong, and so is the model's best", VERMILION, "", lambda faults: faults.model),
)


def faults_figure(found: Mapping[str, Mapping[int | None, Faults]]) -> Figure:
    """Draw for each model and K a bar of 100%: what is at fault in wrong translations; beside it
    how often the mode was missed.

    K = None is the exact search, shown as ∞.
    """
    rows = [(name, K, faults) for name, by_size in found.items() for K, faults in by_size.items()]
    figure = Figure(figsize=(12, 1.6 + 0.36 * len(rows)), layout="constrained")
    axes, missed = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    heights = [place + 0.6 * list(found).index(name) for place, (name, _, _) in enumerate(rows)]
    left = [0.0] * len(rows)
    for label, colour, hatch, count_of in BLAME:
        shares = [100.0 * count_of(faults) / max(1, faults.n) for _, _, faults in rows]
        axes.barh(
            heights,
            shares,
            0.84,
            left=left,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=label,
        )
        for height, start, share in zip(heights, left, shares, strict=True):
            if share >= 1.5:
                axes.text(
                    start + share / 2,
                    height,
                    f"{share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=SIZE - 1,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
                )
        left = [start + share for start, share in zip(left, shares, strict=True)]
    _draw_missed(missed, heights, [faults for _, _, faults in rows])
    axes.set_yticks(
        heights,
        [f"{name}  K = {EXACT if K is None else K}" for name, K, _ in rows],
        fontsize=SIZE - 1,
    )
    axes.invert_yaxis()
    for panel, text in (
        (axes, "% of sentences whose mode is known for certain"),
        (missed, "mode missed (%)"),
    ):
        panel.set_xlim(0.0, 100.0)
        panel.tick_params(axis="x", labelsize=SIZE - 1)
        panel.set_xlabel(text, fontsize=SIZE)
    figure.legend(
        *axes.get_legend_handles_labels(), fontsize=SIZE - 1, loc="outside lower center", ncols=2
    )
    return figure


def _draw_missed(axes, heights: Sequence[float], rows: Sequence[Faults]) -> None:
    """A thin bar for each search that missed the mode, with the share after it."""
    shares = [100.0 * faults.missed / max(1, faults.n) for faults in rows]
    axes.barh(heights, shares, 0.5, color=GREY)
    for height, share in zip(heights, shares, strict=True):
        axes.annotate(
            f"{share:.0f}",
            (share, height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SIZE - 1,
        )


PENALTY_LOOKS = ((ORANGE, "s--"), (BLACK, "^:"), (BROWN, "D-."), (PURPLE, "o-"))


def penalties_figure(found: Mapping[str, Mapping[int, Mapping[float, Outputs]]]) -> Figure:
    """A column a model: BLEU and length ratio over the length penalty, a line a beam size; one
    scale of lengths."""
    figure = Figure(figsize=(12, 7), layout="constrained")
    panels = figure.subplots(2, len(found), sharex=True, squeeze=False)
    ratios = [1.0]
    for (bleu, length), (name, by_size) in zip(panels.T, found.items(), strict=True):
        for (K, by_penalty), (colour, look) in zip(by_size.items(), PENALTY_LOOKS, strict=False):
            penalties = list(by_penalty)
            for axes, values in (
                (bleu, [made.score.bleu for made in by_penalty.values()]),
                (length, [made.score.length_ratio for made in by_penalty.values()]),
            ):
                axes.plot(
                    penalties,
                    values,
                    look,
                    color=colour,
                    linewidth=2,
                    markersize=8,
                    label=f"K = {K}",
                )
            ratios += [made.score.length_ratio for made in by_penalty.values()]
        bleu.set_title(name, fontsize=SIZE)
        length.set_xlabel("length penalty (0: none; 1: mean per token)", fontsize=SIZE)
        length.axhline(1.0, color=GREY, linewidth=1, linestyle=":")
    for axes in panels.flat:
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
        axes.yaxis.set_major_locator(MaxNLocator(6))
    for axes in panels[1]:
        margin = 0.05 * (max(ratios) - min(ratios)) + 0.005
        axes.set_ylim(min(ratios) - margin, max(ratios) + margin)
    _equal_spans(panels[0])
    panels[0, 0].set_ylabel("BLEU (equal steps, other levels)", fontsize=SIZE)
    panels[1, 0].set_ylabel("length ratio", fontsize=SIZE)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=4,
    )
    return figure


def _equal_spans(panels: Sequence) -> None:
    """Gives each panel as many units of height as the one that needs most, up to 100 at most."""
    limits = [axes.get_ylim() for axes in panels]
    half = max(high - low for low, high in limits) / 2
    for axes, (low, high) in zip(panels, limits, strict=True):
        bottom = max(0.0, min(100.0, (low + high) / 2 + half) - 2 * half)
        axes.set_ylim(bottom, bottom + 2 * half)
