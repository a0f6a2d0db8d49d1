"""A lever: two ways to do one thing, measured in turn on the same input."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

Way = Callable[[], Any]
REPEATS = 9


@dataclass(frozen=True)
class Lever:
    """Two ways to do one thing. `expected` is the gain that counting operations and passes over
    memory promises; `kept` says whether the lab goes that way, and `why` what a reader may wonder
    about. exact: the results must agree.
    """

    name: str
    expected: str
    make: Callable[[], tuple[Way, Way]]
    kept: bool = True
    why: str = ""
    exact: bool = True


def timed(way: Way) -> float:
    """CPU milliseconds of one call, over enough calls to last 20 ms."""
    calls, start = 0, time.process_time()
    while time.process_time() - start < 0.02:
        way()
        calls += 1
    return 1e3 * (time.process_time() - start) / calls


def measure(lever: Lever) -> dict[str, Any]:
    """{"before_ms": [...], "after_ms": [...]}, REPEATS of each, taken in turns. Raises ValueError
    when both differ."""
    before, after = lever.make()
    if lever.exact and not torch.allclose(before(), after(), rtol=1e-4, atol=1e-5):
        raise ValueError(f"{lever.name}: both ways must give the same")
    pairs = [(timed(before), timed(after)) for _ in range(REPEATS)]
    return {"before_ms": [b for b, _ in pairs], "after_ms": [a for _, a in pairs]}
