"""Lesson 01: The toy language."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "01_toy_language",
    "The toy language",
    20,
    "say what makes a translation ambiguous, and measure it",
)
