"""The way from the teacher's mode to gold: what each K brings back into the corpus, and what a
student makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.meters.measures import meters, read_corpus
from seqkd_lab.lab.seq_inter.choice import Candidates
from seqkd_lab.lab.seq_inter.choice_measures import BEAM, GREEDY, chosen_corpus, fine_tuned
from seqkd_lab.lab.shared.scores import Score, scores
from seqkd_lab.lab.shared.style import BLACK, GREEN, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

GOLD = "gold"


@dataclass(frozen=True)
class Stage:
    """One corpus on the way: its name, how much its words depend on the translator's own earlier
    choices (nats a sentence, without what chance would give), and the score of the student that was
    fine-tuned on it."""

    name: str
    dependence: float
    score: Score


def path_to_gold(
    student: Seq2Seq,
    gold: ParallelCorpus,
    read: Sequence[Candidates],
    data: Dataset,
    n_candidates: Sequence[int],
    learning_rate: float,
    n_test: int,
    seed: int = 1,
) -> list[Stage]:
    """The stages of K = `n_candidates` and gold itself, on the same sources; each fine-tunes
    `student` anew.

    `read` holds the candidates of `gold`'s pairs; scores are of the first `n_test` test sentences.
    """
    corpora = {f"K = {K}": chosen_corpus(gold, read, K) for K in n_candidates} | {GOLD: gold}
    own = read_corpus(data.language, gold)
    stages = []
    for name, corpus in corpora.items():
        dependence = meters(read_corpus(data.language, corpus), own).all_history
        tuned = fine_tuned(
            f"on {name}", student, corpus, data.valid[:200], learning_rate, seed=seed
        )
        stages.append(Stage(name, dependence, scores({name: tuned}, data, n_test)[name]))
    return stages


def path_figure(before: Score, stages: Sequence[Stage]) -> Figure:
    """Over the stages: dependence on own choices; BLEU, greedy and beam; p(ŷ). Dotted: the student
    before."""
    figure = Figure(figsize=(13, 4.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _draw(
        left,
        "the corpus: dependence on own choices",
        stages,
        [stage.dependence for stage in stages],
        BLACK,
        "D-",
        2,
    )
    for at, (label, fill, look) in enumerate(((GREEDY, None, "o-"), (BEAM, "white", "o--"))):
        values = [stage.score.bleu[at] for stage in stages]
        _draw(
            middle,
            "the student after it: BLEU",
            stages,
            values,
            GREEN,
            look,
            1,
            at == 1,
            fill,
            label,
        )
        middle.axhline(before.bleu[at], color=GREEN, linewidth=1.5, linestyle=":" if at else "-.")
    _draw(
        right,
        "the student after it: p(ŷ)",
        stages,
        [stage.score.p_mode for stage in stages],
        GREEN,
        "o-",
        3,
    )
    right.axhline(before.p_mode, color=GREEN, linewidth=1.5, linestyle="-.")
    for axes, values in (
        (left, [stage.dependence for stage in stages]),
        (right, [before.p_mode, *(stage.score.p_mode for stage in stages)]),
    ):
        axes.set_ylim(
            0.0, 1.25 * max([value for value in values if value > 0.0], default=1.0)
        )  # NaN is not above 0
    bleu = [value for score in (before, *(stage.score for stage in stages)) for value in score.bleu]
    middle.set_ylim(min(bleu) - 1.0, min(100.0, max(bleu) + 0.8))
    left.set_ylabel("nats a sentence", fontsize=SIZE)
    handles, labels = middle.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        fontsize=SIZE,
        loc="outside lower center",
        ncols=2,
        title="without marks: the student before (greedy -·-, beam ···)",
        title_fontsize=SIZE,
    )
    return figure


def _draw(
    axes: Axes,
    title: str,
    stages: Sequence[Stage],
    values: Sequence[float],
    colour: str,
    look: str,
    digits: int,
    above: bool = True,
    fill: str | None = None,
    label: str = "",
) -> None:
    """One line of `values` over the stages, their numbers `above` or below it, on the side where it
    does not run."""
    places = range(len(stages))
    axes.plot(
        places,
        values,
        look,
        color=colour,
        linewidth=2.5,
        markersize=9,
        markerfacecolor=fill,
        label=label,
    )
    rises = values[-1] > values[0]
    for place, value in zip(places, values, strict=True):
        at_left = rises == above
        axes.annotate(
            f"{value:.{digits}f}",
            (place, value),
            xytext=(-5 if at_left else 5, 9 if above else -19),
            textcoords="offset points",
            ha="right" if at_left else "left",
            fontsize=SIZE,
        )
    axes.set_title(title, fontsize=SIZE)
    axes.set_xticks(places, [stage.name for stage in stages], fontsize=SIZE)
    axes.set_xlim(-0.6, len(stages) - 0.25)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.set_axisbelow(True)
