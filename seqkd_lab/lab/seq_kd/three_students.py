"""Lesson 06's three students in the notebook: trained with bars, and drawn beside ten seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.lab.shared.picture import label_axes
from seqkd_lab.lab.shared.style import BLUE, GREEN, PURPLE, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.live import (
    CORPORA,
    GOLD,
    MODE,
    SAMPLES,
    LiveStudent,
    teacher_corpora,
    train_student,
)
from seqkd_lab.training import Progress

COLOURS = {GOLD: BLUE, SAMPLES: PURPLE, MODE: GREEN}
MARKS = {GOLD: "o", SAMPLES: "s", MODE: "^"}


def write_corpora(
    teacher: Seq2Seq, data: Dataset, n_pairs: int, seed: int
) -> dict[str, ParallelCorpus]:
    """Return gold, the teacher's samples and its mode over the first `n_pairs` sources, with a
    progress bar."""
    with Bar("the teacher translates the sources, by sampling and by beam search") as bar:
        return teacher_corpora(
            teacher, data.train[:n_pairs], data.language.is_valid, seed, bar.move
        )


def train_students(
    live: LiveStudent, data: Dataset, corpora: Mapping[str, ParallelCorpus], seed: int
) -> dict[str, Seq2Seq]:
    """Train a student on each corpus, from the same random weights and in the same order, with a
    bar for each."""
    students = {}
    for name, corpus in corpora.items():
        with Bar(f"training a student on {name}") as bar:

            def watch(progress: Progress, bar: Bar = bar) -> None:
                bar.move(progress.update, progress.n_updates)

            students[name] = train_student(live, data, corpus, seed, [watch])
    return students


def seeds_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the share of valid greedy translations of the three students, a column a seed."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    axes = figure.subplots()
    columns = range(1, len(by_seed) + 1)
    for name in CORPORA:
        shares = [100.0 * rows[name]["valid"] for rows in by_seed]
        axes.plot(
            columns,
            shares,
            MARKS[name],
            color=COLOURS[name],
            markersize=11,
            label=f"trained on {name}",
        )
        axes.axhline(fmean(shares), color=COLOURS[name], linewidth=1.5, linestyle="--")
    axes.set_xticks(list(columns))
    axes.set_ylim(0.0, 100.0)
    label_axes(axes, "seed", "valid, greedy (%)")
    figure.legend(fontsize=SIZE, loc="outside upper center", ncols=len(CORPORA))
    return figure


def valid_range(by_seed: Sequence[Rows], name: str, n_sentences: int) -> tuple[float, float]:
    """Return the range in which a student's share of valid translations of `n_sentences` should
    lie: from the seeds' least to their greatest, widened by two standard errors of the share."""
    shares = [rows[name]["valid"] for rows in by_seed]
    error = (fmean(shares) * (1.0 - fmean(shares)) / n_sentences) ** 0.5
    return max(0.0, min(shares) - 2.0 * error), min(1.0, max(shares) + 2.0 * error)
