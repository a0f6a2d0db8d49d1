"""Lesson 06's corpora and its three students: distilled, compared with gold, trained with bars, and
drawn beside ten seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.comparison import Comparison, compare
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD, Bar
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score, seed_range
from seqkd_lab.lab.shared.style import panels, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.live import (
    BEAM_SIZE,
    CORPORA,
    GOLD,
    MODE,
    LiveStudent,
    teacher_corpora,
    train_student,
)


def write_corpora(
    teacher: Seq2Seq, data: Dataset, n_pairs: int, seed: int
) -> dict[str, ParallelCorpus]:
    """Return gold, the teacher's samples and its mode over the first `n_pairs` sources, with a
    progress bar."""
    is_valid = data.toy_language.is_valid
    with Bar("the teacher translates the sources, by sampling and by beam search") as bar:
        return teacher_corpora(teacher, data.train[:n_pairs], is_valid, seed, bar.move)


def ticket_pair(teacher: Seq2Seq) -> dict[str, ParallelCorpus]:
    """Return the ticket with its gold and with the teacher's ŷ, each a corpus of one pair, by GOLD
    and MODE."""
    gold = ParallelCorpus("the ticket", "ticket", "", (TICKET,), (TICKET_GOLD,))
    (best,) = search(teacher, gold.source, BEAM_SIZE, 1)[0]
    return {GOLD: gold, MODE: gold.with_target([best.tokens])}


def joined(first: ParallelCorpus, then: ParallelCorpus) -> ParallelCorpus:
    """Return the pairs of both, those of `first` in front; references are left out."""
    return replace(
        then, source=first.source + then.source, target=first.target + then.target, references=None
    )


def equal_targets(gold: ParallelCorpus, distilled: ParallelCorpus) -> int:
    """Count the targets that are equal in two aligned corpora."""
    return sum(target == other for target, other in zip(gold.target, distilled.target, strict=True))


def token_ratio(gold: ParallelCorpus, distilled: ParallelCorpus) -> float:
    """Return distilled tokens per gold token."""
    return sum(map(len, distilled.target)) / sum(map(len, gold.target))


def token_ratio_range(
    results: Mapping, gold: ParallelCorpus, distilled: ParallelCorpus
) -> tuple[float, float]:
    """Return the range in which distilled tokens per gold token should lie: from the least to the
    greatest of Table 1's seeds, widened by two standard errors of a ratio over these pairs."""
    seeds = [rows[SEQ_KD]["distilled"]["length_ratio"] for rows in rows_by_seed(results)]
    ratio, mean = token_ratio(gold, distilled), fmean(map(len, gold.target))
    errors = [
        len(other) - ratio * len(target)
        for target, other in zip(gold.target, distilled.target, strict=True)
    ]
    error = stdev(errors) / math.sqrt(len(errors)) / mean
    return min(seeds) - 2.0 * error, max(seeds) + 2.0 * error


def train_students(
    live: LiveStudent, data: Dataset, corpora: Mapping[str, ParallelCorpus], seed: int
) -> dict[str, Seq2Seq]:
    """Train a student on each corpus, from the same random weights and in the same order, with a
    bar for each."""
    students: dict[str, Seq2Seq] = {}
    for name, corpus in corpora.items():
        with Bar(f"training a student on {name}") as bar:

            def watch(progress: Progress, bar: Bar = bar) -> None:
                bar.move(progress.update, progress.n_updates)

            students[name] = train_student(live, data, corpus, seed, [watch])
    return students


def ticket_translations(students: Mapping[str, Seq2Seq], language: ToyLanguage) -> Comparison:
    """Return what each student writes for the ticket, greedily and with a beam, judged by the
    language."""
    named = {f"student of {name}": student for name, student in students.items()}
    return compare(named, " ".join(TICKET), BEAM_SIZE, language)


def most_valid(scores: Mapping[str, Score]) -> str:
    """Return the student with the most valid greedy translations; CANNOT_TELL where the second is
    within two standard errors of the difference."""
    ranked = sorted(scores, key=lambda name: -scores[name].valid[0])
    (p, n), (q, m) = ((scores[name].valid[0], scores[name].n_sentences) for name in ranked[:2])
    error = math.sqrt(p * (1.0 - p) / n + q * (1.0 - q) / m)
    return ranked[0] if p - q > 2.0 * error else CANNOT_TELL


@styled
def seeds_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the share of valid greedy translations of the three students, a column a seed; a broken
    line is a mean."""
    figure, axes = panels(12, 4.2)
    columns = range(1, len(by_seed) + 1)
    for name in CORPORA:
        role = role_of(name)
        shares = [100.0 * rows[name]["valid"] for rows in by_seed]
        label = f"trained on {name}"
        axes.plot(columns, shares, role.marker, color=role.colour, markersize=11, label=label)
        axes.axhline(fmean(shares), color=role.colour, linewidth=1.5, linestyle="--")
    axes.set_xticks(list(columns))
    axes.set_ylim(0.0, 100.0)
    axes.set_xlabel("seed")
    axes.set_ylabel("valid, greedy (%)")
    figure.legend(loc="outside upper center", ncols=len(CORPORA))
    return figure


def valid_range(by_seed: Sequence[Rows], name: str, n_sentences: int) -> tuple[float, float]:
    """Return the `seed_range` of a student's share of valid translations of `n_sentences`."""
    shares = [rows[name]["valid"] for rows in by_seed]
    error = math.sqrt(fmean(shares) * (1.0 - fmean(shares)) / n_sentences)
    return seed_range(shares, error)
