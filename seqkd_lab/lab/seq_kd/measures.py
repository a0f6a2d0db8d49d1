"""What lesson 06 measures beside its students: the distilled corpus against the seeds, the ticket,
and the beam."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.comparison import Comparison, compare
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.live import BEAM_SIZE, GOLD, MODE
from seqkd_lab.studies.table1.findings import gap


def ticket_pair(teacher: Seq2Seq) -> dict[str, ParallelCorpus]:
    """Returns the ticket with its gold and with the teacher's ŷ, each a corpus of one pair, by GOLD
    and MODE."""
    gold = ParallelCorpus("the ticket", "ticket", "", (TICKET,), (TICKET_GOLD,))
    return {
        GOLD: gold,
        MODE: gold.with_target([search(teacher, gold.source, BEAM_SIZE, 1)[0][0].tokens]),
    }


def ticket_translations(students: Mapping[str, Seq2Seq], language: ToyLanguage) -> Comparison:
    """Returns what each student writes for the ticket, greedily and with a beam, judged by the
    language."""
    return compare(
        {f"student of {name}": student for name, student in students.items()},
        " ".join(TICKET),
        BEAM_SIZE,
        language,
    )


def joined(first: ParallelCorpus, then: ParallelCorpus) -> ParallelCorpus:
    """Returns the pairs of both, those of `first` in front; references are left out."""
    return replace(
        then, source=first.source + then.source, target=first.target + then.target, references=None
    )


def equal_targets(gold: ParallelCorpus, distilled: ParallelCorpus) -> int:
    """Returns how many targets of two aligned corpora are equal."""
    return sum(target == other for target, other in zip(gold.target, distilled.target, strict=True))


def token_ratio(gold: ParallelCorpus, distilled: ParallelCorpus) -> float:
    """Returns distilled tokens per gold token."""
    return sum(map(len, distilled.target)) / sum(map(len, gold.target))


def token_ratio_range(
    results: Mapping, gold: ParallelCorpus, distilled: ParallelCorpus
) -> tuple[float, float]:
    """Returns where distilled tokens per gold token should lie: from the least to the greatest of
    Table 1's seeds, widened by two standard errors of a ratio over these pairs."""
    seeds = [seed["mode"]["length_ratio"] for seed in results["distilled"].values()]
    ratio, mean = token_ratio(gold, distilled), fmean(map(len, gold.target))
    errors = [
        len(other) - ratio * len(target)
        for target, other in zip(gold.target, distilled.target, strict=True)
    ]
    error = stdev(errors) / math.sqrt(len(errors)) / mean
    return min(seeds) - 2.0 * error, max(seeds) + 2.0 * error


def most_valid(scores: Mapping[str, Score]) -> str:
    """Returns the student with the most valid greedy translations; CANNOT_TELL where the second is
    within two standard errors of the difference."""
    ranked = sorted(scores, key=lambda name: -scores[name].valid[0])
    (p, n), (q, m) = ((scores[name].valid[0], scores[name].n_sentences) for name in ranked[:2])
    error = math.sqrt(p * (1.0 - p) / n + q * (1.0 - q) / m)
    return ranked[0] if p - q > 2.0 * error else CANNOT_TELL


def beam_share(by_seed: Sequence[Rows]) -> float:
    """Returns the beam's gain for Seq-KD in percent of its gain for the baseline, of the means over
    the seeds."""
    baseline, seq_kd = (fmean(gap(rows, name) for rows in by_seed) for name in (BASELINE, SEQ_KD))
    return 100.0 * seq_kd / baseline


def p_mode_range(by_seed: Sequence[Rows], row: str, error: float) -> tuple[float, float]:
    """Returns the seeds' least and greatest p(ŷ) of a row, widened by two standard errors of this
    run's value."""
    values = [rows[row]["p_mode"] for rows in by_seed]
    return max(0.0, min(values) - 2.0 * error), min(1.0, max(values) + 2.0 * error)
