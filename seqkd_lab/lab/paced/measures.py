"""What lesson 12 measures on the spot: pass rates with their draws, what few draws do, and the bias
of a gradient's length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.distillation.paced import (
    N_SAMPLES,
    Verifier,
    draws,
    sentence_gradients,
    signal_and_noise,
)
from seqkd_lab.lab.shared.paired import by_side
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, largest
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.verdicts import HELD, Rows, judge_claim
from seqkd_lab.studies.paced.claims import POOL, arm_lead, gains, middle, ratios
from seqkd_lab.studies.paced.design import IDLE_SHARES, OWN_WORDS, PACED, TEMPERATURE, arm_name
from seqkd_lab.studies.paced.measures import counts, one_by_one

END_0 = "at p̂ = 0"
MIDDLE = "in the middle (3/8 to 5/8)"
END_1 = "at p̂ = 1"
REGIONS = (END_0, MIDDLE, END_1, CANNOT_TELL)
MORE, FEWER = "more", "fewer"
SIDES = (MORE, FEWER, CANNOT_TELL)


@dataclass(frozen=True)
class JudgedDraws:
    """A source, what a student drew for it, and which of the draws are valid."""

    source: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]
    valid: tuple[bool, ...]

    @property
    def rate(self) -> float:
        """The pass rate p̂."""
        return fmean(self.valid)


def judge_draws(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    is_valid: Verifier,
    n_samples: int = N_SAMPLES,
    seed: int = 1,
) -> list[JudgedDraws]:
    """Judge `n_samples` draws of each source at the study's TEMPERATURE by `is_valid(source,
    target)`."""
    judged = []
    drawn = draws(model, sources, n_samples, seed, TEMPERATURE)
    for source, targets in zip(sources, drawn, strict=True):
        right = {target for target in set(targets) if is_valid(source, target)}
        valid = tuple(target in right for target in targets)
        judged.append(JudgedDraws(tuple(source), tuple(map(tuple, targets)), valid))
    return judged


def draws_in_words(judged: JudgedDraws, language: ToyLanguage) -> str:
    """Return the source with its pass rate, and each different draw: how often it came, and which
    rule it breaks."""
    lines = [f"p̂ = {judged.rate:.3f}  {' '.join(judged.source)}"]
    for target in dict.fromkeys(judged.targets):
        fault = language.explain(judged.source, target)
        verdict = "✓" if fault is None else f"✗ {fault}"
        lines.append(f"   {judged.targets.count(target)} × {' '.join(target)}  {verdict}")
    return "\n".join(lines)


def nearest(judged: Sequence[JudgedDraws], rates: Sequence[float]) -> list[JudgedDraws]:
    """Return for each of `rates` the shortest of the sources whose pass rate is nearest to it."""
    return [
        min(judged, key=lambda source: (abs(source.rate - rate), len(source.source)))
        for rate in rates
    ]


def histogram(judged: Sequence[JudgedDraws]) -> list[int]:
    """Return how many sources have each pass rate of N_SAMPLES draws."""
    return counts([source.rate for source in judged])


def few_draws(judged: Sequence[JudgedDraws], n_few: int = N_SAMPLES) -> tuple[float, float, float]:
    """Return the mean of p̂(1 − p̂) over the first `n_few` draws of each source, what it should be by
    the others, and four standard errors of the difference.

    It should be (1 − 1/K) p (1 − p); of the n other draws q(1 − q) n / (n − 1) estimates p (1 − p)
    without bias.
    """
    few, expected = [], []
    for source in judged:
        first, others = source.valid[:n_few], source.valid[n_few:]
        p, q, n = fmean(first), fmean(others), len(others)
        few.append(p * (1.0 - p))
        expected.append((1.0 - 1.0 / n_few) * q * (1.0 - q) * n / (n - 1))
    differences = [x - y for x, y in zip(few, expected, strict=True)]
    return fmean(few), fmean(expected), 4.0 * stdev(differences) / math.sqrt(len(differences))


def own_gradients(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, seed: int = 1
) -> Tensor:
    """Return the gradient of the reverse KL along one draw of the student for each of n sources:
    (n, P)."""
    encoded = encode(pairs, student.source_vocabulary, student.target_vocabulary)
    batch = OWN_WORDS(student, make_batch(encoded, range(len(pairs))), seed)
    return sentence_gradients(student, Divergence(1.0), one_by_one(batch), teacher)


def ratios_by_number(
    gradients: Tensor, numbers: Sequence[int], repetitions: int = 40
) -> dict[int, tuple[float, float]]:
    """Return by n, the number of gradients (of (N, P)) that are used, the ratio ‖ḡ‖² / trΣ as it is
    and with its bias taken off; means over random choices of the n."""
    generator, by_number = torch.Generator().manual_seed(1), {}
    for n in numbers:
        orders = [torch.randperm(len(gradients), generator=generator) for _ in range(repetitions)]
        parts = [signal_and_noise(gradients[order[:n]]) for order in orders]
        signal, noise = map(fmean, zip(*parts, strict=True))
        by_number[n] = (signal + noise / n) / noise, signal / noise
    return by_number


def where_largest(by_seed: Sequence[Rows]) -> str:
    """Return which of 0/8, the middle (mean of 3/8, 4/8 and 5/8) and 8/8 has the largest
    signal-to-noise ratio: one of REGIONS, CANNOT_TELL where its paired differences to the two
    others do not both have intervals above 0."""
    values = {
        END_0: [ratios(rows)[0] for rows in by_seed],
        MIDDLE: [middle(rows) for rows in by_seed],
        END_1: [ratios(rows)[-1] for rows in by_seed],
    }
    return largest(values)


def side(by_seed: Sequence[Rows], idle_share: float, kind: str, other: str) -> str:
    """Return whether one kind of weights has MORE or FEWER valid draws than another by the 95%
    interval of the paired difference; CANNOT_TELL where that contains 0, or where uniform weights
    show no gain."""
    if judge_claim(gains(idle_share), by_seed).outcome != HELD:
        return CANNOT_TELL
    difference = arm_lead(idle_share, kind, other)
    return by_side([difference(rows) for rows in by_seed], MORE, FEWER, CANNOT_TELL)


def moments(rows: Rows) -> dict[str, list[int]]:
    """Return the histograms of pass rates of one seed by name: the pool, then the sources of each
    share of idle ones before and after PACED's training."""
    named = {"the pool": rows[POOL]["histogram"]}
    for idle_share in IDLE_SHARES:
        arm = rows[arm_name(idle_share, PACED)]
        named[f"{idle_share:.0%} idle"] = arm["before"]
        named[f"{idle_share:.0%} idle, after PACED"] = arm["after"]
    return named
