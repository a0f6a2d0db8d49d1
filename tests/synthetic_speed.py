"""Made-up speeds of a teacher and a student, for tests of Table 2."""

from __future__ import annotations

from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.studies.speed import BEAM, GREEDY, STUDENT, Speed


def speeds(student_greedy: list[float], threads: int = 1) -> list[Speed]:
    """A teacher of 10 and 40 words a second, a student of 50 by beam, in two rounds."""
    found = []
    for batch_size in (ONE_BY_ONE, BATCHED):
        found += [
            Speed(TEACHER, BEAM, batch_size, threads, [10.0, 20.0]),
            Speed(TEACHER, GREEDY, batch_size, threads, [40.0, 40.0]),
            Speed(STUDENT, BEAM, batch_size, threads, [50.0, 50.0]),
            Speed(STUDENT, GREEDY, batch_size, threads, student_greedy),
        ]
    return found
