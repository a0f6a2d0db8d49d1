"""A notebook that has run, as a page of the book shows it."""

from __future__ import annotations

import ast
import os
import re
import tempfile

import install_lines
import nbformat
import notebook_runs
from nbformat import NotebookNode

from book import ROOT
from book.addresses import buttons

WIDGETS = "application/vnd.jupyter.widget-view+json"
WITHOUT_CODE = "remove-input"
"""myst-nb's tag for a cell of which only the outputs are shown."""
ASKING = {"predictions", "exercises", "display", "Choice", "Number", "Ranking"}
"""Names whose calls alone make a cell that asks or helps: its code is nothing to read."""


def as_page(notebook: NotebookNode, file: str) -> NotebookNode:
    """Return the notebook of the lesson `file` as its page shows it: below the card the ways to
    open it; no widgets, which need a kernel; no progress bars; no code that only asks."""
    notebook.metadata.pop("widgets", None)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(buttons(file)))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = install_lines.without_install(cell.source)
            if only_asks(cell):
                cell.metadata["tags"] = [*cell.metadata.get("tags", ()), WITHOUT_CODE]
            cell.outputs = [output for output in cell.outputs if is_shown(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGETS, None)
                if output.output_type == "stream":
                    output.text = without_places(output.text)
    return notebook


def only_asks(cell: NotebookNode) -> bool:
    """Tell whether a cell does nothing but ask a question, set an exercise, help or sum up. The
    stub of an exercise stands in its task already."""
    if notebook_runs.EXERCISE in cell.metadata.get("tags", ()):
        return True
    statements = ast.parse(cell.source).body
    calls = [
        s.value for s in statements if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)
    ]
    names = {
        node.id
        for call in calls
        for function in (call.func, *(a.func for a in call.args if isinstance(a, ast.Call)))
        for node in ast.walk(function)
        if isinstance(node, ast.Name)
    }
    return bool(calls) and len(calls) == len(statements) and names <= ASKING


def is_shown(output: NotebookNode) -> bool:
    """Return whether an output stands in the page."""
    if output.output_type == "stream":
        return output.name != "stderr"
    return set(output.data) - {WIDGETS, "text/plain"} != set() or WIDGETS not in output.data


def without_places(text: str) -> str:
    """Return printed text without the folders of the machine that has run the lesson."""
    for folder in (str(ROOT), f"{tempfile.gettempdir()}{os.sep}tmp"):
        text = re.sub(rf"{re.escape(folder)}\w*", "…", text)
    return text
