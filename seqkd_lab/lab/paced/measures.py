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
from seqkd_lab.studies.paced.measures import N_BINS, counts, one_by_one
from seqkd_lab.studies.paced.recipes import TEMPERATURE, label
from seqkd_lab.studies.paced.study import percent, ratios

END_0, MIDDLE, END_1 = "at p = 0", "in the middle", "at p = 1"
PLACES = (END_0, MIDDLE, END_1)


@dataclass(frozen=True)
class Drawn:
    """A source, what a student drew for it, and which of the draws are valid."""

    source: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]

    @property
    def rate(self) -> float:
        """p̂."""
        return fmean(self.right)


def drawn(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    language: ToyLanguage,
    n_samples: int = N_SAMPLES,
    seed: int = 1,
) -> list[Drawn]:
    """`n_samples` draws of each source at the experiment's TEMPERATURE, judged."""
    judged = []
    for source, targets in zip(
        sources, draws(model, sources, n_samples, seed, TEMPERATURE), strict=True
    ):
        valid = {target: language.is_valid(source, target) for target in set(targets)}
        judged.append(Drawn(tuple(source), targets, tuple(valid[target] for target in targets)))
    return judged


def in_words(one: Drawn, language: ToyLanguage) -> str:
    """The source with its pass rate, and each different draw: how often it came, and which rule it
    breaks."""
    lines = [f"p̂ = {one.rate:.3f}  {' '.join(one.source)}"]
    for target in dict.fromkeys(one.targets):
        fault = language.explain(one.source, target)
        said = "✓" if fault is None else f"✗ {fault}"
        lines.append(f"   {one.targets.count(target)} × {' '.join(target)}  {said}")
    return "\n".join(lines)


def nearest(found: Sequence[Drawn], rates: Sequence[float]) -> list[Drawn]:
    """For each of `rates` the shortest of the sources whose pass rate is nearest to it."""
    return [min(found, key=lambda one: (abs(one.rate - rate), len(one.source))) for rate in rates]


def histogram(found: Sequence[Drawn]) -> list[int]:
    """How many sources have each pass rate of N_SAMPLES draws."""
    return counts([one.rate for one in found])


def few_draws(found: Sequence[Drawn], n_few: int = N_SAMPLES) -> tuple[float, float, float]:
    """(the mean of p̂(1 − p̂) over the first `n_few` draws of each source, what it should be by the
    others, and how far chance may take the two apart, four standard errors).

    It should be (1 − 1/K) p (1 − p); of the n other draws q(1 − q) n / (n − 1) estimates p (1 − p)
    without bias.
    """
    few, expected = [], []
    for one in found:
        first, others = one.right[:n_few], one.right[n_few:]
        p, q, n = fmean(first), fmean(others), len(others)
        few.append(p * (1.0 - p))
        expected.append((1.0 - 1.0 / n_few) * q * (1.0 - q) * n / (n - 1))
    differences = [x - y for x, y in zip(few, expected, strict=True)]
    return fmean(few), fmean(expected), 4.0 * stdev(differences) / math.sqrt(len(differences))


def own_gradients(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, seed: int = 1
) -> Tensor:
    """(n, P): the gradient of the reverse KL along one draw of the student, for each source."""
    encoded = encode(pairs, student.source_vocabulary, student.target_vocabulary)
    batch = OnPolicy(1.0, TEMPERATURE)(student, make_batch(encoded, range(len(pairs))), seed)
    return sentence_gradients(student, Divergence(1.0), one_by_one(batch), teacher)


def by_number(
    gradients: Tensor, numbers: Sequence[int], repetitions: int = 40
) -> dict[int, tuple[float, float]]:
    """By n, how many of the gradients are looked at: the ratio ‖ḡ‖² / trΣ as it is, and with its
    bias taken off; means over random choices of the n."""
    generator, found = torch.Generator().manual_seed(1), {}
    for n in numbers:
        chosen = [
            torch.randperm(len(gradients), generator=generator)[:n] for _ in range(repetitions)
        ]
        signals, noises = zip(*(signal_and_noise(gradients[rows]) for rows in chosen), strict=True)
        signal, noise = fmean(signals), fmean(noises)
        found[n] = (signal + noise / n) / noise, signal / noise
    return found


def where_largest(by_seed: Sequence[Rows], loss: str) -> str:
    """Where the signal-to-noise ratio (mean of the seeds) is largest, one of PLACES: among the
    rates below 3/8, among 3/8 to 5/8, or above."""
    means = mean_ratios(by_seed, loss)
    best = means.index(max(means))
    return END_0 if best < N_BINS // 2 - 1 else MIDDLE if best <= N_BINS // 2 + 1 else END_1


def mean_ratios(by_seed: Sequence[Rows], loss: str) -> list[float]:
    """The ratio of each pass rate, mean of the seeds."""
    return [fmean(values) for values in zip(*(ratios(rows, loss) for rows in by_seed), strict=True)]


def most_valid(by_seed: Sequence[Rows], loss: str, kinds: Sequence[str]) -> str:
    """Of these kinds of weights the one whose student has most valid draws on what is distilled,
    mean of the seeds."""
    return max(
        kinds, key=lambda kind: fmean(percent(rows, label((loss, kind))) for rows in by_seed)
    )


def moments(rows: Rows) -> dict[str, list[int]]:
    """The watched histograms of one seed in their order, by name: epochs on gold, then epochs of
    PACED."""
    watched: Mapping[str, Mapping[str, list[int]]] = rows["watched"]
    named = {f"gold, epoch {epoch}": found for epoch, found in watched["gold"].items()}
    return named | {f"PACED, epoch {epoch}": found for epoch, found in watched["paced"].items()}
