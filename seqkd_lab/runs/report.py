"""How a long piece of work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[int, int], None]
"""Is called with (done, total) of the piece of work at hand."""


def silent(done: int, total: int) -> None:
    """Report to nobody."""


def counter(report: Report, total: int) -> Callable[[int], None]:
    """Return a function that is called with how many more are done, and reports (done, total)."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(done, total)

    return count
