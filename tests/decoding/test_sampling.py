"""Samples follow the law that enumeration gives (chi-square, fixed seeds, a false alarm in 1 of
1000 seeds)."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from scipy.stats import chisquare

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample, sample_batch
from seqkd_lab.decoding.scoring import sentence_log_probs

SOURCE, N, MAX_LENGTH, ALPHA = ("ant", "bee", "cat"), 20_000, 3, 1e-3


@torch.no_grad()
def enumerated(
    model, temperature: float, source=SOURCE, prefix: tuple[int, ...] = ()
) -> dict[tuple[int, ...], float]:
    """The probability of every sample, token by token: neither PAD nor BOS, and EOS at the last
    position."""
    if len(prefix) == MAX_LENGTH - 1:
        return {prefix: 1.0}
    start = model.start(*source_batch([source], model.source_vocabulary))
    logits = model.step(torch.tensor([[BOS, *prefix]]), start)[0][0, -1].double() / temperature
    logits[[PAD, BOS]] = float("-inf")
    p = logits.softmax(dim=0).tolist()
    found = {prefix: p[EOS]}
    for token in set(range(len(p))) - {PAD, BOS, EOS}:
        after = enumerated(model, temperature, source, (*prefix, token))
        found |= {tokens: p[token] * rest for tokens, rest in after.items()}
    return found


def p_value(model, drawn, expected: dict[tuple[int, ...], float]) -> float:
    """Of the hypothesis that the translations `drawn` follow the law `expected`. Rare outcomes are
    one class."""
    n, counts = len(drawn), Counter(tuple(model.target_vocabulary.ids(h.tokens)) for h in drawn)
    assert counts.keys() <= expected.keys()
    common = [tokens for tokens, p in expected.items() if n * p >= 10]
    observed, wanted = (
        [counts[tokens] for tokens in common],
        [n * expected[tokens] for tokens in common],
    )
    assert len(common) > 5
    if n - sum(wanted) > 1:
        observed, wanted = [*observed, n - sum(observed)], [*wanted, n - sum(wanted)]
    scale = sum(observed) / sum(wanted)  # 1 but for the rest that is too rare to be a class
    return chisquare(observed, [scale * expected_count for expected_count in wanted]).pvalue


def draw(model, temperature: float, seed: int = 1):
    return sample(
        model, [SOURCE] * N, seed, SamplingDistribution(temperature), MAX_LENGTH, batch_size=4_000
    )


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_samples_follow_the_models_law(make_model, seed, temperature):
    model = make_model(seed, n_target=2, sharpness=2.0)
    expected = enumerated(model, temperature)
    assert sum(expected.values()) == pytest.approx(1.0)
    assert p_value(model, draw(model, temperature), expected) > ALPHA


def test_another_temperature_is_noticed(make_model):
    model = make_model(0, n_target=2, sharpness=2.0)
    assert p_value(model, draw(model, 2.0), enumerated(model, 1.0)) < ALPHA
    assert p_value(model, draw(model, 1.0), enumerated(model, 2.0)) < ALPHA


def test_sentences_of_one_batch_are_drawn_apart_and_by_their_own_source(make_model):
    model, other = make_model(1, n_target=2, sharpness=2.0), ("fox",) * 9
    drawn = sample(
        model, [SOURCE, other] * (N // 2), 3, SamplingDistribution(), MAX_LENGTH, batch_size=5_000
    )
    assert p_value(model, drawn[::2], enumerated(model, 1.0)) > ALPHA
    assert p_value(model, drawn[1::2], enumerated(model, 1.0, other)) > ALPHA
    assert p_value(model, drawn[1::2], enumerated(model, 1.0)) < ALPHA


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("max_length", [None, 4])
def test_log_prob_is_the_models_own_whatever_the_temperature(make_model, temperature, max_length):
    model = make_model(2, sharpness=2.0)
    sources = [("ant",), ("bee", "cat", "dog", "eel"), ("fox", "ant")] * 20
    drawn = sample(model, sources, 1, SamplingDistribution(temperature), max_length)
    expected = sentence_log_probs(model, sources, [h.tokens for h in drawn])
    assert [h.log_prob for h in drawn] == pytest.approx(expected, abs=1e-4)


def test_nothing_but_padding_follows_the_end(make_model):
    model, lengths = make_model(0, sharpness=2.0), torch.tensor([12] * 40)
    source = source_batch([SOURCE] * 40, model.source_vocabulary)
    tokens, _ = sample_batch(
        model, *source, lengths, SamplingDistribution(), torch.Generator().manual_seed(1)
    )
    ends = (tokens == EOS).long()
    assert (ends.sum(dim=1) == 1).all()
    assert torch.equal(tokens == PAD, (ends.cumsum(dim=1) - ends).bool())
    assert (tokens == PAD).any()


def test_the_seed_decides(make_model):
    model, sources = make_model(0, sharpness=1.0), [("ant", "bee")] * 50
    torch.manual_seed(1)
    first = sample(model, sources, 7)
    torch.manual_seed(2)
    assert sample(model, sources, 7) == first
    assert sample(model, sources, 8) != first


def test_the_global_generator_and_the_mode_of_training_stay_as_they_are(make_model):
    model = make_model().train()
    before = torch.get_rng_state()
    sample(model, [SOURCE], 7)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training


def test_a_translation_is_no_longer_than_allowed(make_model):
    model = make_model()
    with torch.no_grad():
        model.output.bias[EOS] = -1e4
    sources = [("ant",), ("bee",) * 5]
    assert [len(h.tokens) + 1 for h in sample(model, sources, 1)] == [2 * 2 + 10, 2 * 6 + 10]
    assert [len(h.tokens) + 1 for h in sample(model, sources, 1, max_length=3)] == [3, 3]


def test_a_length_below_one_is_refused(make_model):
    with pytest.raises(ValueError, match="max_length"):
        sample(make_model(), [SOURCE], 1, max_length=0)
