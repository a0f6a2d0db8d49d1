"""What the on-policy study measures of a student: its translations, its exposure, its gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.distillation.exposure import GOLD, STUDENT, PlaceSums, exposure, student_entropy
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.distillation.policy_gradient import SampledToken
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.studies.on_policy.gradients import gradients
from seqkd_lab.studies.on_policy.recipes import FORWARD, REVERSE

Value = Callable[[Mapping], float]
"""Maps an arm's record (one of `measure_arm`) to one of its measures."""
ENTROPY = "entropy"
MEASURES = {
    FORWARD: Divergence(0.0).per_token,
    REVERSE: Divergence(1.0).per_token,
    ENTROPY: student_entropy,
}
FULL = "full vocabulary"
DISCOUNT_0 = "sampled token"
DISCOUNT_1 = "sampled token, discount 1"
ESTIMATORS: dict[str, Objective] = {
    FULL: Divergence(1.0),
    DISCOUNT_0: SampledToken(0.0),
    DISCOUNT_1: SampledToken(1.0),
}


def evaluation_record(evaluation: dict) -> dict:
    """Return what the study keeps of an evaluation, rounded."""
    metrics = ("bleu", "validity", "length_ratio")
    searches = {
        search: {metric: round(evaluation[search][metric], 4) for metric in metrics}
        for search in ("greedy", "beam")
    }
    others = ("perplexity", "p_mode", "kl_to_truth")
    return searches | {metric: round(evaluation[metric], 5) for metric in others}


def drawn_validity(
    student: Seq2Seq, pairs: ParallelCorpus, language: ToyLanguage, seed: int
) -> float:
    """Return the share of the student's samples, one for each source, that are translations."""
    hypotheses = sample(student, pairs.source, seed)
    valid = [
        language.is_valid(source, hypothesis.tokens)
        for source, hypothesis in zip(pairs.source, hypotheses, strict=True)
    ]
    return sum(valid) / len(pairs)


def exposure_record(student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, seed: int) -> dict:
    """Return MEASURES along the prefixes of gold, of the teacher and of the student as plain JSON.

    per_token: each measure's mean over all tokens. by_place: the reverse KL at each position. n:
    the number of translations that have that position.
    """
    by_writer = exposure(student, teacher, pairs, MEASURES, seed)
    return {writer: positions_record(sums) for writer, sums in by_writer.items()}


def positions_record(sums: Mapping[str, PlaceSums]) -> dict:
    """Return one writer's part of `exposure_record`."""
    return {
        "per_token": {name: round(total.per_token, 5) for name, total in sums.items()},
        "by_place": [round(value, 4) for value in sums[REVERSE].by_place],
        "n": [int(n) for n in sums[REVERSE].count if n > 0],
    }


def gradient_record(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, n_draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return the cosines between the expected gradients of each pair of ESTIMATORS, each one's
    variance in multiples of FULL's, and its norm."""
    by_name = gradients(student, teacher, pairs, n_draws, seed, ESTIMATORS)
    cosines = {
        f"{first} / {second}": by_name[first].cosine(by_name[second])
        for first, second in combinations(ESTIMATORS, 2)
    }
    full = by_name[FULL].variance
    return {
        "cosine": {names: round(value, 5) for names, value in cosines.items()},
        "variance": {name: round(row.variance / full, 5) for name, row in by_name.items()},
        "norm": {name: round(max(row.dot(row), 0.0) ** 0.5, 6) for name, row in by_name.items()},
    }


def greedy_bleu(measured: Mapping) -> float:
    """Return BLEU of an arm's greedy translations, 0–100."""
    return measured["greedy"]["bleu"]


def percent_drawn(measured: Mapping) -> float:
    """Return the valid samples of an arm in percent."""
    return 100.0 * measured["drawn_validity"]


def along(measured: Mapping, measure: str, writer: str = STUDENT) -> float:
    """Return a measure (a key of MEASURES) along a writer's prefixes, mean over tokens in nats."""
    return measured["exposure"][writer]["per_token"][measure]


def own_reverse(measured: Mapping) -> float:
    """Return the reverse KL along the student's own prefixes, in nats a token."""
    return along(measured, REVERSE)


def mismatch(measured: Mapping) -> float:
    """Return the reverse KL along the student's own prefixes in multiples of that along gold."""
    return own_reverse(measured) / along(measured, REVERSE, GOLD)


def own_entropy(measured: Mapping) -> float:
    """Return the entropy along the student's own prefixes, in nats a token."""
    return along(measured, ENTROPY)
