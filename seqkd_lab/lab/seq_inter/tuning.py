"""Fine-tuning on Seq-Inter's choices: a corpus of ỹ, models that continue on it, what the seeds of
Table 1 gained, and the way from the teacher's mode to gold."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.meters.measures import meters
from seqkd_lab.lab.meters.reading import read_corpus
from seqkd_lab.lab.seq_inter.choice import BLEU, Candidates
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score, scores
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLACK, GREY, panels, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import (
    BASELINE,
    BASELINE_INTER,
    SEQ_KD,
    SEQ_KD_INTER,
    TEACHER,
    TEACHER_INTER,
)
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.table1.findings import beam, gap, greedy
from seqkd_lab.training import train

GREEDY = "greedy search"
BEAM = "beam search, beam size 5"
SCORES = {GREEDY: greedy, BEAM: beam}
GOLD = "gold"
PAIRS = {
    TEACHER: (TEACHER, TEACHER_INTER),
    BASELINE: (BASELINE, BASELINE_INTER),
    SEQ_KD: (SEQ_KD, SEQ_KD_INTER),
}
"""Rows of Table 1 before and after Seq-Inter, by the model that is fine-tuned."""
BOTH_RISE = "both rise"
APART = "the dependence rises, p(ŷ) falls"
BOTH_FALL = "both fall"
TURNED = "the dependence falls, p(ŷ) rises"


def chosen_corpus(
    corpus: ParallelCorpus, sentences: Sequence[Candidates], K: int, similarity: str = BLEU
) -> ParallelCorpus:
    """Return `corpus`, whose candidates `sentences` are, with ỹ among the first K in the place of
    each target."""
    return corpus.with_target(
        tuple(
            candidates.hypotheses[candidates.chosen(K, similarity)].tokens
            for candidates in sentences
        )
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
    """Return a copy of `model` that has learned from `corpus` for some epochs by NLL, with a bar;
    `model` stays as it is."""
    tuned = copy.deepcopy(model)
    optimisation = Optimisation(epochs, learning_rate, batch_size=32)
    with Bar(f"fine-tuning {name}") as bar:

        def watch(progress: Progress) -> None:
            bar.move(progress.update, progress.n_updates)

        train(tuned, corpus, valid, NLL(), optimisation, seed, callbacks=[watch])
    return tuned


Gains = Mapping[str, Mapping[str, Sequence[float]]]
"""BLEU after Seq-Inter minus before, a value a seed: {name: {GREEDY: values, BEAM: values}}."""


def table_gains(by_seed: Sequence[Rows], before_after: Mapping[str, tuple[str, str]]) -> Gains:
    """Return the gains of rows of Table 1, given by name as (row before, row after)."""
    return {
        name: {
            search: [score(rows, after) - score(rows, before) for rows in by_seed]
            for search, score in SCORES.items()
        }
        for name, (before, after) in before_after.items()
    }


@styled
def table_gains_figure(gains: Gains) -> Figure:
    """Draw each model's gains by seed with mean and interval, greedy search above beam search; at
    0, nothing changed."""
    figure, axes = panels(11, 1.6 + 1.1 * len(gains))
    for row, (name, by_search) in enumerate(gains.items()):
        for height, search in ((row - 0.19, GREEDY), (row + 0.19, BEAM)):
            colour, marker = role_of(name).colour, role_of(search).marker
            draw_seeds(axes, height, by_search[search], colour, marker)
    axes.axvline(0.0, color=BLACK, linewidth=1)
    axes.set_yticks(range(len(gains)), list(gains))
    axes.set_ylim(len(gains) - 0.5, -0.5)
    axes.set_xlabel("BLEU after Seq-Inter − before")
    for search in (GREEDY, BEAM):
        marker = role_of(search).marker + "-"
        label = f"{search}: mean, 95% interval"
        axes.plot([], [], marker, color=GREY, markersize=10, linewidth=3, label=label)
    axes.plot([], [], "|", color=BLACK, markersize=14, label="a seed")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def beam_gains(by_seed: Sequence[Rows], row: str) -> list[float]:
    """Return what the beam adds to a row of Table 1, in BLEU, a value a seed."""
    return [gap(rows, row) for rows in by_seed]


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
    """Return the stages of K = `n_candidates` and of gold itself, on the same sources; each
    fine-tunes `student` anew.

    `read` holds the candidates of `gold`'s pairs; scores are of the first `n_test` test sentences.
    Raise ValueError for real text: only a known language tells the dependence.
    """
    language = data.toy_language
    corpora = {f"K = {K}": chosen_corpus(gold, read, K) for K in n_candidates} | {GOLD: gold}
    own = read_corpus(language, gold)
    valid = data.valid[:200]
    stages = []
    for name, corpus in corpora.items():
        dependence = meters(read_corpus(language, corpus), own).all_history
        tuned = fine_tuned(f"on {name}", student, corpus, valid, learning_rate, seed=seed)
        stages.append(Stage(name, dependence, scores({name: tuned}, data, n_test)[name]))
    return stages


def way_to_gold(stages: Sequence[Stage]) -> str:
    """Return what becomes of the dependence and of p(ŷ) from the first stage to the last:
    BOTH_RISE, APART, BOTH_FALL or TURNED; CANNOT_TELL where p(ŷ) changes by less than two standard
    errors of the difference."""
    first, last = stages[0], stages[-1]
    change = last.score.p_mode - first.score.p_mode
    error = math.hypot(first.score.p_mode_error, last.score.p_mode_error)
    if not abs(change) > 2.0 * error:  # NaN is not above
        return CANNOT_TELL
    if last.dependence > first.dependence:
        return BOTH_RISE if change > 0.0 else APART
    return TURNED if change > 0.0 else BOTH_FALL


@styled
def path_figure(before: Score, stages: Sequence[Stage]) -> Figure:
    """Draw the dependence on own choices over the stages, the student's BLEU (greedy and beam), and
    its p(ŷ); a line without marks is the student before."""
    figure, (left, middle, right) = panels(13, 4.8, 1, 3)
    student = role_of(SEQ_KD).colour
    dependence = [stage.dependence for stage in stages]
    certainty = [stage.score.p_mode for stage in stages]
    bleu = list(zip(*(stage.score.bleu for stage in stages), strict=True))
    left.set_title("the corpus: dependence on own choices")
    left.set_ylabel("nats a sentence")
    _draw_stages(left, stages, dependence, 2, BLACK)
    middle.set_title("the student after it: BLEU")
    _draw_stages(middle, stages, bleu[0], 1, student, above=False, label=GREEDY)
    ring: dict[str, Any] = {"linestyle": "--", "markerfacecolor": "white"}
    _draw_stages(middle, stages, bleu[1], 1, student, label=BEAM, **ring)
    for value, line in zip(before.bleu, ("-.", ":"), strict=True):
        middle.axhline(value, color=student, linewidth=1.5, linestyle=line)
    right.set_title("the student after it: p(ŷ)")
    _draw_stages(right, stages, certainty, 3, student)
    right.axhline(before.p_mode, color=student, linewidth=1.5, linestyle="-.")
    for axes, values in ((left, dependence), (right, [before.p_mode, *certainty])):
        positive = [value for value in values if value > 0.0]  # NaN is not
        axes.set_ylim(0.0, 1.25 * max(positive, default=1.0))
    shown = [*before.bleu, *chain(*bleu)]
    middle.set_ylim(min(shown) - 1.0, min(100.0, max(shown) + 0.8))
    figure.legend(
        *middle.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        title="without marks: the student before (greedy -·-, beam ···)",
    )
    return figure


def _draw_stages(
    axes: Axes,
    stages: Sequence[Stage],
    values: Sequence[float],
    digits: int,
    colour: str,
    above: bool = True,
    **look: Any,
) -> None:
    """Draw a line over the stages with its numbers, `above` it or below, at the side where it does
    not pass."""
    mark = role_of(SEQ_KD).marker
    look.setdefault("linestyle", "-")
    axes.plot(range(len(stages)), values, mark, color=colour, markersize=9, **look)
    at_left = (values[-1] > values[0]) == above
    for column, value in enumerate(values):
        axes.annotate(
            f"{value:.{digits}f}",
            (column, value),
            xytext=(-5 if at_left else 5, 9 if above else -19),
            textcoords="offset points",
            ha="right" if at_left else "left",
        )
    axes.set_xticks(range(len(stages)), [stage.name for stage in stages])
    axes.set_xlim(-0.6, len(stages) - 0.25)
