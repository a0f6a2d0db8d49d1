"""Greedy and beam search against enumeration and against slow searches that are easy to believe."""

from __future__ import annotations

import random
import warnings

import pytest
import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import LONGEST_SOURCE, MOST_SOURCE_TOKENS, rows_by_length, shortened
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.decoding.trace import trace_search
from seqkd_lab.finite import NotFiniteError

SOURCES = [
    ("ant",),
    ("bee", "cat", "ant"),
    ("dog", "eel"),
    ("fox", "fox", "ant", "bee", "cat", "dog", "eel"),
]


@torch.no_grad()
def next_log_probs(model, source, prefix: tuple[int, ...]) -> list[float]:
    """log p(next token | source, prefix) of every token, by reading the whole prefix anew."""
    start = model.start(*source_batch([source], model.source_vocabulary))
    logits, _ = model.step(torch.tensor([[BOS, *prefix]]), start)
    return logits[0, -1].log_softmax(dim=0).tolist()


def every_hypothesis(model, source, max_length: int) -> dict[tuple[int, ...], float]:
    """All complete translations of at most max_length tokens, EOS included, with their
    log-probabilities."""
    complete, growing = {}, {(): 0.0}
    for length in range(1, max_length + 1):
        longer = {}
        for prefix, log_prob in growing.items():
            follow = next_log_probs(model, source, prefix)
            complete[prefix] = log_prob + follow[EOS]
            for token in set(range(len(follow))) - {PAD, BOS, EOS}:
                longer[(*prefix, token)] = log_prob + follow[token]
        growing = longer if length < max_length else {}
    return complete


def slow_beam_search(
    model, source, beam_size: int, max_length: int, length_penalty: float
) -> list[tuple]:
    """(score, log_prob, tokens) of complete translations, best first: python lists, one sentence,
    no state kept."""
    beam = [(0.0, 0.0, (), False)]  # score, log_prob, tokens, finished
    for length in range(1, max_length + 1):
        grown = [place for place in beam if place[3]]
        for _, log_prob, tokens, finished in beam:
            if not finished:
                for token, more in enumerate(next_log_probs(model, source, tokens)):
                    if token in (PAD, BOS) or (length == max_length and token != EOS):
                        continue
                    new, ends = log_prob + more, token == EOS
                    grown.append(
                        (
                            new / length**length_penalty,
                            new,
                            tokens if ends else (*tokens, token),
                            ends,
                        )
                    )
        beam = sorted(grown, key=lambda place: -place[0])[:beam_size]
    return [place[:3] for place in beam if place[3]]


def as_ids(model, hypothesis: Hypothesis) -> tuple[int, ...]:
    return tuple(model.target_vocabulary.ids(hypothesis.tokens))


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_enumerates_everything(make_model, seed, length_penalty):
    model, source, max_length = make_model(seed, n_target=2), SOURCES[seed], 4
    truth = every_hypothesis(model, source, max_length)
    K = len(model.target_vocabulary) ** max_length
    found = search(model, [source], K, K, length_penalty, max_length)[0]
    score = {
        tokens: log_prob / (len(tokens) + 1) ** length_penalty for tokens, log_prob in truth.items()
    }
    assert [as_ids(model, h) for h in found] == sorted(truth, key=lambda tokens: -score[tokens])
    assert [h.log_prob for h in found] == pytest.approx(
        [truth[as_ids(model, h)] for h in found], abs=1e-4
    )
    assert [h.score for h in found] == pytest.approx(
        [score[as_ids(model, h)] for h in found], abs=1e-4
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_beam_of_one_is_greedy_search(make_model, seed):
    model = make_model(seed)
    for source in SOURCES:
        tokens, log_prob, max_length = (), 0.0, 2 * (len(source) + 1) + 10
        for length in range(1, max_length + 1):
            follow = next_log_probs(model, source, tokens)
            allowed = (
                [EOS]
                if length == max_length
                else [t for t in range(len(follow)) if t not in (PAD, BOS)]
            )
            best = max(allowed, key=follow.__getitem__)
            log_prob += follow[best]
            if best == EOS:
                break
            tokens = (*tokens, best)
        found = search(model, [source])[0]
        assert [as_ids(model, h) for h in found] == [tokens]
        assert found[0].log_prob == pytest.approx(log_prob, abs=1e-4)


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("beam_size", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_in_between_agrees_with_the_slow_search(make_model, seed, beam_size, length_penalty):
    model = make_model(seed, sharpness=2.0)
    for source in SOURCES:
        expected = slow_beam_search(model, source, beam_size, 7, length_penalty)
        found = search(model, [source], beam_size, beam_size, length_penalty, 7)[0]
        assert [as_ids(model, h) for h in found] == [tokens for _, _, tokens in expected]
        assert [h.score for h in found] == pytest.approx(
            [score for score, _, _ in expected], abs=1e-4
        )
        assert [h.log_prob for h in found] == pytest.approx(
            [log_prob for _, log_prob, _ in expected], abs=1e-4
        )


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("n_best", [1, 2])
def test_stopping_early_changes_nothing(make_model, n_best, length_penalty):
    """With n_best below K the search ends as soon as its answers are final: they are the first of
    the long search."""
    for seed in range(8):
        model = make_model(seed, sharpness=2.0)
        few, all_four = (search(model, SOURCES, 4, n, length_penalty) for n in (n_best, 4))
        for short, whole in zip(few, all_four, strict=True):
            assert [h.tokens for h in short] == [h.tokens for h in whole[:n_best]]


@pytest.mark.parametrize("beam_size", [1, 4])
def test_log_prob_is_what_the_model_says_when_it_scores_the_translation(make_model, beam_size):
    for seed in range(4):
        model = make_model(seed)
        found = search(model, SOURCES, beam_size, beam_size)
        pairs = [(source, h) for source, n_best in zip(SOURCES, found, strict=True) for h in n_best]
        scored = sentence_log_probs(
            model, [source for source, _ in pairs], [h.tokens for _, h in pairs]
        )
        assert [h.log_prob for _, h in pairs] == pytest.approx(scored, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("max_length", [None, 5])
@pytest.mark.parametrize(("beam_size", "length_penalty"), [(1, 0.0), (4, 0.0), (4, 1.0)])
def test_a_translation_does_not_depend_on_its_batch(
    make_model, beam_size, length_penalty, max_length
):
    model, rng = make_model(3, sharpness=2.0), random.Random(1)
    sources = [
        tuple(rng.choices(["ant", "bee", "cat", "dog"], k=rng.randint(1, 12))) for _ in range(70)
    ]
    alone, by_seven, by_64 = (
        search(model, sources, beam_size, beam_size, length_penalty, max_length, batch_size)
        for batch_size in (1, 7, 64)
    )
    assert (
        len({tuple(h.tokens for h in n_best) for n_best in alone}) > 5
    )  # or there would be nothing to compare
    for other in (by_seven, by_64):
        for expected, found in zip(alone, other, strict=True):
            assert [h.tokens for h in found] == [h.tokens for h in expected]
            assert [h.log_prob for h in found] == pytest.approx(
                [h.log_prob for h in expected], abs=1e-4
            )
            assert [h.score for h in found] == pytest.approx([h.score for h in expected], abs=1e-4)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_n_best_is_sorted_distinct_and_no_longer_than_asked(make_model, length_penalty):
    for seed in range(5):
        for n_best in search(make_model(seed, sharpness=2.0), SOURCES, 6, 4, length_penalty):
            assert len(n_best) == 4
            assert [h.score for h in n_best] == sorted((h.score for h in n_best), reverse=True)
            assert len({h.tokens for h in n_best}) == 4


def test_a_model_that_never_ends_is_ended_at_the_longest_length_allowed(make_model):
    model = make_model(1)
    with torch.no_grad():
        model.output.bias[EOS] = -1e4
    for source, found in zip(SOURCES, search(model, SOURCES, 3, 3), strict=True):
        assert {len(h.tokens) + 1 for h in found} == {2 * (len(source) + 1) + 10}
        assert all(h.log_prob < -5e3 for h in found)  # the probability of the forced EOS counts
    assert {
        len(h.tokens) + 1 for n_best in search(model, SOURCES, 3, 3, 0.0, 4) for h in n_best
    } == {4}
    assert [n_best[0].tokens for n_best in search(model, SOURCES, max_length=1)] == [()] * len(
        SOURCES
    )


def test_greedy_is_at_most_the_beam_of_everything(make_model):
    gains = []
    for seed in range(10):
        model = make_model(seed, n_target=2)
        greedy = search(model, SOURCES, 1, max_length=4)
        best = search(model, SOURCES, len(model.target_vocabulary) ** 4, 1, max_length=4)
        gains += [b[0].log_prob - g[0].log_prob for g, b in zip(greedy, best, strict=True)]
    assert min(gains) >= -1e-5
    assert max(gains) > 0.01  # greedy search does make mistakes


def test_results_are_in_the_order_of_the_sources_and_training_mode_is_restored(make_model):
    model = make_model(2).train()
    found = search(model, SOURCES, 3, batch_size=2)
    assert model.training
    assert [n[0].tokens for n in found] == [
        search(model, [source], 3)[0][0].tokens for source in SOURCES
    ]
    assert search(model, [], 3) == []


def test_progress_counts_every_sentence(make_model):
    heard = []
    search(make_model(), SOURCES, batch_size=3, progress=heard.append)
    assert heard == [3, 1]


@pytest.mark.parametrize(
    ("beam_size", "n_best", "max_length", "batch_size"),
    [
        (0, 1, None, 64),
        (-1, -1, None, 64),
        (3, 0, None, 64),
        (3, 4, None, 64),
        (1, 1, 0, 64),
        (1, 1, None, 0),
        (1, 1, None, -2),
    ],
)
def test_impossible_requests_are_refused(make_model, beam_size, n_best, max_length, batch_size):
    with pytest.raises(ValueError, match="beam_size|max_length|batch_size"):
        search(make_model(), SOURCES, beam_size, n_best, 0.0, max_length, batch_size)


def test_a_string_is_not_a_sentence(make_model):
    with pytest.raises(ValueError, match="tokenise"):
        search(make_model(), ["ant bee"])


@pytest.mark.parametrize("length_penalty", [float("nan"), float("inf"), float("-inf"), -0.5])
def test_a_length_penalty_that_orders_nothing_is_refused(make_model, length_penalty):
    with pytest.raises(ValueError, match="length_penalty"):
        search(make_model(), SOURCES, 2, 1, length_penalty)
    with pytest.raises(ValueError, match="length_penalty"):
        trace_search(make_model(), SOURCES[0], 2, length_penalty)


class TestWeightsThatAreNotFinite:
    @pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
    @pytest.mark.parametrize(("beam_size", "length_penalty"), [(1, 0.0), (3, 0.0), (3, 1.0)])
    def test_a_search_says_so_and_names_the_sentence(
        self, make_model, wrong, beam_size, length_penalty
    ):
        model = make_model().train()
        with torch.no_grad():
            model.source_embedding.weight[model.source_vocabulary.ids(["dog"])[0]] = wrong
        with pytest.raises(NotFiniteError, match="sentence 3 .*not finite"):
            search(model, SOURCES[:3], beam_size, beam_size, length_penalty)
        assert model.training
        assert len(search(model, SOURCES[:2], beam_size)) == 2

    @pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
    def test_a_draw_says_so(self, make_model, temperature):
        model = make_model().train()
        with torch.no_grad():
            model.output.bias[EOS] = float("nan")
        with pytest.raises(NotFiniteError, match="not finite"):
            sample(model, SOURCES, 1, SamplingDistribution(temperature))
        assert model.training

    @pytest.mark.parametrize("temperature", [float("nan"), float("inf"), -1.0])
    def test_a_temperature_that_is_no_number_is_refused(self, temperature):
        with pytest.raises(ValueError, match="temperature"):
            SamplingDistribution(temperature)


class TestLongSources:
    def test_are_read_up_to_the_limit_and_the_first_is_named(self):
        sources = [
            ("ant",),
            ("bee",) * (LONGEST_SOURCE + 5),
            ("cat",) * LONGEST_SOURCE,
            ("dog",) * 5_000,
        ]
        with pytest.warns(
            UserWarning, match="sentence 2 has 1,005 tokens.*2 sentences are too long"
        ):
            read = shortened(sources)
        assert [len(source) for source in read] == [
            1,
            LONGEST_SOURCE,
            LONGEST_SOURCE,
            LONGEST_SOURCE,
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert shortened(read) is read

    def test_their_translation_is_that_of_their_beginning(self, make_model):
        model = make_model(1)
        with torch.no_grad():
            model.output.bias[EOS] = 5.0
        long = ("ant", "bee") * LONGEST_SOURCE
        with pytest.warns(UserWarning, match="sentence 1 has 2,000 tokens"):
            found = search(model, [long])
        assert found == search(model, [long[:LONGEST_SOURCE]])
        with pytest.warns(UserWarning, match="sentence 1 has 2,000 tokens"):
            drawn = sample(model, [long], 1)
        assert drawn == sample(model, [long[:LONGEST_SOURCE]], 1)

    def test_few_of_them_share_a_batch(self):
        rng = random.Random(1)
        sources = [("ant",) * rng.randint(0, LONGEST_SOURCE) for _ in range(300)]
        rows = list(rows_by_length(sources, 64))
        assert sorted(i for batch in rows for i in batch) == list(range(300))
        assert max(map(len, rows)) <= 64
        sizes = [len(batch) * max(len(sources[i]) for i in batch) for batch in rows]
        assert max(sizes) <= MOST_SOURCE_TOKENS
        assert [len(sources[i]) for batch in rows for i in batch] == sorted(map(len, sources))
        assert [len(batch) for batch in rows_by_length([()] * 130, 64)] == [64, 64, 2]
