"""Lesson 06's three students in the notebook: trained with bars, drawn beside ten seeds, and put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.experiments.data import Dataset
from seqkd_lab.experiments.live_students import (
    CORPORA,
    GOLD,
    MODE,
    SAMPLES,
    LiveStudent,
    teacher_corpora,
    train_student,
)
from seqkd_lab.experiments.verdicts import Rows
from seqkd_lab.lab.comparison import Score
from seqkd_lab.lab.figures.picture import BLUE, GREEN, PURPLE, SIZE, label_axes
from seqkd_lab.lab.lesson import Bar, Markdown
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.training import Progress

COLOURS = {GOLD: BLUE, SAMPLES: PURPLE, MODE: GREEN}
MARKS = {GOLD: "o", SAMPLES: "s", MODE: "^"}


def write_corpora(teacher: Seq2Seq, data: Dataset, n_pairs: int, seed: int) -> dict[str, ParallelCorpus]:
    """Return gold, the teacher's samples and its mode over the first `n_pairs` sources, with a progress bar."""
    with Bar("the teacher translates the sources, by sampling and by beam search") as bar:
        return teacher_corpora(teacher, data.train[:n_pairs], data.language.is_valid, seed, bar.move)


def train_students(
    live: LiveStudent, data: Dataset, corpora: Mapping[str, ParallelCorpus], seed: int
) -> dict[str, Seq2Seq]:
    """Train a student on each corpus, from the same random weights and in the same order, with a bar for each."""
    students = {}
    for name, corpus in corpora.items():
        with Bar(f"training a student on {name}") as bar:
            def watch(progress: Progress, bar: Bar = bar) -> None:
                bar.move(progress.update, progress.n_updates)

            students[name] = train_student(live, data, corpus, seed, [watch])
    return students


def best_by_validity(scores: Mapping[str, Score]) -> str:
    """Return the student with the most valid greedy translations."""
    return max(scores, key=lambda name: scores[name].valid[0])


def three_in_words(scores: Mapping[str, Score]) -> Markdown:
    """Say who wrote the most valid translations, by how much, and whether samples did what the mode did."""
    gold, samples, mode = (scores[name] for name in (GOLD, SAMPLES, MODE))
    lines = [f"Valid greedy translations: {gold.valid[0]:.0%} of the student of gold, {samples.valid[0]:.0%} of the "
             f"student of samples, {mode.valid[0]:.0%} of the student of the mode. In BLEU: {gold.bleu[0]:.1f}, "
             f"{samples.bleu[0]:.1f} and {mode.bleu[0]:.1f}."]
    by_mode, by_samples = (100 * (other.valid[0] - gold.valid[0]) for other in (mode, samples))
    if by_mode > 10 and abs(by_samples) < by_mode / 2:
        lines.append(f"The teacher wrote both of its corpora. Its samples change the share of valid translations by "
                     f"{by_samples:+.0f} points, its mode by {by_mode:+.0f}. That the *teacher* wrote the corpus is "
                     "not what helps. That it is the *mode* is.")
    else:
        lines.append(f"Here the samples change the share of valid translations by {by_samples:+.0f} points and the "
                     f"mode by {by_mode:+.0f}. Compare the seeds below: one run is one draw.")
    return Markdown("\n\n".join(lines))


def seeds_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the share of valid greedy translations of the three students, a column a seed."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    axes = figure.subplots()
    columns = range(1, len(by_seed) + 1)
    for name in CORPORA:
        shares = [100.0 * rows[name]["valid"] for rows in by_seed]
        axes.plot(columns, shares, MARKS[name], color=COLOURS[name], markersize=11, label=f"trained on {name}")
        axes.axhline(fmean(shares), color=COLOURS[name], linewidth=1.5, linestyle="--")
    axes.set_xticks(list(columns))
    axes.set_ylim(0.0, 100.0)
    label_axes(axes, "seed", "valid, greedy (%)")
    figure.legend(fontsize=SIZE, loc="outside upper center", ncols=len(CORPORA))
    return figure


def seeds_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """Say in how many seeds the mode's student is above both others, and by how many points in the mean."""
    above = [100.0 * (rows[MODE]["valid"] - max(rows[GOLD]["valid"], rows[SAMPLES]["valid"])) for rows in by_seed]
    return Markdown(
        f"In {sum(points > 0.0 for points in above)} of {len(by_seed)} seeds the student of the mode has more valid "
        f"translations than both others. In the mean it is {fmean(above):.0f} points above the better of the two; in "
        f"the single seeds, between {min(above):.0f} and {max(above):.0f}."
    )


def valid_range(by_seed: Sequence[Rows], name: str, n_sentences: int) -> tuple[float, float]:
    """Return the range in which a student's share of valid translations of `n_sentences` should lie: from the seeds'
    least to their greatest, widened by two standard errors of the share."""
    shares = [rows[name]["valid"] for rows in by_seed]
    error = (fmean(shares) * (1.0 - fmean(shares)) / n_sentences) ** 0.5
    return max(0.0, min(shares) - 2.0 * error), min(1.0, max(shares) + 2.0 * error)
