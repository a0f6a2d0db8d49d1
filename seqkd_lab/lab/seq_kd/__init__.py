"""Lesson 06: Sequence-level distillation."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "06_sequence_level_kd",
    "Sequence-level distillation",
    20,
    "distil a corpus, train three students on equal terms, and explain why greedy search then "
    "suffices",
)
