"""Lesson 13: Token importance."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "13_token_importance",
    "Token importance",
    20,
    "find the words that a student is confidently wrong about, and train on those",
)
