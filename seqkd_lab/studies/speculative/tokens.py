"""What a draft is worth: acceptance, tokens per call of the target, and the formulas that tell both
beforehand.

Formulas of Leviathan et al. 2023 (arXiv 2211.17192, equations 1 and theorem 3.8), in the letters of
Chen et al.: α is the probability that a proposed word is accepted, taken as the same at each place;
c the cost of one of the draft's steps in steps of the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.measured import Amount, Count, Name, Positive, Share, Size
from seqkd_lab.runs.store import Report, silent

Sources = Sequence[Sequence[str]]


def expected_tokens(alpha: float, draft_length: int) -> float:
    """Return tokens per call of the target, 1 + α + … + α^K = (1 − α^{K+1}) / (1 − α), where no
    sentence ends: the k-th proposal is accepted with α^k, and one word comes from the target."""
    return sum(alpha**k for k in range(draft_length + 1))


def expected_speed_up(alpha: float, draft_length: int, cost: float) -> float:
    """Return how many times as fast as the target alone this is: those tokens by the time of a
    round, K·c + 1 steps of the target."""
    return expected_tokens(alpha, draft_length) / (draft_length * cost + 1.0)


def expected_calls(alpha: float, draft_length: int, n_tokens: int) -> float:
    """Return the calls of the target for a sentence of n_tokens, EOS included, whose last round may
    need fewer than it could give.

    Ours: k < K words are accepted with the chance α^k (1 − α), and all K with α^K, so C(n) = 1 + Σ
    chance · C(n − k − 1).
    """
    chances = [alpha**k * (1.0 - alpha) for k in range(draft_length)] + [alpha**draft_length]
    calls = [0.0] * (n_tokens + 1)
    for n in range(1, n_tokens + 1):
        calls[n] = 1.0 + sum(chance * calls[max(0, n - k - 1)] for k, chance in enumerate(chances))
    return calls[n_tokens]


def with_ends(alpha: float, draft_length: int, lengths: Sequence[int]) -> float:
    """Return tokens per call for sentences of these lengths (tokens, EOS included): below
    `expected_tokens`."""
    return sum(lengths) / sum(expected_calls(alpha, draft_length, length) for length in lengths)


@torch.inference_mode()
def overlaps(
    target: Seq2Seq, draft: Seq2Seq, pairs: ParallelCorpus, distribution: SamplingDistribution
) -> list[float]:
    """Return Σ min(p, q) = 1 − TV(p, q) at each place of the pairs' targets, EOS among them: the
    probability that a word that the draft proposes there is accepted. Their mean over targets that
    the target model drew is α."""
    encoded = encode(pairs, target.source_vocabulary, target.target_vocabulary)
    by_place: list[float] = []
    for batch in batches(encoded, 64, shuffle_seed=None):
        p, q = (distribution(model(batch)) for model in (draft, target))  # (B, T, V)
        shared = torch.minimum(q, p).sum(dim=2)  # (B, T)
        by_place += shared[batch.target_out != PAD].tolist()
    return by_place


def drawn_pairs(
    target: Seq2Seq, sources: Sources, distribution: SamplingDistribution, seed: int
) -> ParallelCorpus:
    """Return `sources` with a translation each that the target drew."""
    drawn = tuple(hypothesis.tokens for hypothesis in sample(target, sources, seed, distribution))
    return ParallelCorpus("drawn", "test", "", tuple(map(tuple, sources)), drawn)


@dataclass(frozen=True)
class Acceptance:
    """α of a draft at a temperature, over n_places of the target's own translations."""

    draft: Name
    temperature: Amount
    alpha: Share
    n_places: Size


def measure_acceptance(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    seed: int = 1,
) -> list[Acceptance]:
    """Measure α of every draft at every temperature, all along the same translations of
    `sources`."""
    found = []
    for temperature in temperatures:
        distribution = SamplingDistribution(temperature)
        pairs = drawn_pairs(target, sources, distribution, seed)
        for name, draft in drafts.items():
            by_place = overlaps(target, draft, pairs, distribution)
            found.append(Acceptance(name, temperature, fmean(by_place), len(by_place)))
    return found


@dataclass(frozen=True)
class DraftedTokens:
    """What a draft brought: proposals judged and accepted, calls of the target, and tokens (EOS
    included).

    alpha is α, the mean of 1 − TV over all places of the target's own translations. n_expected is
    the sum of 1 − TV over just the places that were judged, and variance that of n_accepted, given
    those places. with_ends is what the formula says of tokens per call for sentences of these
    lengths. n_different counts sentences that the target alone writes otherwise, where its
    distribution is certain (temperature 0; else None).
    """

    draft: Name
    temperature: Amount
    draft_length: Size
    alpha: Share
    n_judged: Count
    n_accepted: Count
    n_expected: Amount
    variance: Amount
    n_calls: Size
    n_tokens: Size
    with_ends: Positive
    n_different: Count | None

    @property
    def z(self) -> float:
        """How far n_accepted lies from n_expected, in standard deviations; 0 where nothing is left
        to chance."""
        if self.variance <= 1e-9:
            return 0.0
        return (self.n_accepted - self.n_expected) / self.variance**0.5

    @property
    def tokens_per_call(self) -> float:
        """Tokens that a call of the target brought, EOS included."""
        return self.n_tokens / self.n_calls


class Counter:
    """A counter of the rounds of one sentence at a time: calls of the target, proposals judged, and
    those accepted."""

    def __init__(self) -> None:
        self.n_calls = 0
        self.n_judged = 0
        self.n_accepted = 0
        self.n_expected = 0.0
        self.variance = 0.0

    def __call__(self, call: Round) -> None:
        n_accepted = int(call.n_accepted)
        n_judged = min(n_accepted + 1, call.drafted.shape[1])
        shared = torch.minimum(call.p[0, :n_judged], call.q[0, :n_judged]).sum(dim=1)
        chances = shared.double().clamp(max=1.0)
        self.n_calls += 1
        self.n_judged += n_judged
        self.n_accepted += n_accepted
        self.n_expected += float(chances.sum())
        self.variance += float((chances * (1.0 - chances)).sum())


def lengths_of(hypotheses: Sequence[Hypothesis]) -> list[int]:
    """Return the tokens of each, EOS included."""
    return [len(hypothesis.tokens) + 1 for hypothesis in hypotheses]


def measure_tokens(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    draft_lengths: Sequence[int],
    seed: int = 1,
    report: Report = silent,
) -> list[DraftedTokens]:
    """Count for every draft at every temperature and K, one sentence at a time. `report` is called
    with (done, total)."""
    counts: list[DraftedTokens] = []
    total = len(temperatures) * len(drafts) * len(draft_lengths)
    for temperature in temperatures:
        distribution = SamplingDistribution(temperature)
        pairs = drawn_pairs(target, sources, distribution, seed)
        for name, draft in drafts.items():
            alpha = fmean(overlaps(target, draft, pairs, distribution))
            for K in draft_lengths:
                counts.append(
                    _counted(target, draft, pairs, K, distribution, seed, name=name, alpha=alpha)
                )
                report(len(counts), total)
    return counts


def _counted(
    target: Seq2Seq,
    draft: Seq2Seq,
    pairs: ParallelCorpus,
    draft_length: int,
    distribution: SamplingDistribution,
    seed: int,
    name: str,
    alpha: float,
) -> DraftedTokens:
    """Return the counts of one way to draft; `pairs` have the target's own translations."""
    count = Counter()
    drawn = speculative_sample(
        target, draft, pairs.source, seed, draft_length, distribution, batch_size=1, observer=count
    )
    lengths, temperature = lengths_of(drawn), distribution.temperature
    return DraftedTokens(
        name,
        temperature,
        draft_length,
        alpha,
        **vars(count),
        n_tokens=sum(lengths),
        with_ends=with_ends(alpha, draft_length, lengths),
        n_different=None if temperature else _n_different(drawn, pairs.target),
    )


def _n_different(drawn: Sequence[Hypothesis], own: Sequence[tuple[str, ...]]) -> int:
    """Count the sentences that the target alone writes otherwise."""
    return sum(hypothesis.tokens != tokens for hypothesis, tokens in zip(drawn, own, strict=True))
