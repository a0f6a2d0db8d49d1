"""All exercises by key, and the four things one does with them: task, check, hint, solution."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from typing import Any

from seqkd_lab.lab.shared.exercises import checking
from seqkd_lab.lab.shared.exercises.exercise import Exercise
from seqkd_lab.lab.shared.exercises.showing import Folded, Result, Task
from seqkd_lab.lab.shared.plan import PACKAGE, subjects


@cache
def all_exercises() -> dict[str, Exercise]:
    """Return the exercises of all lessons by key: EXERCISES of each lesson's module `exercises`."""
    modules = [import_module(f"{PACKAGE}.{subject}.exercises") for subject in subjects()]
    return {exercise.key: exercise for module in modules for exercise in module.EXERCISES}


class UnknownExercise(ValueError):
    """A key that names no exercise; the message names the near ones. A notebook shows the message
    alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def find(key: str) -> Exercise:
    """Return the exercise called `key`. Raise UnknownExercise, which names the near ones."""
    exercises = all_exercises()
    if isinstance(key, str) and key in exercises:
        return exercises[key]
    near = difflib.get_close_matches(str(key), exercises, n=3, cutoff=0.4) or list(exercises)
    raise UnknownExercise(f"no exercise is called {str(key)[:80]!r}; perhaps {', '.join(near)}?")


def of_lesson(lesson: int) -> list[Exercise]:
    """Return the exercises of a lesson, by its number, in their order."""
    return [exercise for exercise in all_exercises().values() if exercise.lesson == lesson]


def task(key: str) -> Task:
    """Return the exercise's card, with the stub to copy. Raise UnknownExercise."""
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
    """Judge the learner's `function`: passed, or in words what is wrong. Raise
    UnknownExercise."""
    return checking.check(find(key), function)


def hint(key: str, number: int = 1) -> Folded:
    """Return the exercise's hint, counted from 1, folded; past the last one say so. Raise
    UnknownExercise."""
    exercise = find(key)
    n_hints = len(exercise.hints)
    if number not in range(1, n_hints + 1):
        return Folded(
            f"{exercise.title}: there is no hint {number}",
            f"The hints are 1 to {n_hints}; after them, `exercises.solution({key!r})`.",
        )
    return Folded(f"Hint {number} of {n_hints}: {exercise.title}", exercise.hints[int(number) - 1])


def hints(key: str) -> tuple[Folded, ...]:
    """Return all hints of the exercise, each folded. Raise UnknownExercise."""
    return tuple(hint(key, number) for number in range(1, len(find(key).hints) + 1))


def solution(key: str) -> Folded:
    """Return the source of a solution, folded. Raise UnknownExercise."""
    exercise = find(key)
    return Folded(f"Solution: {exercise.title}", exercise.solution_source, is_code=True)
