"""Each lever that was tried, alone: the way before and the way after on the same input,
interleaved, equal results.

python -m benchmarks --only levers    measures them; the table says which were kept. Inputs have the
shapes of the toy's teacher and students, and of a teacher of real text.
"""

from __future__ import annotations

from typing import Any

from benchmarks.lever import Lever, measure
from benchmarks.levers_of_search import SEARCH
from benchmarks.levers_of_training import TRAINING
from benchmarks.results import ratios, runs, spread

__all__ = ["LEVERS", "Lever", "measure", "table"]
LEVERS = (*TRAINING, *SEARCH)


def table(results: dict[str, Any]) -> str:
    """What each lever brought, from the results."""
    lines = [
        "### Levers, each alone: CPU milliseconds before and after",
        "",
        "| lever | expected | before | after | times faster | kept |",
        "|---|---|---|---|---|---|",
    ]
    for lever in LEVERS:
        measured = runs(results, f"levers/{lever.name}")
        before = [value for run in measured for value in run["before_ms"]]
        after = [value for run in measured for value in run["after_ms"]]
        kept = "yes" if lever.kept else f"no: {lever.why}"
        cells = [
            lever.name,
            lever.expected,
            spread(before),
            spread(after),
            ratios(before, after),
            kept,
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)
