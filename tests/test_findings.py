"""The findings' criteria on results made by hand: each holds where it should and fails where it should."""

from __future__ import annotations

import copy
import math

import pytest
from scipy import stats

from seqkd_lab.experiments.findings import CRITERIA, describe, judge, judge_one, mean_and_interval
from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER_INTER, WORD_KD


def row(greedy: float, beam: float, p_mode: float = 0.01, perplexity: float = 2.0) -> dict:
    return {"greedy": {"bleu": greedy}, "beam": {"bleu": beam}, "p_mode": p_mode, "perplexity": perplexity}


HELD = {
    BASELINE: row(80.0, 83.0), WORD_KD: row(82.0, 84.0), SEQ_KD: row(86.0, 86.2, 0.1, 20.0),
    TEACHER_INTER: row(90.0, 90.2),
}

# Which criterion (by its place) fails when a row of HELD is replaced.
FAILURES = [
    (0, SEQ_KD, row(84.1, 84.8, 0.1, 20.0)),
    (1, SEQ_KD, row(84.4, 84.6, 0.1, 20.0)),
    (2, SEQ_KD, row(80.0, 84.8, 0.1, 20.0)),
    (3, BASELINE, row(80.0, 80.9)),
    (4, SEQ_KD, row(86.0, 86.4, 0.1, 20.0)),
    (5, WORD_KD, row(79.9, 84.0)),
    (6, WORD_KD, row(86.1, 86.1)),
    (7, SEQ_KD, row(86.0, 86.2, 0.079, 20.0)),
    (8, SEQ_KD, row(86.0, 86.2, 0.1, 2.9)),
    (9, TEACHER_INTER, row(90.0, 90.4)),
    (9, TEACHER_INTER, row(90.4, 90.0)),
]


def test_all_hold_on_rows_like_the_papers():
    verdicts = judge([HELD, HELD])
    assert [v.criterion for v in verdicts] == list(CRITERIA)
    assert all(v.held and v.clear for v in verdicts)


@pytest.mark.parametrize(("place", "name", "changed"), FAILURES)
def test_each_can_fail(place, name, changed):
    verdict = judge([{**HELD, name: changed}])[place]
    assert not verdict.held
    assert "NOT HELD" in describe(verdict)


def test_every_criterion_is_shown_to_fail():
    assert {place for place, *_ in FAILURES} == set(range(len(CRITERIA)))


def test_the_mean_decides_but_in_each_seed_asks_every_one():
    worse = {**HELD, SEQ_KD: row(79.0, 86.0, 0.1, 20.0)}
    better = {**HELD, SEQ_KD: row(99.0, 99.0, 0.1, 20.0)}
    verdicts = judge([worse, better])
    assert verdicts[0].held  # (−1 + 19) / 2 ≥ 4.2
    assert verdicts[2].criterion.in_each_seed
    assert not verdicts[2].held  # one seed of two lost


def test_no_gain_at_all_is_not_a_gain():
    verdict = judge([{**HELD, SEQ_KD: row(80.0, 86.0, 0.1, 20.0)}])[2]
    assert verdict.values == (0.0,)
    assert not verdict.held


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.5, 3.1, 4.2, 2.8, 3.9], [0.0, 0.0, 0.3]])
def test_the_interval_is_students(values):
    mean, (low, high) = mean_and_interval(values)
    expected = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values))
    assert mean == pytest.approx(sum(values) / len(values))
    assert (low, high) == pytest.approx(expected)


def test_equal_seeds_have_an_interval_without_width():
    assert mean_and_interval([2.0, 2.0, 2.0]) == (2.0, (2.0, 2.0))


def test_clear_asks_the_whole_interval():
    unsure = [{**HELD, SEQ_KD: row(80.0 + gain, 90.0, 0.1, 20.0)} for gain in (1.0, 5.0, 9.0)]
    sure = [{**HELD, SEQ_KD: row(80.0 + gain, 90.0, 0.1, 20.0)} for gain in (6.0, 6.1, 6.2)]
    assert (judge(unsure)[0].held, judge(unsure)[0].clear) == (True, False)
    assert (judge(sure)[0].held, judge(sure)[0].clear) == (True, True)


def test_one_seed_has_no_interval_and_is_never_clear():
    verdict = judge([HELD])[0]
    assert verdict.held
    assert not verdict.clear
    assert verdict.interval == (-math.inf, math.inf)
    assert "one seed" in describe(verdict)


def test_a_missing_row_leaves_its_criteria_out():
    without = {name: row for name, row in HELD.items() if name != SEQ_KD}
    findings = [verdict.criterion.finding for verdict in judge([without])]
    assert findings == ["F2", "F3", "F6"]
    assert judge([HELD, without]) == judge_all_but_seq_kd([HELD, without])
    assert judge([{BASELINE: HELD[BASELINE]}])[0].criterion.needs == (BASELINE,)


def judge_all_but_seq_kd(by_seed):
    return [judge_one(criterion, by_seed) for criterion in CRITERIA if SEQ_KD not in criterion.needs]


def test_without_a_seed_there_is_nothing_to_judge():
    with pytest.raises(ValueError, match="no seed"):
        judge([])


def test_judging_leaves_the_results_alone():
    given = copy.deepcopy(HELD)
    judge([given])
    assert given == HELD


def test_a_verdict_reads_as_a_line():
    verdict = judge([HELD, {**HELD, SEQ_KD: row(88.0, 88.2, 0.1, 20.0)}])[0]
    line = describe(verdict)
    assert "\n" not in line
    assert line.startswith("F1")
    assert "7.00" in line and "6.00 8.00" in line
