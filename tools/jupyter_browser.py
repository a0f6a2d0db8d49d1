"""JupyterLab on a port of its own and a page in Debian's chromium: what the browser tests need of
both.

Nothing of the person who runs the tests is read or changed: settings, kernels' files, predictions
and the notebooks themselves (JupyterLab saves them) lie in a temporary folder.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import notebook_runs

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Without windowing every cell is in the page, so it can be found; without news there is no dialog
# in front of it.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PICTURE, TEXT, DISABLED, NOTHING = "picture", "text", "disabled", ""
"""What may follow a key on a slider; NOTHING is false, so that all(...) finds it."""
WIDTH = "bar => bar.getBoundingClientRect().width"
START_SECONDS, RUN_SECONDS = 180, 600  # patience on a busy machine, not a budget


def chromium() -> str | None:
    """The path of the system's chromium, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def jupyter_lab(home: Path, fast: bool = True) -> Iterator[str]:
    """A server with a copy of the notebooks in home/notebooks; yields the address of one, {name}
    for its file.

    It is ended with all its kernels, whatever happens in between. Raises RuntimeError with its log
    when it does not start.
    """
    shutil.copytree(notebook_runs.NOTEBOOKS, home / "notebooks")
    write_settings(home / "settings")
    port, token, log = free_port(), secrets.token_hex(16), home / "server.log"
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={home}",
    ]
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command,
            env=_environment(home, fast),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{name}}?token={token}"
    finally:
        _end(server)


def write_settings(folder: Path) -> None:
    """Writes JupyterLab's settings for a driven page into its folder of them."""
    for name, values in SETTINGS.items():
        file = folder / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8", newline="\n")


def _environment(home: Path, fast: bool) -> dict[str, str]:
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    made = notebook_runs.environment(home, fast) | {
        name: str(home / each) for name, each in folders.items()
    }
    return made | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Returns when the server answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with opener.open(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")


def _end(server: subprocess.Popen) -> None:
    """Asks the server to end (it ends its kernels), and kills its group when it does not."""
    for stop in (signal.SIGTERM, signal.SIGKILL):
        if server.poll() is not None:
            return
        os.killpg(server.pid, stop)
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def browser_page(executable: str) -> Iterator:
    """A page of a headless chromium, with `page.troubles`: what its scripts did not catch."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        try:
            page = browser.new_context(viewport={"width": 1400, "height": 1500}).new_page()
            page.set_default_timeout(1000 * START_SECONDS)
            page.troubles = []
            page.on("pageerror", lambda error: page.troubles.append(str(error)))
            yield page
        finally:
            browser.close()


class NotebookPage:
    """A notebook in JupyterLab, as a person uses it. Raises playwright's TimeoutError for what does
    not come."""

    def __init__(self, page, address: str, screenshots: Path | None, name: str) -> None:
        self.page, self.screenshots, self.name = page, screenshots, name
        page.goto(address)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # The status bar tells when the kernel is connected; whoever runs a cell before is asked
        # which kernel to take.
        page.get_by_text("| Idle").first.wait_for()

    def run_all(self, seconds: float = RUN_SECONDS) -> None:
        """Run → Run All Cells, until every code cell has its number; `seconds` is the most it may
        take."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
                     .every(prompt => /\\[\\d+\\]/.test(prompt.textContent))""",
            timeout=1000 * seconds,
        )

    def errors(self) -> list[str]:
        """Tracebacks in cells and in widgets, widgets that do not show, and what the page's scripts
        did not catch."""
        shown = self.page.locator(
            '[data-mime-type="application/vnd.jupyter.error"]'
        ).all_inner_texts()
        pattern = "text=/Error displaying widget|Error creating widget|model not found/"
        broken = self.page.locator(pattern).all_inner_texts()
        return shown + broken + self.page.troubles

    def train_and_stop(self, view) -> list[str]:
        """Trains one student to its end and stops a second, longer one; returns the rows of the
        table then.

        On the way bar and picture must move, and Train and Stop must take turns.
        """
        train, stop = (view.get_by_role("button", name=name) for name in ("Train", "Stop"))
        rows, bar = (
            view.locator("tbody tr"),
            view.locator(".progress-bar, [role=progressbar]").first,
        )
        n_rows, before = rows.count(), self.pictures(view)
        train.click()
        self.wait_until(lambda: self.pictures(view) != before, "another picture")
        self.wait_until(
            lambda: rows.count() == n_rows + 1 and train.is_enabled(), "the first student's row"
        )
        self.screenshot("trained", view)
        full = bar.evaluate(WIDTH)
        epochs = view.locator(".widget-hslider", has_text="epochs").locator(".noUi-handle")
        epochs.focus()
        self.page.keyboard.press("End")
        train.click()
        self.wait_until(stop.is_enabled, "the Stop button")
        assert train.is_disabled(), "Train can be pressed while a student is trained"
        self.wait_until(lambda: 0 < bar.evaluate(WIDTH) < full, "a bar on its way")
        self.screenshot("training", view)
        stop.click()
        self.wait_until(
            lambda: rows.count() == n_rows + 2 and train.is_enabled(), "the stopped student's row"
        )
        assert stop.is_disabled()
        self.screenshot("stopped", view)
        return rows.all_inner_texts()

    def views(self) -> list:
        """The boxes that hold a slider or a list, and a picture: the innermost ones, from top to
        bottom."""
        boxes = self.page.locator(
            ".widget-vbox:has(.noUi-handle, select):has(img):not(:has(.widget-vbox))"
        )
        return [boxes.nth(i) for i in range(boxes.count())]

    def move_sliders(self, view) -> list[str]:
        """What followed a key on each slider of a view, in one direction or the other: PICTURE,
        TEXT, or NOTHING.

        DISABLED for a slider that says so, and on which nothing followed.
        """
        followed = []
        for i in range(view.locator(".noUi-handle").count()):
            handle = view.locator(".noUi-handle").nth(i)
            handle.scroll_into_view_if_needed()
            disabled = handle.evaluate(
                "handle => handle.closest('.noUi-target').hasAttribute('disabled')"
            )
            if not disabled:
                handle.focus()
            moved = self._press(view, ("ArrowLeft", "ArrowRight"), 0.5 if disabled else 10.0)
            followed.append(DISABLED if disabled and moved == NOTHING else moved)
        return followed

    def choose_others(self, view) -> list[str]:
        """What followed when each list of a view took its last option, or its first: PICTURE, TEXT,
        or NOTHING."""
        return [self._choose_other(view, i) for i in range(view.locator("select").count())]

    def _choose_other(self, view, number: int) -> str:
        chooser = view.locator("select").nth(number)
        n_options, chosen = (
            chooser.locator("option").count(),
            chooser.evaluate("list => list.selectedIndex"),
        )
        pictures, texts = self.pictures(view), self.texts(view)
        chooser.select_option(index=n_options - 1 if chosen != n_options - 1 else 0)
        self.wait_until(
            lambda: self.pictures(view) != pictures or self.texts(view) != texts, f"list {number}"
        )
        return PICTURE if self.pictures(view) != pictures else TEXT

    def pictures(self, view) -> str:
        """The hashes of a view's pictures: equal just when their bytes are."""
        return view.evaluate(
            """async view => {
                const hashes = [...view.querySelectorAll('img')].map(async image => {
                    const bytes = await (await fetch(image.src)).arrayBuffer();
                    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join(' ');
                });
                return (await Promise.all(hashes)).join('|');
            }"""  # noqa: E501
        )

    def texts(self, view) -> list[str]:
        """What a view says in words; the numbers beside its sliders are not among it."""
        return view.locator(".widget-html").all_inner_texts()

    def _press(self, view, keys: tuple[str, ...], seconds: float) -> str:
        """What changes after the first of `keys` that changes anything; waits for it, as a busy
        machine is slow.

        A picture may come after its text: it has half a second.
        """
        picture, text = self.pictures(view), self.texts(view)
        for key in keys:
            self.page.keyboard.press(key)
            deadline, said = time.monotonic() + seconds, None
            while time.monotonic() < (deadline if said is None else said + 0.5):
                if self.pictures(view) != picture:
                    return PICTURE
                if said is None and self.texts(view) != text:
                    said = time.monotonic()
                self.page.wait_for_timeout(100)
            if said is not None:
                return TEXT
        return NOTHING

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until `holds()`; raises AssertionError saying `what` did not come."""
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"{what}: it did not come"
            self.page.wait_for_timeout(50)

    def answer_predictions(self) -> list[str]:
        """Fills in every prediction's form and presses Record; returns what each form then says."""
        said = []
        forms = self.page.locator(".widget-vbox:has(button:has-text('Record'))")
        for i in range(forms.count()):
            form = forms.nth(i)
            form.scroll_into_view_if_needed()
            if form.locator("input[type=text]").count():
                form.locator("input[type=text]").first.fill("3")
                form.locator("input[type=text]").first.press("Tab")
            elif form.locator("input[type=radio]").count():
                form.locator("input[type=radio]").first.check()
            else:  # a ranking: each item once, in the order in which they are offered
                for place in range(form.locator("select").count() - 1):
                    form.locator("select").nth(place).select_option(index=place + 1)
            form.get_by_role("button", name="Record").click()
            form.locator("text=/Recorded|Not recorded/").wait_for()
            said.append(form.inner_text())
        return said

    def screenshot(self, moment: str, target=None) -> None:
        """A picture of the page, or of one element of it, where screenshots are wanted."""
        if self.screenshots is not None:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            (target or self.page).screenshot(path=self.screenshots / f"{self.name}-{moment}.png")
