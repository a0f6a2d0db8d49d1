"""Whatever a learner's function does, gives or raises, the check of every exercise answers in a
short text, escaped, and raises nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from markup import problem_of_html
from payloads import CONTROLS, HTML, LONG, mixtures
from soak import attempts, tally
from terminals import OBEYED

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises import all_exercises

EXERCISES = all_exercises()
LONGEST_ANSWER = 4_000
"""Characters of a check's text, which a person reads: its longest parts are the exercise's own."""


def raising(*_: Any) -> Any:
    raise RuntimeError(HTML[1])


def hostile_class(name: str, **methods: Any) -> type:
    """Return a class with this name and these methods."""
    return type(name, (), methods)


Rude = hostile_class("Rude", __repr__=raising, __eq__=raising, __hash__=raising, __str__=raising)
Vain = hostile_class(HTML[1], __repr__=lambda self: HTML[0], __str__=lambda self: HTML[0])
Wordy = hostile_class("W" * 100_000, __repr__=lambda self: "<b>" * 500_000)
Agreeing = hostile_class("Agreeing", __eq__=lambda *_: True, __hash__=lambda self: 1)
Wordless = hostile_class("Wordless", __repr__=lambda self: 7, __bool__=raising, __len__=raising)
Masked = hostile_class("Masked", __class__=property(raising), shape=property(raising))
Numeric = hostile_class("Numeric", tolist=lambda self: self, shape=(10**9, 10**9))
Endless = hostile_class("Endless", tolist=lambda self: itertools.repeat([HTML[0]]))


class RudeText(str):
    __repr__ = __eq__ = __hash__ = __str__ = __format__ = __len__ = raising  # type: ignore[assignment]


class RudeNumber(float):
    __repr__ = __eq__ = __float__ = __add__ = __format__ = raising  # type: ignore[assignment]


class RudeList(list):
    __iter__ = __len__ = __repr__ = __eq__ = raising  # type: ignore[assignment]


class RudeMapping(dict):
    items = keys = __getitem__ = __contains__ = raising  # type: ignore[assignment]


def knot() -> list:
    inner: list = []
    inner.append(inner)
    return inner


def deep(depth: int) -> list:
    nested: list = []
    for _ in range(depth):
        nested = [nested]
    return nested


def values() -> Iterator[Any]:
    """Yield what a function may give instead of an answer."""
    for kind in (Rude, Vain, Wordy, Agreeing, Wordless, Masked, Numeric, Endless):
        yield from (kind(), [kind()], {"x": kind()}, (kind(), 1.0))
    for text in (*HTML[:4], *CONTROLS[:4], LONG[0], LONG[1]):
        yield from (text, [text], {text: text}, {text: 1.0})
    yield from (RudeText("x"), RudeNumber(1.0), RudeList([1]), RudeMapping(a=1), {Rude: 1}, Vain)
    yield from (knot(), deep(900), deep(50_000), {"x": knot()}, [0.5] * 3_000_000, 10**400, 1j)
    yield from (
        itertools.count(),
        itertools.repeat("x"),
        (i for i in ()),
        iter([]),
        zip([1], [2], strict=True),
    )
    yield from (math.nan, [math.nan], math.inf, -0.0, b"\xff", object(), type, len, raising, ...)
    yield from (torch.tensor(math.nan), torch.full((3, 4), math.nan), torch.tensor([]))
    yield from (torch.zeros(1).expand(10**12), torch.zeros((0, 5)), torch.tensor(1 + 2j))
    yield from (torch.empty(2, device="meta"), torch.zeros(2).to_sparse(), torch.zeros(1, 1, 1))
    yield from (np.array([Rude(), HTML[0]], dtype=object), np.str_(HTML[0]), np.zeros(()))
    yield from (np.broadcast_to(np.zeros(1), (10**6, 10**6)), np.array(["2020"], dtype="M8"))


def errors() -> Iterator[BaseException]:
    """Yield what a function may raise."""
    rude_error = type("RudeError", (Exception,), {"__str__": raising, "__repr__": raising})
    vain_error = type(HTML[0], (Exception,), {"__str__": lambda self: HTML[1] * 1_000})
    masked = type(
        "M", (ValueError,), {"__traceback__": property(raising), "args": property(raising)}
    )
    yield from (rude_error(), vain_error(), masked(), type("W" * 10**6, (Exception,), {})())
    yield from (SystemExit(HTML[0]), GeneratorExit(), StopIteration(HTML[0]), MemoryError())
    yield from (RecursionError(HTML[0]), BaseException(HTML[0]), ExceptionGroupLike(HTML[0]))
    yield from (ValueError(text) for text in (*HTML, *CONTROLS, *LONG))
    yield from (
        NotImplementedError(HTML[0]),
        KeyError(HTML[0]),
        UnicodeDecodeError("x", b"", 0, 1, "<b>"),
    )


class ExceptionGroupLike(Exception):
    exceptions = property(raising)


def functions() -> Iterator[Any]:
    """Yield what may stand where the function is asked for."""
    wrapped = lambda *arguments: 1  # noqa: E731
    wrapped.__wrapped__ = wrapped  # type: ignore[attr-defined]
    signed = lambda *arguments: 1  # noqa: E731
    signed.__signature__ = HTML[0]  # type: ignore[attr-defined]

    def rude_default(x=Rude(), *, y=Wordy()):  # noqa: B008
        return x

    def nested(*arguments):
        return nested(*arguments)

    callable_class = hostile_class(HTML[0], __call__=lambda self, *arguments: self)
    rude_callable = hostile_class("C", __call__=raising, __signature__=property(raising))
    yield from (wrapped, signed, rude_default, nested, callable_class(), rude_callable())
    yield from (Rude(), Vain(), Wordy(), Masked(), knot(), itertools.count(), HTML[0], None)
    yield from (torch.zeros(1).expand(10**12), RudeText("x"), print, iter, type, exit, Vain, Rude)
    yield clearing
    yield planting


def clearing(*arguments: Any) -> Any:
    """Spoil the arguments."""
    for argument in arguments:
        if hasattr(argument, "clear"):
            argument.clear()
    return Rude()


def planting(*arguments: Any) -> Any:
    """Put something rude, and the arguments themselves, into the arguments."""
    for argument in arguments:
        if isinstance(argument, list):
            argument += [argument, Rude()]
        elif isinstance(argument, dict):
            argument[HTML[0]] = argument
    return arguments


def giving(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def throwing(error: BaseException) -> Callable[..., Any]:
    def throw(*_: Any) -> Any:
        raise error

    return throw


def right_at_first(key: str, then: Any, n_right: int) -> Callable[..., Any]:
    """Return the solution, which after some calls gives or raises something else."""
    calls = itertools.count()
    solution = EXERCISES[key].solution

    def answer(*arguments: Any) -> Any:
        if next(calls) < n_right:
            return solution(*arguments)
        if isinstance(then, BaseException):
            raise then
        return then

    return answer


def problem_of_check(key: str, function: Any) -> str | None:
    """Check `function`; return what is wrong with what the check shows, None where nothing is."""
    try:
        result = exercises.check(key, function)
        text, html, passed = repr(result), result._repr_html_(), bool(result)
    except BaseException as error:
        return f"{key}: raised {type(error).__name__}"
    if passed:
        return f"{key}: passed"
    if OBEYED.search(text):
        return f"{key}: control characters in {text[:300]!r}"
    if len(text) > LONGEST_ANSWER:
        return f"{key}: {len(text):,} characters, {text[:300]!r}"
    problem = problem_of_html(html)
    return None if problem is None else f"{key}: {problem} in {html[:300]!r}"


@pytest.fixture(params=list(EXERCISES))
def key(request) -> str:
    return request.param


def some(items: Iterator[Any], key: str, number: int) -> list[Any]:
    """Return `number` of the items, others for each exercise; all of them in the long form."""
    every = list(items)
    start = list(EXERCISES).index(key) * number
    return [every[(start + i) % len(every)] for i in range(attempts(number, len(every)))]


def test_whatever_a_function_gives_is_answered_in_words(key):
    with tally("exercises: strange answers") as count:
        for value in some(values(), key, 1):
            count.tried(problem_of_check(key, giving(value)))


def test_whatever_a_function_raises_is_answered_in_words(key):
    with tally("exercises: strange errors") as count:
        for error in some(errors(), key, 1):
            count.tried(problem_of_check(key, throwing(error)))


def test_whatever_stands_where_a_function_is_asked_for_is_answered_in_words(key):
    with tally("exercises: strange functions") as count:
        for function in some(functions(), key, 1):
            count.tried(problem_of_check(key, function))


def test_a_function_that_turns_strange_after_some_calls_is_answered_in_words(key):
    n_cases = len(EXERCISES[key].cases())
    strange = [Rude(), knot(), HTML[0], RuntimeError(HTML[0]), SystemExit(0), Endless()]
    with tally("exercises: answers that turn strange after some calls") as count:
        for then in some(iter(strange), key, 1):
            for n_right in (1, n_cases, n_cases + 1)[: attempts(1, 3)]:
                problem = problem_of_check(key, right_at_first(key, then, n_right))
                may_pass = n_right > n_cases and EXERCISES[key].further is None
                count.tried(None if may_pass else problem)


def test_payloads_in_any_mixture_are_shown_as_text(key):
    texts = itertools.islice(mixtures(list(EXERCISES).index(key)), attempts(1, 25))
    with tally("exercises: payloads as answers and messages") as count:
        for text in texts:
            count.tried(problem_of_check(key, throwing(ValueError(text))))
            count.tried(problem_of_check(key, giving({text: [text]})))
