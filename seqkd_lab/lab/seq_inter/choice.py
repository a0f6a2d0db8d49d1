"""Seq-Inter's choice among the teacher's K best, by several similarities: one sentence, the means
of many, and their picture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.distilled import similarities
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import SEQ_INTER, SIZE, ready, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER, TEACHER_INTER
from seqkd_lab.runs.results import rows_by_seed

Words = tuple[str, ...]
N_CANDIDATES = 35
"""The paper's K."""
BLEU = "sentence BLEU (the paper's)"
SHARED = "shared words (F1)"
BEGINNING = "same beginning"
LOWEST = -12.0
"""Nats: where the axis of log-probabilities ends at the latest."""
RISES = "it rises"
STAYS = "it stays as it is"
EVENLY = "it falls, by as much in each half"
SLOWING = "it falls, most of it in the first half"


def shared_words(hypotheses: Sequence[Words], gold: Words) -> list[float]:
    """Return the F1 of the words that each hypothesis shares with gold, 0–100, in any order."""
    return [
        200.0 * sum((Counter(tokens) & Counter(gold)).values()) / max(1, len(tokens) + len(gold))
        for tokens in hypotheses
    ]


def same_beginning(hypotheses: Sequence[Words], gold: Words) -> list[float]:
    """Return the share of gold's words before the first that differs, 0–100."""

    def common(tokens: Words) -> int:
        return sum(accumulate((a == b for a, b in zip(tokens, gold, strict=False)), min))

    return [100.0 * common(tokens) / max(1, len(gold)) for tokens in hypotheses]


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
        """Return the position of ỹ among the first K: the most similar one; of equally similar
        ones the likelier, which stands before."""
        to_gold = self.similarity[similarity][:K]
        return to_gold.index(max(to_gold))


def read_candidates(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    K: int = N_CANDIDATES,
    progress: Callable[[int], None] | None = None,
) -> list[Candidates]:
    """Return the K hypotheses of a beam of K for each pair of `corpus`. (Its first few stand for
    those of a smaller beam, which may differ in the last of them.)"""
    n_best_lists = search(teacher, corpus.source, K, K, batch_size=32, progress=progress)
    return [
        _candidates(source, gold, sorted(n_best, key=lambda h: -h.log_prob))
        for source, gold, n_best in zip(corpus.source, corpus.target, n_best_lists, strict=True)
    ]


def candidates_of(
    teacher: Seq2Seq, source: Sequence[str], gold: Sequence[str], K: int = N_CANDIDATES
) -> Candidates:
    """Return the K candidates of one sentence, such as the ticket, which is in no split of the
    corpus."""
    corpus = ParallelCorpus("one sentence", "none", "", (tuple(source),), (tuple(gold),))
    return read_candidates(teacher, corpus, K)[0]


def _candidates(source: Words, gold: Words, hypotheses: Sequence[Hypothesis]) -> Candidates:
    tokens = [hypothesis.tokens for hypothesis in hypotheses]
    to_gold = {name: tuple(measure(tokens, gold)) for name, measure in SIMILARITIES.items()}
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
    """Return the means over all sentences, ỹ chosen by `similarity`. Raise ValueError without
    sentences."""
    if not sentences:
        raise ValueError("means() needs the candidates of at least one sentence")
    most = max(len(candidates.hypotheses) for candidates in sentences)
    rows = [_means_of(sentences, similarity, K) for K in range(1, most + 1)]
    return Means(*zip(*rows, strict=True))


def _means_of(
    sentences: Sequence[Candidates], similarity: str, K: int
) -> tuple[float, float, float, float]:
    positions = [candidates.chosen(K, similarity) for candidates in sentences]
    pairs = list(zip(sentences, positions, strict=True))
    return (
        fmean(candidates.similarity[similarity][position] for candidates, position in pairs),
        fmean(candidates.hypotheses[position].log_prob for candidates, position in pairs),
        fmean(position == 0 for position in positions),
        fmean(candidates.hypotheses[at].tokens == candidates.gold for candidates, at in pairs),
    )


def similarity_range(
    results: Mapping, sentences: Sequence[Candidates], K: int
) -> tuple[float, float]:
    """Return the range in which the mean similarity of ỹ among K of these sentences should lie:
    from the least to the greatest of Table 1's seeds, widened by two standard errors of the mean
    over these sentences."""
    seeds = [rows[TEACHER_INTER]["distilled"]["similarity"] for rows in rows_by_seed(results)]
    largest = [max(candidates.similarity[BLEU][:K]) for candidates in sentences]
    error = stdev(largest) / math.sqrt(len(largest))
    return max(0.0, min(seeds) - 2.0 * error), min(100.0, max(seeds) + 2.0 * error)


def shape_of_fall(log_probs: Sequence[float]) -> str:
    """Return how the mean log p of ỹ changes as K grows: RISES, STAYS, EVENLY or SLOWING."""
    half = log_probs[len(log_probs) // 2]
    first, last = log_probs[0] - half, half - log_probs[-1]  # nats lost in each half of the way
    if abs(first + last) <= 0.05:
        return STAYS
    if first + last < 0.0:
        return RISES
    return SLOWING if first > 1.5 * last else EVENLY


def other_choice(sentences: Sequence[Candidates], K: int) -> dict[str, float]:
    """Return for each other similarity the share of sentences in which its ỹ is not that of
    sentence BLEU."""
    return {
        name: fmean(sentence.chosen(K, name) != sentence.chosen(K, BLEU) for sentence in sentences)
        for name in SIMILARITIES
        if name != BLEU
    }


def lowest_log_prob(sentences: Sequence[Candidates]) -> float:
    """Return where an axis ends that holds nearly all candidates of these sentences: a half nat
    below a whole one, LOWEST at the least."""
    log_probs = sorted(h.log_prob for candidates in sentences for h in candidates.hypotheses)
    return max(LOWEST, math.floor(log_probs[len(log_probs) // 50]) - 0.5)


class ChoiceDrawing:
    """Left: one sentence's candidates, log-probability over similarity to gold, the first K filled.
    Right: the means over K. The scales are the same for all sentences; what is less probable than
    `lowest` is drawn at the edge."""

    @styled
    def __init__(self, most: int, lowest: float = LOWEST) -> None:
        figure = Figure(figsize=(12, 5), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
        self._lowest = lowest
        marks = self._draw_candidates(ready(figure.add_subplot(grid[:, 0])))
        curves = [
            self._draw_mean(ready(figure.add_subplot(grid[row, 1])), label, limits, most, height)
            for row, (label, limits, height) in enumerate(
                (
                    ("mean similarity of ỹ to gold (0–100)", (0.0, 100.0), 0.2),
                    ("mean log p of ỹ (nats)", (min(-5.0, lowest / 2), 0.0), 0.8),
                )
            )
        ]
        self._lines, self._dots, self._numbers = zip(*curves, strict=True)
        self.picture = BlittedFigure(figure, [*marks, *self._lines, *self._dots, *self._numbers])

    def _draw_candidates(self, axes: Axes) -> list:
        """Prepare the marks of one sentence, and return them."""
        teacher, mode, nearest = map(role_of, (TEACHER, SEQ_KD, SEQ_INTER))
        axes.set(xlim=(-3, 103), ylim=(self._lowest, 0.3))
        axes.set_xlabel("similarity to gold (0–100)")
        axes.set_ylabel("log p by the teacher (nats)")
        axes.set_title("one sentence: the candidates")

        def mark(role, size: int, label: str, **look):
            (line,) = axes.plot(
                [], [], role.marker, color=role.colour, markersize=size, label=label, **look
            )
            return line

        self._rest = mark(teacher, 7, "not among them", markerfacecolor="white")
        self._first = mark(teacher, 7, "the K likeliest")
        self._mode = mark(mode, 13, "the mode, ŷ")
        self._chosen = mark(nearest, 14, "the nearest to gold, ỹ", markeredgecolor="white")
        axes.legend(fontsize=SIZE - 2, loc="lower center", bbox_to_anchor=(0.5, 1.06), ncols=2)
        return [self._rest, self._first, self._mode, self._chosen]

    def _draw_mean(
        self, axes: Axes, label: str, limits: tuple[float, float], most: int, height: float
    ) -> tuple:
        """Prepare the curve of one mean, its mark at K and its number, at `height` of the axes,
        where the curve does not pass."""
        role = role_of(SEQ_INTER)
        axes.set(xlim=(0, most + 1), ylim=limits)
        axes.set_title(label)
        axes.set_xlabel("K, the number of candidates")
        (line,) = axes.plot([], [], color=role.colour, linewidth=2.5)
        (dot,) = axes.plot([], [], role.marker, color=role.colour, markersize=12)
        return line, dot, add_label(axes, 0.97, height, transform=axes.transAxes, ha="right")

    def show(self, candidates: Candidates, averages: Means, K: int, similarity: str) -> None:
        """Draw the sentence's candidates and the means, both with K marked."""
        to_gold = candidates.similarity[similarity]
        log_prob = [max(self._lowest + 0.2, h.log_prob) for h in candidates.hypotheses]
        position = candidates.chosen(K, similarity)
        for line, part in (
            (self._rest, slice(K, None)),
            (self._first, slice(0, K)),
            (self._mode, slice(0, 1)),
            (self._chosen, slice(position, position + 1)),
        ):
            line.set_data(to_gold[part], log_prob[part])
        curves = zip(self._lines, self._dots, self._numbers, strict=True)
        columns = (averages.similarity, averages.log_prob)
        for (line, dot, number), values in zip(curves, columns, strict=True):
            line.set_data(range(1, 1 + len(values)), values)
            dot.set_data([K], [max(dot.axes.get_ylim()[0], values[K - 1])])
            number.set_text(f"K = {K}: {shown_number(values[K - 1], 1)}")


def choice_figure(
    candidates: Candidates, averages: Means, K: int, similarity: str = BLEU, lowest: float = LOWEST
) -> Figure:
    """Draw the still twin of the ChoiceExplorer: one sentence's candidates, and the means over K,
    of sentences by the same similarity; `lowest` ends the axis of log-probabilities."""
    drawing = ChoiceDrawing(len(averages.similarity), lowest)
    drawing.show(candidates, averages, K, similarity)
    figure = drawing.picture.figure
    figure.suptitle(" ".join(candidates.source), fontsize=SIZE, parse_math=False)
    return drawing.picture.still()
