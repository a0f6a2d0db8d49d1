"""Lesson 05: Greedy and beam."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson("05_greedy_and_beam", "Greedy and beam", 20, "say what a beam throws away, and why")
