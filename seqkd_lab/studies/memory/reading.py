"""What the memory study's results say: levels and gains by memory, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from seqkd_lab.files import FileError
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import check_rows, read_study
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.rows import ROWS
from seqkd_lab.studies.memory.students import EXAMPLES, SHORT, TRUTH, memory_key


def valid(rows: Rows, name: str, memory: int | None) -> float:
    """Return a student's valid greedy translations in percent."""
    return 100.0 * rows[name][memory_key(memory)]["valid"]


def gain(rows: Rows, memory: int | None, better: str = MODE, other: str = GOLD) -> float:
    """Return by how many points of valid greedy translations one student is above the other."""
    return valid(rows, better, memory) - valid(rows, other, memory)


def above_truth(rows: Rows, name: str, how: str) -> float:
    """Return by how many points of valid translations a student of memory SHORT, greedy, is above
    the truth with that memory, on the same sources; `how` the truth writes: "draws" or "greedy"."""
    label = memory_key(SHORT)
    return 100.0 * (rows[name][label]["valid_as_truth"] - rows[TRUTH][label][how])


def change_of_gain(seeds: Sequence[Rows], answers: Sequence[str]) -> str:
    """Return which of four `answers` (grows, stays within 5 points, shrinks, cannot be told) the
    interval gives for the mode's gain when the memory grows from SHORT to all."""
    low, high = mean_and_interval([gain(rows, None) - gain(rows, SHORT) for rows in seeds])[1]
    grows, stays, shrinks, unknown = answers
    if -5.0 <= low and high <= 5.0:
        return stays
    return grows if low > 0.0 else shrinks if high < 0.0 else unknown


def _beyond_memory(gold: float, truth: float) -> str:
    """Return what a short memory alone does not explain of gold's student, both in % of valid
    greedy translations."""
    if gold >= truth:
        return "Gold's student is not below that."
    return (
        f"So forgetting alone costs {100 - truth:.0f} points, and gold's student loses "
        f"{truth - gold:.0f} more: where two words are almost equally probable, a small error "
        "turns its choice. The teacher's mode leaves few such choices open."
    )


def in_words(seeds: Sequence[Rows]) -> str:
    """Say what the study shows, by its means over the seeds."""

    def mean(name: str, memory: int | None) -> float:
        return fmean(valid(rows, name, memory) for rows in seeds)

    truth = seeds[0][TRUTH][memory_key(SHORT)]
    short, full = (fmean(gain(rows, memory) for rows in seeds) for memory in (SHORT, None))
    return (
        f"With a memory of {SHORT} words, gold's student writes {mean(GOLD, SHORT):.0f}% valid "
        f"translations, the student of samples {mean(SAMPLES, SHORT):.0f}% and the student of the "
        f"mode {mean(MODE, SHORT):.0f}% (means of {len(seeds)} seeds).\n\nThe truth itself, if it "
        f"remembers {SHORT} words only, draws {100 * truth['draws']:.0f}% valid translations; if "
        f"it takes its most probable word each time, {100 * truth['greedy']:.0f}% are valid. "
        f"{_beyond_memory(mean(GOLD, SHORT), 100 * truth['greedy'])}\n\nWith all of the memory, "
        f"gold's student reaches {mean(GOLD, None):.0f}% and the mode's {mean(MODE, None):.0f}%: "
        f"the distance between them goes from {short:.0f} to {full:.0f} points."
    )


def read(path: Path) -> dict:
    """Return the study's results, which the view needs whole.

    Raises FileError, naming the file, where it holds something else or lacks the view's
    examples.
    """
    results = read_study(path, "memory")
    check_rows(results, ROWS, path)
    if not any(rows.get(EXAMPLES) for rows in rows_by_seed(results)):
        raise FileError(
            f"{path}: no seed has {EXAMPLES}, so the memory study's results are not whole; make "
            "them with `seqkd-lab study run memory`"
        )
    return results


def examples_in(results: Mapping) -> list[dict]:
    """Return the sentences of the view, from the seed that has them. Raises ValueError where none
    has."""
    for rows in rows_by_seed(results):
        shown: Any = rows.get(EXAMPLES)
        if shown:
            return shown
    raise ValueError(
        "the results hold no sentences to show: measure the seed that the settings name for them"
    )
