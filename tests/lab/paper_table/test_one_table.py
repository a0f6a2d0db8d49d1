"""Lesson 08's rows, words and view: what they say is true of the values, whichever way these come
out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqkd_lab.lab.paper_table import notebook as paper_table
from seqkd_lab.lab.paper_table.comparison import (
    MEASURES,
    claims_of,
    compare,
    compare_rows,
    comparison_figure,
    measured,
)
from seqkd_lab.lab.paper_table.gain import Gain
from seqkd_lab.lab.paper_table.speed import Speeds
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.comparison import Comparison, Row
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, UNDECIDED, Claim, judge_claim
from seqkd_lab.studies.no_help import AS_LARGE, DETERMINISTIC
from seqkd_lab.studies.table1.findings import CLAIMS, judge


@pytest.fixture(scope="module")
def by_seed():
    return paper_table.rows_by_seed(lesson.table_results())


def verdict(values, least=0.0):
    return judge_claim(
        Claim("F0", "a quantity ≥ 0", lambda rows: rows["x"], least=least),
        [{"x": v} for v in values],
    )


class TestRows:
    def test_the_difference_is_taken_seed_by_seed_and_judged_by_the_rule(self, by_seed):
        comparison = compare_rows(by_seed, SEQ_KD, BASELINE, "BLEU, greedy")
        pairs = zip(comparison.values, comparison.others, comparison.verdict.values, strict=True)
        assert all(math.isclose(value - other, judged) for value, other, judged in pairs)
        assert comparison.verdict.outcome == HELD and "Held." in comparison.sentence
        assert compare_rows(by_seed, BASELINE, SEQ_KD, "BLEU, greedy").verdict.outcome == NOT_HELD

    def test_a_row_minus_itself_is_nothing(self, by_seed):
        for measure in measured(by_seed):
            assert set(compare_rows(by_seed, SEQ_KD, SEQ_KD, measure).verdict.values) == {0.0}

    def test_every_measure_is_there_and_every_claim_names_one(self, by_seed):
        assert measured(by_seed) == list(MEASURES) and claims_of(by_seed) == list(CLAIMS)
        assert {claim.measure for claim in CLAIMS} <= set(MEASURES)

    def test_a_claim_is_judged_in_the_place_of_the_difference(self, by_seed):
        for claim, judged in zip(claims_of(by_seed), judge(by_seed), strict=True):
            comparison = compare(by_seed, SEQ_KD, BASELINE, MEASURES[claim.measure], claim)
            assert (
                comparison.verdict.values == judged.values
                and comparison.verdict.outcome == judged.outcome
            )
            assert comparison_figure(comparison).axes

    def test_real_text_lacks_what_only_the_toy_language_knows(self):
        real = paper_table.rows_by_seed(paper_table.real_results())
        assert "valid, greedy" not in measured(real) and "BLEU, greedy" in measured(real)


class TestView:
    @pytest.fixture
    def view(self):
        pytest.importorskip("ipywidgets")
        return paper_table.make_explorer(lesson.table_results())

    @pytest.mark.slow
    def test_a_claim_sets_rows_and_measure_and_a_hand_takes_it_back(self, view):
        for label, claim in view._claims.items():
            view.claim.value = label
            assert (view.row.value, view.measure.value) == (claim.needs[0], claim.measure)
            assert view.row.value != view.other.value and view.data.verdict.claim is claim
            shown = view.text.value
            view.other.value = next(name for name in view.other.options if name != view.other.value)
            assert view.claim.value not in view._claims and view.text.value != shown
            assert view.data.verdict.claim.name == ""

    def test_without_a_seed_it_is_refused(self):
        pytest.importorskip("ipywidgets")
        with pytest.raises(ValueError, match="one seed"):
            paper_table.make_explorer({"by_seed": {}})


class TestWords:
    def test_the_nearest_undecided_claim_and_none(self):
        near, far = verdict([-0.1, 1.0, 2.0, 1.5]), verdict([-3.0, 1.0, 2.0])
        assert near.outcome == far.outcome == UNDECIDED
        assert str(round(near.interval[1], 2)) in paper_table.nearest_in_words([far, near])
        assert paper_table.nearest_in_words([verdict([5.0, 5.1, 5.2])]) == "No claim is undecided."

    def test_the_seed_that_widens_an_interval(self):
        words = paper_table.widest_in_words(
            [verdict([1.0, 1.1, 0.9, 9.0])], ["21", "22", "23", "24"]
        )
        assert "seed 24 has 9" in words
        assert "too few" in paper_table.widest_in_words([verdict([1.0, 2.0])], ["1", "2"])

    def test_the_ticket(self):
        def row(model, search, text, fault=None):
            return Row(model, search, text, 0.1, 0.1, fault)

        made = Comparison(
            "s",
            (
                row("a", "greedy", "Meine Fahrkarte"),
                row("a", "beam 5", "Meine Fahrkarte"),
                row("b", "greedy", "Mein Ticket", "wrong"),
                row("b", "beam 5", "Mein Fahrschein"),
            ),
        )
        words = paper_table.ticket_in_words(made).text
        assert (
            "1 of 2 rows" in words
            and ": a." in words
            and "changes the translation of 1 of 2" in words
        )

    @pytest.mark.parametrize(
        "size, search, larger",
        [(3.0, 2.0, paper_table.SMALLER), (2.0, 3.0, paper_table.GREEDY_SEARCH)],
    )
    def test_the_larger_factor(self, size, search, larger):
        rounds = [
            Speeds(100.0, 100.0 * search, 100.0 * size, 100.0 * size * search * wobble)
            for wobble in (0.99, 1.0, 1.01)
        ]
        assert paper_table.larger_factor(rounds) == larger
        assert f"{size:.1f} for the smaller model" in paper_table.speed_in_words(rounds).text

    def test_rounds_that_disagree_cannot_tell(self):
        rounds = [Speeds(100.0, 200.0, 200.0, 200.0 * factor) for factor in (1.2, 2.0, 3.4)]
        assert paper_table.larger_factor(rounds) == CANNOT_TELL

    def test_the_chance_in_the_sentences_and_in_the_seeds(self):
        sure, open_ = np.linspace(0.05, 0.15, 100), np.linspace(-0.1, 0.1, 100)
        words = paper_table.chance_in_words(sure, 0.1, [0.1, 0.3], 7).text
        assert (
            "not an accident" in words
            and "1 have a gain in that range" in words
            and "below 1 in 100" in words
        )
        assert "might show no gain" in paper_table.chance_in_words(open_, 0.0, [0.1], 7).text

    def gain(self, condition, greedy, valid):
        n = len(greedy)
        return Gain(condition, tuple(range(n)), greedy, greedy, valid, (2.0,) * n, 90.0, 95.0)

    def test_where_it_helps_and_where_not(self):
        large = self.gain(AS_LARGE, (0.7, 0.8, 0.9), (-0.02, -0.021, -0.019))
        words = paper_table.no_help_in_words({AS_LARGE: large}).text
        assert "a clear gain" in words and "a clear loss" in words and "teacher's errors" in words
        better = paper_table.no_help_in_words(
            {AS_LARGE: self.gain(AS_LARGE, (0.7, 0.8, 0.9), (0.1, -0.1, 0.0))}
        ).text
        assert "errors" not in better and "gain is small" in better
        none = self.gain(DETERMINISTIC, (0.1, -0.1, 0.0), (0.1, -0.1, 0.0))
        assert "cannot spare" in paper_table.no_help_in_words({DETERMINISTIC: none}).text
        one = paper_table.no_help_in_words({AS_LARGE: self.gain(AS_LARGE, (0.7,), (0.1,))}).text
        assert "decides nothing" in one and "inf" not in one

    def test_real_text_says_whether_there_is_a_gain(self, by_seed):
        def said(rows_of_seeds, **more) -> str:
            numbered = {str(seed): rows for seed, rows in enumerate(rows_of_seeds)}
            return paper_table.real_text_in_words({"by_seed": numbered, "settings": more}).text

        assert "Seq-KD does gain" in said(by_seed)
        turned = [{**rows, SEQ_KD: rows[BASELINE], BASELINE: rows[SEQ_KD]} for rows in by_seed]
        assert "more seeds would have to tell" in said(turned)
        assert "one teacher (seed 7)" in said(
            by_seed, teacher_seed=7
        ) and "one teacher" not in said(by_seed)

    def test_the_more_certain_difference_and_the_budget(self, by_seed):
        assert "more certain difference" in paper_table.certain_in_words(by_seed)
        assert "updates it is" in paper_table.budget_answer(paper_table.budget_seeds())


def test_the_range_of_the_gain_is_about_the_models_that_are_shown():
    results, seed = lesson.table_results(), paper_table.committed_seed()
    own, every = (paper_table.expected_gain(results, which, 1000) for which in (seed, None))
    assert every[0] < own[0] < own[1] < every[1]
    assert own[1] - own[0] < 10.0
