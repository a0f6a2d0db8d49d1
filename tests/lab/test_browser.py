"""A person's way through the notebooks in a real browser: run all, move sliders by keyboard, press
the buttons."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import jupyter_browser
import notebook_runs
import pytest

SCREENSHOTS = "SEQKD_LAB_SCREENSHOTS"
"""This environment variable names the folder for pictures of what the tests saw; without it none
are kept."""
DRIVEN = [
    path.stem for path in notebook_runs.paths() if notebook_runs.has_view(notebook_runs.read(path))
]


def missing() -> str:
    """Why no browser test can run here; "" when one can."""
    for module in ("playwright", "jupyterlab", "ipywidgets"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed: pip install --editable '.[test]'"
    return (
        ""
        if jupyter_browser.chromium()
        else "no chromium on this machine: apt-get install chromium"
    )


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def address(tmp_path):
    """A server for each notebook: it ends with its kernel, whose memory the next one needs."""
    with jupyter_browser.jupyter_lab(tmp_path) as address:
        yield address


@pytest.fixture
def page():
    """A browser for each notebook: a page with an unsaved notebook asks before it goes to
    another."""
    with jupyter_browser.browser_page(jupyter_browser.chromium()) as page:
        yield page


@pytest.fixture
def screenshots() -> Path | None:
    return Path(os.environ[SCREENSHOTS]) if os.environ.get(SCREENSHOTS) else None


@pytest.mark.parametrize("name", DRIVEN)
def test_a_person_works_through_the_notebook(name, address, page, screenshots):
    assert (notebook_runs.NOTEBOOKS / f"{name}.ipynb").exists()
    notebook = jupyter_browser.NotebookPage(
        page, address.format(name=f"{name}.ipynb"), screenshots, name
    )
    notebook.run_all()
    assert notebook.errors() == []
    views = notebook.views()
    assert views, "no view with a control and a picture"
    for number, view in enumerate(views, start=1):
        notebook.screenshot(f"view-{number}-before", view)
        followed = notebook.move_sliders(view) or notebook.choose_others(view)
        assert followed and all(followed), (
            f"view {number}: a control moved, neither picture nor text did"
        )
        notebook.screenshot(f"view-{number}-after", view)
    said = notebook.answer_predictions()
    assert said and all("Recorded:" in text for text in said), said
    assert notebook.errors() == []
    notebook.screenshot("end")


def test_a_student_is_trained_in_the_browser_and_another_one_stopped(address, page, screenshots):
    """Lesson 04: the bar and the picture move, rows appear, Stop stops; without a teacher α and τ
    are switched off."""
    name = "04_word_level_kd"
    notebook = jupyter_browser.NotebookPage(
        page, address.format(name=f"{name}.ipynb"), screenshots, f"{name}-trainer"
    )
    notebook.run_all()
    (view,) = [
        view for view in notebook.views() if view.get_by_role("button", name="Train").count()
    ]
    page.set_viewport_size({"width": 1400, "height": 1800})  # so that all of it is in its pictures
    rows = notebook.train_and_stop(view)
    assert len(rows) == 2
    assert all(sum(end in row for row in rows) == 1 for end in ("whole", "stopped at update"))
    view.locator("select", has_text="NLL on gold").select_option(label="NLL on gold")
    notebook.wait_until(
        lambda: "To train: NLL on gold" in " ".join(notebook.texts(view)),
        "the plan without a teacher",
    )
    alpha, temperature, width, epochs = notebook.move_sliders(view)
    assert alpha == temperature == jupyter_browser.DISABLED and width and epochs
    notebook.screenshot("disabled", view)
    assert notebook.errors() == []
