"""In a real browser: no payload in a view, in an output of a cell or in a field of a page runs,
opens a dialog, or asks another host."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from urllib.parse import urlsplit

import jupyter_browser
import nbformat
import notebook_runs
import pytest
from hostile_notebook import CELLS, N_TEXTS
from nbformat.v4 import new_code_cell, new_notebook
from payloads import SHORT, mixtures
from soak import attempts, tally

FOLDERS = [Path(__file__).parent, *(Path(__file__).parents[n] for n in (1, 2))]
FOLDERS.append(FOLDERS[-1] / "tools")
NAME = "payloads.ipynb"
METADATA = notebook_runs.read(notebook_runs.paths()[0]).metadata  # which kernel runs it
SENT = tuple(text for text in SHORT if "\ud800" not in text)
"""What playwright can type: no halves of characters."""
CANARY = "() => window.__payload_ran ?? [...document.querySelectorAll('iframe')].length"
"""What a payload sets, or else the number of frames that it made."""


def missing() -> str:
    """Return why no browser test can run here; "" when one can."""
    needed = ("playwright", "jupyterlab", "ipywidgets")
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    return ", ".join(absent) or ("" if jupyter_browser.chromium() else "no chromium")


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def notebook(tmp_path):
    """The notebook with every view, in a page of its own; `asked` are the hosts that it asked,
    `dialogs` the dialogs that opened, `said` the errors of its console."""
    with (
        jupyter_browser.jupyter_lab(tmp_path) as address,
        jupyter_browser.browser_page(jupyter_browser.chromium()) as page,
    ):
        head = "import sys\n" + "".join(f"sys.path.insert(0, {str(path)!r})\n" for path in FOLDERS)
        head += "from hostile_notebook import *"
        cells = [new_code_cell(source) for source in (head, *CELLS)]
        nbformat.write(new_notebook(cells=cells, metadata=METADATA), tmp_path / "notebooks" / NAME)
        page.asked, page.dialogs, page.said = set(), [], []
        page.on("request", lambda request: page.asked.add(urlsplit(request.url).hostname))
        page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda line: line.type == "error" and page.said.append(line.text))
        opened = jupyter_browser.NotebookPage(page, address.format(name=NAME), None, "payloads")
        yield opened


def problem_of(notebook) -> str | None:
    """Return what a payload has done to the page; None where it did nothing."""
    page = notebook.page
    if ran := page.evaluate(CANARY):
        return f"a script ran, or {ran} frames were made"
    if page.dialogs:
        return f"a dialog opened: {page.dialogs}"
    if elsewhere := page.asked - {"127.0.0.1", "localhost", None, ""}:
        return f"other hosts were asked: {elsewhere}"
    return None


def test_no_payload_runs_in_a_page(notebook):
    with tally("browser: payloads shown, typed and sent") as count:
        notebook.run_all()
        assert notebook.errors() == [], "a view is not shown"
        page = notebook.page
        assert page.get_by_text("window.__payload_ran=1").count() > 50, "no payload is shown"
        count.tried(problem_of(notebook))
        before = len(page.said)
        type_payloads(notebook, count)
        press_buttons(notebook, count)
        assert notebook.errors() == [] and page.said[before:] == []


def type_payloads(notebook, count) -> None:
    """Type payloads into every field of the page, each followed by Enter."""
    fields = notebook.page.locator(".jp-OutputArea input[type=text]:not([disabled])")
    assert fields.count() >= 1 + N_TEXTS, "the field of a view and the forms of predictions"
    n_fields = fields.count()
    texts = itertools.chain(SENT, (text for text in mixtures(11, SENT)))
    for number, text in zip(range(attempts(12, 400)), texts, strict=False):
        field = fields.nth(number % min(n_fields, 4))
        field.fill(text)
        field.press("Enter")
        count.tried(problem_of(notebook))


def press_buttons(notebook, count) -> None:
    """Press every button once that can be pressed, from top to bottom."""
    buttons = notebook.page.locator(".jp-OutputArea button.widget-button")
    for number in range(min(buttons.count(), attempts(25, 200))):
        if buttons.nth(number).is_enabled():
            buttons.nth(number).click()
            count.tried(problem_of(notebook))
