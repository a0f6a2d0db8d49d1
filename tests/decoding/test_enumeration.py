"""The enumeration of likely translations against every translation scored one by one."""

from __future__ import annotations

import math
from itertools import product

import pytest

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search

SOURCE, WORDS = ("ant", "bee", "cat"), ("ant", "bee", "<unk>")


def test_it_lists_each_translation_with_its_probability_and_no_unlikely_one(make_model):
    """PAD and BOS, which a law never draws, get so little of this model that scores and laws
    agree."""
    for seed in range(3):
        model = make_model(seed, n_target=2, sharpness=2.0)
        model.output.bias.data[:2] = -50.0
        every = [tokens for length in range(5) for tokens in product(WORDS, repeat=length)]
        scored = dict(
            zip(
                every,
                map(math.exp, sentence_log_probs(model, [SOURCE] * len(every), every)),
                strict=True,
            )
        )
        found = likely_translations(model, SOURCE, SamplingDistribution(), least=0.004)
        short = {tokens: p for tokens, p in found.items() if len(tokens) <= 4}
        assert short == pytest.approx(
            {tokens: p for tokens, p in scored.items() if p >= 0.004}, rel=1e-4
        )
        assert len(short) > 3


@pytest.mark.parametrize(
    "distribution",
    [
        SamplingDistribution(),
        SamplingDistribution(0.6),
        SamplingDistribution(1.5, top_k=2),
        SamplingDistribution(top_p=0.8),
    ],
)
def test_whole_laws_sum_to_one(make_model, distribution):
    found = likely_translations(
        make_model(2, n_target=2, sharpness=2.0), SOURCE, distribution, 1e-12, max_length=4
    )
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-6)
    assert max(map(len, found)) == 3


def test_without_chance_it_is_greedy_search(make_model):
    model = make_model(1, sharpness=3.0)
    assert likely_translations(model, SOURCE, SamplingDistribution(0.0), 0.5) == {
        search(model, [SOURCE])[0][0].tokens: 1.0
    }


@pytest.mark.parametrize("least", [0.0, -1.0, 1.1])
def test_without_a_bound_there_is_no_end(make_model, least):
    with pytest.raises(ValueError, match="least"):
        likely_translations(make_model(), SOURCE, SamplingDistribution(), least)


def test_a_translation_of_just_the_least_probability_is_listed(make_model):
    model = make_model(1, sharpness=3.0)
    assert likely_translations(model, SOURCE, SamplingDistribution(0.0), 1.0) == {
        search(model, [SOURCE])[0][0].tokens: 1.0
    }
