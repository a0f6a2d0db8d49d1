"""Lesson 03: The teacher's distributions."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "03_teacher_distributions",
    "The teacher's distributions",
    20,
    "read a next-word distribution beside the true one, at any temperature",
)
