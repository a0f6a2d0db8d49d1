import math
import random
import statistics

import pytest
from scipy import stats

from seqkd_lab.runs.power import Plan, seeds_for
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    Claim,
    describe,
    judge_claim,
    smallest_effect,
    summary,
)


def rows_of(**columns):
    """Return rows by seed of named quantities."""
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def claim(name="gain", **fields):
    return Claim(name, f"the {name} is above 0", lambda rows: rows[name], least=0.0, **fields)


@pytest.mark.parametrize(("n", "deviation"), [(5, 1.0), (10, 2.5), (20, 0.3)])
def test_the_smallest_effect_is_found_in_about_four_of_five_simulated_studies(n, deviation):
    rng, effect = random.Random(n), smallest_effect(deviation, n)
    found = 0
    for _ in range(2_000):
        values = [rng.gauss(effect, deviation) for _ in range(n)]
        reach = stats.t.ppf(0.975, n - 1) * statistics.stdev(values) / math.sqrt(n)
        found += statistics.fmean(values) - reach > 0.0
    assert 0.74 < found / 2_000 < 0.86


def test_fewer_than_two_values_see_nothing():
    assert smallest_effect(1.0, 1) == math.inf


def test_the_number_of_seeds_is_the_least_that_sees_the_effect():
    n = seeds_for(5.4, 3.6)
    assert smallest_effect(5.4, n) <= 3.6 < smallest_effect(5.4, n - 1)
    with pytest.raises(ValueError, match="larger than 0"):
        seeds_for(1.0, 0.0)


def test_a_plan_says_what_its_seeds_see():
    plan = Plan(claim(), 2.0, 10)
    assert plan.effect == smallest_effect(2.0, 10)
    assert "10 seeds" in str(plan)


def test_a_claim_cannot_be_asked_where_its_manipulation_check_is_not_held():
    by_seed = rows_of(gain=[1.0, 1.1, 1.2], room=[-1.0, 0.5, 0.2])
    verdict = judge_claim(claim(manipulation=claim("room")), by_seed)
    assert verdict.outcome == CANNOT_BE_ASKED
    assert "the room is above 0" in verdict.reason and "undecided" in verdict.reason
    assert verdict.reason in describe(verdict) and "1.1" in describe(verdict)
    assert "1 cannot be asked here" in summary([verdict])


def test_a_claim_is_judged_where_its_manipulation_check_is_held():
    by_seed = rows_of(gain=[1.0, 1.1, 1.2], room=[3.0, 3.1, 2.9])
    verdict = judge_claim(claim(manipulation=claim("room")), by_seed)
    assert verdict.outcome == HELD and not verdict.reason


def test_an_obstacle_counts_more_than_the_manipulation_check():
    by_seed = rows_of(gain=[1.0, 1.1, 1.2], room=[-3.0, -3.1, -2.9])
    judged = judge_claim(
        claim(manipulation=claim("room"), obstacle=lambda _: "no student learned"), by_seed
    )
    assert (judged.outcome, judged.reason) == (CANNOT_BE_JUDGED, "no student learned")


def test_the_planned_effect_stands_beside_the_one_that_was_measured():
    verdict = judge_claim(claim(), rows_of(gain=[1.0, 1.1, 1.2]))
    assert "(planned 0.75)" in describe(verdict, planned=0.75)
