"""The player in a browser: it follows its controls as the view itself does, by keyboard, at once,
and without JavaScript the page shows what the lesson opened."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import jupyter_browser
import pytest
from declared import declared
from view_samples import Sample, Small, small_samples

from book.packing import Recorder
from book.player import view_html
from book.states import controls_of, label
from seqkd_lab.lab.shared.view import View

SAMPLES: dict[type[View], Sample] = declared("SAMPLES")
KINDS = (
    "AttentionView",
    "ChoiceExplorer",
    "FrontEndCheck",
    "MemoryDial",
    "ModeMass",
    "PacedExplorer",
    "StrengthPanel",
)
"""Of each way in which controls depend on one another one, or two."""
N_EVENTS = 25
STATIC = Path(__file__).resolve().parents[2] / "book" / "site" / "static"
NO_CHROMIUM = "no chromium on this machine: apt-get install chromium"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not jupyter_browser.chromium(), reason=NO_CHROMIUM),
]


@cache
def small() -> Small:
    return small_samples()


@cache
def kinds() -> dict[str, type[View]]:
    return {kind.__name__: kind for kind in SAMPLES}


@pytest.fixture(scope="module")
def browser():
    with jupyter_browser.browser_page(jupyter_browser.chromium()) as page:
        yield page.context.browser


@pytest.fixture
def open_page(browser):
    contexts = []

    def opened(path: Path, **settings):
        contexts.append(browser.new_context(offline=True, **settings))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def page_of(view: View, folder: Path) -> Path:
    """Write a page with the view alone, as it would stand in a lesson; return its path."""
    html = view_html(view, 'Words of the "picture" & more', "v", folder)
    page = folder / "lessons" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>A view</title>"
        f"<link rel='stylesheet' href='{(STATIC / 'book.css').as_uri()}'>"
        f"<script defer src='{(STATIC / 'player.js').as_uri()}'></script><main>{html}</main>",
        encoding="utf-8",
    )
    return page


def shown_in(page) -> tuple[str, dict[str, str]]:
    """Return the words that a page shows, and the label of each control's value."""
    return page.evaluate(
        """() => [
            document.querySelector(".seqkd-words").innerHTML,
            Object.fromEntries([...document.querySelectorAll("[data-control]")].map((input) => [
                input.dataset.control,
                input.type === "checkbox" ? (input.checked ? "yes" : "no")
                : input.type === "range" ? input.getAttribute("aria-valuetext")
                : input.selectedOptions[0].textContent,
            ])),
        ]"""
    )


def as_html(page, words: str) -> str:
    """Return HTML as this browser writes it."""
    return page.evaluate(
        "words => { const box = document.createElement('div'); box.innerHTML = words; "
        "return box.innerHTML; }",
        words,
    )


def choose(page, control: str, number: int) -> None:
    """Give a control its value with this number, as a person does."""
    page.evaluate(
        """([name, number]) => {
            const input = document.querySelector(`[data-control="${name}"]`);
            if (input.type === "checkbox") input.checked = Boolean(number);
            else input.value = number;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        [control, number],
    )


@pytest.mark.parametrize("name", KINDS)
def test_a_page_shows_after_any_events_what_the_view_shows(name, tmp_path, open_page):
    view, chance = SAMPLES[kinds()[name]].build(small()), random.Random(2)
    page = open_page(page_of(view, tmp_path))
    failures: list = []
    page.on("pageerror", lambda error: failures.append(error))
    for _ in range(N_EVENTS):
        control = chance.choice([c for c in controls_of(view) if len(view.stations(c.name)) > 1])
        stations = view.stations(control.name)
        number = chance.randrange(len(stations))
        view.named[control.name].value = stations[number]
        choose(page, control.name, number)
        labels = {
            c.name: label(view.named[c.name], view.named[c.name].value) for c in controls_of(view)
        }
        page.wait_for_function(
            "words => document.querySelector('.seqkd-words').innerHTML === words",
            arg=as_html(page, Recorder(view, "v-").shown().words),
            timeout=10_000,
        )
        assert shown_in(page)[1] == labels
    assert not failures


def test_the_keyboard_moves_a_slider_and_a_screen_reader_is_told_once(tmp_path, open_page):
    page = open_page(page_of(SAMPLES[kinds()["PacedExplorer"]].build(small()), tmp_path))
    before = page.inner_html("svg .moving")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.dataset.control") != "b":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('svg .moving').innerHTML !== before", arg=before
    )
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "1.50"
    assert page.inner_text("[aria-live]") == ""  # not at every step
    page.wait_for_function("document.querySelector('[aria-live]').textContent !== ''")


def test_without_javascript_and_in_print_a_page_shows_what_the_lesson_opened(tmp_path, open_page):
    view = SAMPLES[kinds()["ChoiceExplorer"]].build(small())
    page = open_page(page_of(view, tmp_path), java_script_enabled=False)
    html = page.content()
    assert Recorder(view, "v-").shown().words[:40] in html and "<text" in html
    assert page.locator("noscript p").count() == 1
    assert page.locator("[data-control]").count() == 0


def test_a_missing_file_is_named_where_the_words_stand(tmp_path, open_page):
    path = page_of(SAMPLES[kinds()["FrontEndCheck"]].build(small()), tmp_path)
    for file in (tmp_path / "views" / "v").iterdir():
        file.unlink()
    page = open_page(path)
    choose(page, "n_bars", 5)
    page.wait_for_function("document.querySelector('.seqkd-words').textContent.includes('0.js')")
    assert "could not be loaded" in page.inner_text(".seqkd-words")
