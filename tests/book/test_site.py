"""The book as it is made, of two lessons in fast mode: its pages are valid, reachable and usable by
everybody, from a file and below any address, and nothing comes from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jupyter_browser
import pytest

html5lib = pytest.importorskip("html5lib", reason="the tests' packages are not installed")
pytest.importorskip("myst_nb", reason="the book's packages are not installed")

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ("00", "06")
NO_CHROMIUM = "no chromium on this machine: apt-get install chromium"
in_browser = pytest.mark.skipif(not jupyter_browser.chromium(), reason=NO_CHROMIUM)
pytestmark = pytest.mark.slow
LOOKED_AT = (
    "index.html",
    "lessons/index.html",
    "lessons/00_start_here.html",
    "lessons/06_sequence_level_kd.html",
    "reference/api.html",
    "reference/verdicts.html",
    "slides/06_sequence_level_kd.html",
)
THEMES_OWN_NOISE = ("[PST]", "Got invalid theme mode")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Make the book of some lessons."""
    command = [sys.executable, "-m", "book", "--output", str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    """The folder of a book, whose name a shell or an address would have to escape."""
    folder = tmp_path_factory.mktemp("book") / "ein Büchlein & mehr"
    finished = make(folder, *LESSONS, "--fast")
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return folder


@pytest.fixture(scope="module")
def site(output) -> Path:
    return output / "html"


@pytest.fixture(scope="module")
def browser():
    with jupyter_browser.browser_page(jupyter_browser.chromium()) as page:
        yield page.context.browser


def pages(site: Path) -> list[Path]:
    return [p for p in sorted(site.rglob("*.html")) if "_static" not in p.relative_to(site).parts]


def test_a_second_time_nothing_is_run_again(output):
    finished = make(output, *LESSONS, "--fast")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("kept") == len(LESSONS)


def test_every_page_is_valid_html(site):
    for page in pages(site):
        parser = html5lib.HTMLParser()
        parser.parse(page.read_text(encoding="utf-8"))
        assert parser.errors == [], page


def test_pages_name_nothing_of_the_machine_that_made_them(site):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        assert str(ROOT) not in text and "/tmp/" not in text, page


def test_a_lesson_is_refused_that_there_is_not(tmp_path):
    finished = make(tmp_path, "99")
    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1 and "'99'" in finished.stderr


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_has_no_serious_barrier(name, scheme, site, browser):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(offline=True, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto((site / name).as_uri())
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    context.close()
    serious = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []


@in_browser
@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_loads_without_a_network_or_an_error_and_fits_its_width(name, width, site, browser):
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
    page, said, requested = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto((site / name).as_uri())
    page.wait_for_load_state("networkidle")
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    context.close()
    assert [text for text in said if not text.startswith(THEMES_OWN_NOISE)] == []
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    assert over <= 0


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and keeps what it could not find."""

    missing: list[str] = []

    def log_message(self, format, *arguments):  # noqa: A002  # the name of the base class
        if "404" in map(str, arguments):
            self.missing.append(self.path)


@pytest.fixture
def below_a_prefix(output):
    """The address of the book's folder on a server, which serves the folder around it."""
    Quiet.missing = []
    handler = partial(Quiet, directory=str(output.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{output.name}/html"
        server.shutdown()


@in_browser
def test_every_view_of_a_lesson_moves_by_keyboard_below_any_address(below_a_prefix, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{below_a_prefix}/lessons/06_sequence_level_kd.html")
    views = page.query_selector_all(".seqkd-view")
    assert len(views) == 3
    for view in views:
        words = view.query_selector(".seqkd-words").inner_html()
        slider = view.query_selector("input[type=range]:not([disabled])")
        slider.focus()
        is_at_its_end = slider.evaluate("slider => slider.value === slider.max")
        page.keyboard.press("ArrowLeft" if is_at_its_end else "ArrowRight")
        page.wait_for_function(
            "([view, words]) => view.querySelector('.seqkd-words').innerHTML !== words",
            arg=[view, words],
        )
    context.close()
    assert Quiet.missing == []
