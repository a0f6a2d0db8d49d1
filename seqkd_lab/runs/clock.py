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

Key = TypeVar("Key", bound=Hashable)
ONE_BY_ONE, BATCHED = 1, 64
"""Sentences that are translated together."""


def words_per_second(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    beam_size: int,
    batch_size: int = BATCHED,
    max_length: int | None = None,
) -> float:
    """Source words that one search of all `sources` translates in a second, in the threads that
    torch has."""
    start = time.perf_counter()
    search(model, sources, beam_size, batch_size=batch_size, max_length=max_length)
    return sum(map(len, sources)) / (time.perf_counter() - start)


def in_turn(
    jobs: Mapping[Key, Callable[[], float]],
    repetitions: int,
    report: Callable[[int, int], None] | None = None,
) -> dict[Key, list[float]]:
    """What each job gave in each of `repetitions` rounds, in which all take turns. One round before
    is not counted.

    `report` hears (done, total) jobs. Raises ValueError for fewer than one round.
    """
    if repetitions < 1:
        raise ValueError(f"needs one repetition at least; got {repetitions}")
    found: dict[Key, list[float]] = {key: [] for key in jobs}
    total = (repetitions + 1) * len(jobs)
    for number in range(repetitions + 1):
        for place, (key, job) in enumerate(jobs.items()):
            value = job()
            if number:
                found[key].append(value)
            if report is not None:
                report(number * len(jobs) + place + 1, total)
    return found
