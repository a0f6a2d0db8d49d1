"""As many digits as decide: numbers that are ranked and shown must be told apart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from seqkd_lab.runs.verdicts import mean_and_interval

LEAST = 2
MOST = 5
NOISE = 1e-4
"""Nats: log-probabilities that are closer count as equal; batches of other shapes give others in
the last digits."""


def deciding_digits(values: Sequence[float], least: int = LEAST) -> int:
    """Return the fewest digits after the point, at least `least`, at which neighbours in rank
    differ.

    Values that are closer than NOISE need no further digit.
    """
    ranked = sorted(values)
    neighbours = [(a, b) for a, b in zip(ranked, ranked[1:], strict=False) if b - a > NOISE]
    return next(
        (
            digits
            for digits in range(least, MOST)
            if all(f"{a:.{digits}f}" != f"{b:.{digits}f}" for a, b in neighbours)
        ),
        MOST,
    )


def shown_number(value: float, digits: int) -> str:
    """Return a number with `digits` digits after the point and a proper minus sign; what rounds to
    0 has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")


def minus(text: str) -> str:
    """Return `text` with a true minus sign before every negative number."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def mean_in_digits(values: Sequence[float], digits: int = 1, sign: str = "+") -> str:
    """Return the mean of `values` with its 95% interval, as "+1.2 [+0.4, +2.0]"; with sign="" a
    positive number has no sign. Of a single value, the mean alone.

    There are more digits where a bound would seem to be 0 and is not: a reader could not tell on
    which side of 0 the interval ends.
    """
    mean, (low, high) = mean_and_interval(values)
    if math.isinf(low):
        return with_sign(mean, digits, sign)
    while digits < MOST and any(0.0 < abs(bound) < 0.5 * 10**-digits for bound in (low, high)):
        digits += 1
    shown = [with_sign(value, digits, sign) for value in (mean, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def with_sign(value: float, digits: int, sign: str = "+") -> str:
    """Return `value` with its sign (none before a positive number with sign="") and a true minus;
    what rounds to 0 has no sign."""
    text = f"{value:{sign}.{digits}f}"
    return minus(text) if float(text) else text.lstrip("+-")


def signed(value: float, digits: int = 2) -> str:
    """Return `value` with its sign and a true minus, as "+1.20" or "−0.30"."""
    return minus(f"{value:+.{digits}f}")


def percent(share: float) -> str:
    """Return a share in percent: whole, or with one digit after the point below 10%."""
    value = 100.0 * share
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"
