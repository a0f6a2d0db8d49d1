"""Lesson 15: Meters that mislead."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "15_meters",
    "Meters that mislead",
    15,
    "say what became simpler in a distilled corpus, and why perplexity and one reference mislead",
)
