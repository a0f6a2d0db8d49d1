"""Seq-Inter's choice among the teacher's K best, by several similarities: one sentence, and the
means of many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.sequence_level import similarities
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, GREEN, GREY, SIZE, SKY, VERMILION
from seqkd_lab.models.seq2seq import Seq2Seq

Words = tuple[str, ...]
BLEU, SHARED, BEGINNING = "sentence BLEU (the paper's)", "shared words (F1)", "same beginning"
LOWEST = -12.0
"""Nats: where the axis of log-probabilities ends at the latest."""


def shared_words(hypotheses: Sequence[Words], gold: Words) -> list[float]:
    """F1 of the words that hypothesis and gold share, 0–100; where they stand does not count."""
    return [
        200.0 * sum((Counter(t) & Counter(gold)).values()) / max(1, len(t) + len(gold))
        for t in hypotheses
    ]


def same_beginning(hypotheses: Sequence[Words], gold: Words) -> list[float]:
    """The share of gold's words before the first that differs, 0–100."""

    def common(t: Words) -> int:
        return sum(accumulate((one == other for one, other in zip(t, gold, strict=False)), min))

    return [100.0 * common(t) / max(1, len(gold)) for t in hypotheses]


SIMILARITIES: Mapping[str, Callable[[Sequence[Words], Words], list[float]]] = {
    BLEU: similarities,
    SHARED: shared_words,
    BEGINNING: same_beginning,
}


@dataclass(frozen=True)
class Candidates:
    """A sentence's candidates, the likeliest first, and their similarities to gold (0–100), by the
    measure's name."""

    source: Words
    gold: Words
    hypotheses: tuple[Hypothesis, ...]
    similarity: Mapping[str, tuple[float, ...]]

    def chosen(self, K: int, similarity: str) -> int:
        """The place of ỹ among the first K: the most similar one, of equals the likelier, which
        stands before."""
        to_gold = self.similarity[similarity][:K]
        return to_gold.index(max(to_gold))


def read_candidates(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    K: int = 35,
    progress: Callable[[int], None] | None = None,
) -> list[Candidates]:
    """The K hypotheses of a beam of K for each pair of `corpus`. (Its first few stand for those of
    a smaller beam, which may differ in the last of them.)"""
    found = search(teacher, corpus.source, K, K, batch_size=32, progress=progress)
    pairs = zip(corpus.source, corpus.target, found, strict=True)
    return [
        _candidates(source, gold, sorted(n_best, key=lambda h: -h.log_prob))
        for source, gold, n_best in pairs
    ]


def _candidates(source: Words, gold: Words, hypotheses: Sequence[Hypothesis]) -> Candidates:
    tokens = [hypothesis.tokens for hypothesis in hypotheses]
    to_gold = {name: tuple(similar(tokens, gold)) for name, similar in SIMILARITIES.items()}
    return Candidates(source, gold, tuple(hypotheses), to_gold)


@dataclass(frozen=True)
class Means:
    """Over sentences, for each K from 1 on: the mean similarity of ỹ to gold, its mean
    log-probability by the teacher (nats), and the shares of sentences whose ỹ is the mode (the
    likeliest candidate), or gold itself."""

    similarity: tuple[float, ...]
    log_prob: tuple[float, ...]
    mode: tuple[float, ...]
    gold: tuple[float, ...]


def means(sentences: Sequence[Candidates], similarity: str) -> Means:
    """Of all sentences with their own choice by `similarity`. Raises ValueError without
    sentences."""
    if not sentences:
        raise ValueError("means over no sentences: read the candidates of one at least")
    rows = []
    for K in range(1, 1 + max(len(each.hypotheses) for each in sentences)):
        places = [each.chosen(K, similarity) for each in sentences]
        pairs = list(zip(sentences, places, strict=True))
        rows.append(
            (
                fmean(each.similarity[similarity][place] for each, place in pairs),
                fmean(each.hypotheses[place].log_prob for each, place in pairs),
                fmean(place == 0 for place in places),
                fmean(each.hypotheses[place].tokens == each.gold for each, place in pairs),
            )
        )
    return Means(*(tuple(column) for column in zip(*rows, strict=True)))


def lowest_log_prob(sentences: Sequence[Candidates]) -> float:
    """Where an axis ends that holds nearly all candidates of these sentences: whole nats, LOWEST at
    the least."""
    log_probs = sorted(hypothesis.log_prob for each in sentences for hypothesis in each.hypotheses)
    return max(LOWEST, math.floor(log_probs[len(log_probs) // 50]) - 0.5)


class ChoiceDrawing:
    """Left: one sentence's candidates, similarity to gold against log-probability, the first K
    full. Right: the means over K. The scales are the same for all sentences; what is less probable
    than `lowest` is drawn at the edge."""

    def __init__(self, most: int, lowest: float = LOWEST) -> None:
        figure = Figure(figsize=(12, 5), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
        one = figure.add_subplot(grid[:, 0])
        above, below = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
        one.set(xlim=(-3, 103), ylim=(lowest, 0.3))
        one.set_xlabel("similarity to gold (0–100)", fontsize=SIZE)
        one.set_ylabel("log p by the teacher (nats)", fontsize=SIZE)
        one.set_title("one sentence: the candidates", fontsize=SIZE)
        self._lowest = lowest
        (self._rest,) = one.plot(
            [], [], "o", color=GREY, markerfacecolor="white", markersize=8, label="not among them"
        )
        (self._first,) = one.plot([], [], "o", color=SKY, markersize=8, label="the K likeliest")
        (self._mode,) = one.plot([], [], "s", color=GREEN, markersize=13, label="the mode, ŷ")
        (self._chosen,) = one.plot(
            [], [], "*", color=VERMILION, markersize=19, label="the nearest to gold, ỹ"
        )
        one.legend(fontsize=SIZE - 2, loc="lower center", bbox_to_anchor=(0.5, 1.06), ncols=2)
        panels = (
            (above, "mean similarity of ỹ to gold (0–100)", (0.0, 100.0), BLACK),
            (below, "mean log p of ỹ (nats)", (min(-5.0, lowest / 2), 0.0), BLACK),
        )
        self._lines, self._dots, self._numbers = [], [], []
        for axes, label, limits, colour in panels:
            axes.set(xlim=(0, most + 1), ylim=limits)
            axes.set_title(label, fontsize=SIZE)
            axes.set_xlabel("K, the number of candidates", fontsize=SIZE)
            self._lines += axes.plot([], [], color=colour, linewidth=2.5)
            self._dots += axes.plot([], [], "*", color=VERMILION, markersize=15)
            y = (
                0.2 if limits[1] > 0.0 else 0.8
            )  # the curves rise and fall: these corners stay empty
            self._numbers.append(add_label(axes, 0.97, y, transform=axes.transAxes, ha="right"))
        for axes in figure.axes:
            axes.tick_params(labelsize=SIZE - 1)
            axes.grid(color="#dddddd")
        animated = [
            self._rest,
            self._first,
            self._mode,
            self._chosen,
            *self._lines,
            *self._dots,
            *self._numbers,
        ]
        self.picture = BlittedFigure(figure, animated)

    def show(self, candidates: Candidates, averages: Means, K: int, similarity: str) -> None:
        """Draws the sentence's candidates and the means, both with K marked."""
        to_gold = candidates.similarity[similarity]
        log_prob = [
            max(self._lowest + 0.2, hypothesis.log_prob) for hypothesis in candidates.hypotheses
        ]
        place = candidates.chosen(K, similarity)
        parts = (
            (self._rest, slice(K, None)),
            (self._first, slice(0, K)),
            (self._mode, slice(0, 1)),
            (self._chosen, slice(place, place + 1)),
        )
        for line, part in parts:
            line.set_data(to_gold[part], log_prob[part])
        for line, dot, number, values in zip(
            self._lines,
            self._dots,
            self._numbers,
            (averages.similarity, averages.log_prob),
            strict=True,
        ):
            line.set_data(range(1, 1 + len(values)), values)
            dot.set_data([K], [max(dot.axes.get_ylim()[0], values[K - 1])])
            number.set_text(f"K = {K}: {shown_number(values[K - 1], 1)}")


def choice_figure(
    candidates: Candidates, averages: Means, K: int, similarity: str = BLEU, lowest: float = LOWEST
) -> Figure:
    """Still twin of the ChoiceExplorer: one sentence's candidates, and the means over K, of
    sentences by the same similarity; `lowest` ends the axis of log-probabilities."""
    drawing = ChoiceDrawing(len(averages.similarity), lowest)
    drawing.show(candidates, averages, K, similarity)
    drawing.picture.figure.suptitle(" ".join(candidates.source), fontsize=SIZE, parse_math=False)
    for artist in drawing.picture.animated:
        artist.set_animated(False)
    return drawing.picture.figure
