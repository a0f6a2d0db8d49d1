"""How hard the attacks try: a fixed sample in `make test`, the long form in `make soak`, and the
table of what was tried."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

LONG = bool(os.environ.get("SEQKD_LAB_SOAK"))
COUNTS = os.environ.get("SEQKD_LAB_SOAK_COUNTS")
"""The file that a line of JSON is added to for each kind of attack (one process writes a line at
once)."""


Attempts = TypeVar("Attempts")


def attempts(sample: Attempts, soak: Attempts) -> Attempts:
    """Return how many attacks to make, or which: `sample` in `make test`, `soak` in `make
    soak`."""
    return soak if LONG else sample


class Tally:
    """Counts the attacks of one kind, and keeps what failed."""

    def __init__(self, kind: str) -> None:
        self.kind, self.n_tried, self.failures = kind, 0, []

    def tried(self, failure: str | None = None) -> None:
        """Count one attack; with a `failure`, what went wrong, in words that let it be repeated."""
        self.n_tried += 1
        if failure is not None:
            self.failures.append(failure)


@contextmanager
def tally(kind: str) -> Iterator[Tally]:
    """Count the attacks of `kind` in the body, enter them in the table of `make soak`, and fail
    where one of them failed."""
    counted = Tally(kind)
    try:
        yield counted
    finally:
        if COUNTS:
            row = {"kind": kind, "tried": counted.n_tried, "failures": len(counted.failures)}
            with Path(COUNTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    assert counted.n_tried, f"{kind}: nothing was tried"
    assert not counted.failures, f"{kind}: " + "\n".join(counted.failures[:10])


def table(rows: Iterable[dict]) -> str:
    """Return the table of `make soak`: a line for each kind, and the sums."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        counts = sums.setdefault(row["kind"], [0, 0])
        counts[0] += row["tried"]
        counts[1] += row["failures"]
    lines = [f"{'attack':60} {'tried':>9} {'failures':>9}"]
    lines += [f"{kind:60} {tried:9,} {failed:9,}" for kind, (tried, failed) in sorted(sums.items())]
    total = [sum(column) for column in zip(*sums.values(), strict=True)] or [0, 0]
    return "\n".join([*lines, f"{'all':60} {total[0]:9,} {total[1]:9,}"])


if __name__ == "__main__":
    if COUNTS and Path(COUNTS).exists():
        print(table(map(json.loads, Path(COUNTS).read_text(encoding="utf-8").splitlines())))
