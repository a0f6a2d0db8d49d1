"""Lesson 12: PACED: the student's frontier."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "12_paced",
    "PACED: the student's frontier",
    20,
    "weigh sources by how often the student passes, and measure what a gradient is worth",
)
