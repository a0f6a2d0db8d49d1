"""The check: calls the learner's function on every case and says in words what is wrong, if
anything is.

An answer is right when its value is, however it was computed. When it is wrong, the listed wrong
answers are tried on the same cases: the one that gives the same names the misconception.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqkd_lab.lab.shared.exercises.comparing import (
    LONGEST,
    first_difference,
    has_nan,
    kind,
    plain,
    shown,
    type_name,
)
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, Function, WrongAnswer
from seqkd_lab.lab.shared.exercises.showing import Result

STILL_THE_STUB = (
    "This is still the stub: it raises NotImplementedError. Write the function, run its cell, "
    "check again."
)
"""What the check says of a function that nobody has written yet."""


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a plain value, or the error it raised; and the places of the arguments
    that it changed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()


def call(function: Function, arguments: tuple) -> Outcome:
    """Call `function` on copies of `arguments`, so that it can change neither the case nor another
    call."""
    copies = copy.deepcopy(arguments)
    try:
        value = plain(function(*copies))
        pairs = enumerate(zip(arguments, copies, strict=True))
        return Outcome(
            value, changed=tuple(index for index, (old, new) in pairs if plain(old) != plain(new))
        )
    except KeyboardInterrupt:  # a person who stops an endless loop
        raise
    except BaseException as error:  # exit() raises SystemExit, which would end the kernel
        return Outcome(error=error)


def check(exercise: Exercise, function: Any) -> Result:
    """Judge `function` as an answer to `exercise`; never raise for what a learner wrote."""
    cases = exercise.cases()
    try:
        return judged(exercise, function, cases)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an object may fail whenever it is looked at
        return refusal(
            exercise,
            "Your function, or what it gives, cannot be looked at: that raised "
            f"{type_name(error)}: {shown_message(error)}",
        )


def judged(exercise: Exercise, function: Any, cases: Sequence[Case]) -> Result:
    """Judge `function` on the cases, whatever its values do when they are looked at."""
    if not callable(function):
        received = kind(plain(function))
        return refusal(
            exercise,
            f"The check needs the function itself; it got {received}. Write "
            f"`exercises.check({exercise.key!r}, {exercise.key})`, without calling it.",
        )
    misfit = does_not_fit(exercise, function, cases[0])
    if misfit:
        return refusal(exercise, misfit)
    outcomes = [call(function, case.arguments) for case in cases]
    if is_stub(outcomes[0].error, function):
        return refusal(exercise, STILL_THE_STUB)
    for case, outcome in zip(cases, outcomes, strict=True):
        problem = what_is_wrong(exercise, function, case, outcome)
        if problem:
            return explained(exercise, cases, outcomes, problem)
    again = call(function, cases[0].arguments)
    if again.error or first_difference(again.value, outcomes[0].value, exercise.tolerance):
        return refusal(
            exercise,
            "Called a second time with the same arguments, your function gives another answer: it "
            "remembers something between calls (a global variable, or a default argument like "
            "`=[]`).",
        )
    flaw = exercise.further(function) if exercise.further else None
    if flaw:
        return refusal(exercise, flaw)
    return Result(
        exercise.key, True, (f"✓ {exercise.key}: passed, {len(cases)} cases.", exercise.insight)
    )


def does_not_fit(exercise: Exercise, function: Function, case: Case) -> str | None:
    """Say why `function` cannot be called with the exercise's arguments; None when it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none: the call itself will tell
        return None
    try:
        signature.bind(*case.arguments)
    except TypeError as error:
        return (
            f"Your function takes `{cut(str(signature))}`; it will be called as "
            f"`{exercise.signature}` ({cut(str(error))})."
        )
    return None


def what_is_wrong(
    exercise: Exercise, function: Function, case: Case, outcome: Outcome
) -> list[str] | None:
    """Return the lines about one case, None when the outcome is right."""
    called = f"In the case “{case.name}”"
    if outcome.error is not None:
        return [
            f"{called} your function raised {describe_error(outcome.error, function)}",
            arguments_shown(exercise, case),
        ]
    if outcome.value is None:
        return [
            f"{called} your function returned nothing (None). Is there a `return` on every way "
            "through it?"
        ]
    if case.fault is not None:
        fault = case.fault(outcome.value)
        if fault:
            return [f"{called} {fault}", arguments_shown(exercise, case)]
    elif difference := first_difference(outcome.value, plain(case.expected), exercise.tolerance):
        return [
            f"{called} your function gave {difference}.",
            f"It returned {shown(outcome.value)}; right is {shown(plain(case.expected))}.",
            arguments_shown(exercise, case),
        ]
    if outcome.changed:
        names = " and ".join(f"`{exercise.parameters[index]}`" for index in outcome.changed)
        return [
            f"{called} the answer is right, but your function changed its argument {names}: "
            "whoever called it would go on with other data. Work on a copy (`.clone()`, "
            "`list(…)`, or an operation without `_`)."
        ]
    return None


def explained(
    exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome], problem: list[str]
) -> Result:
    """Return the refusal with all that helps: where it went wrong, the likely misconception, a look
    at constants, a hint."""
    lines = list(problem)
    guess = likely_mistake(exercise, cases, outcomes)
    if guess is not None:
        lines.append(f"Likely: {guess.misconception}")
    elif always_the_same(outcomes):
        lines.append("It gives this same answer in every case: does it use its arguments?")
    lines.append(f"A way on: `exercises.hint({exercise.key!r}, 1)`.")
    headline = f"✗ {exercise.key}: not yet."
    return Result(
        exercise.key, False, (headline, *lines), None if guess is None else guess.misconception
    )


def refusal(exercise: Exercise, why: str) -> Result:
    """Return the result that says why the answer is refused."""
    return Result(exercise.key, False, (f"✗ {exercise.key}: not yet.", why))


def always_the_same(outcomes: Sequence[Outcome]) -> bool:
    """Return whether every call gave one and the same value; a forgotten `return` is told apart
    from that."""
    first = outcomes[0]
    if first.value is None:
        return False
    return all(
        outcome.error is None and first_difference(outcome.value, first.value, 1e-9) is None
        for outcome in outcomes
    )


def likely_mistake(
    exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> WrongAnswer | None:
    """Find the listed wrong answer that explains the learner's function: it gives the same in
    *every* case.

    To agree in some of the failed cases is no explanation, since two mistakes may coincide there.
    """
    for wrong in exercise.wrong_answers:
        theirs = (call(wrong.function, case.arguments) for case in cases)
        pairs = zip(outcomes, theirs, strict=True)
        if all(same_outcome(outcome, their, exercise.tolerance) for outcome, their in pairs):
            return wrong
    return None


def same_outcome(first: Outcome, second: Outcome, tolerance: float) -> bool:
    """Return whether two outcomes are alike: equal values and the same arguments changed, or both
    broke down, each library in its own way."""
    if broke_down(first) or broke_down(second):
        return broke_down(first) and broke_down(second)
    if first.error is not None or second.error is not None:
        return False
    return (
        first_difference(first.value, second.value, tolerance) is None
        and first.changed == second.changed
    )


def broke_down(outcome: Outcome) -> bool:
    """Return whether arithmetic failed: `math` raises an error where numpy and torch give nan."""
    if isinstance(
        outcome.error, ValueError
    ):  # "math domain error"; from Python 3.14 on "expected a positive input"
        message = shown_message(outcome.error)
        return "domain" in message or "positive" in message
    return (
        isinstance(outcome.error, ArithmeticError)
        or outcome.error is None
        and has_nan(outcome.value)
    )


def is_stub(error: BaseException | None, function: Function) -> bool:
    """Return whether `error` is a NotImplementedError that the learner's own code raises (torch has
    some of its own)."""
    if not isinstance(error, NotImplementedError):
        return False
    frames, own = traceback.extract_tb(error.__traceback__), own_frames(error, function)
    return bool(own) and own[-1].filename == frames[-1].filename


def own_frames(error: BaseException, function: Function) -> list[traceback.FrameSummary]:
    """Return the calls that led to `error` and stand in the file or cell of `function`, outermost
    first."""
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except ValueError:  # wrapped in itself
        return []
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if code is not None and frame.filename == code.co_filename]


def describe_error(error: BaseException, function: Function) -> str:
    """Return type, message and the line of the learner's own code that led to `error`."""
    own, message = own_frames(error, function), shown_message(error)
    if not own:
        return f"{type_name(error)}: {message}"
    line = cut(linecache.getline(own[-1].filename, own[-1].lineno or 0).strip())
    return f"{type_name(error)} in line {own[-1].lineno}{f', `{line}`' if line else ''}: {message}"


def shown_message(error: BaseException) -> str:
    """Return the error's message in one line of 300 characters at most."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # a learner's own exception class may fail here
        text = ""
    return text[:300] or "no message"


def cut(text: str) -> str:
    """Return the first LONGEST characters of a text."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def arguments_shown(exercise: Exercise, case: Case) -> str:
    """Say with which arguments the case calls the function."""
    pairs = zip(exercise.parameters, case.arguments, strict=True)
    return (
        "It was called with " + "; ".join(f"{name} = {shown(value)}" for name, value in pairs) + "."
    )
