"""Whose fault a wrong translation is: the model's true mode, search errors and model errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.lab.beam.outputs import Outputs, judged
from seqkd_lab.lab.beam.wider import plural
from seqkd_lab.lab.shared.digits import NOISE
from seqkd_lab.lab.shared.style import GREY, GRID, LIGHT_GREY, SKY, VERMILION, panels, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset


def enough(log_prob: float) -> int:
    """Return the beam size K from which on a search cannot miss anything more probable than a
    translation of this log_prob.

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
    """Return the model's mode for each source: by one search with K = `first`, then by one with as
    large a K as it takes.

    K is at most `widest`: where that is not enough, the mode is not certain. `rows` bounds the
    hypotheses in memory.
    """
    best = [n_best[0] for n_best in search(model, sources, first)]
    need = {n: min(widest, enough(hypothesis.log_prob)) for n, hypothesis in enumerate(best)}
    used = [first] * len(best)
    for group in _groups({n: K for n, K in need.items() if K > first}, rows):
        K = max(need[number] for number in group)
        again = search(model, [sources[number] for number in group], K, batch_size=len(group))
        for number, n_best in zip(group, again, strict=True):
            used[number] = K
            best[number] = max(best[number], n_best[0], key=lambda found: found.log_prob)
    pairs = zip(best, used, strict=True)
    return [Mode(found, K, enough(found.log_prob) <= K) for found, K in pairs]


def _groups(need: Mapping[int, int], rows: int) -> list[list[int]]:
    """Return the sentences of `need` in groups of similar K, so that sentences times the largest K
    stays within `rows`."""
    groups: list[list[int]] = []
    for number in sorted(need, key=lambda number: need[number]):
        if groups and (len(groups[-1]) + 1) * need[number] <= rows:
            groups[-1].append(number)
        else:
            groups.append([number])
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
        """The number of sentences."""
        return self.right + self.lucky + self.search + self.model


def misses(outputs: Outputs, known: Sequence[Mode]) -> list[int]:
    """Return the sentences for which something likelier is known than `outputs` hold: the search
    errors. The modes may be known of the first sentences only."""
    pairs = enumerate(zip(outputs.hypotheses, known, strict=False))
    return [n for n, (found, mode) in pairs if found.log_prob < mode.best.log_prob - NOISE]


def faults(outputs: Outputs, known: Sequence[Mode], valid_modes: Sequence[bool]) -> Faults:
    """Count who is to blame for the translations; sentences whose mode is not certain are left
    out."""
    certain = [number for number, mode in enumerate(known) if mode.certain]
    counts = Counter((outputs.valid[number], valid_modes[number]) for number in certain)
    return Faults(
        right=counts[True, True],
        lucky=counts[True, False],
        search=counts[False, True],
        model=counts[False, False],
        missed=len(set(misses(outputs, known)) & set(certain)),
    )


def blame(
    by_size: Mapping[int, Outputs],
    beam_sizes: Sequence[int],
    known: Sequence[Mode],
    corpus: ParallelCorpus,
    data: Dataset,
) -> dict[int | None, Faults]:
    """Count one model's faults with each of the beam sizes, on the first sentences of `corpus`,
    whose modes are `known`. None stands for the exact search."""
    exact = judged([mode.best for mode in known], corpus[: len(known)], data, None)
    searches: dict[int | None, Outputs] = {**{K: by_size[K] for K in beam_sizes}, None: exact}
    return {K: faults(outputs, known, exact.valid) for K, outputs in searches.items()}


def guaranteed(
    by_model: Mapping[str, Mapping[int, Outputs]],
    beam_size: int,
    known: Mapping[str, Sequence[Mode]],
) -> tuple[int, int]:
    """Count, of all models' translations with `beam_size` whose mode is known, those with p(ŷ) ≥ 1
    / (K + 1), and among them those which are the mode. The lesson proves that the two are equal."""
    sure = [
        (found, mode)
        for name, modes in known.items()
        for found, mode in zip(by_model[name][beam_size].hypotheses, modes, strict=False)
        if enough(found.log_prob) <= beam_size
    ]
    are_modes = [found.log_prob >= mode.best.log_prob - NOISE for found, mode in sure]
    return len(sure), sum(are_modes)


BLAME = (
    ("right", "valid, and so is the model's best", GRID, ""),
    ("lucky", "valid by luck: the model's best is wrong, and was missed", LIGHT_GREY, "//"),
    ("search", "search error: wrong, though the model's best is valid", SKY, "\\\\"),
    ("model", "model error: wrong, and so is the model's best", VERMILION, ""),
)
"""The counts of Faults: name, label, colour and hatch."""
LEAST_LABELLED = 1.5  # percent: a narrower part has no room for its number


@styled
def faults_figure(by_model: Mapping[str, Mapping[int | None, Faults]]) -> Figure:
    """Draw for each model and K a bar of 100%: what is at fault in wrong translations; beside it
    how often the mode was missed. K = None is the exact search, shown as ∞."""
    rows = [
        (name, K, faults) for name, by_size in by_model.items() for K, faults in by_size.items()
    ]
    figure, (axes, missed) = panels(
        12, 1.6 + 0.36 * len(rows), 1, 2, sharey=True, width_ratios=[3, 1]
    )
    gaps = {name: 0.6 * number for number, name in enumerate(by_model)}
    heights = [number + gaps[name] for number, (name, _, _) in enumerate(rows)]
    _draw_blame(axes, heights, [faults for _, _, faults in rows])
    _draw_missed(missed, heights, [faults for _, _, faults in rows])
    axes.set_yticks(heights, [f"{name}  K = {'∞' if K is None else K}" for name, K, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel("% of sentences whose mode is known for certain")
    missed.set_xlabel("mode missed (%)")
    for panel in (axes, missed):
        panel.set_xlim(0.0, 100.0)
        panel.grid(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_blame(axes: Axes, heights: Sequence[float], rows: Sequence[Faults]) -> None:
    """Draw the bars of 100%, each part with its number where there is room."""
    starts = [0.0] * len(rows)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for name, label, colour, hatch in BLAME:
        shares = [100.0 * getattr(faults, name) / max(1, faults.n) for faults in rows]
        look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        axes.barh(heights, shares, 0.84, left=starts, label=label, **look)
        for height, start, share in zip(heights, starts, shares, strict=True):
            if share >= LEAST_LABELLED:
                middle = start + share / 2
                axes.text(middle, height, f"{share:.0f}", ha="center", va="center", bbox=ground)
        starts = [start + share for start, share in zip(starts, shares, strict=True)]


def _draw_missed(axes: Axes, heights: Sequence[float], rows: Sequence[Faults]) -> None:
    """Draw a thin bar for each search that missed the mode, with the share after it."""
    shares = [100.0 * faults.missed / max(1, faults.n) for faults in rows]
    axes.barh(heights, shares, 0.5, color=GREY)
    after: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    for height, share in zip(heights, shares, strict=True):
        axes.annotate(f"{share:.0f}", (share, height), **after)


def faults_in_words(blame: Mapping[str, Mapping[int | None, Faults]]) -> str:
    """Say from which K on a model makes no search errors, how many model errors remain, and what
    luck was lost."""
    lines = []
    for name, by_size in blame.items():
        sizes = [K for K in by_size if K is not None]
        free = [K for K in sizes if all(not by_size[other].search for other in sizes if other >= K)]
        left = by_size[sizes[-1]].search
        since = (
            f"from K = {free[0]} on there is no search error"
            if free
            else f"K = {sizes[-1]} still makes {left} search {plural('error', left)}"
        )
        exact, greedy = by_size[None], by_size[sizes[0]]
        lines.append(
            f"- **{name}**: {since}. In {exact.model} of {exact.n} sentences the mode itself is "
            f"wrong: a model error, whatever the search. In {greedy.lucky} greedy search is right "
            "only because it misses a wrong mode."
        )
    return "\n".join(lines)
