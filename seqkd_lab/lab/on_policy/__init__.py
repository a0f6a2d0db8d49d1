"""Lesson 11: On-policy distillation."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "11_on_policy",
    "On-policy distillation",
    20,
    "let a student learn along its own words, and say which KL pulls it where",
)
