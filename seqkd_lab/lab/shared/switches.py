"""The switch that makes every notebook do less of everything, for tests."""

from __future__ import annotations

import os
from typing import TypeVar

FAST_SWITCH = "SEQKD_LAB_FAST"
"""Set to 1, this environment variable makes every notebook do less of everything: for tests, not
for people."""
Value = TypeVar("Value")


def is_fast() -> bool:
    """Return whether the notebooks are to do less of everything (SEQKD_LAB_FAST=1)."""
    return os.environ.get(FAST_SWITCH, "") not in ("", "0")


def scaled(full: Value, fast: Value) -> Value:
    """Return `full` for people, `fast` when the notebooks run in the tests' fast mode."""
    return fast if is_fast() else full
