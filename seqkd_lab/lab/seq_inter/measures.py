"""What lesson 07 measures beside its models: the ticket's candidates, ranges from Table 1's seeds,
and changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import stdev

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.seq_inter.choice import BLEU, SIMILARITIES, Candidates, read_candidates
from seqkd_lab.lab.seq_inter.path import Stage
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import (
    BASELINE,
    BASELINE_INTER,
    SEQ_KD,
    SEQ_KD_INTER,
    TEACHER,
    TEACHER_INTER,
)
from seqkd_lab.runs.verdicts import Rows

N_CANDIDATES = 35
"""The paper's K."""
PAIRS = {
    TEACHER: (TEACHER, TEACHER_INTER),
    BASELINE: (BASELINE, BASELINE_INTER),
    SEQ_KD: (SEQ_KD, SEQ_KD_INTER),
}
"""Rows of Table 1 before and after Seq-Inter, by the model that is fine-tuned."""
RISES, STAYS, EVENLY, SLOWING = (
    "it rises",
    "it stays as it is",
    "it falls, by as much in each half",
    "it falls, most of it in the first half",
)
BOTH_RISE, APART, BOTH_FALL, TURNED = (
    "both rise",
    "the dependence rises, p(ŷ) falls",
    "both fall",
    "the dependence falls, p(ŷ) rises",
)


def candidates_of(
    teacher: Seq2Seq, source: Sequence[str], gold: Sequence[str], K: int = N_CANDIDATES
) -> Candidates:
    """Returns the K candidates of one sentence, such as the ticket, which is in no split of the
    corpus."""
    corpus = ParallelCorpus("one sentence", "none", "", (tuple(source),), (tuple(gold),))
    return read_candidates(teacher, corpus, K)[0]


def similarity_range(
    results: Mapping, sentences: Sequence[Candidates], K: int
) -> tuple[float, float]:
    """Returns where the mean similarity of ỹ among K of these sentences should lie.

    From Table 1's seeds, least to greatest, widened by two standard errors of the mean over these
    sentences.
    """
    seeds = [seed["interpolated"]["similarity"] for seed in results["distilled"].values()]
    chosen = [max(each.similarity[BLEU][:K]) for each in sentences]
    error = stdev(chosen) / math.sqrt(len(chosen))
    return max(0.0, min(seeds) - 2.0 * error), min(100.0, max(seeds) + 2.0 * error)


def shape_of_fall(log_probs: Sequence[float]) -> str:
    """Returns how the mean log p of ỹ changes as K grows: which of RISES, STAYS, EVENLY and SLOWING
    it is."""
    half = log_probs[len(log_probs) // 2]
    first, last = log_probs[0] - half, half - log_probs[-1]  # nats lost in each half of the way
    if abs(first + last) <= 0.05:
        return STAYS
    if first + last < 0.0:
        return RISES
    return SLOWING if first > 1.5 * last else EVENLY


def other_choice(sentences: Sequence[Candidates], K: int) -> dict[str, float]:
    """Returns for each other similarity the share of sentences in which it chooses another ỹ than
    sentence BLEU."""
    return {
        name: sum(each.chosen(K, name) != each.chosen(K, BLEU) for each in sentences)
        / len(sentences)
        for name in SIMILARITIES
        if name != BLEU
    }


def gaps(by_seed: Sequence[Rows], row: str) -> list[float]:
    """Returns what the beam adds to a row of Table 1, in BLEU, a value a seed."""
    return [rows[row]["beam"]["bleu"] - rows[row]["greedy"]["bleu"] for rows in by_seed]


def p_mode_range(by_seed: Sequence[Rows], row: str, error: float) -> tuple[float, float]:
    """Returns the seeds' least and greatest p(ŷ) of a row, widened by two standard errors of this
    run's value."""
    values = [rows[row]["p_mode"] for rows in by_seed]
    return max(0.0, min(values) - 2.0 * error), min(1.0, max(values) + 2.0 * error)


def way_to_gold(stages: Sequence[Stage]) -> str:
    """Returns what happens to the dependence and to p(ŷ) from the first stage to the last;
    CANNOT_TELL where p(ŷ) changes by less than two standard errors of the difference."""
    first, last = stages[0], stages[-1]
    change = last.score.p_mode - first.score.p_mode
    if not abs(change) > 2.0 * math.hypot(first.score.p_mode_error, last.score.p_mode_error):
        return CANNOT_TELL
    rises = last.dependence > first.dependence
    return (
        (BOTH_RISE if change > 0.0 else APART) if rises else (TURNED if change > 0.0 else BOTH_FALL)
    )
