"""The assignment version of a lesson, made and graded by nbgrader itself: no solution leaks, and
points are given."""

from __future__ import annotations

import ast
import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_runs
import pytest

from seqkd_lab.lab.shared import exercises

pytest.importorskip(
    "nbgrader", reason="nbgrader is not installed: pip install --editable '.[nbgrader]'"
)
import make_assignment  # noqa: E402

LESSONS = [
    path for path in notebook_runs.paths() if notebook_runs.exercise_keys(notebook_runs.read(path))
]
GRADED = "01_toy_language"


def body(source: str) -> list[str]:
    """The lines of a solution that do something: without imports, heads, docstrings and lone
    brackets."""
    (function,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    lines = "\n".join(ast.unparse(statement) for statement in statements).splitlines()
    return [line.strip() for line in lines if len(line.strip()) > 8]


def released(path: Path) -> nbformat.NotebookNode:
    """What a class gets: the assignment after nbgrader has cut the solutions out."""
    from nbgrader.preprocessors import ClearSolutions

    notebook, _ = ClearSolutions().preprocess(
        make_assignment.assignment(notebook_runs.read(path)), {}
    )
    return notebook


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
class TestAssignment:
    def test_no_line_of_a_solution_is_released(self, path):
        cells = [cell.source for cell in released(path).cells if cell.cell_type == "code"]
        code = "\n".join(ast.unparse(ast.parse(source)) for source in cells)
        for key in notebook_runs.exercise_keys(notebook_runs.read(path)):
            assert f"def {exercises.find(key).signature}" in code
            assert [
                line for line in body(exercises.find(key).solution_source) if line in code
            ] == []
        assert "exercises.solution(" not in code and "BEGIN SOLUTION" not in code

    def test_the_librarys_version_of_an_answer_is_not_released_either(self, path):
        """A lesson prints it after the solution, in the same cell."""
        cells = [cell.source for cell in notebook_runs.read(path).cells]
        cut = [
            source.split("exercises.solution(")[1].splitlines()[1:]
            for source in cells
            if "exercises.solution(" in source
        ]
        code = "\n".join(cell.source for cell in released(path).cells)
        assert [line for lines in cut for line in lines if line.strip() and line in code] == []
        assert code.count("exercises.hint") >= len(
            notebook_runs.exercise_keys(notebook_runs.read(path))
        )

    def test_the_instructors_version_holds_them_and_they_are_right(self, path):
        made = make_assignment.assignment(notebook_runs.read(path))
        for key in notebook_runs.exercise_keys(notebook_runs.read(path)):
            (cell,) = [
                cell
                for cell in made.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == key
            ]
            names: dict = {}
            exec(cell.source, names)
            assert exercises.check(key, names[key]).passed

    def test_every_exercise_gives_points_once(self, path):
        marks = [
            cell.metadata["nbgrader"]
            for cell in released(path).cells
            if "nbgrader" in cell.metadata
        ]
        keys = notebook_runs.exercise_keys(notebook_runs.read(path))
        assert [mark["grade_id"] for mark in marks if mark["grade"]] == [
            f"check-{key}" for key in keys
        ]
        assert [mark["grade_id"] for mark in marks if mark["solution"]] == keys
        assert all(mark["points"] > 0 for mark in marks if mark["grade"])


def nbgrader(course: Path, *arguments: str) -> None:
    """Runs a command of nbgrader in `course`, as after `source .venv/bin/activate` (it starts
    others itself)."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = notebook_runs.environment(course, fast=True) | {"PATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_nbgrader_releases_and_grades_a_lesson(tmp_path):
    course = tmp_path / "course"
    assert make_assignment.main([GRADED[:2], str(course)]) == 0
    nbgrader(course, "generate_assignment", GRADED)
    release = (course / "release" / GRADED / f"{GRADED}.ipynb").read_text(encoding="utf-8")
    keys = notebook_runs.exercise_keys(
        notebook_runs.read(notebook_runs.NOTEBOOKS / f"{GRADED}.ipynb")
    )
    for key in keys:
        assert [line for line in body(exercises.find(key).solution_source) if line in release] == []
    for student, version in (("nothing", "release"), ("everything", "source")):
        folder = course / "submitted" / student / GRADED
        folder.mkdir(parents=True)
        shutil.copy(course / version / GRADED / f"{GRADED}.ipynb", folder)
    nbgrader(course, "autograde", GRADED)
    nbgrader(course, "export")
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    most = sum(
        make_assignment.POINTS_PER_DIFFICULTY * exercises.find(key).difficulty for key in keys
    )
    assert points == {"nothing": 0.0, "everything": most}


def test_a_course_is_not_overwritten_and_an_unknown_lesson_is_said(tmp_path, capsys):
    assert make_assignment.main(["01", str(tmp_path)]) == 0
    for arguments in (["01", str(tmp_path)], ["99", str(tmp_path)]):
        with pytest.raises(SystemExit):
            make_assignment.main(arguments)
    said = capsys.readouterr().err
    assert "is there already" in said and "no lesson 99" in said
    with pytest.raises(ValueError, match="no exercise"):
        make_assignment.assignment(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# text")])
        )
