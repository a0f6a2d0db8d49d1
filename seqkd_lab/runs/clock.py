"""Source words per second, as Kim & Rush 2016 give them in Table 2: what is compared is timed in
turn, in one process.

A busy moment of the machine then touches all alike; the rounds show how much it did.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from seqkd_lab.decoding.search import search
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.store import Report, silent

Key = TypeVar("Key", bound=Hashable)
ONE_BY_ONE = 1
BATCHED = 64
"""Sentences that are translated together."""


def words_per_second(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    beam_size: int,
    batch_size: int = BATCHED,
    max_length: int | None = None,
) -> float:
    """Return the source words that one search of all `sources` translates in a second, in the
    threads that torch has."""
    start = time.perf_counter()
    search(model, sources, beam_size, batch_size=batch_size, max_length=max_length)
    return sum(map(len, sources)) / (time.perf_counter() - start)


def in_turn(
    jobs: Mapping[Key, Callable[[], float]], repetitions: int, report: Report = silent
) -> dict[Key, list[float]]:
    """Return what each job returned in each of `repetitions` rounds, in which all take turns. One
    round before is not counted.

    `report` is called with (done, total) jobs. Raise ValueError for fewer than one round.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1; got {repetitions}")
    values: dict[Key, list[float]] = {key: [] for key in jobs}
    total = (repetitions + 1) * len(jobs)
    for round_number in range(repetitions + 1):
        for turn, (key, job) in enumerate(jobs.items(), start=1):
            value = job()
            if round_number:
                values[key].append(value)
            report(round_number * len(jobs) + turn, total)
    return values


def in_block(report: Report, block: int, n_blocks: int) -> Report:
    """Return what reports (done, total) of one of equally long blocks as a part of the whole."""
    return lambda done, total: report(block * total + done, n_blocks * total)
