"""The kinds of question a prediction may answer: how a typed answer is read, and how it is judged.

What a person types never ends in a traceback: what cannot be read is an Unreadable with words for the person. What a
notebook's author gets wrong (a value that is not finite, an option that does not exist) raises ValueError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Real
from typing import Any, Protocol

LONGEST = 80  # characters of a typed text that an answer repeats


class Unreadable(ValueError):
    """A typed answer that does not answer the question; the message tells the person what would."""


@dataclass(frozen=True)
class Judgement:
    """How close an answer came: closeness in [0, 1] (1: right), whether it counts as right, and the words for it.

    error is answer − value, in the question's unit; None where the answer is not a number.
    """

    closeness: float
    right: bool
    words: str
    error: float | None = None


class Kind(Protocol):
    """A kind of question: how an answer is read, and how it is judged against the run's value."""

    @property
    def how_to(self) -> str:
        """In words how to answer."""

    def read(self, typed: Any) -> Any:
        """The answer in `typed`. Raises Unreadable with words for the person."""

    def say(self, answer: Any) -> str:
        """An answer or a value as text."""

    def judge(self, answer: Any, value: Any) -> Judgement:
        """Raises ValueError for a value that no run can give."""


@dataclass(frozen=True)
class Choice:
    """One of at least two different `options`."""

    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.options)) < max(2, len(self.options)):
            raise ValueError(f"a choice needs at least two different options; got {self.options}")

    @property
    def how_to(self) -> str:
        return "one of " + ", ".join(f"{i}: {option}" for i, option in enumerate(self.options, start=1))

    def read(self, typed: Any) -> str:
        return matching(typed, self.options)

    def say(self, answer: str) -> str:
        return answer

    def judge(self, answer: str, value: str) -> Judgement:
        if value not in self.options:
            raise ValueError(f"the run's value {value!r} is none of the options {self.options}")
        right = answer == value
        words = f"Right: {value}." if right else f"You said {answer}; the run gave {value}."
        return Judgement(float(right), right, words)


@dataclass(frozen=True)
class Number:
    """A number in `unit`; an answer is right within ± `tolerance` (in that unit, above 0)."""

    unit: str
    tolerance: float

    def __post_init__(self) -> None:
        if not 0.0 < self.tolerance < math.inf:
            raise ValueError(f"tolerance must be a positive number of {self.unit}; got {self.tolerance}")

    @property
    def how_to(self) -> str:
        return f"a number, in {self.unit}; within ± {self.tolerance:.4g} it counts as right"

    def read(self, typed: Any) -> float:
        return number_in(typed)

    def say(self, answer: float) -> str:
        return f"{answer:.4g} {self.unit}"

    def judge(self, answer: float, value: float) -> Judgement:
        """closeness is 1 within the tolerance, beyond it tolerance / distance: half at twice the tolerance."""
        if not isinstance(value, Real) or not math.isfinite(value):
            raise ValueError(f"the run's value must be a finite number; got {value!r}")
        error = answer - value
        distance, side = abs(error), "high" if error > 0 else "low"
        right = distance <= self.tolerance * (1 + 1e-9)
        words = f"You said {self.say(answer)}; the run gave {self.say(value)}: "
        if right:
            words += f"right, within ± {self.tolerance:.4g}."
        else:
            words += f"{self.say(distance)} too {side}"
            words += ", not far off." if distance <= 3 * self.tolerance else ", far off. What did you not think of?"
        return Judgement(1.0 if right else self.tolerance / distance, right, words, error)


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
        """The items in the typed order, from a list or a text. Raises Unreadable for one that is missing or unknown."""
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

    def judge(self, answer: Sequence[str], value: Sequence[str]) -> Judgement:
        """closeness is the share of pairs in the right order (Kendall)."""
        if sorted(value) != sorted(self.items):
            raise ValueError(f"the run's order {list(value)} does not hold each of {self.items} once")
        pairs = list(combinations(value, 2))
        swapped = [pair for pair in pairs if answer.index(pair[0]) > answer.index(pair[1])]
        if not swapped:
            return Judgement(1.0, True, f"Right: {self.say(value)}.")
        words = (f"You said {self.say(answer)}; the run gave {self.say(value)}: {len(pairs) - len(swapped)} of "
                 f"{len(pairs)} pairs in order; turned round: {', '.join(map(' before '.join, swapped))}.")
        return Judgement(1.0 - len(swapped) / len(pairs), False, words)


def text_of(typed: Any) -> str:
    """What was typed, as text; an object that has none counts as nothing."""
    try:
        return str(typed).strip()
    except Exception:
        return ""


def matching(typed: Any, options: Sequence[str]) -> str:
    """The option that `typed` names: itself in any case, its number from 1, or a beginning that only it has."""
    text = text_of(typed).casefold()
    named = [option for option in options if option.casefold() == text]
    if not named and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= len(options):
        named = [options[int(text) - 1]]
    if not named and text:
        named = [option for option in options if option.casefold().startswith(text)]
    if len(named) != 1:
        raise Unreadable(f"“{text_of(typed)[:LONGEST]}” is not one of {', '.join(options)}")
    return named[0]


def number_in(typed: Any) -> float:
    """The one number in `typed`: “about 3,5 BLEU” is 3.5, “1,000” a thousand. Raises Unreadable for none or several."""
    text = repr(float(typed)) if isinstance(typed, float) else text_of(typed)
    found = re.findall(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?|[-+]?\.\d+", text[:1000].replace("−", "-"), re.IGNORECASE)
    if len(found) != 1 or isinstance(typed, bool):
        asked = "one number, not several" if len(found) > 1 else "a number"
        raise Unreadable(f"“{text[:LONGEST]}”: give {asked}, such as 3.5")
    digits = found[0].rstrip(".,")
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    try:
        number = float(digits.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(f"“{text[:LONGEST]}” is not a number one can compare; give one such as 3.5")
    return number
