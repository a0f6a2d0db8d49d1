"""A page of the book in a browser, made of the HTML of a lesson's outputs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jupyter_browser
import pytest

STATIC = Path(__file__).parents[2] / "book/site/static"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A lesson</title>
<link rel="stylesheet" href="{static}/forms.css"></head><body><main>{outputs}</main>
<script src="{static}/judging.js"></script><script src="{static}/predictions.js"></script>
</body></html>"""
MakePage = Callable[..., Path]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A page of a browser, which all tests of a module share: each opens a page of its own."""
    pytest.importorskip("playwright")
    executable = jupyter_browser.chromium()
    if executable is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with jupyter_browser.browser_page(executable) as page:
        yield page


@pytest.fixture
def page(browser) -> Iterator:
    """A page whose browser keeps nothing from another test, with `page.troubles`."""
    context = browser.context.browser.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    page.set_default_timeout(1000 * jupyter_browser.START_SECONDS)
    page.troubles, page.requests = [], []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


@pytest.fixture
def make_page(tmp_path) -> MakePage:
    """Write a page of the book that shows these outputs, each a screen below the one before."""

    def make(*outputs: object, name: str = "lesson") -> Path:
        path = tmp_path / f"{name}.html"
        far_apart = '<div style="height: 1500px"></div>'.join(
            output._repr_html_() for output in outputs
        )
        path.write_text(PAGE.format(static=STATIC.as_uri(), outputs=far_apart), encoding="utf-8")
        return path

    return make
