"""Lesson 07: Interpolation."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "07_interpolation", "Interpolation", 20, "pick among K candidates by their closeness to gold"
)
