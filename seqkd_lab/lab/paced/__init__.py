"""Lesson 12: PACED: weights from the pass rate."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "12_paced",
    "PACED: weights from the pass rate",
    20,
    "weight sources by how often the student passes, and test that against a control",
)
