"""Made-up speeds of a teacher and a student, for tests of Table 2."""

from __future__ import annotations

from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speed import BEAM, GREEDY, STUDENT, Setting, as_rows


def speeds(student_greedy: list[float], threads: int = 1) -> Rows:
    """Return a teacher of 10 and 40 words a second, a student of 50 by beam, in two rounds."""
    return as_rows(
        {
            Setting(*search, batch_size, threads): values
            for batch_size in (ONE_BY_ONE, BATCHED)
            for search, values in (
                ((TEACHER, BEAM), [10.0, 20.0]),
                ((TEACHER, GREEDY), [40.0, 40.0]),
                ((STUDENT, BEAM), [50.0, 50.0]),
                ((STUDENT, GREEDY), student_greedy),
            )
        }
    )
