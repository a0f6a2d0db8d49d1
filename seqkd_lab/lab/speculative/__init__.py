"""Lesson 10: Speculative sampling."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "10_speculative_sampling",
    "Speculative sampling",
    20,
    "let a student draft for its teacher, exactly, and say when that is faster",
)
