"""Lesson 5's measures: the mode is the model's mode, blame adds up, and pictures show what was
counted."""

from __future__ import annotations

import itertools
import math

import pytest

from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.lab.beam import notebook as beam
from seqkd_lab.lab.beam.faults import Faults, Mode, enough, faults
from seqkd_lab.lab.beam.outputs import Outputs

SOURCES = [("bee", "cat", "ant"), ("ant",), ("cat", "bee")]


@pytest.fixture(scope="module")
def swept(toy, toy_models):
    return beam.over_beams(toy_models, toy.test[:6], toy, (1, 2, 5))


class TestMode:
    @pytest.mark.parametrize("seed", range(4))
    def test_nothing_is_likelier_than_a_certain_mode(self, make_model, seed):
        """Against every translation up to a length behind which all of them are too improbable."""
        model = make_model(seed, sharpness=3.0)
        words = [word for word in model.target_vocabulary.tokens if not word.startswith("<")]
        every = [list(t) for n in range(5) for t in itertools.product(words, repeat=n)]
        for source, mode in zip(SOURCES, beam.modes(model, SOURCES, first=1), strict=True):
            exact = max(sentence_log_probs(model, [source] * len(every), every))
            assert mode.best.log_prob >= exact - 1e-4
            (scored,) = sentence_log_probs(model, [source], [mode.best.tokens])
            assert mode.best.log_prob == pytest.approx(scored, abs=1e-4)
            assert mode.certain == (mode.beam_size >= enough(mode.best.log_prob))

    def test_a_beam_that_is_large_enough_finds_it_and_a_larger_one_nothing_else(self, make_model):
        model = make_model(1, sharpness=3.0)
        for source, mode in zip(SOURCES, beam.modes(model, SOURCES, first=1), strict=True):
            assert mode.certain
            for K in (mode.beam_size, 2 * mode.beam_size, 10 * mode.beam_size):
                assert search(model, [source], K)[0][0].log_prob == pytest.approx(
                    mode.best.log_prob, abs=1e-4
                )

    def test_groups_do_not_change_what_is_found(self, make_model):
        model = make_model(2, sharpness=2.0)
        together, apart = (beam.modes(model, SOURCES, first=1, rows=rows) for rows in (10_000, 1))
        assert [m.best.tokens for m in together] == [m.best.tokens for m in apart]

    def test_what_would_take_too_wide_a_beam_is_not_called_certain(self, toy, toy_models):
        source = max(toy.test.source, key=len)
        (mode,) = beam.modes(toy_models["baseline"], [source], first=2, widest=3)
        assert not mode.certain and mode.beam_size == 3

    @pytest.mark.parametrize("p", [1.0, 0.5, 0.34, 0.33, 0.01])
    def test_enough_is_the_least_k_with_one_over_k_plus_1_at_most_p(self, p):
        K = enough(math.log(p))
        assert 1.0 / (K + 1) <= p + 1e-9 and (K == 1 or 1.0 / K > p - 1e-9)


class TestChanges:
    def test_they_are_the_sentences_that_differ_sorted_by_their_verdicts(self, swept):
        for found in swept.values():
            narrow, wide = found[1], found[5]
            kinds = beam.changed(narrow, wide)
            places = sorted(place for each in kinds.values() for place in each)
            assert places == [
                i for i in range(6) if narrow.hypotheses[i].tokens != wide.hypotheses[i].tokens
            ]
            assert all(not narrow.valid[i] and wide.valid[i] for i in kinds[beam.REPAIRED])

    def test_judged_as_the_language_and_the_scorer_do(self, toy, swept):
        for made in itertools.chain(*(found.values() for found in swept.values())):
            pairs = zip(toy.test.source[:6], made.hypotheses, strict=True)
            assert list(made.valid) == [
                toy.language.is_valid(source, each.tokens) for source, each in pairs
            ]
            assert made.score.validity == pytest.approx(sum(made.valid) / 6)

    def hand_made(self, *rows: tuple[str, float, bool]) -> Outputs:
        found = tuple(Hypothesis((word,), log_prob, log_prob) for word, log_prob, _ in rows)
        return Outputs(1, found, tuple(valid for *_, valid in rows), None)

    def test_by_hand(self):
        narrow = self.hand_made(
            ("a", -2.0, True), ("a", -2.0, True), ("a", -1.0, False), ("a", -1.0, True)
        )
        wide = self.hand_made(
            ("b", -1.0, False), ("b", -3.0, False), ("b", -0.5, True), ("a", -1.0, True)
        )
        kinds = beam.changed(narrow, wide)
        assert kinds == {"repaired": [2], "spoiled": [0, 1], "both valid": [], "both wrong": []}
        assert beam.spoiled_by_likelihood(narrow, wide) == [0]
        assert beam.less_likely(narrow, wide) == [1]
        certain = (True, True, True, False)
        modes = [Mode(each, 9, sure) for each, sure in zip(wide.hypotheses, certain, strict=True)]
        found = faults(narrow, modes, wide.valid)
        assert found == Faults(right=0, lucky=2, search=1, model=0, missed=2) and found.n == 3


class TestFaults:
    def test_blame_adds_up_and_an_exact_search_misses_nothing(self, swept):
        for found in swept.values():
            known = [Mode(each, 9, True) for each in found[5].hypotheses]
            assert faults(found[5], known, found[5].valid).missed == 0
            for made in found.values():
                counted = faults(made, known, found[5].valid)
                assert counted.n == 6 and counted.right + counted.lucky == sum(made.valid)


def test_penalties_are_those_of_the_search(toy, toy_models):
    model, corpus = toy_models["teacher"], toy.test[:3]
    heard = []
    by_model = beam.over_penalties(
        {"it": model}, corpus, toy, (1, 3), (0.0, 1.0), lambda *move: heard.append(move)
    )
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)] and list(by_model) == ["it"]
    found = by_model["it"]
    for K, penalty in itertools.product((1, 3), (0.0, 1.0)):
        expected = [n_best[0].tokens for n_best in search(model, corpus.source, K, 1, penalty)]
        assert [each.tokens for each in found[K][penalty].hypotheses] == expected
    greedy = [found[1][penalty].hypotheses for penalty in (0.0, 1.0)]
    assert [each.tokens for each in greedy[0]] == [each.tokens for each in greedy[1]], (
        "K = 1 compares equal lengths"
    )
