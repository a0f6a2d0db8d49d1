"""The plan of the lessons: what a lesson declares about itself, and which lessons there are.

A lesson is a folder of `seqkd_lab.lab` whose package exports LESSON. It is found by that, not
listed.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module

PACKAGE = "seqkd_lab.lab"


@dataclass(frozen=True)
class Lesson:
    """A lesson: its notebook's name, its title, and what a reader can do after it.

    `minutes` are for reading and running the notebook, without its exercises.
    """

    name: str
    title: str
    minutes: int
    goal: str

    @property
    def number(self) -> int:
        """The number of the lesson, which orders the lessons."""
        return int(self.name[:2])

    @property
    def file(self) -> str:
        """The name of the lesson's notebook."""
        return f"{self.name}.ipynb"


@cache
def subjects() -> dict[str, Lesson]:
    """Return the lessons by the name of their folder in `seqkd_lab.lab`, in the order of their
    numbers."""
    folders = [entry.name for entry in pkgutil.iter_modules(import_module(PACKAGE).__path__)]
    packages = {folder: import_module(f"{PACKAGE}.{folder}") for folder in folders}
    lessons = {
        name: package.LESSON for name, package in packages.items() if hasattr(package, "LESSON")
    }
    return dict(sorted(lessons.items(), key=lambda item: item[1].number))


def lessons() -> tuple[Lesson, ...]:
    """Return the lessons in the order of their numbers."""
    return tuple(subjects().values())
