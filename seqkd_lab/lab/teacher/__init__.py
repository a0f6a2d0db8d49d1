"""Lesson 02: The teacher."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "02_teacher", "The teacher", 20, "train a teacher and read its curve against the entropy floor"
)
