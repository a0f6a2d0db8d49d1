"""What lesson 03 measures of these sentences, and how far other sentences of the same kind would
change it.

The interval of a measure is a bootstrap over sentences: the words of one sentence are not
independent of each other. N positions in S sentences, V words, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy.wordlist import kinds_of_words
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.next_word.sweep_measures import Positions, nearest, next_words
from seqkd_lab.models.seq2seq import Seq2Seq

N_RESAMPLES = 400
TEMPERATURES = tuple(0.4 * 2.0 ** (step / 16) for step in range(44))
"""From 0.4 to 2.6; between them the lowest part of a curve is taken for a parabola in 1/τ."""
CHUNK = 512  # positions at once: tensors that fit a cache, and little memory
TOO_CLOSE = "cannot be told from these sentences"
"""The option to choose, and the value to score, where the bootstrap interval of a difference
contains 0."""


@dataclass(frozen=True)
class Estimate:
    """A measure of these sentences, and its values (R,) on the resampled ones."""

    value: float
    resampled: Tensor

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval: between the 2.5th and the 97.5th percentile of the resampled values."""
        low, high = torch.quantile(
            self.resampled, torch.tensor([0.025, 0.975], dtype=self.resampled.dtype)
        ).tolist()
        return low, high


def resamples(n_sentences: int, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Tensor:
    """Draw `n_sentences` sentences with replacement, R times: how often each one was drawn, (1 + R,
    S) float64.

    The first row is the sentences as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(n_sentences, (n_resamples, n_sentences), generator=generator)
    counts = torch.zeros(n_resamples, n_sentences, dtype=torch.float64)
    counts.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=torch.float64))
    return torch.cat([torch.ones(1, n_sentences, dtype=torch.float64), counts])


def estimate(measure: Callable[[Tensor], Tensor], values: Tensor, sentence: Tensor) -> Estimate:
    """Estimate `measure` of the sums over positions of `values` (N, C): it maps sums (1 + R, C) to
    values (1 + R,)."""
    n_sentences = int(sentence.max()) + 1
    by_sentence = torch.zeros(n_sentences, values.shape[1], dtype=torch.float64).index_add_(
        0, sentence, values
    )
    measured = measure(resamples(n_sentences) @ by_sentence)
    return Estimate(float(measured[0]), measured[1:])


def mean(values: Tensor, sentence: Tensor) -> Estimate:
    """Estimate the mean over positions of `values` (N,)."""
    columns = torch.stack([values, torch.ones_like(values)], dim=1)
    return estimate(lambda sums: sums[:, 0] / sums[:, 1], columns, sentence)


def right_share(positions: Positions, name: str) -> Estimate:
    """Estimate the share of what the model does not give to gold that lies on other right words."""
    p = positions.softened(name)
    right = (p * positions.is_right).sum(dim=1)
    gold = p.gather(1, positions.gold[:, None]).squeeze(1)
    columns = torch.stack([right - gold, 1.0 - gold], dim=1)
    return estimate(lambda sums: sums[:, 0] / sums[:, 1], columns, positions.sentence)


def nearest_temperature(log_prob: Tensor, linear: Tensor, sentence: Tensor) -> Estimate:
    """Estimate the τ at which a softened model (N, V) gives the least cross-entropy.

    `linear` (N,) is Σ_k q_k ln p_k at τ = 1 for the words' distribution q: the truth (then this is
    the τ of the least KL from the truth), or all on gold (then it is the τ of the least loss). The
    cross-entropy at τ is ln Σ_k exp(ln p_k / τ) − linear / τ. A best τ beyond TEMPERATURES counts
    as their end.
    """
    columns = torch.empty(len(log_prob), len(TEMPERATURES), dtype=torch.float64)
    for rows in torch.arange(len(log_prob)).split(CHUNK):
        for column, tau in enumerate(TEMPERATURES):
            columns[rows, column] = (log_prob[rows] / tau).logsumexp(dim=1) - linear[rows] / tau
    exact, _ = nearest(lambda tau: float(((log_prob / tau).logsumexp(dim=1) - linear / tau).mean()))
    within = min(max(exact, TEMPERATURES[0]), TEMPERATURES[-1])
    return Estimate(within, estimate(valley, columns, sentence).resampled)


def valley(sums: Tensor) -> Tensor:
    """Return the τ of the lowest point of curves (R, C) over TEMPERATURES: of the parabola in 1/τ
    through the lowest three. The true curves are convex in 1/τ."""
    cold = 1.0 / torch.tensor(TEMPERATURES, dtype=torch.float64)
    lowest = sums.argmin(dim=1).clamp(1, len(TEMPERATURES) - 2)
    (y0, x0), (y1, x1), (y2, x2) = (
        (sums.gather(1, (lowest + step)[:, None]).squeeze(1), cold[lowest + step])
        for step in (-1, 0, 1)
    )
    over = (x1 - x0) ** 2 * (y1 - y2) - (x1 - x2) ** 2 * (y1 - y0)
    under = (x1 - x0) * (y1 - y2) - (x1 - x2) * (y1 - y0)
    return 1.0 / (x1 - 0.5 * over / under).clamp(cold[-1], cold[0])


def nearest_temperatures(positions: Positions) -> dict[str, Estimate]:
    """Estimate for each model the τ that brings it nearest to the truth (the least KL)."""
    return {
        name: nearest_temperature(
            log_prob, (positions.truth * log_prob).sum(dim=1), positions.sentence
        )
        for name, log_prob in positions.log_prob.items()
    }


def least_loss_temperature(model: Seq2Seq, corpus: ParallelCorpus) -> Estimate:
    """Estimate the τ at which the model's loss of the corpus's own words is least."""
    log_prob = next_words(model, corpus)
    gold = torch.tensor(
        [i for target in corpus.target for i in (*model.target_vocabulary.ids(target), EOS)]
    )
    lengths = torch.tensor([len(target) + 1 for target in corpus.target])
    sentence = torch.arange(len(corpus)).repeat_interleave(lengths)
    return nearest_temperature(log_prob, log_prob.gather(1, gold[:, None]).squeeze(1), sentence)


def calibration_error(p: Tensor, truth: Tensor, sentence: Tensor, n_bins: int = 10) -> Estimate:
    """Estimate the mean distance of confidence and truth over bins of equal width, weighted by
    their numbers (expected calibration error, with the exact truth): p and truth are (N, V)."""
    confidence, word = p.max(dim=1)
    apart = confidence - truth.gather(1, word[:, None]).squeeze(1)
    bins = torch.nn.functional.one_hot((confidence * n_bins).long().clamp(max=n_bins - 1), n_bins)
    columns = torch.cat([bins * apart[:, None], torch.ones_like(apart)[:, None]], dim=1)
    return estimate(lambda sums: sums[:, :-1].abs().sum(dim=1) / sums[:, -1], columns, sentence)


def decided_pairs(estimates: Mapping[str, Estimate]) -> list[tuple[str, str]]:
    """Return the pairs (larger, smaller) whose difference has a 95% interval above 0, on the same
    resamples."""

    def above(larger: Estimate, smaller: Estimate) -> bool:
        difference = Estimate(larger.value - smaller.value, larger.resampled - smaller.resampled)
        return difference.interval[0] > 0.0

    return [(a, b) for a, b in permutations(estimates, 2) if above(estimates[a], estimates[b])]


def largest(estimates: Mapping[str, Estimate]) -> str:
    """Return the name of the largest; TOO_CLOSE where these sentences do not tell it from every
    other."""
    name = max(estimates, key=lambda name: estimates[name].value)
    won = sum(larger == name for larger, _ in decided_pairs(estimates))
    return name if won == len(estimates) - 1 else TOO_CLOSE


def smallest(estimates: Mapping[str, Estimate]) -> str:
    """Return the name of the smallest; TOO_CLOSE where these sentences do not tell it from every
    other."""
    name = min(estimates, key=lambda name: estimates[name].value)
    won = sum(smaller == name for _, smaller in decided_pairs(estimates))
    return name if won == len(estimates) - 1 else TOO_CLOSE


def wrong_by_kind(positions: Positions, name: str) -> dict[str, float]:
    """Return the share of a model's probability on wrong words by the kind of word, the largest
    first.

    A word of several kinds counts for the first of them by the alphabet; the end of a sentence is
    "end".
    """
    kinds, on_word = kinds_of_words(), (positions.softened(name) * ~positions.is_right).sum(dim=0)
    shares: dict[str, float] = {}
    for word, mass in zip(positions.words, on_word.tolist(), strict=True):
        kind = min(kinds.get(word, {"end"}))
        shares[kind] = shares.get(kind, 0.0) + mass / float(on_word.sum())
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class Doubt:
    """Before one word: the entropy (nats) of a model's next-word distribution, and of the true
    one."""

    source: str
    before: str
    of_model: float
    of_truth: float

    @property
    def excess(self) -> float:
        """How much larger the model's entropy is."""
        return self.of_model - self.of_truth


def doubts(
    positions: Positions, of_model: Sequence[float], of_truth: Sequence[float]
) -> list[Doubt]:
    """Return the position at which the model's entropy exceeds the truth's most, and where it falls
    short most."""
    excess = torch.as_tensor(of_model) - torch.as_tensor(of_truth)
    return [
        Doubt(*positions.text(row)[:2], float(of_model[row]), float(of_truth[row]))
        for row in (int(excess.argmax()), int(excess.argmin()))
    ]
