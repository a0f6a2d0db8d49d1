"""Fine-tuning on Seq-Inter's choices: a corpus of ỹ, models that continue on it, and what the seeds
of Table 1 say."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.seq_inter.choice import BLEU, Candidates
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import GREY, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.table1.findings import beam, greedy
from seqkd_lab.training import Optimisation, Progress, train

GREEDY, BEAM = "greedy search", "beam search, beam size 5"


def chosen_corpus(
    corpus: ParallelCorpus, sentences: Sequence[Candidates], K: int, similarity: str = BLEU
):
    """`corpus`, whose candidates `sentences` are, with ỹ among the first K in the place of each
    target."""
    return corpus.with_target(
        tuple(each.hypotheses[each.chosen(K, similarity)].tokens for each in sentences)
    )


def fine_tuned(
    name: str,
    model: Seq2Seq,
    corpus: ParallelCorpus,
    valid: ParallelCorpus,
    learning_rate: float,
    epochs: int = 2,
    seed: int = 1,
) -> Seq2Seq:
    """A copy of `model` that has learned from `corpus` for some epochs by NLL, with a bar; `model`
    stays as it is."""
    copied = copy.deepcopy(model)
    with Bar(f"fine-tuning {name}") as bar:

        def watch(progress: Progress) -> None:
            bar.move(progress.update, progress.n_updates)

        train(
            copied,
            corpus,
            valid,
            NLL(),
            Optimisation(epochs, learning_rate, batch_size=32),
            seed,
            callbacks=[watch],
        )
    return copied


def table_gains(
    by_seed: Sequence[Rows], before_after: Mapping[str, tuple[str, str]]
) -> dict[str, dict]:
    """BLEU after minus before, a value a seed: {name: {GREEDY: values, BEAM: values}} for rows of
    Table 1."""
    return {
        name: {
            search: [score(rows, after) - score(rows, before) for rows in by_seed]
            for search, score in ((GREEDY, greedy), (BEAM, beam))
        }
        for name, (before, after) in before_after.items()
    }


def table_gains_figure(gains: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Each seed a mark (greedy full, beam a ring), their mean a line, its 95% interval a bar; 0:
    nothing changed."""
    figure = Figure(figsize=(11, 1.6 + 1.1 * len(gains)), layout="constrained")
    axes = figure.subplots()
    for place, (name, by_search) in enumerate(gains.items()):
        for offset, values, fill in zip(
            (-0.19, 0.19), by_search.values(), (None, "white"), strict=True
        ):
            colour, (mean, (low, high)) = colour_of(name), mean_and_interval(values)
            axes.plot(
                [low, high],
                [place + offset] * 2,
                color=colour,
                linewidth=11,
                alpha=0.3,
                solid_capstyle="butt",
            )
            axes.plot(
                values,
                [place + offset] * len(values),
                "o",
                color=colour,
                markersize=8,
                markerfacecolor=fill,
                markeredgewidth=1.5,
            )
            axes.plot(
                [mean] * 2,
                [place + offset - 0.15, place + offset + 0.15],
                color=colour,
                linewidth=3,
            )
    axes.axvline(0.0, color="black", linewidth=1)
    axes.set_yticks(range(len(gains)), list(gains), fontsize=SIZE)
    axes.set_ylim(len(gains) - 0.5, -0.5)
    axes.set_xlabel("BLEU after Seq-Inter − before", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    for fill, search in ((None, GREEDY), ("white", BEAM)):
        axes.plot(
            [],
            [],
            "o",
            color=GREY,
            markersize=9,
            markerfacecolor=fill,
            markeredgewidth=1.5,
            label=f"{search}: a mark a seed",
        )
    axes.plot([], [], color=GREY, linewidth=3, label="mean, and its 95% interval")
    figure.legend(fontsize=SIZE - 1, loc="outside lower center", ncols=3)
    return figure
