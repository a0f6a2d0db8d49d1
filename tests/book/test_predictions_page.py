"""Predictions in a page: recorded, kept, scored after the result, never lost, never read as
HTML."""

from __future__ import annotations

from html import escape

import pytest

from book.predictions import BookPredictions
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, Choice, Number, Predictions, Ranking

pytestmark = pytest.mark.slow
PAYLOAD = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
CHOICE, NUMBER, RANKING = (
    Choice(("it grows", "it shrinks", CANNOT_TELL)),
    Number("points", tolerance=2, signed=True),
    Ranking(("teacher", "baseline", "seq-kd")),
)
ASKED = {
    "c": ("What happens?", CHOICE),
    "n": ("How far?", NUMBER),
    "r": ("In which order?", RANKING),
}
GIVEN = {"c": "it shrinks", "n": 4.25, "r": ["seq-kd", "teacher", "baseline"]}


@pytest.fixture
def lesson(make_page):
    """A page with three questions, their results and the summary."""
    predictions = BookPredictions()
    asked = [predictions.ask(key, question, kind) for key, (question, kind) in ASKED.items()]
    scored = [predictions.score(key, value) for key, value in GIVEN.items()]
    return make_page(*asked, *scored, predictions.summary())


def form(page, key: str):
    return page.locator(f'form[data-prediction*="&quot;{key}&quot;"], form').nth(
        list(ASKED).index(key)
    )


def answer(page, key: str, typed: str | list[str], sure: str = "50") -> str:
    """Answer a question as a person does; return what the page says."""
    place = form(page, key)
    if key == "c":
        place.get_by_label(str(typed)).check()
    elif key == "n":
        place.locator("input[type=text]").fill(str(typed))
    else:
        for number, item in enumerate(typed):
            place.locator(".prediction-answer select").nth(number).select_option(item)
    place.locator(".prediction-sure select").select_option(sure)
    place.get_by_role("button").click()
    return place.locator(".prediction-note").inner_text()


def judgement(page, key: str) -> str:
    details = page.locator("details.prediction-result").nth(list(ASKED).index(key))
    details.scroll_into_view_if_needed()
    return details.locator(".prediction-judgement").text_content()


def by_python(answers: dict) -> tuple[dict[str, str], list[str]]:
    """What the lab itself says of the same answers."""
    recorder, said = Predictions(), {}
    for key, (question, kind) in ASKED.items():
        recorder.ask(key, question, kind)
    for key, typed in answers.items():
        recorder.answer(key, typed, 50)
    for key, value in GIVEN.items():
        said[key] = recorder.score(key, value).lines[0]
    return said, list(recorder.summary().lines)


def test_answers_are_recorded_scored_in_the_labs_words_and_kept(lesson, page):
    page.goto(lesson.as_uri())
    answers = {"c": "it grows", "n": "5,5", "r": ["teacher", "seq-kd", "baseline"]}
    assert not page.locator("details.prediction-result[open]").count()
    for key, typed in answers.items():
        assert "Recorded: " in answer(page, key, typed)
    said, summary = by_python(answers)
    assert {key: judgement(page, key) for key in said} == said
    page.wait_for_function(
        "document.querySelector('.prediction-summary').innerText.includes('3 pred')"
    )
    assert page.locator(".prediction-summary p").all_inner_texts() == summary
    page.reload()
    assert {key: judgement(page, key) for key in said} == said
    assert "Recorded: it grows." in form(page, "c").inner_text()
    assert page.troubles == []


def test_an_answer_after_its_result_was_shown_is_kept_and_not_counted(lesson, page):
    page.goto(lesson.as_uri())
    details = page.locator("details.prediction-result").first
    details.locator("summary").click()
    details.locator(".prediction-judgement").scroll_into_view_if_needed()
    page.wait_for_function("localStorage.getItem('seqkd_lab.predictions') !== null")
    assert "not counted" in answer(page, "c", "it shrinks")
    assert judgement(page, "c").startswith("Predict first")
    page.reload()
    assert judgement(page, "c").startswith("Predict first")


def test_what_cannot_be_read_is_answered_and_an_empty_form_too(lesson, page):
    page.goto(lesson.as_uri())
    assert "Not recorded" in answer(page, "n", "a lot")
    assert "Not recorded" in answer(page, "n", "")
    form(page, "c").get_by_role("button").click()
    assert "Not recorded" in form(page, "c").locator(".prediction-note").inner_text()
    assert "Not recorded" in answer(page, "r", ["teacher", "teacher", "seq-kd"])


def test_payloads_are_text_wherever_they_stand(make_page, page):
    predictions = BookPredictions()
    asked = predictions.ask("x", PAYLOAD, Choice((PAYLOAD, "no")))
    typed = predictions.ask("y", "How many?", Number(PAYLOAD, tolerance=1))
    scored = [predictions.score("x", PAYLOAD), predictions.score("y", 3)]
    path = make_page(asked, typed, *scored, predictions.summary())
    assert PAYLOAD not in path.read_text(encoding="utf-8") and escape(PAYLOAD) in path.read_text(
        "utf-8"
    )
    page.goto(path.as_uri())
    first, second = page.locator("form").all()
    first.locator("input").first.check()
    first.get_by_role("button").click()
    second.locator("input[type=text]").fill(PAYLOAD)
    second.get_by_role("button").click()
    assert "Recorded: <img src=x" in first.inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0 and page.troubles == []


@pytest.mark.parametrize("fault", ["setItem", "getItem", "both"])
def test_a_full_or_refused_store_is_said_and_nothing_is_lost_in_the_page(fault, lesson, page):
    methods = ["setItem", "getItem"] if fault == "both" else [fault]
    for method in methods:
        page.add_init_script(
            f"Storage.prototype.{method} = () => {{"
            "throw new DOMException('no', 'QuotaExceededError'); };"
        )
    page.goto(lesson.as_uri())
    note = answer(page, "c", "it shrinks")
    assert "Recorded: it shrinks" in note and "QuotaExceededError" in note
    assert judgement(page, "c") == by_python({"c": "it shrinks"})[0]["c"]
    assert page.troubles == []


@pytest.mark.parametrize(
    "stored",
    ["{", "[]", "7", '{"c": 1}', '{"c": {"answers": "x"}}', '{"c": null, "n": {}}', "\\u0000"],
)
def test_a_damaged_store_is_set_aside_and_the_page_works(stored, lesson, page):
    page.goto(lesson.as_uri())
    page.evaluate("text => localStorage.setItem('seqkd_lab.predictions', text)", stored)
    page.reload()
    assert "Recorded: it shrinks" in answer(page, "c", "it shrinks")
    assert judgement(page, "c") == by_python({"c": "it shrinks"})[0]["c"]
    assert page.troubles == []


def test_the_keyboard_suffices_and_all_answers_can_be_forgotten(lesson, page):
    page.goto(lesson.as_uri())
    page.on("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "Recorded: it shrinks" in form(page, "c").inner_text()
    page.get_by_role("button", name="Forget all answers").click()
    assert page.evaluate("localStorage.getItem('seqkd_lab.predictions')") is None
    assert "Recorded" not in form(page, "c").locator(".prediction-note").inner_text()


def test_without_javascript_the_run_s_values_can_be_opened(lesson, browser):
    context = browser.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lesson.as_uri())
    text = page.content()
    assert "The run gave 4.25 points." in text and "The run gave it shrinks." in text
    assert page.locator("form button[disabled]").count() == len(ASKED)
    context.close()
