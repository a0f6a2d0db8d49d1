"""Speculative sampling follows the target's law: χ² against an enumeration of its own, over many
seeds and settings."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
import torch
from scipy.stats import chisquare
from small_models import LSTM, SOURCE, TRANSFORMER, model

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import ACCEPTED, REJECTED, trace_speculative
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.speculative import (
    EXACT,
    Round,
    Rule,
    accepted,
    residual,
    speculative_batch,
    speculative_sample,
)

OTHER, N, MAX_LENGTH = ("fox",) * 6, 20_000, 4
FALSE_ALARM = 0.01
REDRAWN = Rule(accepted, lambda p, q: q)


@torch.no_grad()
def enumerated(
    target, distribution: SamplingDistribution, source=SOURCE
) -> dict[tuple[str, ...], float]:
    """Every translation of at most MAX_LENGTH tokens by the product of its words' probabilities,
    each prefix anew."""
    words, found = ("ant", "bee", "<unk>"), {}
    ids = dict(zip(words, (4, 5, 3), strict=True))
    for length in range(MAX_LENGTH):
        for tokens in product(words, repeat=length):
            p, written = 1.0, [BOS]
            for number in [*(ids[word] for word in tokens), EOS]:
                state = target.start(*source_batch([source], target.source_vocabulary))
                is_last = len(written) == MAX_LENGTH
                logits = target.step(torch.tensor([written]), state)[0][0, -1]
                p *= 1.0 if is_last else float(by_hand(logits, distribution)[number])
                written.append(number)
            found[tokens] = p
    return found


def by_hand(logits: torch.Tensor, distribution: SamplingDistribution) -> list[float]:
    """The law of the next word by sorting and adding up, word by word."""
    scaled = [
        float(x) / distribution.temperature if i not in (PAD, BOS) else -1e9
        for i, x in enumerate(logits)
    ]
    weights = torch.tensor(scaled, dtype=torch.float64).softmax(0).tolist()
    ranked = sorted(range(len(weights)), key=lambda i: -weights[i])[: distribution.top_k]
    total, kept, sum_so_far = sum(weights[i] for i in ranked), [], 0.0
    for i in ranked:
        if sum_so_far < distribution.top_p * total:
            kept.append(i)
        sum_so_far += weights[i]
    mass = sum(weights[i] for i in kept)
    return [weights[i] / mass if i in kept else 0.0 for i in range(len(weights))]


def p_value(drawn, expected) -> float:
    counts = Counter(h.tokens for h in drawn)
    assert all(expected[tokens] > 0.0 for tokens in counts)
    classes = [tokens for tokens, p in expected.items() if p * len(drawn) >= 10]
    observed, wanted = [counts[t] for t in classes], [len(drawn) * expected[t] for t in classes]
    if len(drawn) - sum(wanted) > 1:
        observed, wanted = (
            [*observed, len(drawn) - sum(observed)],
            [*wanted, len(drawn) - sum(wanted)],
        )
    assert len(observed) >= 4
    scale = sum(observed) / sum(wanted)
    return chisquare(observed, [scale * w for w in wanted]).pvalue


SETTINGS = {
    "transformer, drafted by an LSTM": (TRANSFORMER, LSTM, 3, SamplingDistribution()),
    "LSTM, drafted by a transformer": (LSTM, TRANSFORMER, 2, SamplingDistribution()),
    "LSTM, drafted by an LSTM": (LSTM, LSTM, 1, SamplingDistribution()),
    "transformer, cold and cut": (
        TRANSFORMER,
        TRANSFORMER,
        4,
        SamplingDistribution(1.2, top_k=3, top_p=0.97),
    ),
    "LSTM, hot": (LSTM, LSTM, 4, SamplingDistribution(1.8)),
    "transformer, top-p": (TRANSFORMER, LSTM, 2, SamplingDistribution(top_p=0.8)),
}


class TestExactness:
    @pytest.mark.slow
    @pytest.mark.parametrize("setting", SETTINGS)
    def test_the_law_is_the_targets(self, setting):
        """Three pairs of models each, Bonferroni-corrected; one batch of equal sentences accepts
        unequally."""
        target_spec, draft_spec, draft_length, distribution = SETTINGS[setting]
        values = []
        for seed in range(3):
            target, draft = model(target_spec, seed), model(draft_spec, seed + 10)
            drawn = speculative_sample(
                target, draft, [SOURCE] * N, seed, draft_length, distribution, MAX_LENGTH, 4_000
            )
            values.append(p_value(drawn, enumerated(target, distribution)))
        assert min(values) > FALSE_ALARM / (3 * len(SETTINGS))

    @pytest.mark.slow
    def test_a_broken_rule_is_noticed(self):
        """Drawing again from q instead of the residual is wrong by little, and χ² sees it in each
        pair of models."""
        for seed in range(3):
            target, draft = model(TRANSFORMER, seed), model(LSTM, seed + 10)
            drawn = speculative_sample(
                target,
                draft,
                [SOURCE] * N,
                seed,
                3,
                SamplingDistribution(),
                MAX_LENGTH,
                4_000,
                rule=REDRAWN,
            )
            assert p_value(drawn, enumerated(target, SamplingDistribution())) < 1e-6

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "distribution",
        [SamplingDistribution(0.6), SamplingDistribution(top_k=2), SamplingDistribution(top_p=0.7)],
    )
    def test_a_law_that_only_the_target_has_is_noticed(self, distribution):
        """The test would see it, were temperature, top-k or top-p forgotten."""
        target, draft = model(TRANSFORMER, 1), model(LSTM, 11)
        drawn = speculative_sample(
            target, draft, [SOURCE] * N, 1, 3, SamplingDistribution(), MAX_LENGTH, 4_000
        )
        counts, expected = Counter(h.tokens for h in drawn), enumerated(target, distribution)
        assert any(not expected[tokens] for tokens in counts) or p_value(drawn, expected) < 1e-6

    @pytest.mark.slow
    def test_sentences_of_one_batch_follow_their_own_sources(self):
        target, draft = model(TRANSFORMER, 0), model(LSTM, 10)
        drawn = speculative_sample(
            target,
            draft,
            [SOURCE, OTHER] * (N // 2),
            5,
            3,
            SamplingDistribution(),
            MAX_LENGTH,
            2_000,
        )
        ours, theirs = (
            enumerated(target, SamplingDistribution()),
            enumerated(target, SamplingDistribution(), OTHER),
        )
        assert p_value(drawn[::2], ours) > 1e-3 and p_value(drawn[1::2], theirs) > 1e-3
        assert p_value(drawn[1::2], ours) < 1e-6

    @pytest.mark.slow
    def test_one_sentence_at_a_time_and_many(self):
        target, draft = model(LSTM, 2), model(LSTM, 12)
        for batch_size in (1, 1_500):
            n = 1_000 if batch_size == 1 else N
            how = (SamplingDistribution(), MAX_LENGTH, batch_size)
            drawn = speculative_sample(target, draft, [SOURCE] * n, 3, 2, *how)
            assert p_value(drawn, enumerated(target, SamplingDistribution())) > 1e-3

    @pytest.mark.slow
    def test_a_draft_that_is_the_target_is_always_accepted(self):
        target, rounds = model(TRANSFORMER, 0), []
        drawn = speculative_sample(
            target,
            target,
            [SOURCE] * 200,
            1,
            3,
            SamplingDistribution(),
            MAX_LENGTH,
            1,
            observer=rounds.append,
        )
        assert all(int(one.n_accepted) == one.drafted.shape[1] for one in rounds)
        assert sum(len(h.tokens) + 1 for h in drawn) > 1.5 * len(rounds)

    @pytest.mark.parametrize("seed", range(3))
    def test_acceptance_is_one_minus_the_total_variation(self, seed):
        """At the first place, within four standard errors."""
        target, draft, rounds = model(TRANSFORMER, seed), model(LSTM, seed + 10), []
        speculative_sample(
            target,
            draft,
            [SOURCE] * N,
            seed,
            1,
            SamplingDistribution(),
            MAX_LENGTH,
            N,
            observer=rounds.append,
        )
        p, q = rounds[0].p[0, 0], rounds[0].q[0, 0]
        expected = 1.0 - 0.5 * float((p - q).abs().sum())
        found = float(rounds[0].n_accepted.double().mean())
        assert 0.05 < expected < 0.98
        assert abs(found - expected) < 4.0 * (expected * (1.0 - expected) / N) ** 0.5


class TestGreedy:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("target_spec", "draft_spec"), list(product((LSTM, TRANSFORMER), repeat=2))
    )
    @pytest.mark.parametrize("draft_length", [1, 3, 7])
    @pytest.mark.parametrize("batch_size", [1, 5])
    def test_it_is_the_targets_greedy_search(
        self, target_spec, draft_spec, draft_length, batch_size
    ):
        sources = [
            SOURCE,
            OTHER,
            ("cat",),
            ("dog", "eel"),
            ("fox", "ant", "ant"),
            ("bee",) * 5,
            ("eel", "cat"),
        ]
        for seed in range(4):
            target, draft = model(target_spec, seed, 4.0), model(draft_spec, seed + 10, 4.0)
            expected = [found[0] for found in search(target, sources)]
            drawn = speculative_sample(
                target,
                draft,
                sources,
                1,
                draft_length,
                SamplingDistribution(0.0),
                batch_size=batch_size,
            )
            assert [h.tokens for h in drawn] == [h.tokens for h in expected]
            assert [h.log_prob for h in drawn] == pytest.approx(
                [h.log_prob for h in expected], abs=1e-3
            )


class TestRule:
    def test_min_and_residual_make_q(self):
        """min(p, q) + (1 − Σ min(p, q)) · residual = q, for laws with zeros, equal laws and
        disjoint ones."""
        generator = torch.Generator().manual_seed(1)
        p, q = (torch.rand(50, 7, generator=generator) ** 4 for _ in range(2))
        p[0], q[1, :3], p[2, 3:], q[2, :3] = q[0], 0.0, 0.0, 0.0
        p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
        shared = torch.minimum(p, q)
        made = shared + (1.0 - shared.sum(1, keepdim=True)) * residual(p, q)
        torch.testing.assert_close(made, q, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(residual(p, q).sum(1), torch.ones(50))
        assert torch.equal(residual(q, q), q)

    def test_a_word_stands_just_with_its_probability(self):
        r = torch.rand(100_000, generator=torch.Generator().manual_seed(1))
        for p, q, share in ((0.5, 0.2, 0.4), (0.2, 0.5, 1.0), (0.3, 0.0, 0.0), (0.3, 0.3, 1.0)):
            stands = accepted(torch.full_like(r, p), torch.full_like(r, q), r).double().mean()
            assert float(stands) == pytest.approx(share, abs=0.01)
            assert share not in (0.0, 1.0) or float(stands) == share


class TestRounds:
    def test_what_a_round_says_is_what_was_written(self):
        """Accepted words and the extra one, round by round, are the translation; a law belongs to
        each place."""
        target, draft = model(TRANSFORMER, 0), model(LSTM, 10)
        for seed in range(20):
            rounds: list[Round] = []
            [found] = speculative_sample(
                target, draft, [SOURCE], seed, 3, max_length=200, observer=rounds.append
            )
            assert len(found.tokens) + 1 < 200
            written: list[int] = []
            for one in rounds:
                assert one.first == len(written) + 1
                written += one.drafted[0, : int(one.n_accepted)].tolist()
                if EOS not in written:
                    written.append(int(one.extra))
                assert one.q.shape[1] == one.p.shape[1] + 1 == one.drafted.shape[1] + 1 <= 4
                torch.testing.assert_close(one.q.sum(2), torch.ones(1, one.q.shape[1]))
            assert tuple(target.target_vocabulary.words(written)) == found.tokens

    @pytest.mark.slow
    @pytest.mark.parametrize("max_length", [3, 6, 200])
    def test_a_trace_tells_the_translation_word_by_word_even_one_that_is_cut(self, max_length):
        """What is accepted and added is what is written, its end included; fates and counts fit."""
        target, draft, n_cut = model(TRANSFORMER, 0), model(LSTM, 10), 0
        for seed in range(30):
            trace = trace_speculative(target, draft, SOURCE, seed, 3, max_length=max_length)
            written: list[str] = []
            for one in trace.rounds:
                assert one.prefix == tuple(written)
                stands = [word.token for word in one.words if word.fate == ACCEPTED]
                written += [*stands, *([one.extra] if one.extra is not None else [])]
                assert (
                    one.n_tokens
                    == len(stands) + (one.extra is not None)
                    == len(written) - len(one.prefix)
                )
                assert (one.p is None) == (one.rejected is None)
                fates = [word.fate for word in one.words]
                assert fates == sorted(fates) and fates.count(REJECTED) <= 1
            assert tuple(written) == (*trace.hypothesis.tokens, "</s>")
            assert (
                trace.hypothesis
                == speculative_sample(target, draft, [SOURCE], seed, 3, max_length=max_length)[0]
            )
            n_cut += len(written) == max_length
        assert (n_cut > 3) == (max_length < 200)

    def test_tokens_behind_the_end_are_padding(self):
        target, draft = model(LSTM, 0), model(LSTM, 10)
        source, lengths = source_batch([SOURCE, OTHER] * 30, target.source_vocabulary)
        tokens, _ = speculative_batch(
            target,
            draft,
            source,
            lengths,
            torch.full_like(lengths, 9),
            3,
            SamplingDistribution(),
            torch.Generator().manual_seed(1),
        )
        ends = (tokens == EOS).long()
        assert (ends.sum(1) == 1).all()
        assert torch.equal(tokens == PAD, (ends.cumsum(1) - ends).bool())

    @pytest.mark.parametrize("batch_size", [1, 6])
    def test_log_prob_is_the_targets_own_whatever_the_law(self, batch_size):
        target, draft, sources = (
            model(TRANSFORMER, 3),
            model(LSTM, 4),
            [SOURCE, OTHER, ("cat",)] * 6,
        )
        for distribution in (SamplingDistribution(), SamplingDistribution(0.5, top_k=2)):
            drawn = speculative_sample(target, draft, sources, 2, 3, distribution, None, batch_size)
            expected = sentence_log_probs(target, sources, [h.tokens for h in drawn])
            assert [h.log_prob for h in drawn] == pytest.approx(expected, abs=1e-4)

    @pytest.mark.parametrize("max_length", [1, 2, 3])
    def test_no_longer_than_allowed(self, max_length):
        target, draft = model(TRANSFORMER, 0), model(LSTM, 10)
        drawn = speculative_sample(
            target, draft, [SOURCE, OTHER] * 20, 1, 5, SamplingDistribution(), max_length
        )
        assert max(len(h.tokens) + 1 for h in drawn) == max_length


class TestUse:
    def test_the_seed_decides_and_nothing_else_changes(self):
        target, draft = model(LSTM, 0).train(), model(LSTM, 10).train()
        first = speculative_sample(target, draft, [SOURCE] * 30, 7)
        torch.manual_seed(3)
        assert speculative_sample(target, draft, [SOURCE] * 30, 7) == first
        assert speculative_sample(target, draft, [SOURCE] * 30, 8) != first
        torch.manual_seed(3)
        untouched = torch.get_rng_state()
        speculative_sample(target, draft, [SOURCE], 7)
        assert torch.equal(torch.get_rng_state(), untouched)
        assert target.training and draft.training
        target.eval(), draft.eval()

    def test_progress_counts_sentences(self):
        heard: list[int] = []
        speculative_sample(
            model(LSTM, 0), model(LSTM, 10), [SOURCE] * 5, 1, batch_size=2, progress=heard.append
        )
        assert heard == [2, 2, 1]
        assert speculative_sample(model(LSTM, 0), model(LSTM, 10), [], 1) == []

    def test_wrong_input(self, make_model):
        target = model(LSTM, 0)
        with pytest.raises(ValueError, match="draft_length must be at least 1"):
            speculative_sample(target, target, [SOURCE], 1, 0)
        with pytest.raises(ValueError, match="share their vocabularies"):
            speculative_sample(target, make_model(), [SOURCE], 1)
        for wrong in (
            {"temperature": -1.0},
            {"temperature": float("nan")},
            {"top_k": 0},
            {"top_p": 0.0},
            {"top_p": 1.5},
            {"temperature": float("inf")},
        ):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                SamplingDistribution(**wrong)


@pytest.mark.parametrize(
    "distribution",
    [
        SamplingDistribution(),
        SamplingDistribution(0.5),
        SamplingDistribution(2.0, top_k=3),
        SamplingDistribution(top_p=0.6),
        SamplingDistribution(1.3, 4, 0.75),
    ],
)
def test_a_law_is_what_sorting_by_hand_gives(distribution):
    logits = torch.randn(4, 3, 9, generator=torch.Generator().manual_seed(2)) * 2
    found = distribution(logits)
    for row, expected in zip(found.view(-1, 9), logits.view(-1, 9), strict=True):
        assert row.tolist() == pytest.approx(by_hand(expected, distribution), abs=1e-6)
    assert (found[..., [PAD, BOS]] == 0).all()


@pytest.mark.slow
def test_sampling_takes_the_same_laws():
    """Temperature 0 is greedy; what is cut off is never drawn."""
    target = model(TRANSFORMER, 0)
    assert (
        sample(target, [SOURCE], 1, SamplingDistribution(0.0))[0].tokens
        == search(target, [SOURCE])[0][0].tokens
    )
    drawn = sample(target, [SOURCE] * N, 1, SamplingDistribution(0.8, 3, 0.9), MAX_LENGTH, 4_000)
    assert p_value(drawn, enumerated(target, SamplingDistribution(0.8, 3, 0.9))) > 1e-3
    assert EXACT == Rule(accepted, residual)
