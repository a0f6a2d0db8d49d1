"""The kinds of question a prediction may answer: how a typed answer is read, and how it is judged.

What a person types never ends in a traceback: what cannot be read is an Unreadable with words for
the person. What a notebook's author gets wrong (a value that is not finite, an option that does not
exist) raises ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Real
from typing import Any, Protocol

from seqkd_lab.lab.shared.predictions.reading import (
    Unreadable,
    holds_digit,
    matching,
    number_in,
    text_of,
)

CANNOT_TELL = "cannot be told from these seeds"
"""The option to choose, and the value to score, where the interval over the seeds contains several
answers."""


@dataclass(frozen=True)
class Judgement:
    """How close an answer came: closeness in [0, 1] (1: right), whether it counts as right, and the
    words for it.

    error is answer − value, in the question's unit; None where the answer is not a number. counted
    is False where the run does not decide between the answers: then nothing is scored.
    """

    closeness: float
    right: bool
    words: str
    error: float | None = None
    counted: bool = True


def not_decided(answer: str, why: str) -> Judgement:
    """Return the judgement where the run does not decide."""
    return Judgement(
        0.0, False, f"You said {answer}; {why}. So this prediction is not scored.", counted=False
    )


class Kind(Protocol):
    """A kind of question: how an answer is read, and how it is judged against the run's value."""

    @property
    def how_to(self) -> str:
        """Return in words how to answer."""

    def read(self, typed: Any) -> Any:
        """Return the answer in `typed`. Raise Unreadable with words for the person."""

    def say(self, answer: Any) -> str:
        """Return an answer or a value as text."""

    def judge(self, answer: Any, value: Any) -> Judgement:
        """Judge an answer against `value`. Raise ValueError for a value that no run can give."""


@dataclass(frozen=True)
class Choice:
    """One of at least two different `options`."""

    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.options)) < max(2, len(self.options)):
            raise ValueError(f"a choice needs at least two different options; got {self.options}")

    @property
    def how_to(self) -> str:
        if any(map(holds_digit, self.options)):
            return "one of these texts: " + "; ".join(self.options)
        return "one of " + ", ".join(
            f"{i}: {option}" for i, option in enumerate(self.options, start=1)
        )

    def read(self, typed: Any) -> str:
        return matching(typed, self.options)

    def say(self, answer: str) -> str:
        return answer

    def judge(self, answer: str, value: str) -> Judgement:
        """Compare the two options; CANNOT_TELL as the value scores nothing, unless it is an
        option."""
        if value == CANNOT_TELL and value not in self.options:
            return not_decided(answer, f"the answer {CANNOT_TELL}")
        if value not in self.options:
            raise ValueError(f"the run's value {value!r} is none of the options {self.options}")
        right = answer == value
        words = f"Right: {value}." if right else f"You said {answer}; the run gave {value}."
        return Judgement(float(right), right, words)


@dataclass(frozen=True)
class Number:
    """A number in `unit`; an answer is right within ± `tolerance` (in that unit, above 0).

    Where `signed` is true the question is above all one of the sign: an answer of the other sign,
    or 0, is never right.
    """

    unit: str
    tolerance: float
    signed: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.tolerance < math.inf:
            raise ValueError(
                f"tolerance must be a positive number of {self.unit}; got {self.tolerance}"
            )

    @property
    def how_to(self) -> str:
        sign = ", if the sign is right" if self.signed else ""
        return f"a number, in {self.unit}; within ± {self.tolerance:.4g} it counts as right{sign}"

    def read(self, typed: Any) -> float:
        return number_in(typed)

    def say(self, answer: float) -> str:
        return f"{answer:.4g} {self.unit}"

    def judge(
        self, answer: float, value: float, interval: Sequence[float] | None = None
    ) -> Judgement:
        """Judge the distance: closeness is 1 within the tolerance or the value's interval, beyond
        them tolerance / distance.

        Where the interval contains 0 and the sign is asked, nothing is scored.
        """
        if not isinstance(value, Real) or not math.isfinite(value):
            raise ValueError(f"the run's value must be a finite number; got {value!r}")
        low, high = interval or (value, value)
        if not low <= value <= high:
            raise ValueError(f"the value {value} lies outside its interval, {low} to {high}")
        if self.signed and low < high and low <= 0.0 <= high:
            why = (
                f"the run gave {self.say(value)}, 95% interval {low:.4g} to {high:.4g}, which "
                "leaves the sign open"
            )
            return not_decided(self.say(answer), why)
        error = answer - value
        near = (
            abs(error) <= self.tolerance * (1 + 1e-9)
            or interval is not None
            and low <= answer <= high
        )
        wrong_sign = self.signed and value != 0.0 and answer * value <= 0.0
        words = f"You said {self.say(answer)}; the run gave {self.say(value)}: "
        if near and not wrong_sign:
            return Judgement(1.0, True, f"{words}right, {self._why(error)}.", error)
        closeness = 0.5 if near else self.tolerance / abs(error)  # near, and yet of the wrong sign
        return Judgement(closeness, False, words + self._miss(error, wrong_sign), error)

    def _why(self, error: float) -> str:
        within = abs(error) <= self.tolerance * (1 + 1e-9)
        return f"within ± {self.tolerance:.4g}" if within else "within the interval of the run"

    def _miss(self, error: float, wrong_sign: bool) -> str:
        side, distance = "high" if error > 0 else "low", abs(error)
        words = f"too {side} by {distance:.4g}"
        if wrong_sign:
            return f"{words}, and of the wrong sign."
        return (
            f"{words}, not far off."
            if distance <= 3 * self.tolerance
            else (f"{words}, far off. What did you not think of?")
        )


@dataclass(frozen=True)
class Ranking:
    """An order of at least two different `items`, the largest first."""

    items: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.items)) < max(2, len(self.items)):
            raise ValueError(f"a ranking needs at least two different items; got {self.items}")

    @property
    def how_to(self) -> str:
        items = ", ".join(f"{i}: {item}" for i, item in enumerate(self.items, start=1))
        return f"all of them, the largest first, with > between them ({items})"

    def read(self, typed: Any) -> list[str]:
        """Return the items in the typed order, from a list or a text. Raise Unreadable for one that
        is missing or unknown."""
        if not isinstance(typed, (list, tuple)):
            text = text_of(typed)
            separator = next((mark for mark in ">;\n," if mark in text), ">")
            typed = [part for part in text.split(separator) if part.strip()]
        order = [matching(item, self.items) for item in typed]
        missing = [item for item in self.items if item not in order]
        if missing:
            raise Unreadable(f"an order holds every item; missing: {', '.join(missing)}")
        if len(order) > len(self.items):
            raise Unreadable("an order holds every item once; one of yours stands there twice")
        return order

    def say(self, answer: Sequence[str]) -> str:
        return " > ".join(answer)

    def judge(self, answer: Sequence[str], value: Sequence) -> Judgement:
        """Judge the order: closeness is the share of decided pairs in the right order (Kendall).

        `value` is the run's order, or the pairs (larger, smaller) that the run decides; other pairs
        are not scored.
        """
        pairs = self.pairs(value)
        if not pairs:
            return not_decided(self.say(answer), "the run decides no pair of them")
        in_full = len(pairs) == len(self.items) * (len(self.items) - 1) // 2
        swapped = [pair for pair in pairs if answer.index(pair[0]) > answer.index(pair[1])]
        gave = (
            ""
            if not in_full
            else f"the run gave {self.say(sorted(self.items, key=self._rank(pairs)))}: "
        )
        of = "pairs" if in_full else "pairs that the run decides"
        if not swapped:
            words = f"Right: {self.say(answer)}" + (
                "." if in_full else f", in all {len(pairs)} {of}."
            )
            return Judgement(1.0, True, words)
        words = (
            f"You said {self.say(answer)}; {gave}{len(pairs) - len(swapped)} of {len(pairs)} {of} "
            f"are in order; turned round: {', '.join(map(' before '.join, swapped))}."
        )
        return Judgement(1.0 - len(swapped) / len(pairs), False, words)

    def pairs(self, value: Sequence) -> list[tuple[str, str]]:
        """Return the pairs (larger, smaller) in `value`. Raise ValueError where it is neither an
        order nor such pairs."""
        if value and isinstance(value[0], str):
            if sorted(value) != sorted(self.items):
                raise ValueError(
                    f"the run's order {list(value)} does not hold each of {self.items} once"
                )
            return list(combinations(value, 2))
        pairs = [tuple(pair) for pair in value]
        if any(
            len(pair) != 2 or not {*pair} <= {*self.items} or pair[::-1] in pairs for pair in pairs
        ):
            raise ValueError(f"{value} are no pairs of {self.items}, each decided one way")
        return pairs

    @staticmethod
    def _rank(pairs: Sequence[tuple[str, str]]) -> Callable[[str], int]:
        """Return a key that sorts by the number of larger items."""
        return lambda item: sum(smaller == item for _, smaller in pairs)
