"""Lesson 09: Pruning."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "09_pruning",
    "Pruning",
    20,
    "prune a distilled student, retrain it, and say what sparsity is worth",
)
