"""What lesson 12 measures on the spot: pass rates with their draws, what few draws do, and the bias
of a gradient's length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.paced import N_SAMPLES, draws, sentence_gradients, signal_and_noise
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.paced.measures import N_BINS, counts, one_by_one, percent_valid, ratios
from seqkd_lab.studies.paced.recipes import TEMPERATURE, label

END_0 = "at p = 0"
MIDDLE = "in the middle"
END_1 = "at p = 1"
REGIONS = (END_0, MIDDLE, END_1)


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
    language: ToyLanguage,
    n_samples: int = N_SAMPLES,
    seed: int = 1,
) -> list[JudgedDraws]:
    """Judge `n_samples` draws of each source at the study's TEMPERATURE."""
    judged = []
    drawn = draws(model, sources, n_samples, seed, TEMPERATURE)
    for source, targets in zip(sources, drawn, strict=True):
        is_valid = {target: language.is_valid(source, target) for target in set(targets)}
        valid = tuple(is_valid[target] for target in targets)
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
    batch = OnPolicy(1.0, TEMPERATURE)(student, make_batch(encoded, range(len(pairs))), seed)
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


def where_largest(by_seed: Sequence[Rows], loss: str) -> str:
    """Return where the signal-to-noise ratio (mean of the seeds) is largest, one of REGIONS: the
    rates below 3/8, 3/8 to 5/8, or above."""
    means = mean_ratios(by_seed, loss)
    best = means.index(max(means))
    return END_0 if best < N_BINS // 2 - 1 else MIDDLE if best <= N_BINS // 2 + 1 else END_1


def mean_ratios(by_seed: Sequence[Rows], loss: str) -> list[float]:
    """Return the signal-to-noise ratio of each pass rate, mean of the seeds."""
    return [fmean(values) for values in zip(*(ratios(rows, loss) for rows in by_seed), strict=True)]


def most_valid(by_seed: Sequence[Rows], loss: str, kinds: Sequence[str]) -> str:
    """Return the kind of weights whose student has most valid draws on what is distilled, mean of
    the seeds."""

    def valid(kind: str) -> float:
        return fmean(percent_valid(rows, label(loss, kind)) for rows in by_seed)

    return max(kinds, key=valid)


def moments(rows: Rows) -> dict[str, list[int]]:
    """Return the watched histograms of one seed in their order, by name: epochs on gold, then
    epochs of PACED."""
    watched: Mapping[str, Mapping[str, list[int]]] = rows["watched"]
    return {
        f"{name}, epoch {epoch}": counted
        for name, part in (("gold", "gold"), ("PACED", "paced"))
        for epoch, counted in watched[part].items()
    }
