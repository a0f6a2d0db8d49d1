"""Runs a notebook in a kernel of its own and reads from it what went wrong: for the tests and for
`make notebooks`.

An error inside a widget's callback leaves no trace in the cells: it lies in the widget state, in an
Output widget. Whoever looks at cells only calls such a notebook sound.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
EXERCISE = "exercise"
"""The tag of a cell that holds an exercise's stub, and below it the call of its check."""
CHECK = re.compile(r'exercises\.check\("(\w+)", \w+\)')
PEAK = "from seqkd_lab.machine import peak_memory_mib\nprint(peak_memory_mib())"
ANSWER_ALL = """
def _any_answer(kind):
    return kind["items"] if kind["name"] == "ranking" else kind["options"][0] if kind["name"] == "choice" else "1"
for _key in list(predictions._own):
    if predictions.answered(_key) is None:
        predictions.answer(_key, _any_answer(predictions.records[_key]["kind"]), 50)
"""  # noqa: E501
"""Answers what has been asked so far, as a person would before running on."""


@dataclass(frozen=True)
class Run:
    """A notebook after its run: cells with their outputs, errors in words, seconds, the kernel's
    peak memory in MiB."""

    notebook: NotebookNode
    errors: tuple[str, ...]
    seconds: float
    peak_mib: float


def paths() -> list[Path]:
    """The lessons' notebooks, in their order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def read(path: Path) -> NotebookNode:
    """The notebook as it is stored; raises nbformat.ValidationError when it breaks the format."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def run(
    notebook: NotebookNode,
    folder: Path = NOTEBOOKS,
    fast: bool = True,
    timeout: int = 900,
    extensions: Sequence[str] = (),
) -> Run:
    """Runs a copy of `notebook` as if it lay in `folder`, to its end even when a cell fails.

    Predictions, caches and Jupyter's own settings go to a folder that is thrown away: a run neither
    finds nor leaves anything of the person who starts it. `extensions` are modules that the kernel
    loads beforehand.
    """
    executed = copy.deepcopy(notebook)
    executed.cells.append(nbformat.v4.new_code_cell(PEAK))
    with tempfile.TemporaryDirectory() as home:
        client = NotebookClient(
            executed,
            timeout=timeout,
            allow_errors=True,
            store_widget_state=True,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=[f"--IPKernelApp.extra_extensions={name}" for name in extensions],
        )
        start = time.perf_counter()
        client.execute(env=environment(Path(home), fast))
        seconds = time.perf_counter() - start
    measured = executed.cells.pop()
    peak = next(
        (float(output.text) for output in measured.outputs if output.get("name") == "stdout"),
        float("nan"),
    )
    return Run(executed, tuple(errors_in(executed)), seconds, peak)


def environment(home: Path, fast: bool) -> dict[str, str]:
    """The environment of a kernel: the user's, with everything that it writes below `home`, and
    without a network."""
    nowhere = "http://127.0.0.1:9"  # nobody listens there: what asks the network fails at once
    changed = {
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "SEQKD_LAB_FAST": "1" if fast else "",
        "SEQKD_LAB_PREDICTIONS": str(home / "predictions.json"),
        "IPYTHONDIR": str(home / "ipython"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    return {**os.environ, **changed}


def errors_in(notebook: NotebookNode) -> Iterator[str]:
    """Every error of a notebook that has run, in words: those of its cells, and those hidden in its
    widget state."""
    for place, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                yield f"cell {place} ({cell.get('id', '?')}): {output.ename}: {output.evalue}"
    for key, model in widget_models(notebook).items():
        for output in model["state"].get("outputs", ()):
            if output["output_type"] == "error":
                yield (
                    f"widget {model.get('model_name', '')} {key}: {output['ename']}: "
                    f"{output['evalue']}"
                )


def widget_models(notebook: NotebookNode) -> Mapping[str, Mapping]:
    """The widgets in the notebook's stored state, by their ids."""
    return notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})


def exercise_keys(notebook: NotebookNode) -> list[str]:
    """The exercises whose stubs the notebook holds, in their order."""
    cells = [cell.source for cell in notebook.cells if EXERCISE in cell.metadata.get("tags", ())]
    return [match[1] for match in map(CHECK.search, cells) if match]


def solved(notebook: NotebookNode) -> NotebookNode:
    """A copy as a person leaves it: every exercise's solution in the place of its stub, every
    prediction answered."""
    from seqkd_lab.lab.shared import exercises

    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        key = CHECK.search(cell.source) if EXERCISE in cell.metadata.get("tags", ()) else None
        if key:
            cell.source = f"{exercises.find(key[1]).solution_source}\n\n{key[0]}"
    cells = []
    for cell in copied.cells:
        cells.append(cell)
        if cell.cell_type == "code" and "predictions.ask(" in cell.source:
            cells.append(nbformat.v4.new_code_cell(ANSWER_ALL))
    copied.cells = cells
    return copied


def from_nothing(notebook: NotebookNode) -> NotebookNode:
    """A copy whose switch is on: what it shows is trained there, rather than read from the
    committed checkpoints."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(
                r"^FROM_NOTHING = False", "FROM_NOTHING = True", cell.source, flags=re.MULTILINE
            )
    return copied


def without_widgets(notebook: NotebookNode) -> NotebookNode:
    """A copy in which `import ipywidgets` fails, as where the package is not installed."""
    copied = copy.deepcopy(notebook)
    copied.cells.insert(
        0, nbformat.v4.new_code_cell('import sys\nsys.modules["ipywidgets"] = None')
    )
    return copied


def stripped(notebook: NotebookNode) -> NotebookNode:
    """A copy without outputs, counts and widget state, as notebooks are stored."""
    bare = copy.deepcopy(notebook)
    bare.metadata.pop("widgets", None)
    bare.metadata["language_info"] = {"name": "python"}
    for cell in bare.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def write(notebook: NotebookNode, path: Path) -> None:
    """Writes the notebook as Jupyter does."""
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def has_view(notebook: NotebookNode) -> bool:
    """Return whether a code cell shows an interactive view beside its still picture."""
    marks = ("lesson.widget(", ".view import ")
    return any(
        mark in cell.source for cell in notebook.cells if cell.cell_type == "code" for mark in marks
    )


def printed(notebook: NotebookNode) -> str:
    """All that the notebook's cells put out as text."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)
