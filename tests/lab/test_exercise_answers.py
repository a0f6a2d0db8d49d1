"""Answers that learners may write: every wrong one is refused, every right one is accepted.

A module in a folder of tests/lab (answers/, or the subject's own) may hold
    WRONG  by exercise: functions that make a plausible mistake, each with what the check must name
           as the likely mistake (a part of its text), or None where it must name none;
    RIGHT  by exercise: right answers in other styles.
"""

from __future__ import annotations

import pytest
from declared import declared

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises import all_exercises

EXERCISES = all_exercises()

WRONG = [
    (key, function, named)
    for key, functions in declared("WRONG").items()
    for function, named in functions.items()
]
RIGHT = [(key, function) for key, functions in declared("RIGHT").items() for function in functions]
LEAST_WRONG = 15


def name(argument) -> str | None:
    return argument if isinstance(argument, str) else getattr(argument, "__name__", None)


@pytest.mark.parametrize("key, function, named", WRONG, ids=name)
def test_a_wrong_answer_is_refused_and_no_mistake_is_named_that_was_not_made(key, function, named):
    result = exercises.check(key, function)
    assert not result, "accepted"
    if named is None:
        assert result.misconception is None, f"named without a reason: {result.misconception}"
    else:
        assert result.misconception is not None and named in result.misconception, repr(result)


@pytest.mark.slow
@pytest.mark.parametrize("key, function", RIGHT, ids=name)
def test_a_right_answer_is_accepted_in_any_style(key, function):
    result = exercises.check(key, function)
    assert result, repr(result)


@pytest.mark.parametrize("key", list(EXERCISES))
def test_many_wrong_and_several_right_answers_were_tried(key):
    wrong = {function for one_key, function, _ in WRONG if one_key == key}
    right = {function for one_key, function in RIGHT if one_key == key}
    assert (
        len(wrong) + len(EXERCISES[key].wrong_answers) >= LEAST_WRONG
        and len(wrong) >= LEAST_WRONG // 2
    )
    assert len(right) >= 3
