"""Exercises: `task(key)` shows what to write, `check(key, function)` judges it, `hint` and
`solution` help.

from seqkd_lab.lab import exercises
exercises.task("word_kd_loss")
exercises.check("word_kd_loss", my_function)
"""

from seqkd_lab.lab.shared.exercises.catalogue import (
    UnknownExercise,
    all_exercises,
    check,
    find,
    hint,
    hints,
    of_lesson,
    solution,
    task,
)
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, WrongAnswer
from seqkd_lab.lab.shared.exercises.showing import Folded, Result, Task

__all__ = [
    "all_exercises",
    "Case",
    "Exercise",
    "Folded",
    "Result",
    "Task",
    "UnknownExercise",
    "WrongAnswer",
    "check",
    "find",
    "hint",
    "hints",
    "of_lesson",
    "solution",
    "task",
]
