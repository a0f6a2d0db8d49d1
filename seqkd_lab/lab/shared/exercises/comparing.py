"""Whether two answers are the same, whatever they are made of, and in words where they differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from numbers import Real
from typing import Any

from torch import Tensor

LONGEST = 160  # characters of a value that a message shows
LONGEST_NAME = 60  # and of the name of a type
MOST_VALUES = 30_000
"""Values that an answer may hold: a generator may never end, and a tensor may be larger than the
memory."""
LEAVES = (str, bytes, bool, float, type(None))
"""What a plain value is made of, beside lists and dictionaries."""


class TooLarge(ValueError):
    """An answer that holds more than MOST_VALUES values; the message says so."""

    def __init__(self) -> None:
        super().__init__(f"the answer holds more than {MOST_VALUES:,} values")


def plain(value: Any) -> Any:
    """Return `value` in Python's own terms: tensors, arrays, tuples and iterators as lists, every
    number as a float.

    So an answer in numpy, in float64 or in Python's floats compares with one in torch. Raise
    TooLarge where there are too many of them.
    """
    return _plain(value, count())


def _plain(value: Any, counter: Iterator[int]) -> Any:
    """Make `value` plain; `counter` counts the values that were met before."""
    if next(counter) > MOST_VALUES:
        raise TooLarge
    if isinstance(value, str):
        return str.__str__(value)  # a class of its own may compare and show as it likes
    if isinstance(value, (bytes, bool)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {_plain_key(key): _plain(item, counter) for key, item in value.items()}
    if isinstance(value, (list, tuple, Iterator)):
        return [_plain(item, counter) for item in value]
    if hasattr(value, "tolist"):  # tensors, arrays, numpy's scalars, pandas' series
        if math.prod(getattr(value, "shape", ())) > MOST_VALUES:
            raise TooLarge
        return _plain(value.tolist(), counter)
    return float(value) if isinstance(value, Real) else value


def _plain_key(key: Any) -> Any:
    return str.__str__(key) if isinstance(key, str) else key


def first_difference(found: Any, expected: Any, tolerance: float, where: str = "") -> str | None:
    """Return in words the first place at which `found` is not `expected` (both plain), None where
    they are the same.

    Numbers may differ by `tolerance`, relatively, or by a hundredth of it absolutely; nan equals
    nan."""
    at = f" at {where}" if where else ""
    if isinstance(expected, float):
        return _number_difference(found, expected, tolerance, at)
    if isinstance(expected, Mapping):
        return _mapping_difference(found, expected, tolerance, where)
    if isinstance(expected, list):
        return _list_difference(found, expected, tolerance, where)
    is_same = type(found) in LEAVES and found == expected  # an object may claim to equal all
    return None if is_same else f"{shown(found)} instead of {shown(expected)}{at}"


def _number_difference(found: Any, expected: float, tolerance: float, at: str) -> str | None:
    while isinstance(found, list) and len(found) == 1:  # a tensor (1,) is a number too
        found = found[0]
    if not isinstance(found, float):
        return f"{kind(found)} instead of a number{at}"
    same = found == expected or math.isnan(found) and math.isnan(expected)
    close = math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance / 100)
    return None if same or close else f"{digits(found)} instead of {digits(expected)}{at}"


def _mapping_difference(found: Any, expected: Mapping, tolerance: float, where: str) -> str | None:
    if not isinstance(found, Mapping):
        return f"{kind(found)} instead of a dictionary{f' at {where}' if where else ''}"
    for key in expected:
        if key not in found:
            return f"{shown(key)} is missing"
    for key, value in found.items():
        if key not in expected:
            return f"{shown(key)} should not be there"
        difference = first_difference(value, expected[key], tolerance, f"{where}[{shown(key)}]")
        if difference:
            return difference
    return None


def _list_difference(found: Any, expected: list, tolerance: float, where: str) -> str | None:
    at = f" at {where}" if where else ""
    if not isinstance(found, list):
        return f"{kind(found)} instead of {counted(len(expected))}{at}"
    if len(found) != len(expected):
        return f"{counted(len(found))} instead of {len(expected)}{at}"
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        difference = first_difference(one, other, tolerance, f"{where}[{place}]")
        if difference:
            return difference
    return None


def digits(number: float) -> str:
    """Return `number` with six digits; 0 without the sign that a rounded or negated one has."""
    return f"{number + 0.0:.6g}"


def counted(n: int) -> str:
    return f"{n:,} value" if n == 1 else f"{n:,} values"


def has_nan(value: Any) -> bool:
    """Return whether a nan stands anywhere in the plain `value`."""
    if isinstance(value, list):
        return any(map(has_nan, value))
    if isinstance(value, Mapping):
        return any(map(has_nan, value.values()))
    return isinstance(value, float) and math.isnan(value)


def kind(value: Any) -> str:
    """Return what sort of thing a plain `value` is, in words."""
    names = {
        list: "a list",
        dict: "a dictionary",
        str: "a text",
        bool: "a truth value",
        float: "a number",
    }
    return "nothing (None)" if value is None else names.get(type(value), f"a {type_name(value)}")


def type_name(value: Any) -> str:
    """Return the name of a value's type, cut where it is long."""
    return type(value).__name__[:LONGEST_NAME]


def shown(value: Any) -> str:
    """Return `value` for a message: numbers with six digits, a tensor by shape when it is large,
    nothing longer than LONGEST.

    Never raises: a learner's object may have a __repr__ that fails.
    """
    try:
        text = _text(value)
    except Exception:
        text = f"a {type_name(value)}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _joined(texts: Iterable[str]) -> str:
    """Return texts with commas between them, as far as a message shows them."""
    joined: list[str] = []
    for text in texts:
        joined.append(text)
        if sum(map(len, joined)) > LONGEST:
            break
    return ", ".join(joined)


def _text(value: Any) -> str:
    if isinstance(value, Tensor) and value.numel() > 12:
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, (Tensor, list, tuple)):
        items = value.tolist() if isinstance(value, Tensor) else value
        return (
            _text(items)
            if not isinstance(items, (list, tuple))
            else f"[{_joined(map(_text, items))}]"
        )
    if isinstance(value, Mapping):
        return "{" + _joined(f"{key!r}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        return digits(value)
    return (
        f"the function {value.__name__}"
        if callable(value) and hasattr(value, "__name__")
        else repr(value)
    )
