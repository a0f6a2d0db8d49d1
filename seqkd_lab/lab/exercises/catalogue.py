"""All exercises by key, and the four things one does with them: task, check, hint, solution."""

from __future__ import annotations

import difflib
from typing import Any

from seqkd_lab.lab.exercises import (
    checking,
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
    lesson_10,
    lesson_11,
    lesson_12,
    lesson_13,
    lesson_14,
    lesson_15,
)
from seqkd_lab.lab.exercises.exercise import Exercise
from seqkd_lab.lab.exercises.showing import Folded, Result, Task

LESSONS = (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
    lesson_10,
    lesson_11,
    lesson_12,
    lesson_13,
    lesson_14,
    lesson_15,
)
EXERCISES: dict[str, Exercise] = {
    exercise.key: exercise for lesson in LESSONS for exercise in lesson.EXERCISES
}


class UnknownExercise(ValueError):
    """A key that names no exercise; the message names the near ones. A notebook shows the message
    alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def find(key: str) -> Exercise:
    """The exercise called `key`. Raises UnknownExercise, which names the near ones."""
    if isinstance(key, str) and key in EXERCISES:
        return EXERCISES[key]
    near = difflib.get_close_matches(str(key), EXERCISES, n=3, cutoff=0.4) or list(EXERCISES)
    raise UnknownExercise(f"no exercise is called {str(key)[:80]!r}; perhaps {', '.join(near)}?")


def of_lesson(lesson: int) -> list[Exercise]:
    """The exercises of a lesson, by its number, in their order."""
    return [exercise for exercise in EXERCISES.values() if exercise.lesson == lesson]


def task(key: str) -> Task:
    """The exercise's card, and the stub to copy. Raises UnknownExercise."""
    exercise = find(key)
    n_hints = len(exercise.hints)
    effort = (
        f"difficulty {'●' * exercise.difficulty}{'○' * (3 - exercise.difficulty)} · "
        f"{exercise.minutes} minutes"
    )
    head = (
        f"**Exercise: {exercise.title}** ({effort} · {n_hints} "
        f"{'hint' if n_hints == 1 else 'hints'})"
    )
    call = f"exercises.check({exercise.key!r}, {exercise.key})"
    return Task(f"{head}\n\n{exercise.task}\n\n```python\n{exercise.stub}\n\n{call}\n```")


def check(key: str, function: Any) -> Result:
    """Judges the learner's `function`: passed, or in words what is wrong. Raises
    UnknownExercise."""
    return checking.check(find(key), function)


def hint(key: str, number: int = 1) -> Folded:
    """The exercise's hint, counted from 1, folded; past the last one it says so. Raises
    UnknownExercise."""
    exercise = find(key)
    n_hints = len(exercise.hints)
    if number not in range(1, n_hints + 1):
        return Folded(
            f"{exercise.title}: there is no hint {number}",
            f"The hints are 1 to {n_hints}; after them, `exercises.solution({key!r})`.",
        )
    return Folded(f"Hint {number} of {n_hints}: {exercise.title}", exercise.hints[int(number) - 1])


def solution(key: str) -> Folded:
    """The source of a solution, folded. Raises UnknownExercise."""
    exercise = find(key)
    return Folded(f"Solution: {exercise.title}", exercise.solution_source, is_code=True)
