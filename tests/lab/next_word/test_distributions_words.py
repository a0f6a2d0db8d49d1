"""Lesson 03's sentences and intervals: true for the values they are made from, whichever way these
come out."""

from __future__ import annotations

import pytest
import torch
from matplotlib.figure import Figure

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.next_word import notebook as next_word
from seqkd_lab.lab.next_word import temperatures
from seqkd_lab.lab.next_word.entropy import Doubt
from seqkd_lab.lab.next_word.estimates import Estimate, resamples
from seqkd_lab.lab.next_word.mass import Mass
from seqkd_lab.lab.next_word.notebook import BASELINE, SEQ_KD, TEACHER, TRUTH
from seqkd_lab.lab.next_word.temperatures import TEMPERATURES, nearest_temperature
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.shared.seeds import share_interval


def around(value: float, reach: float = 0.01, seed: int = 0) -> Estimate:
    """An estimate whose resampled values lie evenly within `reach` of it, in an order of its
    own."""
    order = torch.randperm(201, generator=torch.Generator().manual_seed(seed))
    return Estimate(
        value, torch.linspace(value - reach, value + reach, 201, dtype=torch.float64)[order]
    )


@pytest.fixture(scope="module")
def positions(toy, toy_models):
    return next_word.read_positions(toy_models, toy.valid[:8], toy.language)


class TestEstimates:
    def test_the_first_row_of_the_resamples_is_the_sentences_themselves(self):
        counts = resamples(7, 50)
        assert (
            counts.shape == (51, 7)
            and bool((counts[0] == 1.0).all())
            and bool((counts.sum(dim=1) == 7.0).all())
        )

    def test_a_mean_and_its_interval_are_those_of_the_ratio_of_sums(self):
        chance = torch.Generator().manual_seed(3)
        sentence = torch.arange(60).repeat_interleave(torch.randint(2, 9, (60,), generator=chance))
        values = torch.randn(len(sentence), dtype=torch.float64, generator=chance) + 0.3 * (
            sentence % 3
        )
        measured = next_word.mean(values, sentence)
        error = next_word.standard_error(values, sentence)
        low, high = measured.interval
        assert measured.value == pytest.approx(float(values.mean()))
        assert (high - low) / 4 == pytest.approx(error, rel=0.2) and low < measured.value < high

    def test_shares_and_calibration_are_those_of_the_pictures(self, positions):
        for name in positions.log_prob:
            p = positions.softened(name)
            mass = next_word.mass(p, positions.truth, positions.gold)
            assert next_word.right_share(positions, name).value == pytest.approx(mass.right_share)
            bins = next_word.reliability(p, positions.truth, positions.gold)
            error = next_word.calibration_error(p, positions.truth, positions.sentence)
            assert error.value == pytest.approx(bins.error)

    @pytest.mark.parametrize("sharpness", [0.6, 1.0, 1.7])
    def test_the_nearest_temperature_takes_back_the_sharpness(self, sharpness):
        log_truth = torch.randn(
            80, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
        ).log_softmax(1)
        log_prob = (log_truth * sharpness).log_softmax(dim=1)
        found = nearest_temperature(
            log_prob, (log_truth.exp() * log_prob).sum(1), torch.arange(80) // 4
        )
        low, high = found.interval
        assert found.value == pytest.approx(sharpness, rel=0.01)
        assert low == pytest.approx(sharpness, rel=0.01) and high == pytest.approx(
            sharpness, rel=0.01
        )

    def test_it_is_the_one_of_the_sweep(self, positions):
        sweep = next_word.sweep(positions, [1.0])
        for name, found in next_word.nearest_temperatures(positions).items():
            within = min(max(sweep.nearest[name][0], TEMPERATURES[0]), TEMPERATURES[-1])
            assert found.value == pytest.approx(within, rel=0.01)

    def test_for_gold_no_other_temperature_has_less_loss(self, toy, toy_models, monkeypatch):
        """A model that gives gold more than the rest: there is a best τ, and the ids of gold are in
        the right order."""
        gold = torch.tensor(
            [
                i
                for target in toy.valid[:8].target
                for i in (*toy_models[TEACHER].target_vocabulary.ids(target), EOS)
            ]
        )
        log_prob = torch.randn(
            len(gold), 30, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
        )
        log_prob = torch.nn.functional.pad(
            log_prob, (0, len(toy_models[TEACHER].target_vocabulary) - 30), value=-5.0
        )
        log_prob = (
            log_prob + 3.0 * torch.nn.functional.one_hot(gold, log_prob.shape[1])
        ).log_softmax(dim=1)
        monkeypatch.setattr(temperatures, "next_words", lambda *_: log_prob)
        found = next_word.least_loss_temperature(toy_models[TEACHER], toy.valid[:8]).value

        def loss(tau: float) -> float:
            return -float((log_prob / tau).log_softmax(dim=1).gather(1, gold[:, None]).mean())

        assert TEMPERATURES[0] < found < TEMPERATURES[-1]
        assert loss(found) < min(loss(found * 1.05), loss(found / 1.05))

    def test_only_what_is_decided_is_said(self):
        apart, close = (
            {"a": around(1.0), "b": around(2.0)},
            {"a": around(1.0, 0.5), "b": around(1.1, 0.5, 1)},
        )
        assert (
            next_word.decided_pairs(apart) == [("b", "a")] and next_word.decided_pairs(close) == []
        )
        assert (next_word.largest(apart), next_word.smallest(apart)) == ("b", "a")
        assert next_word.largest(close) == next_word.smallest(close) == next_word.TOO_CLOSE

    def test_kinds_share_the_wrong_mass_and_doubts_are_the_extremes(self, positions):
        shares = next_word.wrong_by_kind(positions, TEACHER)
        assert (
            sum(shares.values()) == pytest.approx(1.0)
            and list(shares.values()) == sorted(shares.values())[::-1]
        )
        most, least = next_word.doubts(
            positions, torch.tensor([0.0, 3.0, 1.0]), torch.tensor([0.0, 1.0, 2.0])
        )
        assert (most.excess, least.excess) == (2.0, -1.0) and most.before == positions.text(1)[1]


@pytest.fixture(scope="module")
def reading(toy, toy_models):
    return SentenceReading(toy_models, lesson.TICKET, lesson.TICKET_GOLD, toy.language)


class TestTicket:
    def test_its_positions_are_the_choice_and_the_pronoun(self, reading):
        assert lesson.TICKET_GOLD[next_word.AGREEMENT] == "es"
        assert set(
            reading.vocabulary.tokens[k]
            for k in reading.truth(next_word.CHOICE).nonzero().flatten()
        ) == {"mein", "meine"}
        assert float(reading.truth(next_word.AGREEMENT).max()) == 1.0

    def test_a_model_that_forgets_is_told_from_one_that_does_not(self, reading, toy, toy_models):
        text = repr(next_word.ticket_in_words(reading, next_word.CHOICE, next_word.AGREEMENT))
        assert "guesses" in text and "0.55 and 0.45" in text
        sure = SentenceReading(toy_models, lesson.TICKET, lesson.TICKET_GOLD, toy.language)
        for log_prob in sure.log_prob.values():
            log_prob[next_word.AGREEMENT, sure.vocabulary.ids(["es"])[0]] = 50.0
            log_prob[next_word.AGREEMENT] = log_prob[next_word.AGREEMENT].log_softmax(0)
        text = repr(next_word.ticket_in_words(sure, next_word.CHOICE, next_word.AGREEMENT))
        assert "guesses" not in text and "still decides" in text
        assert "nearly as certain" in next_word.certain_answer(sure, next_word.AGREEMENT)
        assert "not the only right word" in next_word.certain_answer(sure, next_word.CHOICE)

    def test_the_temperature_is_described_as_it_is(self, reading):
        text = next_word.temperature_answer(reading, 0, (0.25, 1, 4))
        assert "τ = 0.25, 1 and 4" in text and "A low τ gives the likeliest word more" in text

    def test_pictures_and_the_corpus_of_the_view(self, reading, toy):
        figure = next_word.positions_figure(reading, {"a": 0, "b": next_word.AGREEMENT})
        assert isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG")
        corpus = next_word.with_ticket(toy.valid, 3)
        assert (corpus.source[0], corpus.target[0], len(corpus)) == (
            lesson.TICKET,
            lesson.TICKET_GOLD,
            4,
        )

    def test_the_view_starts_with_it(self, toy, toy_models):
        view = next_word.make_explorer(
            toy_models, next_word.with_ticket(toy.valid, 2), toy.language
        )
        assert " ".join(lesson.TICKET) in view.text.value and "distance" not in view.text.value
        assert view.data.truth is not None

    def test_where_it_leaves_no_choice(self):
        text = next_word.ticket_doubt_answer(
            ["a", "b", "c"], {TRUTH: [0.5, 0.0, 0.0], TEACHER: [0.6, 0.1, 0.3]}
        )
        assert (
            "before *a*, and nowhere else" in text
            and "the teacher hesitates most before *c*: 0.30" in text
        )


class TestSentences:
    def test_the_baselines_training(self):
        say = next_word.baseline_answer
        assert "not converged" in say(
            around(0.9), around(0.9), around(0.8)
        ) and "underconfident" in say(around(0.9), around(0.9), around(0.8))
        over = say(around(1.3), around(1.0), around(1.0))
        assert "**converged**" in over and "overfitted" in over
        assert "too confident" in say(around(1.0), around(1.0), around(1.2))
        assert "may be 1" in say(around(1.0), around(1.0), around(1.0))

    def test_the_teachers_training(self):
        assert "memorised" in next_word.teacher_answer(around(1.0), around(1.0), around(0.8))
        assert "memorised" not in next_word.teacher_answer(around(1.0), around(1.0), around(1.0))

    def test_the_students_gap(self):
        far = next_word.student_answer(around(1.5), 0.9, 0.7, {TEACHER: 0.04, BASELINE: 0.15})
        assert "too confident" in far and "most of the gap remains" in far
        near = next_word.student_answer(around(0.7), 0.1, 0.03, {TEACHER: 0.04, BASELINE: 0.15})
        assert "not confident enough" in near and "not the farthest" in near

    def test_entropy_and_calibration_say_what_is_decided(self):
        kl = {TEACHER: 0.04, BASELINE: 0.15, SEQ_KD: 0.9}
        open_ = next_word.entropy_answer(
            {
                TRUTH: around(0.33),
                TEACHER: around(0.37),
                BASELINE: around(0.53),
                SEQ_KD: around(0.371, seed=5),
            },
            kl,
        )
        assert "do not tell seq-kd and teacher apart" in open_ and "does not show" in open_
        apart = next_word.entropy_answer(
            {TRUTH: around(0.1), TEACHER: around(0.2), BASELINE: around(0.3), SEQ_KD: around(0.4)},
            kl,
        )
        assert "all of them apart" in apart and "does not show" not in apart
        errors = {
            TEACHER: around(0.02, 0.001),
            BASELINE: around(0.01, 0.001),
            SEQ_KD: around(0.1, 0.001),
        }
        assert "the baseline is better calibrated than the teacher" in next_word.calibration_answer(
            errors, kl
        )
        unclear = {
            TEACHER: around(0.012, 0.01),
            BASELINE: around(0.01, 0.01, 3),
            SEQ_KD: around(0.1, 0.001),
        }
        assert "do not tell" in next_word.calibration_answer(unclear, kl)
        same = {TEACHER: around(0.01), BASELINE: around(0.02), SEQ_KD: around(0.1)}
        assert "both orders are the same" in next_word.calibration_answer(same, kl)

    def test_softening(self):
        worse = next_word.softening_answer({1: Mass(0.8, 0.19, 0.01), 4: Mass(0.1, 0.05, 0.85)})
        more = next_word.softening_answer({1: Mass(0.8, 0.19, 0.01), 4: Mass(0.5, 0.21, 0.29)})
        good = next_word.softening_answer({1: Mass(0.8, 0.19, 0.01), 4: Mass(0.5, 0.45, 0.05)})
        assert (
            "takes right probability away" in worse and "more wrong probability than right" in more
        )
        assert "more right probability than wrong" in good

    def test_errors_of_agreement(self):
        mass = Mass(0.8, 0.19, 0.01)
        assert "most of" in next_word.wrong_answer({"article": 0.7, "verb": 0.3}, mass)
        assert "about half" in next_word.wrong_answer({"article": 0.5, "verb": 0.5}, mass)
        assert "only a part" in next_word.wrong_answer({"verb": 0.9, "article": 0.1}, mass)

    def test_dark_knowledge_and_doubts(self, positions):
        mass = {
            TRUTH: Mass(0.79, 0.21, 0.0),
            TEACHER: Mass(0.78, 0.2, 0.02),
            SEQ_KD: Mass(0.7, 0.1, 0.2),
        }
        text = repr(next_word.dark_in_words(mass, around(0.91)))
        assert "91.0%" in text and "the Seq-KD student has most there: 0.200" in text
        doubt, sure = Doubt("s", "b", 1.0, 0.0), Doubt("s", "", 0.0, 1.0)
        both = next_word.doubts_answer(doubt, sure)
        assert "hesitates most" in both and "too certain" in both
        equal = Doubt("s", "b", 0.5, 0.5)
        assert next_word.doubts_answer(equal, equal).count("At no position") == 2

    def test_tables(self, positions, toy):
        worst = next_word.wrong_words(positions, TEACHER, toy.language, 2)
        assert repr(next_word.wrong_table(worst)).count("\n") == 3
        table = next_word.nearest_in_words(
            {TEACHER: around(1.0), SEQ_KD: around(1.5)},
            {TEACHER: around(1.0), SEQ_KD: around(1.5)},
            {TEACHER: around(0.8)},
        )
        assert "0.80 [0.79, 0.81]" in repr(table) and "not trained on gold" in repr(table)


def test_wilsons_interval_has_a_width_at_the_ends():
    """Against the closed form for k = 0: high = z² / (n + z²)."""
    low, high = share_interval(0, 20)
    assert low == 0.0 and high == pytest.approx(1.96**2 / (20 + 1.96**2), abs=1e-4)
    assert share_interval(20, 20) == pytest.approx((1.0 - high, 1.0))
    low, high = share_interval(300, 1000)
    assert (low, high) == pytest.approx((0.2724, 0.3292), abs=2e-4)
