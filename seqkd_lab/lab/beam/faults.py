"""Whose fault a wrong translation is: the model's true mode, search errors and model errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.lab.beam.outputs import NOISE, Outputs, judged
from seqkd_lab.lab.beam.wider import _plural
from seqkd_lab.lab.shared.style import GREY, SIZE, SKY, VERMILION
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset


def enough(log_prob: float) -> int:
    """The beam size K from which on a search cannot miss anything more probable than a translation
    of this log_prob.

    Equally long prefixes exclude each other, so their probabilities add up to 1 at most. The best
    that a full beam throws away is no more probable than each of the K that it keeps, hence than 1
    / (K + 1); and prefixes only lose as they grow. So nothing lost can become more probable than p
    as soon as 1 / (K + 1) ≤ p.
    """
    return max(1, math.ceil(math.exp(-log_prob) - 1.0))


@dataclass(frozen=True)
class Mode:
    """The likeliest translation that was found with a beam of `beam_size`.

    certain: provably no other one is likelier, of those as long as a search allows
    (`longest_allowed`).
    """

    best: Hypothesis
    beam_size: int
    certain: bool


def modes(
    model: Seq2Seq,
    sources: Sequence[tuple[str, ...]],
    first: int = 20,
    widest: int = 2000,
    rows: int = 2000,
) -> list[Mode]:
    """The model's mode for each source: one search with K = `first`, then one with as large a K as
    it takes.

    At most `widest`: where that is not enough, the mode is not certain. `rows` bounds the
    hypotheses in memory.
    """
    best = [n_best[0] for n_best in search(model, sources, first)]
    need = [min(widest, enough(each.log_prob)) for each in best]
    for group in _groups([place for place in range(len(best)) if need[place] > first], need, rows):
        K = max(need[place] for place in group)
        again = search(model, [sources[place] for place in group], K, batch_size=len(group))
        for place, n_best in zip(group, again, strict=True):
            need[place] = K
            best[place] = max(best[place], n_best[0], key=lambda each: each.log_prob)
    used = [max(first, K) for K in need]
    return [Mode(each, K, enough(each.log_prob) <= K) for each, K in zip(best, used, strict=True)]


def _groups(places: Sequence[int], need: Sequence[int], rows: int) -> list[list[int]]:
    """`places` in groups of similar need, so that sentences times the largest need stays within
    `rows`."""
    groups: list[list[int]] = []
    for place in sorted(places, key=lambda place: need[place]):
        if groups and (len(groups[-1]) + 1) * need[place] <= rows:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


@dataclass(frozen=True)
class Faults:
    """Sentences whose mode is certain, sorted by who is to blame. Counts of sentences.

    right: valid, and so is the mode. lucky: valid although the mode is not: the search missed it,
    to our good. search: wrong although the mode is valid. model: wrong, and the mode too. missed:
    how many searches did not find the mode.
    """

    right: int
    lucky: int
    search: int
    model: int
    missed: int

    @property
    def n(self) -> int:
        return self.right + self.lucky + self.search + self.model


def misses(made: Outputs, known: Sequence[Mode]) -> list[int]:
    """The sentences for which something likelier than what `made` holds is known: the search
    errors."""
    pairs = zip(made.found, known, strict=False)  # modes may be known of the first sentences only
    return [
        place
        for place, (one, mode) in enumerate(pairs)
        if one.log_prob < mode.best.log_prob - NOISE
    ]


def faults(made: Outputs, known: Sequence[Mode], valid_modes: Sequence[bool]) -> Faults:
    """Who is to blame for each translation of `made`; sentences whose mode is not certain are left
    out."""
    certain = [place for place, mode in enumerate(known) if mode.certain]
    counts = Counter((made.valid[place], valid_modes[place]) for place in certain)
    missed = len(set(misses(made, known)) & set(certain))
    return Faults(
        counts[True, True], counts[True, False], counts[False, True], counts[False, False], missed
    )


def blame(
    found: Mapping[int, Outputs],
    beam_sizes: Sequence[int],
    known: Sequence[Mode],
    corpus: ParallelCorpus,
    data: Dataset,
) -> dict[int | None, Faults]:
    """One model's faults with each of the beam sizes, on the first sentences of `corpus`, whose
    modes are `known`.

    None stands for the exact search.
    """
    exact = judged([mode.best for mode in known], corpus[: len(known)], data, None)
    by_size = {K: faults(found[K], known, exact.valid) for K in beam_sizes}
    return {**by_size, None: faults(exact, known, exact.valid)}


def guaranteed(
    found: Mapping[str, Mapping[int, Outputs]], beam_size: int, known: Mapping[str, Sequence[Mode]]
) -> tuple[int, int]:
    """Of all models' translations with `beam_size` whose mode is known, those with p(ŷ) ≥ 1 / (K +
    1), and among them those which are the mode. The lesson proves that the two are equal."""
    sure = [
        (hypothesis, mode)
        for name, modes in known.items()
        for hypothesis, mode in zip(found[name][beam_size].found, modes, strict=False)
        if enough(hypothesis.log_prob) <= beam_size
    ]
    return len(sure), sum(
        hypothesis.log_prob >= mode.best.log_prob - NOISE for hypothesis, mode in sure
    )


EXACT = "∞"

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


def faults_in_words(blame: Mapping[str, Mapping[int | None, Faults]]) -> str:
    """Says from which K on a model makes no search errors, how many model errors remain, and what
    luck was lost."""
    lines = []
    for name, by_size in blame.items():
        sizes = [K for K in by_size if K is not None]
        free = [K for K in sizes if all(not by_size[other].search for other in sizes if other >= K)]
        left = by_size[sizes[-1]].search
        since = (
            f"from K = {free[0]} on there is no search error"
            if free
            else (f"K = {sizes[-1]} still makes {left} search {_plural('error', left)}")
        )
        exact, greedy = by_size[None], by_size[sizes[0]]
        lines.append(
            f"- **{name}**: {since}. In {exact.model} of {exact.n} sentences the mode itself is "
            f"wrong: a model error, whatever the search. In {greedy.lucky} greedy search is right "
            "only because it misses a wrong mode."
        )
    return "\n".join(lines)
