"""A notebook as a page: which code is left out, and what never stands in a page."""

from __future__ import annotations

import nbformat
import pytest

pytest.importorskip("myst_nb", reason="the book's packages are not installed")

import install_lines  # noqa: E402
import notebook_runs  # noqa: E402

from book import ROOT  # noqa: E402
from book.notebook_page import WIDGETS, WITHOUT_CODE, as_page, only_asks, without_places  # noqa: E402

ONLY_ASKS = (
    'exercises.task("f")',
    'display(exercises.hint("f", 1), exercises.hint("f", 2))\nexercises.solution("f")',
    'predictions.ask("k", "how many?", Number("points", tolerance=5))',
    'display(predictions.ask("a", "b", Choice(("x", "y"))))\npredictions.summary()',
)
DOES_MORE = (
    "",
    "x = 1",
    'x = exercises.task("f")',
    'display(lesson.source_of(f))\npredictions.ask("k", "q", Number("p", tolerance=5))',
    "display(figure_of(x))",
    "print(1)",
    "import math",
)


@pytest.mark.parametrize("source", ONLY_ASKS)
def test_code_that_only_asks_is_left_out(source):
    assert only_asks(nbformat.v4.new_code_cell(source))


@pytest.mark.parametrize("source", DOES_MORE)
def test_code_that_does_more_is_shown(source):
    assert not only_asks(nbformat.v4.new_code_cell(source))


@pytest.mark.parametrize("path", notebook_runs.paths(), ids=lambda path: path.stem[:2])
def test_a_lesson_as_a_page_keeps_its_text_and_its_code(path):
    stored = notebook_runs.read(path)
    page = as_page(notebook_runs.read(path), path.name)
    nbformat.validate(page)
    cells = [page.cells[0], *page.cells[2:]]
    assert "Download the notebook" in page.cells[1].source
    for before, after in zip(stored.cells, cells, strict=True):
        assert after.source in before.source
        assert install_lines.FIRST_LINE not in after.source
    hidden = [c for c in cells if WITHOUT_CODE in c.metadata.get("tags", ())]
    assert 0 < len(hidden) < len(cells) / 2


def test_outputs_lose_widgets_errors_of_streams_and_places():
    cell = nbformat.v4.new_code_cell("x = 1")
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("stream", name="stdout", text=f"kept in {ROOT}/runs"),
        nbformat.v4.new_output("display_data", {WIDGETS: {"model_id": "1"}, "text/plain": "a bar"}),
        nbformat.v4.new_output("display_data", {WIDGETS: {}, "text/html": "<b>view</b>"}),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T"), cell])
    outputs = as_page(notebook, "00_start_here.ipynb").cells[2].outputs
    assert [output.get("text") or dict(output.data) for output in outputs] == [
        "kept in …/runs",
        {"text/html": "<b>view</b>"},
    ]
    assert without_places("nothing to hide") == "nothing to hide"
