"""What lesson 08 judges: settled findings, speeds as products, bootstrap gains, conditions; and its
pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from seqkd_lab.lab.paper_table import chance, claims, gain
from seqkd_lab.lab.paper_table import speed as speed_up
from seqkd_lab.lab.paper_table.speed import PAPER_SPEEDS, Speeds
from seqkd_lab.lab.shared import exercises, scores
from seqkd_lab.runs import clock as speed
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import CANNOT_BE_ASKED, Claim, judge_claim, number
from seqkd_lab.studies import no_help
from seqkd_lab.studies.no_help import AS_LARGE, CONTROL, FROM_GOLD, FROM_TEACHER, THE_TEACHER, Point
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import read_results

positive = st.floats(0.5, 5000)
speeds = st.builds(Speeds, positive, positive, positive, positive)
TABLE = rows_by_seed(read_results(results_path("table1.json")))


def judged(values, least=-math.inf, most=math.inf):
    return judge_claim(
        Claim("F0", "a claim", lambda rows: rows["value"], least, most),
        [{"value": x} for x in values],
    )


class TestSettled:
    def test_the_interval_lies_on_one_side(self):
        assert claims.settled(judged([5.0, 5.1, 5.2], least=4.0)), "held, all of it"
        assert claims.settled(judged([3.0, 3.1, 3.2], least=4.0)), "missed, all of it"
        assert not claims.settled(judged([3.0, 6.0, 4.5], least=4.0))
        assert not claims.settled(judged([3.0, 3.9, 3.5], least=3.6))
        assert claims.settled(judged([2.0, 2.1, 2.2], most=1.0)) and claims.settled(
            judged([0.1, 0.2, 0.3], most=1)
        )

    def test_one_seed_settles_nothing(self):
        assert not claims.settled(judged([5.0], least=4.0)) and not claims.settled(
            judged([3.0], least=4.0)
        )


class TestSpeed:
    @given(speeds)
    def test_both_ways_have_the_total_as_their_product(self, found):
        for parts in (found.size_then_search, found.search_then_size):
            assert parts[0] * parts[1] == pytest.approx(found.total)
        solution = exercises.find("speed_up").solution
        assert solution(
            found.teacher_beam, found.student_beam, found.student_greedy
        ) == pytest.approx((found.total, *found.size_then_search))

    def test_the_papers_ten_times(self):
        assert round(PAPER_SPEEDS["paper, GPU"].total) == 10

    def test_rounds_are_measured_in_turn_and_the_first_is_not_counted(
        self, toy, toy_models, monkeypatch
    ):
        asked, clock = [], iter(range(10**6))
        monkeypatch.setattr(
            speed, "search", lambda model, sources, size, **_: asked.append((model, size))
        )
        monkeypatch.setattr(speed.time, "perf_counter", lambda: float(next(clock)))
        heard, sources = [], toy.test.source[:7]
        teacher, student = toy_models["teacher"], toy_models["seq-kd"]
        rounds = speed_up.measure_speeds(
            teacher, student, sources, 4, 3, lambda *now: heard.append(now)
        )
        assert asked == [(teacher, 4), (teacher, 1), (student, 4), (student, 1)] * 4
        n_words = sum(map(len, sources))
        assert rounds == [Speeds(*[n_words] * 4)] * 3 and heard == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def test_the_middle_is_each_speeds_median(self):
        rounds = [Speeds(1, 20, 5, 4), Speeds(3, 10, 6, 4), Speeds(2, 90, 1, 4)]
        assert speed_up.middle(rounds) == Speeds(2, 20, 5, 4)


class TestBootstrap:
    def test_it_is_the_exercises_p_value_on_the_same_resamples(self):
        draws, rows = np.random.default_rng(3), chance.resamples(40, 300)
        one, other = draws.integers(0, 2, 40).tolist(), draws.integers(0, 2, 40).tolist()
        solution = exercises.find("bootstrap_p_value").solution
        gains = chance.bootstrap_gains(one, other, rows)
        assert chance.p_value(gains) == solution(one, other, rows.tolist())
        assert chance.p_value(chance.bootstrap_gains(one, one, rows)) == 1.0

    def test_its_spread_is_the_standard_error_of_a_paired_difference(self):
        draws = np.random.default_rng(4)
        one, other = draws.normal(size=400), draws.normal(size=400)
        gains = chance.bootstrap_gains(one, other, chance.resamples(400, 4000))
        assert gains.std() == pytest.approx((one - other).std() / 20, rel=0.06)
        assert gains.mean() == pytest.approx((one - other).mean(), abs=0.01)

    def test_resamples_are_drawn_with_replacement_and_the_same_again(self):
        rows = chance.resamples(10, 50, seed=2)
        assert rows.shape == (50, 10) and rows.min() >= 0 and rows.max() <= 9
        assert (rows == chance.resamples(10, 50, seed=2)).all() and len(set(rows[0].tolist())) < 10

    def test_the_middle_holds_95_of_100(self):
        low, high = chance.middle_95(np.arange(1001))
        assert (low, high) == (25.0, 975.0)

    def test_unpaired_scores_are_refused(self):
        with pytest.raises(ValueError, match="same sentences"):
            chance.bootstrap_gains([1, 2], [1], chance.resamples(2, 3))

    def test_validity_is_the_languages_word_on_each_greedy_translation(
        self, toy, toy_models, monkeypatch
    ):
        sources = toy.test.source[:5]
        assert (
            scores.validity(toy_models["teacher"], toy.language, sources) == [0] * 5
        )  # random weights
        best = [[type("H", (), {"tokens": toy.language.mode(source)[0]})] for source in sources]
        monkeypatch.setattr(scores, "search", lambda model, sources: best)
        assert scores.validity(toy_models["teacher"], toy.language, sources) == [1] * 5


def point(condition, arm, seed, greedy):
    return Point(condition, arm, seed, greedy, greedy + 1, greedy / 200, greedy / 1000, 2.0)


class TestGains:
    def test_students_are_paired_by_seed_and_lonely_ones_left_out(self):
        found = gain.gains(
            [
                point(CONTROL, FROM_GOLD, 1, 80),
                point(CONTROL, FROM_TEACHER, 1, 84),
                point(CONTROL, FROM_GOLD, 2, 81),
                point(CONTROL, FROM_TEACHER, 3, 90),
                point(CONTROL, FROM_GOLD, 4, 70),
                point(CONTROL, FROM_TEACHER, 4, 76),
                point(CONTROL, THE_TEACHER, 1, 96),
                point(AS_LARGE, FROM_GOLD, 2, 95),
            ]
        )
        assert list(found) == [CONTROL]
        control = found[CONTROL]
        assert control.seeds == (1, 4) and control.greedy == (4.0, 6.0) == control.beam
        assert control.valid == pytest.approx((0.02, 0.03)) and control.p_factor == pytest.approx(
            (84 / 80, 76 / 70)
        )
        assert control.gold_level == 75.0 and control.teacher_level == 96.0
        text = control.lines()
        assert "2 seeds" in text and "+5.00" in text and "gold 75.0, of the teacher 96.0" in text
        assert control.verdict("p_factor") == gain.NO_GAIN, "a factor is judged by 1"

    @given(st.lists(st.floats(-5, 5), min_size=2, max_size=6))
    def test_the_verdict_is_that_of_a_t_test(self, differences):
        points = [point(CONTROL, FROM_GOLD, seed, 50.0) for seed in range(len(differences))]
        points += [
            point(CONTROL, FROM_TEACHER, seed, 50.0 + d) for seed, d in enumerate(differences)
        ]
        found = gain.gains(points)[CONTROL]
        assume(np.std(found.greedy) > 1e-6)
        p = ttest_1samp(found.greedy, 0.0).pvalue
        assume(abs(p - 0.05) > 1e-6)
        sign = gain.A_GAIN if np.mean(found.greedy) > 0 else gain.A_LOSS
        assert found.verdict() == (sign if p < 0.05 else gain.NO_GAIN)


class TestFigures:
    def texts(self, figure):
        figure.savefig("/dev/null", format="png")
        return " | ".join(text.get_text() for axes in figure.axes for text in axes.texts)

    @pytest.mark.slow
    def test_each_criterion_has_a_row_with_its_mean_and_what_is_said_of_it(self):
        verdicts = judge(TABLE)
        figure = claims.findings_figure(verdicts)
        assert len(figure.axes) == len(verdicts)
        text = self.texts(figure)
        for verdict in verdicts:
            mark = claims.OUTCOMES[verdict.outcome][0]
            assert f"{number(verdict.mean)}  {mark} {verdict.outcome}" in text
        assert text.count("undecided") == sum(not claims.settled(verdict) for verdict in verdicts)

    def test_one_seed_has_a_picture_too(self):
        assert "undecided" in self.texts(claims.findings_figure(judge(TABLE[:1])))

    def test_every_outcome_has_its_own_mark_and_colour_and_is_written_out(self):
        cannot = judge_claim(
            Claim("F0", "a claim", lambda rows: math.nan, 0.0, check=lambda by_seed: False),
            [{}, {}],
        )
        verdicts = [
            judged([1.0, 1.0], 0.0),
            judged([-1.0, -1.0], 0.0),
            judged([1.0, -1.0], 0.0),
            cannot,
        ]
        text = self.texts(claims.findings_figure(verdicts))
        assert all(
            said in text for said in ("✓ held", "✗ not held", "? undecided", f"– {CANNOT_BE_ASKED}")
        )
        assert all(len(set(kind)) == 4 for kind in zip(*claims.OUTCOMES.values(), strict=True))

    def test_a_product_shows_its_factors_and_a_slower_student_none_that_fits(self):
        text = self.texts(
            speed_up.speed_figure({**PAPER_SPEEDS, "here": Speeds(10.0, 20.0, 30.0, 60.0)})
        )
        assert "= 10.3" in text and "= 6.0" in text and "× 3.0" in text and "× 2.0" in text
        assert "= 0.5" in self.texts(speed_up.speed_figure({"slow": Speeds(10.0, 20.0, 5.0, 5.0)}))

    def test_chances_and_gains(self):
        rows = chance.resamples(50, 100)
        gains = chance.bootstrap_gains([1] * 25 + [0] * 25, [0, 1] * 25, rows)
        self.texts(chance.chances_figure(gains, 0.0, [0.1, 0.2], 21))
        table = read_results(results_path("table1.json"))["by_seed"]
        found = gain.gains(no_help.with_table([point(AS_LARGE, FROM_TEACHER, 21, 90.0)], table))
        text = self.texts(gain.gains_figure(found))
        assert f"{np.mean(found[CONTROL].greedy):+.1f}" in text and "−" in text
