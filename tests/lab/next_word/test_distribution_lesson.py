"""What lesson 3 stands on: distributions at many positions against the language, torch and what is
true by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.evaluation import compare_with_truth
from seqkd_lab.lab.next_word import notebook as next_word
from seqkd_lab.lab.next_word.mass import Mass
from seqkd_lab.lab.next_word.positions import next_words
from seqkd_lab.lab.next_word.temperatures import HIGHEST, LOWEST, mean_divergence, nearest
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.next_words import SentenceReading

N_PAIRS = 5


def double(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@pytest.fixture(scope="module")
def found(toy, toy_models):
    return next_word.read_positions(toy_models, toy.valid[:N_PAIRS], toy.language)


class TestPositions:
    def test_they_are_those_that_the_views_read_one_by_one(self, found, toy, toy_models):
        row = 0
        for pair in range(N_PAIRS):
            source, target = toy.valid.source[pair], toy.valid.target[pair]
            reading = SentenceReading(toy_models, source, target, toy.language)
            for place in range(len(reading)):
                assert (int(found.sentence[row]), int(found.offset[row])) == (pair, place)
                assert found.text(row)[:2] == (" ".join(source), " ".join(target[:place]))
                assert found.words[int(found.gold[row])] == (*target, "</s>")[place]
                assert torch.equal(found.truth[row], reading.truth(place))
                for name in toy_models:
                    assert torch.allclose(
                        found.log_prob[name][row], reading.log_prob[name][place], atol=1e-5
                    )
                row += 1
        assert len(found) == row

    def test_a_pair_or_models_that_do_not_fit_are_refused(self, toy, toy_models, make_model):
        wrong = ParallelCorpus("wrong", "shown", "", toy.valid.source[:1], (("das", "das"),))
        with pytest.raises(ValueError, match="starts with"):
            next_word.read_positions(toy_models, wrong, toy.language)
        with pytest.raises(ValueError, match="different target vocabularies"):
            next_word.read_positions(
                {"a": toy_models["teacher"], "b": make_model()}, toy.valid[:1], toy.language
            )

    def test_training_mode_is_as_it_was(self, toy, toy_models):
        model = toy_models["baseline"].train()
        next_words(model, toy.valid[:2])
        assert model.training and not model.eval().training


class TestDistances:
    def test_kl_is_the_evaluations_own(self, found, toy, toy_models):
        for name, model in toy_models.items():
            kl = next_word.divergences(found.truth, found.log_prob[name])
            assert float(kl.mean()) == pytest.approx(
                compare_with_truth(model, toy.valid[:N_PAIRS], toy.language)[0]
            )

    @pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
    def test_kl_and_entropy_are_torchs(self, found, temperature):
        p = found.softened("teacher", temperature)
        exact = kl_divergence(
            Categorical(found.truth), Categorical(logits=found.log_prob["teacher"] / temperature)
        )
        kl = next_word.divergences(found.truth, found.log_prob["teacher"], temperature)
        assert torch.allclose(kl, exact, atol=1e-5)
        assert torch.allclose(next_word.entropies(p), Categorical(p).entropy(), atol=1e-6)
        mean_kl = mean_divergence(found.truth, found.log_prob["teacher"])
        assert mean_kl(temperature) == pytest.approx(float(exact.mean()), abs=1e-5)

    @given(st.floats(0.2, 5.0))
    def test_the_nearest_temperature_takes_back_the_one_that_was_applied(self, sharpness):
        """A model that is the truth, its logits multiplied: τ equal to the factor gives the truth
        again."""
        log_truth = double([0.0, 1.0, 2.0, -1.0], [1.0, 0.5, -3.0, 0.0]).log_softmax(dim=1)
        mean_kl = mean_divergence(log_truth.exp(), (log_truth * sharpness).log_softmax(dim=1))
        tau, least = nearest(mean_kl)
        assert tau == pytest.approx(sharpness, rel=0.02) and least == pytest.approx(0.0, abs=1e-4)

    def test_no_temperature_of_the_sweep_is_nearer_than_the_nearest(self, found):
        taus = (0.25, 0.5, 1.0, 2.0, 4.0)
        sweep = next_word.sweep(found, taus)
        assert sweep.temperatures == taus and set(sweep.kl) == set(found.log_prob) == set(
            sweep.nearest
        )
        for name, values in sweep.kl.items():
            tau, least = sweep.nearest[name]
            assert least <= min(values) + 1e-6 and LOWEST <= tau <= HIGHEST
            direct = next_word.divergences(found.truth, found.log_prob[name], tau).mean()
            assert least == pytest.approx(float(direct), abs=1e-9)


class TestMass:
    def test_by_hand(self):
        truth, p = (
            double([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]),
            double([0.2, 0.7, 0.1], [0.6, 0.3, 0.1]),
        )
        mass = next_word.mass(p, truth, torch.tensor([0, 0]))
        assert (mass.gold, mass.other_right, mass.wrong) == pytest.approx((0.4, 0.35, 0.25))
        assert mass.right_share == pytest.approx(0.35 / 0.6)

    def test_it_adds_up_and_the_truth_is_never_wrong(self, found):
        for p in (found.truth, *(found.softened(name) for name in found.log_prob)):
            mass = next_word.mass(p, found.truth, found.gold)
            assert mass.gold + mass.other_right + mass.wrong == pytest.approx(1.0)
        assert next_word.mass(found.truth, found.truth, found.gold).wrong == pytest.approx(
            0.0, abs=1e-12
        )

    def test_with_nothing_beside_gold_there_is_no_share(self):
        assert math.isnan(Mass(1.0, 0.0, 0.0).right_share)

    def test_the_worst_words_are_wrong_and_the_rule_is_said(self, found, toy):
        worst = next_word.wrong_words(found, "teacher", toy.language, 3)
        assert [word.p for word in worst] == sorted((word.p for word in worst), reverse=True)
        assert len({word.source for word in worst}) == len(worst) == 3
        for word in worst:
            allowed = toy.language.next_token(word.source.split(), word.before.split())
            assert word.word not in allowed and set(word.expected) == set(allowed)
            assert word.rule and word.word in str(word) and word.rule in str(word)
        assert worst[0].p == pytest.approx(float(found.softened("teacher")[~found.is_right].max()))


class TestReliability:
    def test_a_model_that_says_the_truth_has_no_error(self, found):
        bins = next_word.reliability(found.truth, found.truth, found.gold)
        assert bins.error == pytest.approx(0.0, abs=1e-9) and bins.truth == pytest.approx(
            bins.confidence
        )
        assert sum(bins.number) == len(found)

    def test_by_hand(self):
        p, truth = (
            double([0.9, 0.1], [0.95, 0.05], [0.4, 0.6]),
            double([0.5, 0.5], [1.0, 0.0], [0.3, 0.7]),
        )
        bins = next_word.reliability(p, truth, torch.tensor([0, 1, 1]))
        assert bins.number == (1, 2) and bins.gold == (1.0, 0.5)
        assert bins.confidence == pytest.approx((0.6, 0.925)) and bins.truth == pytest.approx(
            (0.7, 0.75)
        )
        assert bins.error == pytest.approx((0.1 + 2 * 0.175) / 3)

    def test_one_who_always_says_the_average_is_calibrated_and_far_from_the_truth(self):
        truth = double([1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0])
        average = truth.mean(dim=0).expand(4, 2)
        assert next_word.reliability(
            average, truth, torch.tensor([0, 1, 0, 0])
        ).error == pytest.approx(0.0)
        assert float(next_word.divergences(truth, average.log()).mean()) > 0.5


class TestStandardError:
    def test_with_groups_of_one_it_is_the_textbooks(self):
        values = torch.randn(50, dtype=torch.float64)
        textbook = float(values.std() / math.sqrt(50))
        assert next_word.standard_error(values, torch.arange(50)) == pytest.approx(textbook)

    def test_repeated_words_of_a_sentence_are_no_news(self):
        values = torch.randn(50, dtype=torch.float64)
        once = next_word.standard_error(values, torch.arange(50))
        again = next_word.standard_error(
            values.repeat_interleave(3), torch.arange(50).repeat_interleave(3)
        )
        assert again == pytest.approx(once)
        assert math.isnan(next_word.standard_error(values, torch.zeros(50, dtype=torch.long)))


def test_every_figure_can_be_saved(found, toy):
    distributions = {"truth": found.truth} | {name: found.softened(name) for name in found.log_prob}
    H = {name: next_word.entropies(p) for name, p in distributions.items()}
    words = [*toy.valid.target[0], "(end)"]
    made = [
        next_word.mass_figure(
            {name: next_word.mass(p, found.truth, found.gold) for name, p in distributions.items()}
        ),
        next_word.sweep_figure(next_word.sweep(found, (0.5, 1.0, 2.0))),
        next_word.offset_entropy_figure(found.offset, H),
        next_word.sentence_entropy_figure(
            words, {name: values[: len(words)].tolist() for name, values in H.items()}
        ),
        next_word.reliability_figure(
            {"teacher": next_word.reliability(found.truth, found.truth, found.gold)}
        ),
    ]
    assert all(
        isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG") for figure in made
    )


def test_a_whole_truth_leaves_no_rest(toy, toy_models):
    reading = SentenceReading(toy_models, toy.valid.source[0], toy.valid.target[0], toy.language)
    for position in range(len(reading)):
        truth = reading.truth(position)
        bars = reading.next_words(position).rows(truth.nonzero().flatten().tolist())[1]
        assert bars[0][-1] == 0.0 and bars[1][-1] > 0.0
    assert int(truth[EOS]) == 1
