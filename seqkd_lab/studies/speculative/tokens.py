"""What a draft is worth: acceptance, tokens per call of the target, and the formulas that tell both
beforehand.

Formulas of Leviathan et al. 2023 (arXiv 2211.17192, equations 1 and theorem 3.8), in the letters of
Chen et al.: α is the probability that a proposed word stands, taken as the same at each place; c
the cost of one of the draft's steps in steps of the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.store import Report, silent

Sources = Sequence[Sequence[str]]


def expected_tokens(alpha: float, draft_length: int) -> float:
    """Return tokens per call of the target, 1 + α + … + α^K = (1 − α^{K+1}) / (1 − α), where no
    sentence ends."""
    return sum(alpha**k for k in range(draft_length + 1))


def expected_speed_up(alpha: float, draft_length: int, cost: float) -> float:
    """Return how many times as fast as the target alone this is: those tokens by the time of a
    round, K·c + 1 steps of the target."""
    return expected_tokens(alpha, draft_length) / (draft_length * cost + 1.0)


def expected_calls(alpha: float, draft_length: int, n_tokens: int) -> float:
    """Return the calls of the target for a sentence of n_tokens, EOS included, whose last round may
    need fewer than it could give.

    Ours: with the chance α^k (1 − α) that k < K words stand, and α^K that all do, C(n) = 1 + Σ
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
    probability that a word that the draft proposes there stands. Their mean over targets that the
    target model drew is α."""
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
class DraftedTokens:
    """What a draft brought: proposals judged and accepted, calls of the target, the sentences'
    lengths (with EOS).

    overlap is α, the mean of 1 − TV over all places of the target's own translations, overlap_error
    its standard error (places taken as independent). n_expected is the sum of 1 − TV over just the
    places that were judged, and variance that of n_accepted, given those places. n_different counts
    sentences that the target alone writes otherwise, where its distribution is certain (temperature
    0; else None).
    """

    draft: str
    temperature: float
    draft_length: int
    overlap: float
    overlap_error: float
    n_judged: int
    n_accepted: int
    n_expected: float
    variance: float
    n_calls: int
    lengths: Sequence[int]
    n_different: int | None

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
        return sum(self.lengths) / self.n_calls


class Counter:
    """A counter of the rounds of one sentence at a time: calls of the target, proposals judged, and
    those that stood."""

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
        stands = shared.double().clamp(max=1.0)
        self.n_calls += 1
        self.n_judged += n_judged
        self.n_accepted += n_accepted
        self.n_expected += float(stands.sum())
        self.variance += float((stands * (1.0 - stands)).sum())


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
            shared = torch.tensor(overlaps(target, draft, pairs, distribution))
            alpha, error = float(shared.mean()), float(shared.std() / len(shared) ** 0.5)
            for draft_length in draft_lengths:
                count = Counter()
                drawn = speculative_sample(
                    target,
                    draft,
                    sources,
                    seed,
                    draft_length,
                    distribution,
                    batch_size=1,
                    observer=count,
                )
                counts.append(
                    DraftedTokens(
                        name,
                        temperature,
                        draft_length,
                        alpha,
                        error,
                        **vars(count),
                        lengths=lengths_of(drawn),
                        n_different=None if temperature else _n_different(drawn, pairs.target),
                    )
                )
                report(len(counts), total)
    return counts


def _n_different(drawn: Sequence[Hypothesis], own: Sequence[tuple[str, ...]]) -> int:
    """Count the sentences that the target alone writes otherwise."""
    return sum(hypothesis.tokens != tokens for hypothesis, tokens in zip(drawn, own, strict=True))
