"""From a key on a slider to the changed picture, in JupyterLab in a real browser: python -m
benchmarks.sliders NOTEBOOK

The page itself takes both times: that of the key, and that at which the view's new picture has been
loaded. So the way to the kernel and back is in it, and the driver's own way to the browser is not.
Beside it stands the same for a slider that only answers with its number as text: the least that any
widget could take on this machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from benchmarks.worker import MARK

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import jupyter_browser  # noqa: E402  (the driver lies beside the other tools)
import notebook_runs  # noqa: E402

KEYS = 20
LISTEN = """(view, isPicture) => {
    const note = () => { if (view.pressed && !view.changed) view.changed = performance.now(); };
    view.addEventListener('keydown', () => { view.pressed = performance.now(); view.changed = null; }, true);
    if (isPicture) view.addEventListener('load', note, true);
    else new MutationObserver(note).observe(view.querySelector('.widget-html-content'),
                                            {subtree: true, childList: true, characterData: true});
}"""  # noqa: E501
BARE = """
import ipywidgets as widgets
bare_slider, bare_answer = widgets.IntSlider(min=0, max=40), widgets.HTML("0")
bare_slider.observe(lambda change: setattr(bare_answer, "value", str(change["new"])), "value")
widgets.VBox([bare_slider, bare_answer])
"""


def press(
    page: jupyter_browser.NotebookPage, view: Any, key: str, patience: float = 3.0
) -> float | None:
    """Milliseconds from the key to the change; None when nothing changed (the slider stood at its
    end)."""
    view.evaluate("view => { view.pressed = view.changed = null; }")
    page.page.keyboard.press(key)
    for _ in range(int(patience / 0.02)):
        taken = view.evaluate("view => view.changed ? view.changed - view.pressed : null")
        if taken is not None:
            return taken
        page.page.wait_for_timeout(20)
    return None


def of_slider(page: jupyter_browser.NotebookPage, view: Any, handle: Any) -> list[float]:
    """The times of KEYS keys, to the right until the end and back; [] for a slider that changes no
    picture."""
    handle.scroll_into_view_if_needed()
    handle.focus()
    times, key, misses = [], "ArrowRight", 0
    while len(times) < KEYS and misses < 2:
        taken = press(page, view, key)
        if taken is None:
            key, misses = "ArrowLeft" if key == "ArrowRight" else "ArrowRight", misses + 1
        else:
            times.append(taken)
            misses = 0
    return times


def measure(name: str) -> dict[str, Any]:
    """{"bare": ms of each key, "sliders": {"VIEW/LABEL": ms of each key}} of a notebook, run in
    full."""
    with (
        tempfile.TemporaryDirectory() as home,
        jupyter_browser.jupyter_lab(Path(home), fast=False) as address,
        jupyter_browser.browser_page(jupyter_browser.chromium()) as page,
    ):
        path = Path(home) / "notebooks" / f"{name}.ipynb"
        stored = notebook_runs.read(path)
        stored.cells.append(nbformat.v4.new_code_cell(BARE))
        notebook_runs.write(stored, path)
        notebook = jupyter_browser.NotebookPage(page, address.format(name=path.name), None, name)
        notebook.run_all()
        found: dict[str, list[float]] = {}
        for number, view in enumerate(notebook.views(), start=1):
            view.evaluate(LISTEN, True)
            # From the last to the first: the first chooses a place in a sentence, and elsewhere
            # little may change.
            for i in reversed(range(view.locator(".noUi-handle").count())):
                handle = view.locator(".noUi-handle").nth(i)
                label = handle.locator(
                    "xpath=ancestor::div[contains(@class, 'widget-inline-hbox')][1]//label"
                )
                found[f"view {number}: {label.first.inner_text()}"] = of_slider(
                    notebook, view, handle
                )
        bare = page.locator(".widget-vbox").last
        bare.evaluate(LISTEN, False)
        return {"bare": of_slider(notebook, bare, bare.locator(".noUi-handle")), "sliders": found}


if __name__ == "__main__":
    print(MARK + json.dumps(measure(sys.argv[1])))
