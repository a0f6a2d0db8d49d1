"""What decides whether a lesson runs again, and what is said of one that fails."""

from __future__ import annotations

import nbformat
import notebook_runs
import pytest

pytest.importorskip("nbclient", reason="the tests' packages are not installed")

from book import execute  # noqa: E402
from book.execute import KEY, LessonError, is_kept, key_of, run_lessons, shared_key  # noqa: E402


def notebook_with(path, source: str):
    cells = [nbformat.v4.new_code_cell(source)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    notebook_runs.write(notebook, path)
    return path


def test_a_key_changes_with_the_lesson_the_library_the_results_and_the_mode(tmp_path):
    for name in ("seqkd_lab/a.py", "data/results/r.json", "book/x.py", "requirements/core.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    (tmp_path / "README.md").write_text("1", encoding="utf-8")
    lesson = notebook_with(tmp_path / "00_a.ipynb", "1")
    before = key_of(lesson, shared_key(tmp_path), fast=False)
    assert key_of(lesson, shared_key(tmp_path), fast=True) != before
    for name in ("seqkd_lab/a.py", "data/results/r.json", "book/x.py", "requirements/core.txt"):
        (tmp_path / name).write_text("2", encoding="utf-8")
        assert key_of(lesson, shared_key(tmp_path), fast=False) != before, name
        (tmp_path / name).write_text("1", encoding="utf-8")
    (tmp_path / "README.md").write_text("2", encoding="utf-8")
    assert key_of(lesson, shared_key(tmp_path), fast=False) == before
    notebook_with(lesson, "2")
    assert key_of(lesson, shared_key(tmp_path), fast=False) != before


def test_a_run_without_its_key_is_no_run(tmp_path):
    assert not is_kept(tmp_path / "nowhere", "k")
    (tmp_path / KEY).write_text("k", encoding="utf-8")
    assert is_kept(tmp_path, "k") and not is_kept(tmp_path, "another")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        (
            "from matplotlib.figure import Figure\n"
            "from seqkd_lab.lab.shared.showing import StaticView\n"
            "StaticView(Figure(), 'words', view='no view')",
            "AttributeError",
        ),
    ],
)
def test_a_cell_or_a_view_that_fails_is_named_in_one_line_and_nothing_is_kept(
    source, said, tmp_path
):
    lesson = notebook_with(tmp_path / "00_bad.ipynb", source)
    with pytest.raises(LessonError) as failed:
        list(run_lessons([lesson], tmp_path / "run", fast=True))
    message = str(failed.value)
    assert message.startswith("00_bad.ipynb: cell 0") and said in message
    assert len(message.splitlines()) == 1
    assert not is_kept(tmp_path / "run" / "00_bad", key_of(lesson, execute.shared_key(), True))
