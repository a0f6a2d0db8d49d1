"""What a length penalty does, also to a model that ends its sentences too early."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.beam.outputs import Outputs, outputs
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.style import BLACK, BROWN, GREY, ORANGE, PURPLE, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, train_student


def train_brief(data: Dataset) -> tuple[str, Seq2Seq]:
    """Trains it within seconds; returns its name, which says on how much, and the model."""
    settings = lesson.scaled(QuickStudent(epochs=2), QuickStudent(8, 1, 320, n_valid=20))
    model, _ = train_student(settings, data, NLL(), seed=1)
    return f"trained on {settings.n_pairs:,} pairs, {settings.epochs} times each", model


def over_penalties(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    penalties: Sequence[float],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[int, dict[float, Outputs]]]:
    """Outputs by model, beam size and length penalty. `watch` hears (done, total) searches."""
    found: dict[str, dict[int, dict[float, Outputs]]] = {
        name: {K: {} for K in beam_sizes} for name in models
    }
    searches = list(product(models, beam_sizes, penalties))
    for done, (name, K, penalty) in enumerate(searches, start=1):
        found[name][K][penalty] = outputs(models[name], corpus, data, K, penalty)
        watch(done, len(searches))
    return found


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


def penalties_in_words(
    swept: Mapping[str, Mapping[int, Mapping[float, Outputs]]], wide: int
) -> str:
    """Says for each model what a wide beam does to length and BLEU without a penalty, and what the
    penalty changes."""
    lines = []
    for name, by_size in swept.items():
        plain, greedy = by_size[wide][0.0].score, by_size[1][0.0].score
        penalty, best = max(by_size[wide].items(), key=lambda item: item[1].score.bleu)
        lines.append(
            f"- **{name}**: without a penalty, K = {wide} has a length ratio of "
            f"{plain.length_ratio:.3f} and {plain.bleu:.1f} BLEU; greedy search has "
            f"{greedy.length_ratio:.3f} and {greedy.bleu:.1f}. "
            f"{_best(penalty, best.score.bleu - plain.bleu)}"
        )
    return "\n".join(lines)


def _best(penalty: float, gain: float) -> str:
    if penalty == 0.0:
        return "None of the penalties does better."
    return f"The best of the penalties, {penalty:g}, changes BLEU by {gain:+.1f}."
