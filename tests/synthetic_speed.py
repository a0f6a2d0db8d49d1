"""Made-up speeds of a teacher and a student, for tests of Table 2."""

from __future__ import annotations

from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speed import (
    BEAM,
    COMMITTED,
    GREEDY,
    OTHER_PRODUCTS,
    STUDENT,
    Setting,
    as_rows,
    settings_of,
)


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


def whole(rows: Rows) -> Rows:
    """Return `rows` beside those of the models that no claim reads, with sizes and machine: what a
    results file holds."""
    every = {setting.row: [1.0, 1.0] for setting in settings_of(COMMITTED + OTHER_PRODUCTS)}
    others = as_rows({Setting.of_row(row): values for row, values in every.items()})
    return {**others, **rows, "parameters": dict.fromkeys(COMMITTED, 1), "machine": {}}
