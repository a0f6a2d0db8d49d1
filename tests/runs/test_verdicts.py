"""The one rule by which every claim is judged, by hand and by properties; and how a verdict is said
in words."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    NOT_HELD,
    UNDECIDED,
    Claim,
    all_held,
    describe,
    in_words,
    is_measured,
    judge_claim,
    judge_claims,
    mean_and_interval,
    summary,
)


def claim(least: float = -math.inf, most: float = math.inf, **more) -> Claim:
    return Claim(
        "X1",
        "x is large here",
        lambda rows: rows["x"],
        least,
        most,
        "it is large (somebody)",
        **more,
    )


def rows_of(values) -> list[dict]:
    return [{"x": value} for value in values]


def judged(values, **bounds):
    return judge_claim(claim(**bounds), rows_of(values))


numbers = st.floats(-100.0, 100.0)
several = st.lists(numbers, min_size=2, max_size=8)


class TestInterval:
    @pytest.mark.parametrize("values", [[1.0, 2.0], [3.5, 3.1, 4.2, 2.8, 3.9], [0.0, 0.0, 0.3]])
    def test_it_is_students(self, values):
        mean, interval = mean_and_interval(values)
        expected = stats.t.interval(
            0.95, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values)
        )
        assert mean == pytest.approx(sum(values) / len(values)) and interval == pytest.approx(
            expected
        )

    def test_equal_values_have_an_interval_without_width(self):
        assert mean_and_interval([2.0, 2.0, 2.0]) == (2.0, (2.0, 2.0))

    def test_a_single_value_has_no_end(self):
        assert mean_and_interval([3.0]) == (3.0, (-math.inf, math.inf))

    def test_nothing_has_no_mean(self):
        with pytest.raises(ValueError, match="no value"):
            mean_and_interval([])

    @pytest.mark.parametrize("values", [[math.nan, 1.0], [math.inf, 1.0], [math.inf, -math.inf]])
    def test_what_is_not_finite_has_an_interval_that_decides_nothing(self, values):
        assert all(math.isnan(end) for end in mean_and_interval(values)[1])


class TestRule:
    """By hand: of 1, 2, 3 the mean is 2 and half of the 95% interval 4.303 · 1 / √3 = 2.484."""

    @pytest.mark.parametrize(
        ("least", "outcome"),
        [(-0.49, HELD), (-0.48, UNDECIDED), (2.0, UNDECIDED), (4.48, UNDECIDED), (4.49, NOT_HELD)],
    )
    def test_the_interval_decides_from_below(self, least, outcome):
        assert judged([1.0, 2.0, 3.0], least=least).outcome == outcome

    @pytest.mark.parametrize(
        ("most", "outcome"),
        [(4.49, HELD), (4.48, UNDECIDED), (-0.48, UNDECIDED), (-0.49, NOT_HELD)],
    )
    def test_and_from_above(self, most, outcome):
        assert judged([1.0, 2.0, 3.0], most=most).outcome == outcome

    def test_an_interval_wider_than_the_bounds_is_undecided(self):
        assert judged([1.0, 2.0, 3.0], least=1.9, most=2.1).outcome == UNDECIDED

    def test_counts_that_are_all_0_are_held_and_one_failure_is_not(self):
        assert judged([0, 0, 0, 0], most=0.0).outcome == HELD
        assert judged([0, 0, 0, 1], most=0.0).outcome == UNDECIDED
        assert judged([1, 1, 1, 1], most=0.0).outcome == NOT_HELD

    @given(several, numbers)
    def test_a_mean_inside_does_not_hold_a_claim_whose_bound_the_interval_crosses(
        self, values, least
    ):
        mean, (low, high) = mean_and_interval(values)
        assume(low < least <= mean)
        assert judged(values, least=least).outcome == UNDECIDED

    @given(several, numbers, numbers)
    def test_held_is_the_whole_interval_inside(self, values, one, other):
        least, most = sorted((one, other))
        low, high = mean_and_interval(values)[1]
        outcome = judged(values, least=least, most=most).outcome
        assert (outcome == HELD) == (least <= low and high <= most)
        assert (outcome == NOT_HELD) == (high < least or low > most)

    @given(several, numbers, numbers)
    def test_left_and_right_are_alike(self, values, one, other):
        least, most = sorted((one, other))
        mirrored = judged([-value for value in values], least=-most, most=-least)
        assert mirrored.outcome == judged(values, least=least, most=most).outcome

    @given(
        st.lists(st.integers(-50, 50), min_size=2, max_size=8),
        st.integers(-50, 50),
        st.integers(-500, 500),
    )
    def test_values_and_bound_may_be_shifted_together(self, values, least, shift):
        """By sixteenths, which floats know exactly."""
        found = judged([value / 16 for value in values], least=least / 16)
        assume(min(abs(end - least / 16) for end in found.interval) > 1e-9)
        moved = judged([(value + shift) / 16 for value in values], least=(least + shift) / 16)
        assert moved.outcome == found.outcome and moved.smallest_effect == pytest.approx(
            found.smallest_effect
        )

    @given(several, numbers, st.floats(0.0, 50.0))
    def test_more_of_it_never_takes_a_claim_away(self, values, least, more):
        ranks = [NOT_HELD, UNDECIDED, HELD]
        before = judged(values, least=least)
        assume(min(abs(end - least) for end in before.interval) > 1e-6)
        after = judged([value + more for value in values], least=least)
        assert ranks.index(after.outcome) >= ranks.index(before.outcome)

    @given(numbers, numbers)
    def test_one_seed_decides_nothing_that_has_a_bound(self, value, bound):
        assert (
            judged([value], least=bound).outcome == judged([value], most=bound).outcome == UNDECIDED
        )
        assert judged([value]).outcome == HELD, "what has no bound cannot fail"

    @given(st.lists(numbers, max_size=4), st.integers(0, 4))
    def test_what_is_not_a_number_is_never_held(self, values, place):
        values.insert(place, math.nan)
        assert judged(values).outcome == judged(values, least=0.0).outcome == UNDECIDED

    def test_what_these_results_cannot_answer_is_not_asked(self):
        asked = claim(least=0.0, check=lambda by_seed: all(rows["x"] != 1.0 for rows in by_seed))
        assert judge_claim(asked, rows_of([2.0, 2.0])).outcome == HELD
        assert judge_claim(asked, rows_of([2.0, 1.0])).outcome == CANNOT_BE_ASKED

    @given(several, numbers)
    def test_what_has_an_obstacle_cannot_be_judged_whatever_its_values(self, values, least):
        asked = claim(
            least=least,
            obstacle=lambda by_seed: "too little was learned",
            check=lambda by_seed: False,
        )
        verdict = judge_claim(asked, rows_of(values))
        assert (verdict.outcome, verdict.reason) == (CANNOT_BE_JUDGED, "too little was learned")
        assert not all_held([verdict])
        without = judge_claim(
            replace(asked, obstacle=lambda by_seed: None, check=None), rows_of(values)
        )
        assert (
            without == replace(judged(values, least=least), claim=without.claim)
            and without.reason == ""
        )

    def test_a_measurement_that_is_missing_is_an_error_where_the_claim_is_asked_alone(self):
        with pytest.raises(ValueError, match="X1 cannot be judged"):
            judged([1.0, None])

    def test_the_values_stay(self):
        verdict = judged([1.0, 3.0], least=0.0)
        assert (verdict.values, verdict.mean, verdict.claim.name) == ((1.0, 3.0), 2.0, "X1")


class TestClaims:
    def test_only_what_was_measured_in_each_seed_is_judged(self):
        by_seed = [{"x": 1.0, "row": {}}, {"x": None, "row": {}}]
        assert is_measured(claim(needs=("row",)), by_seed[:1]) and not is_measured(claim(), by_seed)
        assert not is_measured(claim(needs=("another",)), by_seed[:1])
        assert (
            judge_claims([claim(), claim(needs=("row",)), claim(needs=("another",))], by_seed) == []
        )
        assert (
            len(
                judge_claims(
                    [claim(), claim(needs=("row",)), claim(needs=("another",))], by_seed[:1]
                )
            )
            == 2
        )

    def test_without_a_seed_there_is_nothing_to_judge(self):
        with pytest.raises(ValueError, match="no seed"):
            judge_claims([claim()], [])
        with pytest.raises(ValueError, match="no value"):
            judge_claim(claim(), [])

    def test_undecided_is_not_held(self):
        assert all_held([judged([1.0, 1.0], least=0.0)]) and all_held([])
        for values in ([1.0, -1.0], [-1.0, -1.0], [1.0]):
            assert not all_held([judged([1.0, 1.0], least=0.0), judged(values, least=0.0)])


class TestSmallestEffect:
    def test_by_hand(self):
        """Of 1, 2, 3: (4.303 + 1.061) · 1 / √3."""
        assert judged([1.0, 2.0, 3.0]).smallest_effect == pytest.approx(3.097, abs=0.001)
        assert (
            judged([2.0, 2.0]).smallest_effect == 0.0 and judged([2.0]).smallest_effect == math.inf
        )
        assert math.isnan(judged([2.0, math.nan]).smallest_effect)

    def test_it_is_told_from_the_bound_about_four_times_in_five(self):
        """Ten seeds with a standard deviation of 1; the formula takes t for the non-central t, so
        about."""
        effect = (stats.t.ppf(0.975, 9) + stats.t.ppf(0.8, 9)) / math.sqrt(10)
        drawn = np.random.default_rng(5).normal(effect, 1.0, (4000, 10))
        reach = stats.t.ppf(0.975, 9) * drawn.std(axis=1, ddof=1) / math.sqrt(10)
        assert (drawn.mean(axis=1) > reach).mean() == pytest.approx(0.8, abs=0.03)


class TestWords:
    def test_a_verdict_has_its_numbers_and_the_original_beside(self):
        assert describe(judged([1.0, 2.0, 3.0], least=9.0)).splitlines() == [
            "X1  NOT HELD   x is large here",
            "    2 [-0.484, 4.48]; smallest visible effect 3.1; seeds: 1 2 3",
            "    original: it is large (somebody)",
        ]

    def test_without_an_original_there_is_no_line_for_it(self):
        said = describe(judge_claim(replace(claim(), original=""), rows_of([1.0, 2.0])), "rounds")
        assert len(said.splitlines()) == 2 and "rounds: 1 2" in said

    def test_one_value_has_no_interval(self):
        said = describe(judged([7.0], least=0.0))
        assert "UNDECIDED" in said and "(one value: no interval)" in said and "inf" not in said

    def test_large_numbers_are_written_out(self):
        assert "12,345 [" in describe(judged([12345.0, 12345.0]))

    @given(
        st.lists(st.sampled_from([(1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)]), min_size=1, max_size=6)
    )
    def test_the_summary_counts_and_names_what_was_not_reproduced(self, cases):
        verdicts = [
            judge_claim(
                replace(claim(least=0.0), name=f"X{number}", ours=f"claim {number}"),
                rows_of(values),
            )
            for number, values in enumerate(cases)
        ]
        said = summary(verdicts)
        counts = [
            sum(one.outcome == outcome for one in verdicts)
            for outcome in (HELD, UNDECIDED, NOT_HELD)
        ]
        assert said.startswith(f"{counts[0]} of {len(cases)} claim")
        assert f"{counts[1]} undecided, {counts[2]} not held" in said and said.endswith(".")
        for one in verdicts:
            assert (f"{one.claim.name} ({one.claim.ours})" in said) == (one.outcome == NOT_HELD)

    def test_what_cannot_be_asked_is_counted_by_itself(self):
        verdict = judge_claim(claim(check=lambda by_seed: False), rows_of([1.0, 1.0]))
        assert (
            summary([verdict])
            == "0 of 1 claim is held, 0 undecided, 0 not held, 1 cannot be asked here."
        )

    def test_what_cannot_be_judged_has_its_reason_for_numbers(self):
        verdicts = [
            judge_claim(
                claim(obstacle=lambda by_seed: "too little was learned"), rows_of([7.5, 7.5])
            )
        ] * 2
        assert describe(verdicts[0]).splitlines()[:2] == [
            "X1  CANNOT BE JUDGED  x is large here",
            "    too little was learned",
        ]
        assert summary(verdicts) == (
            "0 of 2 claims are held, 0 undecided, 0 not held, 2 cannot be judged (too little was "
            "learned)."
        )
        assert "7.5" not in in_words(verdicts)

    def test_all_of_it_ends_with_the_summary(self):
        verdicts = [judged([1.0, 1.0], least=0.0), judged([1.0, 2.0], least=0.0)]
        said = in_words(verdicts, "rounds").splitlines()
        assert said[-1] == summary(verdicts) and sum("rounds: " in line for line in said) == 2
