"""results.json: what was measured, by name, each with date, machine and versions; and the
arithmetic over it.

An entry's name is SIZE/TOOL/JOB ("2x192/seqkd_lab/train") or that of a workload of the lab alone
("scaling"). It holds `runs`, one for each round, or `refused`: why there are none.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import UNSET, Struct

from seqkd_lab.files import checked, read_json, write_json
from seqkd_lab.runs.measured import Amount, Count, Maybe
from seqkd_lab.runs.study import REMEDY
from seqkd_lab.system import processor_name

Results = dict[str, dict[str, Any]]
BENCHMARKS = Path(__file__).resolve().parent
DEFAULT = BENCHMARKS / "results.json"


class Piece(Struct):
    """A piece of a job, as far as it is counted and timed."""

    cpu_s: Maybe[Amount] = UNSET
    wall_s: Maybe[Amount] = UNSET
    sentences: Maybe[Count] = UNSET
    tokens: Maybe[Count] = UNSET


class Run(Piece):
    """A round of a job: the whole, and its pieces."""

    greedy: Maybe[Piece] = UNSET
    greedy_single: Maybe[Piece] = UNSET
    beam5: Maybe[Piece] = UNSET
    beam5_single: Maybe[Piece] = UNSET
    start: Maybe[Piece] = UNSET
    history: Maybe[list[Piece]] = UNSET
    n_parameters: Maybe[Count] = UNSET
    peak_mib: Maybe[Amount] = UNSET


class Entry(Struct):
    """What was measured under one name: rounds, or why there are none."""

    date: str
    machine: dict[str, str | float]
    versions: Maybe[dict[str, str]] = UNSET
    refused: Maybe[str] = UNSET
    runs: Maybe[list[Run]] = UNSET


@dataclass(frozen=True)
class Spread:
    """Median, least and most of some measurements."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if math.isnan(self.median):
            return "–"
        return f"{number(self.median)} ({number(self.least)}–{number(self.most)})"


NOTHING = Spread(math.nan, math.nan, math.nan)


def number(value: float) -> str:
    """Three digits that count, thousands separated."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def spread(values: Iterable[float]) -> Spread:
    """Of no values: NaNs."""
    values = list(values)
    return Spread(median(values), min(values), max(values)) if values else NOTHING


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """ours / theirs, round by round: in one round both met the same machine. Rounds that only one
    has are left out."""
    return spread(a / b for a, b in zip(ours, theirs, strict=False) if b)


def runs(results: Results, name: str) -> list[dict[str, Any]]:
    """The rounds of an entry; none where it was refused or never measured."""
    return results.get(name, {}).get("runs", [])


def rates(results: Results, name: str, part: str | None, counted: str) -> list[float]:
    """`counted` ("sentences", "tokens") for each CPU second, round by round; part is a piece of the
    job ("greedy")."""
    pieces = [run if part is None else run.get(part) for run in runs(results, name)]
    return [piece[counted] / piece["cpu_s"] for piece in pieces if piece and piece["cpu_s"]]


def values(results: Results, name: str, *path: str) -> list[float]:
    """The numbers that stand at `path` in each round."""
    found = []
    for run in runs(results, name):
        for step in path:
            run = run.get(step, {}) if isinstance(run, dict) else {}
        if isinstance(run, int | float):
            found.append(float(run))
    return found


def merge(
    results: Results, name: str, measured: dict[str, Any], machine: dict[str, Any]
) -> Results:
    """`results` with one more round of `name`; a refusal takes the place of earlier rounds, a round
    of a refusal."""
    entry = {"date": date.today().isoformat(), "machine": machine}
    if "versions" in measured:
        entry["versions"] = measured["versions"]
    if "refused" in measured:
        return {**results, name: {**entry, "refused": measured["refused"]}}
    run = {key: value for key, value in measured.items() if key != "versions"}
    return {**results, name: {**entry, "runs": [*runs(results, name), run]}}


def read(path: Path) -> Results:
    """What the file holds; nothing where there is none. Raises FileError, naming the file, the
    entry and the key, where it holds anything else."""
    if not path.exists():
        return {}
    results = read_json(path, dict[str, dict[str, Any]], REMEDY)
    for name, entry in results.items():
        checked(entry, Entry, f"{path}: {name[:60]}", REMEDY)
    return results


def write(path: Path, results: Results) -> None:
    """Writes all entries in the order of their names; an interrupted run leaves a whole file."""
    write_json(path, dict(sorted(results.items())))


def commit() -> str:
    """The commit of the lab that was measured, with + when files differ from it; "unknown" without
    git."""
    ask = ["git", "-C", str(BENCHMARKS), "describe", "--always", "--dirty=+"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def machine(threads: int = 1) -> dict[str, Any]:
    """What stands beside every measurement."""
    return {
        "cpu": processor_name(),
        "cores": os.cpu_count() or 1,
        "threads": threads,
        "system": platform.system(),
        "python": platform.python_version(),
        "lab": commit(),
    }
