"""How many of n things a share is."""

from __future__ import annotations

import math

ROUNDING = 1e-9
"""What floating point may take off a product: 0.29 · 50 is 14.499999999999998."""


def rounded_share(share: float, n: int) -> int:
    """Return the whole number nearest to share · n, a half rounded up.

    Python's `round` goes to the even neighbour of a half: a tenth of 5 is 0, however often it is
    asked, so that a share of small batches comes out too small.
    """
    return math.floor(share * n + 0.5 + ROUNDING)
