"""Slides are made from a lesson's page by a rule: what the page shows is in them, once."""

from __future__ import annotations

import re
from pathlib import Path

import jupyter_browser
import pytest

bs4 = pytest.importorskip("bs4", reason="the book's packages are not installed")

from book.slides import slides_of  # noqa: E402

NAME = "05_beam.html"
STATIC = Path(__file__).resolve().parents[2] / "book/site/static"
VIEW = (
    '<div class="seqkd-view" id="picture-05-1"><script type="application/json">{"files":'
    '"../views/picture-05-1/"}</script><div class="seqkd-picture"><svg><text>a &amp; b</text></svg>'
    "</div></div>"
)
PICTURE = '<div class="seqkd-picture"><svg aria-label="Bars &lt;of&gt; both"><g></g></svg></div>'
PAGE = f"""<html><body><article><section id="beam">
<h1>05 · Beam<a class="headerlink" href="#beam">#</a></h1>
<table><tr><th>What you need</th><td><a href="04_word.html">04</a></td></tr></table>
<p>← <a href="04_word.html">04</a> · next</p>
<section id="one"><h2>One &lt;step&gt;<a class="headerlink" href="#one">#</a></h2>
<p>The first sentence. The second one.</p><p>See <a href="#two">two</a>, and
<a href="https://example.org/">elsewhere</a>.</p>
<div class="cell">{VIEW}</div><p>Here is more:</p><div class="cell">{PICTURE}</div></section>
<section id="two"><h2>Two</h2><p>Only words &amp; <code>code</code>. More.</p></section>
<section id="three"><h2>Three</h2><div class="cell"></div></section>
</section></article></body></html>"""


def slides(page: str = PAGE) -> list:
    return bs4.BeautifulSoup(slides_of(page, NAME), "html.parser").select("section.slide")


def test_each_picture_and_view_is_on_one_slide_unchanged() -> None:
    text = slides_of(PAGE, NAME)
    assert text.count(VIEW) == 1
    assert text.count(PICTURE) == 1
    assert [len(s.select(".seqkd-view, .seqkd-picture")) for s in slides()] == [0, 2, 1, 0]


def test_a_slide_has_its_heading_and_one_sentence_or_a_caption() -> None:
    found = slides()
    heads = [s.find(["h1", "h2"]).get_text() for s in found]
    assert heads == ["05 · Beam", "One <step>", "One <step>", "Two"]
    sentences = [[p.get_text() for p in s.select(".sentence")] for s in found]
    assert sentences[0] == []
    assert sentences[1] == []  # a view has its own words below it
    assert sentences[2] == ["Bars <of> both"]
    assert sentences[3] == ["Only words & code."]


def test_all_prose_stands_once_in_the_notes() -> None:
    notes = [n.get_text() for s in slides() for n in s.select(".notes")]
    assert len(notes) == 2
    assert "The second one." in notes[0] and "Here is more:" in notes[0]
    assert not any("next" in note for note in notes)


def test_links_lead_from_the_folder_of_the_slides() -> None:
    addresses = re.findall(r'href="([^"]*)"', slides_of(PAGE, NAME))
    assert f"../lessons/{NAME}#two" in addresses
    assert "../lessons/04_word.html" in addresses
    assert "https://example.org/" in addresses
    assert all(a.startswith(("../", "https://example.org/")) for a in addresses)


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = bs4.BeautifulSoup(slides_of(PAGE, NAME), "html.parser")
    loaded = [e.get("src") or e.get("href") for e in page.select("script[src], link[href]")]
    assert len(loaded) == 5 and all(a.startswith("../_static/") for a in loaded)


def test_a_page_that_is_no_lesson_is_named() -> None:
    with pytest.raises(ValueError, match=NAME):
        slides_of("<html><body></body></html>", NAME)


@pytest.mark.slow
def test_keys_lead_through_the_slides_and_each_prints_on_one_page(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if jupyter_browser.chromium() is None:
        pytest.skip("needs chromium")
    for folder, files in {"_static": STATIC.glob("*.*"), "slides": ()}.items():
        (tmp_path / folder).mkdir()
        for file in files:
            (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    page = PAGE.replace(VIEW, PICTURE)  # a view has a test of its own
    (tmp_path / "slides" / NAME).write_text(slides_of(page, NAME), encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=jupyter_browser.chromium(), args=list(jupyter_browser.CHROMIUM_FLAGS)
        )
        tab = browser.new_page()
        tab.goto((tmp_path / "slides" / NAME).as_uri())
        for key, n in (("ArrowRight", 2), ("End", 4), ("ArrowRight", 4), ("Home", 1)):
            tab.keyboard.press(key)
            assert tab.inner_text(".progress") == f"{n} of 4"
            assert tab.locator(".slide:visible").count() == 1
        pages = tab.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", pages)) == 4
        browser.close()
