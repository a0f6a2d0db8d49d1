"""As many digits as decide: numbers that are ranked and shown must be told apart."""

from __future__ import annotations

from collections.abc import Sequence

LEAST, MOST = 2, 6


def deciding_digits(values: Sequence[float], least: int = LEAST, most: int = MOST) -> int:
    """Returns the fewest digits after the point, within `least` and `most`, at which neighbours in rank differ.

    Values that even `most` digits cannot tell apart ask for none.
    """
    ranked = sorted(values)
    neighbours = [pair for pair in zip(ranked, ranked[1:], strict=False) if _differ(*pair, most)]
    return next(digits for digits in range(least, most + 1) if all(_differ(*pair, digits) for pair in neighbours))


def _differ(value: float, other: float, digits: int) -> bool:
    return f"{value:.{digits}f}" != f"{other:.{digits}f}"


def shown_log_prob(log_prob: float, digits: int) -> str:
    """A log-probability with so many digits and a proper minus sign; what rounds to 0 has no sign."""
    text = f"{log_prob:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")
