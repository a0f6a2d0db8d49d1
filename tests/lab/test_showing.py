"""What lessons show: a number that rounds to zero has no sign, in sentences and answers, and code
stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.lab.shared import lesson


@given(st.floats(-0.0499, 0.0499))
def test_a_number_that_rounds_to_zero_has_no_sign(value):
    for text in (
        f"{value:+.1f} BLEU",
        f"[{value:.1f}, 1.0]".replace("-", "−"),
        f"about {value:.1f}.",
    ):
        for shown in (lesson.Markdown(text).text, lesson.answer(text).text):
            assert not {"+", "-", "−"} & set(shown) and "0.0" in shown


@pytest.mark.parametrize(
    "text", ["+0.1", "−0.05 to +3.0", "1-0", "a-0.0", "10−0", "x+0", "−0.01", "+0.005", "-0.0.1"]
)
def test_every_other_sign_stays(text):
    assert lesson.Markdown(text).text == text


def test_code_stays_as_it_is():
    assert "-0.0" in lesson.Markdown("```python\nx = -0.0\n```").text
