"""A learner at their server: opens lessons, runs each cell by cell as a browser does, saves it, and
then moves a slider of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks.class_server import kernel
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.kernel import Kernel
from benchmarks.class_server.widgets import Slider

FOLDER = "lessons"
"""The folder of the lessons in a learner's home."""
MOVES, PAUSE_S = 20, 0.25
"""How often a slider is moved, and how long a learner looks at each picture: chosen."""


@dataclass(frozen=True)
class Run:
    """One learner's run of one lesson: seconds from opening it to its first picture and to its end,
    the kernel's process id, and its CPU seconds at that end."""

    learner: str
    lesson: str
    in_browser: bool
    first_picture_s: float
    lesson_s: float
    kernel_pid: int
    cpu_s: float


@dataclass(frozen=True)
class Move:
    """One move of a slider, and how many others were in the middle of a lesson when it began."""

    lesson: str
    in_browser: bool
    others: int
    seconds: float


@dataclass
class Underway:
    """How many learners are in the middle of a lesson at the moment, and when the last lesson of
    anybody ended (time.monotonic)."""

    n: int = 0
    ended: float = 0.0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one more inside."""
        self.n += 1
        try:
            yield
        finally:
            self.n, self.ended = self.n - 1, time.monotonic()


@dataclass
class Learner:
    """A person with a server, through the kernels' interface. Kernels stay alive after a lesson, so
    that their memory can be measured."""

    hub: Hub
    name: str
    errors: list[str] = field(default_factory=list)
    kernels: dict[str, Kernel] = field(default_factory=dict)
    in_browser = False

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.hub.folder / "homes" / self.name

    async def prepare(self) -> None:
        """Do what a person does before the lesson begins: nothing, without a browser."""

    async def run(self, lesson: str, file_name: str) -> tuple[float, float, str]:
        """Run all code cells of a lesson in a new kernel and save the outputs. Return the seconds
        to the first picture and to the end, and the kernel's id."""
        began, file = time.monotonic(), self.home / FOLDER / file_name
        notebook = nbformat.read(file, as_version=4)
        opened = await kernel.start(self.hub, self.name, f"{FOLDER}/{file_name}")
        self.kernels[lesson] = opened
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell.outputs = await opened.execute(cell.source)
                self.errors += errors_of(cell, f"{self.name}, lesson {lesson}, cell {place}")
        ended = time.monotonic()
        content = {"type": "notebook", "format": "json", "content": notebook}
        path = f"/user/{self.name}/api/contents/{FOLDER}/{file_name}"
        await asyncio.to_thread(self.hub.ask, "PUT", path, content)
        if opened.first_picture is None:
            raise HubError("no cell showed a picture")
        return opened.first_picture - began, ended - began, opened.id

    async def move_slider(self, lesson: str, underway: Underway) -> list[Move]:
        """Move a slider of the lesson MOVES times, a picture after each."""
        opened, moves = self.kernels[lesson], []
        slider = await moved_once(opened)
        for value in slider.walk(1 + MOVES)[1:]:
            await asyncio.sleep(PAUSE_S)
            others = underway.n
            seconds = await opened.move(slider, value)
            if seconds is not None:  # neighbouring places may look alike
                moves.append(Move(lesson, self.in_browser, others, seconds))
        return moves

    def browser_cost(self) -> tuple[float, float] | None:
        """Return the CPU seconds and the memory in MiB of this learner's browser until now."""
        return None

    async def leave(self) -> None:
        """End all connections; the kernels stay alive."""
        for opened in self.kernels.values():
            opened.close()


async def moved_once(opened: Kernel) -> Slider:
    """Return the first slider of the lesson whose view answers with another picture; it has been
    moved by one place. Raise HubError where there is none."""
    for slider in opened.widgets.sliders():
        if await opened.move(slider, slider.walk(1)[0]) is not None:
            return slider
    raise HubError("no slider of its live views brings a new picture")


def errors_of(cell: NotebookNode, place: str) -> list[str]:
    """Return the errors among a cell's outputs, in words."""
    return [
        f"{place}: {output.ename}: {output.evalue}"
        for output in cell.outputs
        if output.output_type == "error"
    ]
