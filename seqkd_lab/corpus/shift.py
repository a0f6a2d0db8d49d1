"""Whether one side of a corpus has slipped against the other, seen in the lengths of its lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHIFTS = (-3, -2, -1, 1, 2, 3)
BLOCK = 500
"""Lines that are looked at together: a side may lose a line in the middle and gain one later."""
LEAST_LINES = 20
SURE = 6.5
"""How many times 1/√n a shift must correlate better than none: some chance shift of a million lines
reaches 5."""
LEAST_CORRELATION = 0.3
CONSTANT = 1e-9


@dataclass(frozen=True)
class Shift:
    """Target line i + `lines` seems to translate source line i, from line `first` to line `last`
    (counted from 1)."""

    lines: int
    first: int
    last: int


def find_shift(source: np.ndarray, target: np.ndarray) -> Shift | None:
    """Return the first stretch of lines that fits better when shifted, None where all seem aligned.

    source, target: the lines' lengths in characters, (N,) and (M,). Long sentences have long
    translations: the logarithms of the lengths correlate where lines are aligned, and hardly where
    they are not.
    """
    n = min(len(source), len(target))
    source, target = (np.log1p(lengths[:n].astype(np.float64)) for lengths in (source, target))
    shifted: Shift | None = None
    for first in range(0, max(n - BLOCK // 2, 1), BLOCK):
        last = n if n - (first + BLOCK) < BLOCK // 2 else first + BLOCK
        lines = _shift_of(source, target, first, last)
        if shifted is not None and lines != shifted.lines:
            break
        if lines:
            shifted = Shift(lines, shifted.first if shifted else first + 1, last)
    return shifted


def _shift_of(source: np.ndarray, target: np.ndarray, first: int, last: int) -> int:
    """Return the shift that fits the lines first..last-1 best, 0 unless another is better beyond
    chance."""
    if last - first < LEAST_LINES:
        return 0
    aligned = _correlation(source[first:last], target[first:last])
    best, best_correlation = 0, max(LEAST_CORRELATION, aligned + SURE / np.sqrt(last - first))
    for shift in SHIFTS:
        low, high = max(first, -shift), min(last, len(target) - shift)
        correlation = _correlation(source[low:high], target[low + shift : high + shift])
        if correlation > best_correlation:
            best, best_correlation = shift, correlation
    return best


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < LEAST_LINES or min(x.std(), y.std()) < CONSTANT:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
