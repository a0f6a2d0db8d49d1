"""Makes an nbgrader course of one lesson: the same notebook, its exercises graded, its solutions
cut out.

    source .venv/bin/activate
    python -m pip install --editable '.[nbgrader]'
    python tools/make_assignment.py 04 my_course
    cd my_course && nbgrader generate_assignment 04_word_level_kd

writes my_course/source (with solutions, for you) and my_course/release (without, to hand out). A
person who has installed the lab can look solutions up in it, as in a book: mark the explanation,
too (notebooks/instructors.md).
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import notebook_runs
from nbformat import NotebookNode

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises import Exercise

BEGIN, END = "    ### BEGIN SOLUTION", "    ### END SOLUTION"
SHOWS_SOLUTION = re.compile(r"^[^\n]*\bexercises\.solution\([\s\S]*", re.MULTILINE)
"""From the line that shows a solution to the end of its cell: the library's own version follows it
there."""
POINTS_PER_DIFFICULTY = 2
CONFIGURATION = """# Read by nbgrader when it is started in this folder.
c = get_config()
c.CourseDirectory.course_id = "{course}"
c.ClearSolutions.code_stub = {{"python": 'raise NotImplementedError("write your answer here")'}}
c.ExecutePreprocessor.timeout = 600
"""


def with_solution(exercise: Exercise) -> str:
    """The stub with the solution's body in it, between the marks where nbgrader cuts."""
    source = exercise.solution_source
    (function,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    has_docstring = ast.get_docstring(function) is not None
    first = function.body[1 if has_docstring else 0].lineno - 1
    head, _, _ = exercise.stub.rpartition("    raise NotImplementedError")
    return "\n".join([head.rstrip(), BEGIN, *source.splitlines()[first : function.end_lineno], END])


def graded_cells(exercise: Exercise) -> list[NotebookNode]:
    """A cell to write the answer in, and a locked one that gives the points."""
    answer = nbformat.v4.new_code_cell(
        with_solution(exercise), metadata=marks(exercise.key, solution=True)
    )
    test = (
        f'result = exercises.check("{exercise.key}", {exercise.key})\ndisplay(result)\nassert '
        "result.passed, result"
    )
    points = POINTS_PER_DIFFICULTY * exercise.difficulty
    return [
        answer,
        nbformat.v4.new_code_cell(test, metadata=marks(f"check-{exercise.key}", points=points)),
    ]


def marks(name: str, solution: bool = False, points: int | None = None) -> dict[str, Any]:
    """What nbgrader wants to know of a cell (its schema 3); locked ones are put back before they
    are graded."""
    about = {
        "schema_version": 3,
        "grade_id": name,
        "solution": solution,
        "grade": points is not None,
        "locked": not solution,
        "task": False,
    }
    return {"nbgrader": about if points is None else {**about, "points": points}}


def assignment(notebook: NotebookNode) -> NotebookNode:
    """The instructor's version of a lesson. Raises ValueError when it has no exercise."""
    made, cells = copy.deepcopy(notebook), []
    for cell in made.cells:
        found = notebook_runs.CHECK.search(cell.source)
        if notebook_runs.EXERCISE in cell.metadata.get("tags", ()) and found:
            cells += graded_cells(exercises.find(found[1]))
            continue
        if cell.cell_type == "code":
            cell.source = SHOWS_SOLUTION.sub("", cell.source + "\n").rstrip("\n")
        cells.append(cell)
    if len(cells) == len(made.cells):
        raise ValueError("this notebook has no exercise that could be graded")
    made.cells = [cell for cell in cells if cell.source]
    return made


def write_course(path: Path, course: Path) -> Path:
    """Writes `course` with the source of one assignment. Raises FileExistsError rather than
    overwrite one."""
    target = course / "source" / path.stem / path.name
    made = assignment(notebook_runs.read(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        raise FileExistsError(
            f"{target} is there already, perhaps with changes of yours: take another folder"
        )
    notebook_runs.write(made, target)
    configuration = course / "nbgrader_config.py"
    if not configuration.exists():
        name = re.sub(r"\W+", "-", course.resolve().name)
        configuration.write_text(CONFIGURATION.format(course=name), encoding="utf-8", newline="\n")
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the course that the arguments ask for, and says what to do next."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number", help="the lesson, such as 04")
    parser.add_argument(
        "course", type=Path, help="a folder for the course, made if it is not there"
    )
    given = parser.parse_args(arguments)
    lessons = {path.name[:2]: path for path in notebook_runs.paths()}
    path = lessons.get(given.number)
    if path is None:
        parser.error(f"no lesson {given.number}; there are {', '.join(lessons)}")
    try:
        print(write_course(path, given.course))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"Next: cd {given.course} && nbgrader generate_assignment {path.stem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
