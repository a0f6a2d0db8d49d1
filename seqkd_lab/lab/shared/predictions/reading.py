"""Read what a person types: text, one of several options, a number, a confidence.

What cannot be read raises Unreadable with words for the person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

LONGEST = 80  # characters of a typed text that an answer repeats


class Unreadable(ValueError):
    """A typed answer that does not answer the question; the message tells the person what would."""


def text_of(typed: Any) -> str:
    """Return what was typed as text, with "?" for what no file can hold (half of a surrogate pair);
    an object without a text gives an empty one."""
    try:
        return str(typed).strip().encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return ""


def matching(typed: Any, options: Sequence[str]) -> str:
    """Return the option that `typed` names: itself in any case and spacing, a beginning that only
    it has, or its number.

    Where an option holds a digit itself ("K = 5"), a bare number does not count as a place in the
    list."""
    text = squeezed(text_of(typed))
    named = [option for option in options if squeezed(option) == text]
    may_be_place = text.isdecimal() and len(text) < 4 and not any(map(holds_digit, options))
    if not named and may_be_place and 1 <= int(text) <= len(options):
        named = [options[int(text) - 1]]
    if not named and text:
        named = [option for option in options if squeezed(option).startswith(text)]
    if len(named) != 1:
        raise Unreadable(f"“{text_of(typed)[:LONGEST]}” is not one of {', '.join(options)}")
    return named[0]


def squeezed(text: str) -> str:
    """Return `text` without blanks and in one case, so that "K=2" is "k = 2"."""
    return "".join(text.split()).casefold()


def holds_digit(text: str) -> bool:
    """Return whether `text` holds a digit."""
    return any(map(str.isdigit, text))


def number_in(typed: Any) -> float:
    """Return the one number in `typed`: “about 3,5 BLEU” is 3.5, “1,000” a thousand, “1.234,5” has
    a German comma.

    Raise Unreadable for none or several.
    """
    text = repr(float(typed)) if isinstance(typed, float) else text_of(typed)
    numbers = re.findall(
        r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?|[-+]?\.\d+", text[:1000].replace("−", "-"), re.IGNORECASE
    )
    if len(numbers) != 1 or isinstance(typed, bool):
        requested = "one number, not several" if len(numbers) > 1 else "a number"
        raise Unreadable(f"“{text[:LONGEST]}”: give {requested}, such as 3.5")
    digits = numbers[0].rstrip(".,")
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}(\.\d{3})+,\d+", digits):
        digits = digits.replace(".", "")
    try:
        number = float(digits.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(
            f"“{text[:LONGEST]}” is not a number one can compare; give one such as 3.5"
        )
    return number
