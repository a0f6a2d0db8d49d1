"""Lesson 14: Near-policy distillation."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "14_near_policy",
    "Near-policy distillation",
    20,
    "take generation out of the training loop, and say what is lost and what is won",
)
