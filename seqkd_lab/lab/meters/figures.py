"""Pictures of a distilled corpus and of its students; scales that are compared are fixed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.meters.measures import Meters
from seqkd_lab.lab.meters.misleading import AGREES, DIFFERS, PERFECT, GoldWords, References
from seqkd_lab.lab.meters.reading import AGREEMENTS
from seqkd_lab.lab.shared.bars import BarRows, room_for_names
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import GREY, SAMPLES, SERIES, TRUTH, panels, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD

CORPUS_ROLES = (role_of(BASELINE), role_of(SAMPLES), role_of(SEQ_KD), role_of(TRUTH))
"""Gold, a sample of the teacher, the teacher's mode and the language's, in this order."""


def meters_frame(by_corpus: Mapping[str, Meters]) -> pandas.DataFrame:
    """Return the meters of some corpora, one row for each; entropies in nats."""
    rows = {
        name: {
            "valid, %": f"{100 * meters.valid:.1f}",
            "distinct words": meters.n_words,
            "complexity C(d)": f"{meters.complexity:.3f}",
            "faithfulness F(d)": f"{meters.faithfulness:.3f}",
            "H(word | source word)": f"{meters.word:.3f}",
            "H(decision)": f"{meters.decision:.3f}",
            "history, nats a sentence": f"{meters.all_history:.3f}",
        }
        for name, meters in by_corpus.items()
    }
    return pandas.DataFrame.from_dict(rows, orient="index")


@styled
def history_figure(by_corpus: Mapping[str, Meters]) -> Figure:
    """Draw how much of each agreement depends on the translator's own choices: a bar a corpus, in
    nats a sentence.

    A grey line on a bar shows what as few counts give by chance if nothing depends on anything.
    Raises ValueError for no corpus and for more than CORPUS_ROLES.
    """
    n = len(by_corpus)
    if not 1 <= n <= len(CORPUS_ROLES):
        raise ValueError(f"one to {len(CORPUS_ROLES)} corpora can be told apart; got {n}")
    figure, axes = panels(12, 6.5)
    values = [[row.history[agreement] for agreement in AGREEMENTS] for row in by_corpus.values()]
    most = max(0.1, *(nats for column in values for nats in column if not math.isnan(nats)))
    colours = [role.colour for role in CORPUS_ROLES[:n]]
    bars = BarRows(axes, list(by_corpus), colours, len(AGREEMENTS), (0.0, 1.05 * most))
    bars.show(AGREEMENTS, values, decimals=2)
    height = 0.84 / n
    for column, meters in enumerate(by_corpus.values()):
        for row, agreement in enumerate(AGREEMENTS):
            middle = row + (column - (n - 1) / 2) * height
            _mark_chance(axes, meters.feigned[agreement], middle, 0.45 * height)
    axes.plot([], [], color=GREY, label="by chance, from as few counts")
    axes.set_xlabel("what the own earlier choice tells, beyond the source (nats a sentence)")
    room_for_names(axes, max(map(len, AGREEMENTS)))
    axes.legend(loc="lower right")
    return figure


def _mark_chance(axes: Axes, nats: float, middle: float, reach: float) -> None:
    for colour, width in (("white", 4), (GREY, 2)):
        ends = (middle - reach, middle + reach)
        axes.plot([nats, nats], ends, color=colour, linewidth=width)


@styled
def gold_words_figure(by_model: Mapping[str, GoldWords]) -> Figure:
    """Draw the NLL of gold's words, those that the teacher wrote too and those that it did not: a
    pair of bars a model."""
    figure, axes = panels(12, 1.8 + 0.9 * len(by_model))
    agreeing = [words.agreeing for words in by_model.values()]
    differing = [words.differing for words in by_model.values()]
    colours = [colour for colour, _ in SERIES[:2]]
    limits = (0.0, 1.05 * max(*agreeing, *differing))
    bars = BarRows(axes, (AGREES, DIFFERS), colours, len(by_model), limits)
    bars.show(list(by_model), [agreeing, differing], decimals=2)
    words = next(iter(by_model.values()))
    counted = f"{words.n_agreeing:,} and {words.n_differing:,} words"
    axes.set_xlabel(f"NLL, nats a word ({counted})")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.24), ncols=2)
    room_for_names(axes, max(map(len, by_model)))
    return figure


@styled
def references_figure(references: References) -> Figure:
    """Draw each system against one reference at a time (strokes; mark: their mean), and against all
    of them (number at right).

    The perfect translator is one of the truth's own translations, judged against another.
    """
    names = [*references.all, PERFECT]
    figure, axes = panels(12, 1.8 + 0.7 * len(names))
    for row, name in enumerate(names):
        scores, role = references.alone[name], role_of(TRUTH if name == PERFECT else name)
        draw_seeds(axes, row, scores, role.colour, role.marker)
        known = name in references.all
        against_all = f"{references.all[name]:.1f}" if known else "100 (it is one of them)"
        write_beyond(axes, row, scores, f"one: {fmean(scores):.1f}   all: {against_all}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    low, high = axes.dataLim.intervalx
    axes.set_xlim(low - 1.0, high + 0.8 * (high - low) + 1.0)  # room for the numbers
    axes.set_xlabel("BLEU against one reference at a time (mark: the mean, 95% interval)")
    axes.grid(visible=False, axis="y")
    return figure
