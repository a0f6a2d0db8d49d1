"""A learner in a real browser: JupyterLab in a headless chromium, a tab for each lesson."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks import sliders
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.learner import FOLDER, MOVES, PAUSE_S, Learner, Move, Underway
from benchmarks.class_server.processes import cpu_seconds, pss_mib

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
import jupyter_browser  # noqa: E402  (the driver lies beside the other tools)

Result = TypeVar("Result")
FIRST_PICTURE = """() => {
    document.addEventListener('load', event => {
        if (!window.firstPicture && event.target.closest?.('.jp-OutputArea-output'))
            window.firstPicture = performance.now();
    }, true);
}"""
RIGHT, LEFT = "ArrowRight", "ArrowLeft"
PATIENCE_S = 30.0
"""How long a slider's picture is waited for."""


class BrowserLearner(Learner):
    """A person with a browser on the same machine. All that is done with the browser is done in one
    thread, as its driver wants it. `seconds`: the most that a lesson may take."""

    in_browser = True

    def __init__(self, hub: Hub, name: str, seconds: float) -> None:
        super().__init__(hub, name)
        self.seconds = seconds
        self.thread = ThreadPoolExecutor(1)
        self.open = ExitStack()
        self.front: Any = None
        self.pages: dict[str, jupyter_browser.NotebookPage] = {}
        self.handles: dict[str, tuple[Any, Any]] = {}

    async def _do(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work, *arguments)

    async def prepare(self) -> None:
        """Open a browser, and come in through the hub's form."""
        self.front = await self._do(self._log_in)

    async def run(self, lesson: str, file_name: str) -> tuple[float, float, str]:
        """Open a lesson in a tab of its own and run all cells. Return the seconds to the first
        picture that is drawn and to the end, and the kernel's id."""
        first, whole = await self._do(self._run, lesson, file_name)
        running = await asyncio.to_thread(self.hub.ask, "GET", f"/user/{self.name}/api/sessions")
        ids = [each["kernel"]["id"] for each in running if each["path"].endswith(file_name)]
        return first, whole, ids[0]

    async def move_slider(self, lesson: str, underway: Underway) -> list[Move]:
        """Press a key on a slider of the lesson MOVES times, each until its picture is drawn."""
        return await self._do(self._move_slider, lesson, underway)

    async def leave(self) -> None:
        """Close the browser."""
        await self._do(self.open.close)
        self.thread.shutdown(wait=False)

    def _log_in(self) -> Any:
        """Return a page of a new browser, in which this learner has come through the hub's form."""
        executable = jupyter_browser.chromium()
        if executable is None:
            raise HubError("no chromium in PATH; leave --browser out, or install it")
        jupyter_browser.write_settings(self.home / ".jupyter" / "lab" / "user-settings")
        page = self.open.enter_context(jupyter_browser.browser_page(executable))
        page.goto(f"http://{self.hub.address}/hub/login?next=/user/{self.name}/api/status")
        page.locator("#username_input").fill(self.name)
        page.locator("#password_input").fill("any")
        page.locator("#login_submit").click()
        page.wait_for_url(f"**/user/{self.name}/api/status*")
        return page

    def _run(self, lesson: str, file_name: str) -> tuple[float, float]:
        page = self.front.context.new_page()
        page.set_default_timeout(1000 * jupyter_browser.START_SECONDS)
        page.troubles = self.front.troubles
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        address = f"http://{self.hub.address}/user/{self.name}/lab/workspaces/{lesson}/tree/"
        opened = jupyter_browser.NotebookPage(page, f"{address}{FOLDER}/{file_name}", None, lesson)
        page.evaluate(FIRST_PICTURE)
        opened.run_all(self.seconds)
        first, whole = page.evaluate("() => [window.firstPicture, performance.now()]")
        self.pages[lesson] = opened
        self.errors += [f"{self.name}, lesson {lesson}: {error}" for error in opened.errors()]
        if not first:
            raise HubError("no cell showed a picture")
        return first / 1000, whole / 1000

    def _move_slider(self, lesson: str, underway: Underway) -> list[Move]:
        opened, moves, key = self.pages[lesson], [], RIGHT
        opened.page.bring_to_front()
        if lesson not in self.handles:
            self.handles[lesson] = first_slider(opened)
        view, handle = self.handles[lesson]
        handle.focus()
        for _ in range(MOVES):
            opened.page.wait_for_timeout(1000 * PAUSE_S)
            key, others = towards(handle, key), underway.n
            taken = sliders.press(opened, view, key, PATIENCE_S)
            if taken is not None:  # neighbouring places may look alike
                moves.append(Move(lesson, True, others, taken / 1000))
        return moves

    def browser_cost(self) -> tuple[float, float] | None:
        """Return the CPU seconds and the memory in MiB of the browser's processes until now."""
        found = [
            each
            for each in psutil.Process().children(recursive=True)
            if "chrom" in each.name() and each.is_running()
        ]
        return sum(map(cpu_seconds, found)), pss_mib(found)


def first_slider(opened: jupyter_browser.NotebookPage) -> tuple[Any, Any]:
    """Return the first view with a slider on which another picture follows, and that slider. Raise
    HubError where there is none."""
    for view in opened.views():
        for place, followed in enumerate(opened.move_sliders(view)):
            if followed == jupyter_browser.PICTURE:
                view.evaluate(sliders.LISTEN, True)
                return view, view.locator(".noUi-handle").nth(place)
    raise HubError("no slider of its views brings a new picture")


def towards(handle: Any, key: str) -> str:
    """Return the key that moves a slider on: the same one, or the other one at its end."""
    now, least, most = (handle.get_attribute(f"aria-value{end}") for end in ("now", "min", "max"))
    return RIGHT if now == least else LEFT if now == most else key
