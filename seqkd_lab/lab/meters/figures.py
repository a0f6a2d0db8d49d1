"""Pictures of a distilled corpus and of its students; scales that are compared are fixed."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

import pandas
from matplotlib.figure import Figure

from seqkd_lab.lab.meters.measures import AGREEMENTS, Meters
from seqkd_lab.lab.meters.misleading import AGREES, DIFFERS, PERFECT, GoldWords, References
from seqkd_lab.lab.shared.bars import BarRows, room_for_names
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, PURPLE, SIZE, VERMILION

CORPUS_COLOURS = (BLUE, PURPLE, GREEN, BLACK)


def meters_frame(found: Mapping[str, Meters]) -> pandas.DataFrame:
    """The meters of some corpora, one row each; entropies in nats."""
    rows = {
        name: {
            "valid, %": f"{100 * each.valid:.1f}",
            "distinct words": each.n_words,
            "complexity C(d)": f"{each.complexity:.3f}",
            "faithfulness F(d)": f"{each.faithfulness:.3f}",
            "H(word | source word)": f"{each.word:.3f}",
            "H(decision)": f"{each.decision:.3f}",
            "history, nats a sentence": f"{each.all_history:.3f}",
        }
        for name, each in found.items()
    }
    return pandas.DataFrame.from_dict(rows, orient="index")


def history_figure(found: Mapping[str, Meters]) -> Figure:
    """How much of each agreement depends on the translator's own choices: a bar a corpus, in nats a
    sentence.

    A grey line on a bar shows what as few counts give by chance if nothing depends on anything.
    """
    if not 1 <= len(found) <= len(CORPUS_COLOURS):
        raise ValueError(
            f"one to {len(CORPUS_COLOURS)} corpora can be told apart; got {len(found)}"
        )
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    axes = figure.subplots()
    values = [[each.history[agreement] for agreement in AGREEMENTS] for each in found.values()]
    most = max(
        [0.1, *(nats for column in values for nats in column if nats == nats)]
    )  # NaN is no number
    bars = BarRows(
        axes, list(found), CORPUS_COLOURS[: len(found)], len(AGREEMENTS), (0.0, 1.05 * most)
    )
    bars.show(AGREEMENTS, values, decimals=2)
    height = 0.84 / len(found)
    for column, each in enumerate(found.values()):
        for row, agreement in enumerate(AGREEMENTS):
            middle, feigned = (
                row + (column - (len(found) - 1) / 2) * height,
                each.feigned[agreement],
            )
            axes.plot(
                [feigned, feigned],
                [middle - 0.45 * height, middle + 0.45 * height],
                color="white",
                linewidth=4,
            )
            axes.plot(
                [feigned, feigned],
                [middle - 0.45 * height, middle + 0.45 * height],
                color=GREY,
                linewidth=2,
            )
    axes.plot([], [], color=GREY, linewidth=2, label="by chance, from as few counts")
    axes.set_xlabel(
        "what the own earlier choice tells, beyond the source (nats a sentence)", fontsize=SIZE
    )
    room_for_names(axes, max(map(len, AGREEMENTS)))
    axes.legend(fontsize=SIZE, loc="lower right")
    return figure


def gold_words_figure(found: Mapping[str, GoldWords]) -> Figure:
    """NLL of gold's words, those that the teacher wrote too and those that it did not: a pair of
    bars a model."""
    figure = Figure(figsize=(12, 1.8 + 0.9 * len(found)), layout="constrained")
    axes = figure.subplots()
    agreeing, differing = (
        [each.agreeing for each in found.values()],
        [each.differing for each in found.values()],
    )
    bars = BarRows(
        axes,
        (AGREES, DIFFERS),
        (BLUE, VERMILION),
        len(found),
        (0.0, 1.05 * max(*agreeing, *differing)),
    )
    bars.show(list(found), [agreeing, differing], decimals=2)
    any_model = next(iter(found.values()))
    axes.set_xlabel(
        f"NLL, nats a word ({any_model.n_agreeing:,} and {any_model.n_differing:,} words)",
        fontsize=SIZE,
    )
    axes.legend(fontsize=SIZE, loc="upper center", bbox_to_anchor=(0.4, 1.24), ncols=2)
    room_for_names(axes, max(map(len, found)))
    return figure


def references_figure(found: References) -> Figure:
    """Each system against one reference at a time (dots; bar: their mean), and against all of them
    (number at right).

    The perfect translator is one of the truth's own translations, judged against another.
    """
    names = [*found.all, PERFECT]
    figure = Figure(figsize=(12, 1.8 + 0.7 * len(names)), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(names):
        scores, colour = found.alone[name], VERMILION if name == PERFECT else BLUE
        axes.plot(scores, [row] * len(scores), "o", color=colour, alpha=0.45, markersize=9)
        axes.plot([fmean(scores)] * 2, [row - 0.3, row + 0.3], color=BLACK, linewidth=3)
        against_all = (
            f"all: {found.all[name]:.1f}" if name in found.all else "all: 100 (it is one of them)"
        )
        axes.annotate(
            f"one: {fmean(scores):.1f}   {against_all}",
            (max(scores), row),
            xytext=(14, -5),
            textcoords="offset points",
            fontsize=SIZE,
        )
    axes.set_yticks(range(len(names)), names, fontsize=SIZE)
    axes.set_ylim(len(names) - 0.4, -0.6)
    low, high = (
        edge(min(scores) if edge is min else max(scores) for scores in found.alone.values())
        for edge in (min, max)
    )
    axes.set_xlim(low - 1.0, high + 0.8 * (high - low) + 1.0)  # room for the numbers
    axes.set_xlabel("BLEU against one reference at a time (bar: the mean)", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    return figure
