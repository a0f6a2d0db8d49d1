"""The lessons of a class: which there are, and in which mode they run."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
FAST, FULL = "fast", "full"
TRAINED, TRAINED_FULL = "trained", "trained-full"
MODES = (FAST, FULL, TRAINED, TRAINED_FULL)
FAST_CELL = 'import os\nos.environ["SEQKD_LAB_FAST"] = "1"'
SWITCH = "FROM_NOTHING = "


def lessons_of(said: str) -> tuple[str, ...]:
    """Return the lessons of a round, from "03" or "03+06". Raise SystemExit for one that is not
    there, or that is named twice."""
    lessons = tuple(said.split("+"))
    if len(set(lessons)) < len(lessons):
        raise SystemExit(f"--lessons {said}: a lesson is named twice")
    for lesson in lessons:
        if not re.fullmatch("[0-9]{2}", lesson) or not sorted(NOTEBOOKS.glob(f"{lesson}_*.ipynb")):
            raise SystemExit(f"--lessons {said}: no lesson {lesson!r}; as 03, 06 or 03+06")
    return lessons


def lesson_path(lesson: str) -> Path:
    """Return the notebook of a lesson that is there."""
    return sorted(NOTEBOOKS.glob(f"{lesson}_*.ipynb"))[0]


def in_mode(notebook: NotebookNode, mode: str) -> NotebookNode:
    """Return the notebook for a mode: fast does less of everything, full is what learners get, and
    the trained ones have the lesson's switch on, so that models are not those of the lab, but the
    store's, or trained."""
    if mode in (FAST, TRAINED):
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FAST_CELL))
    for cell in notebook.cells:
        if mode in (TRAINED, TRAINED_FULL) and cell.cell_type == "code":
            cell.source = cell.source.replace(f"{SWITCH}False", f"{SWITCH}True")
    return notebook


def hand_out(lessons: tuple[str, ...], mode: str, folder: Path) -> None:
    """Write these lessons for a mode into a learner's folder, over those that are there."""
    for lesson in lessons:
        path = lesson_path(lesson)
        nbformat.write(in_mode(nbformat.read(path, as_version=4), mode), folder / path.name)


def order(lessons: tuple[str, ...], place: int) -> tuple[str, ...]:
    """Return the order in which the learner at this place runs lessons: the next one begins with
    the next lesson, so that as many begin with each."""
    first = place % len(lessons)
    return lessons[first:] + lessons[:first]
