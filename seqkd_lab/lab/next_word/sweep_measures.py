"""A model's next-word distributions against the true ones, at every position of many sentences:
exact, not sampled.

N positions: each word of every sentence and its end, after the gold words before it. V words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS, PAD, SPECIALS
from seqkd_lab.lab.shared.next_words import soften, true_next_words
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

LOWEST, HIGHEST = 0.1, 10.0
"""Between these temperatures the nearest one is looked for."""


@dataclass(frozen=True)
class Positions:
    """What models and truth say before each of N words: `log_prob` in nats and `truth`, all (N, V)
    float64.

    gold (N,) holds the ids of the words that came; place (N,) counts from 0 in each sentence, whose
    number `sentence` (N,) gives.
    """

    corpus: ParallelCorpus
    words: tuple[str, ...]
    log_prob: Mapping[str, Tensor]
    truth: Tensor
    gold: Tensor
    sentence: Tensor
    place: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.gold)

    @cached_property
    def is_right(self) -> Tensor:
        """(N, V): whether some translation goes on with this word."""
        return self.truth > 0.0

    def softened(self, name: str, temperature: float = 1.0) -> Tensor:
        """The model's distributions (N, V) at a temperature."""
        return soften(self.log_prob[name], temperature)

    def text(self, row: int) -> tuple[str, str, str]:
        """Source, the gold words before, and the gold word of one position."""
        pair, place = int(self.sentence[row]), int(self.place[row])
        source, target = self.corpus.source[pair], (*self.corpus.target[pair], SPECIALS[EOS])
        return " ".join(source), " ".join(target[:place]), target[place]


def read_positions(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> Positions:
    """Every model reads every sentence of `corpus`; the language says the truth beside.

    Raises ValueError for models of different target vocabularies, and for a pair that the language
    does not have.
    """
    vocabulary = next(iter(models.values())).target_vocabulary
    if any(model.target_vocabulary.tokens != vocabulary.tokens for model in models.values()):
        raise ValueError(
            "the models have different target vocabularies: their words cannot be compared"
        )
    truth = [
        true_next_words(language, source, target[:place], vocabulary)
        for source, target in zip(corpus.source, corpus.target, strict=True)
        for place in range(len(target) + 1)
    ]
    lengths = torch.tensor([len(target) + 1 for target in corpus.target])
    return Positions(
        corpus,
        vocabulary.tokens,
        {name: next_words(model, corpus) for name, model in models.items()},
        torch.stack(truth),
        torch.tensor([i for target in corpus.target for i in (*vocabulary.ids(target), EOS)]),
        torch.arange(len(corpus)).repeat_interleave(lengths),
        torch.cat([torch.arange(int(length)) for length in lengths]),
    )


def next_words(model: Seq2Seq, corpus: ParallelCorpus, batch_size: int = 64) -> Tensor:
    """log p(k | source, gold words before) in nats at every position, in the order of the corpus:
    (N, V) float64."""
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    found = torch.empty(
        int(encoded.target_lengths.sum()), len(model.target_vocabulary), dtype=torch.float64
    )
    with evaluating(model):
        for batch in batches(encoded, batch_size, shuffle_seed=None):
            real = batch.target_out != PAD
            log_prob = model(batch)[real].double().log_softmax(dim=1)
            found[encoded.target_places(batch)[real]] = log_prob
    return found


def entropies(p: Tensor) -> Tensor:
    """H in nats (N,) of each of N distributions (N, V)."""
    return -torch.xlogy(p, p).sum(dim=1) + 0.0  # no −0.0 where one word is certain


def divergences(truth: Tensor, log_prob: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(truth ‖ model) in nats (N,), the model softened: from its log-probabilities (N, V), so
    never cut off."""
    z = log_prob / temperature  # log p_τ is z − ln Σ exp z
    return z.logsumexp(dim=1) - (truth * z).sum(dim=1) - entropies(truth)


@dataclass(frozen=True)
class Sweep:
    """KL(truth ‖ model) over the temperature, the mean over positions (nats a word), and the
    nearest temperature.

    kl[name] has one value for each of `temperatures`; nearest[name] is (τ, KL there).
    """

    temperatures: tuple[float, ...]
    kl: Mapping[str, tuple[float, ...]]
    nearest: Mapping[str, tuple[float, float]]


def sweep(found: Positions, temperatures: Sequence[float]) -> Sweep:
    """Every model at every temperature, and where each comes nearest to the truth."""
    kl, closest = {}, {}
    for name, log_prob in found.log_prob.items():
        mean_kl = mean_divergence(found.truth, log_prob)
        kl[name], closest[name] = tuple(map(mean_kl, temperatures)), nearest(mean_kl)
    return Sweep(tuple(temperatures), kl, closest)


def mean_divergence(truth: Tensor, log_prob: Tensor) -> Callable[[float], float]:
    """KL(truth ‖ model), the mean over positions in nats, as a function of the temperature: (N, V)
    each.

    KL = ln Σ_k exp(ln p_k / τ) − Σ_k q_k ln p_k / τ − H(q). Only the first term needs all words
    again for each τ.
    """
    linear, constant = float((truth * log_prob).sum(dim=1).mean()), float(entropies(truth).mean())
    return lambda tau: float((log_prob / tau).logsumexp(dim=1).mean()) - linear / tau - constant


def nearest(mean_kl: Callable[[float], float]) -> tuple[float, float]:
    """The temperature between LOWEST and HIGHEST at which the mean KL from the truth is least, and
    that KL.

    There is one valley only: KL is convex in 1/τ (a log-sum-exp minus a line), and in 1/τ it is
    searched.
    """
    least = minimize_scalar(
        lambda cold: mean_kl(1.0 / cold),
        bounds=(1.0 / HIGHEST, 1.0 / LOWEST),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return 1.0 / float(least.x), float(least.fun)


@dataclass(frozen=True)
class Mass:
    """Where a model's probability lies, means over positions that add up to 1: on the gold word, on
    the other words that are right there, on words that are wrong."""

    gold: float
    other_right: float
    wrong: float

    @property
    def right_share(self) -> float:
        """The share of what is not on gold that lies on right words: 1 for the truth. NaN with
        nothing beside gold."""
        beside = self.other_right + self.wrong
        return self.other_right / beside if beside > 0.0 else math.nan


def mass(p: Tensor, truth: Tensor, gold: Tensor) -> Mass:
    """The Mass of distributions p (N, V), given the truth (N, V) and the gold ids (N,)."""
    on_gold = p.gather(1, gold[:, None]).squeeze(1)
    on_right = (p * (truth > 0.0)).sum(dim=1)
    parts = on_gold, on_right - on_gold, p.sum(dim=1) - on_right
    return Mass(*(max(0.0, float(part.mean())) for part in parts))


@dataclass(frozen=True)
class Reliability:
    """The likeliest words of N positions, sorted into bins by the probability that a model gives
    them.

    Of each bin that is not empty: mean confidence (the model's p of its word), mean truth (the true
    p of that word), share of gold (how often gold was that word), and number. error is the mean
    distance of confidence and truth over bins, weighted by their numbers (expected calibration
    error, with the truth where others have a sample).
    """

    confidence: tuple[float, ...]
    truth: tuple[float, ...]
    gold: tuple[float, ...]
    number: tuple[int, ...]
    error: float


def reliability(p: Tensor, truth: Tensor, gold: Tensor, n_bins: int = 10) -> Reliability:
    """Reliability of distributions p (N, V) against the truth (N, V) and against gold (N,), in bins
    of equal width."""
    confidence, word = p.max(dim=1)
    true_p = truth.gather(1, word[:, None]).squeeze(1)
    is_gold = (word == gold).double()
    bins = (confidence * n_bins).long().clamp(max=n_bins - 1)
    rows = [bins == b for b in range(n_bins) if bool((bins == b).any())]
    columns = [
        tuple(float(values[row].mean()) for row in rows) for values in (confidence, true_p, is_gold)
    ]
    number = tuple(int(row.sum()) for row in rows)
    apart = sum(n * abs(c - t) for n, c, t in zip(number, columns[0], columns[1], strict=True))
    return Reliability(*columns, number, apart / len(p))


@dataclass(frozen=True)
class WrongWord:
    """A word that a model gives probability `p` although no translation goes on with it; the right
    words, and the rule that it breaks."""

    source: str
    before: str
    word: str
    p: float
    expected: tuple[str, ...]
    rule: str

    def __str__(self) -> str:
        before = self.before or "(the beginning)"
        right = ", ".join(self.expected)
        return (
            f"{self.source}\n  {before} → {self.word}, p = {self.p:.2f}; right: {right}\n  "
            f"{self.rule}"
        )


def wrong_words(found: Positions, name: str, language: ToyLanguage, n: int = 5) -> list[WrongWord]:
    """The `n` wrong words on which a model puts most, one of each sentence at most."""
    wrong = found.log_prob[name].exp().masked_fill(found.is_right, 0.0)
    highest, word = wrong.max(dim=1)
    made: dict[int, WrongWord] = {}
    for row in highest.argsort(descending=True).tolist():
        pair = int(found.sentence[row])
        if pair in made or len(made) == n:
            continue
        source, before, _ = found.text(row)
        token = found.words[int(word[row])]
        prefix = found.corpus.target[pair][: int(found.place[row])]
        added = () if token == SPECIALS[EOS] else (token,)
        violation = language.explain(found.corpus.source[pair], (*prefix, *added))
        made[pair] = WrongWord(
            source, before, token, float(highest[row]), violation.expected, violation.rule
        )
    return list(made.values())


def standard_error(values: Tensor, groups: Tensor) -> float:
    """Of the mean of `values` (N,): words of one sentence are not independent, so each of `groups`
    (N,) counts as one.

    The linearised standard error of a ratio: sentences differ in length. NaN for a single group.
    """
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        return math.nan
    sums = torch.zeros(n_groups, dtype=torch.float64).index_add_(0, groups, values - values.mean())
    return float((sums.square().sum() * n_groups / (n_groups - 1)).sqrt() / len(values))
