"""Lesson 04: Word-level distillation."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "04_word_level_kd",
    "Word-level distillation",
    20,
    "mix hard and soft targets by α and τ, and train with them",
)
