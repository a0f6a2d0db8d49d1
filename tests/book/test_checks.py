"""What the look for dead links finds, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bs4", reason="the book's packages are not installed")

from book.checks import problems  # noqa: E402

PAGE = "<!doctype html><html lang='en'><title>t</title><body><h1 id='here'>h</h1>{}</body></html>"
SOUND = (
    "<a href='#here'>a</a>",
    "<a href='other%20page.html#here'>a</a>",
    "<a href='sub/third.html'>a</a>",
    "<a href='https://arxiv.org/abs/1606.07947'>a</a>",
    "<a href='mailto:nobody@example.org'>a</a>",
    "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''>",
    "<script>let x = 1;</script>",
    "<link rel='canonical' href='https://example.org/'>",
)
UNSOUND = {
    "<a href='#there'>a</a>": "no such place",
    "<a href='other%20page.html#there'>a</a>": "no such place",
    "<a href='missing.html'>a</a>": "no such file",
    "<a href='sub'>a</a>": "no such file",
    "<a href='/index.html'>a</a>": "begins at the root",
    "<a href='../outside.html'>a</a>": "out of the site",
    "<img src='missing.png' alt=''>": "no such file",
    "<script src='https://example.org/x.js'></script>": "from elsewhere",
    "<script src='//example.org/x.js'></script>": "from elsewhere",
    "<link rel='stylesheet' href='https://example.org/x.css'>": "from elsewhere",
    "<iframe src='https://example.org/'></iframe>": "from elsewhere",
}


def site_with(folder: Path, body: str) -> Path:
    """Write a site of three pages, the first of which has this body."""
    (folder / "outside.html").write_text(PAGE.format(""), encoding="utf-8")
    site = folder / "site"
    (site / "sub").mkdir(parents=True)
    for name, inside in (("index", body), ("other page", ""), ("sub/third", "")):
        (site / f"{name}.html").write_text(PAGE.format(inside), encoding="utf-8")
    return site


@pytest.mark.parametrize("body", SOUND)
def test_a_link_that_leads_somewhere_is_left_alone(body, tmp_path):
    assert problems(site_with(tmp_path, body)) == []


@pytest.mark.parametrize("body", UNSOUND)
def test_a_link_that_leads_nowhere_is_named_with_its_page(body, tmp_path):
    (found,) = problems(site_with(tmp_path, body))
    assert found.startswith("index.html: ") and UNSOUND[body] in found
