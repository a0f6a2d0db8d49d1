from dataclasses import replace

import pytest

from seqkd_lab.lab.shared import verdict_table as tables
from seqkd_lab.lab.shared.digits import mean_in_digits
from seqkd_lab.lab.shared.paired import ABOVE, BELOW, OPEN, paired_figure, side_of
from seqkd_lab.lab.shared.verdict_table import VerdictTable
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    NOT_HELD,
    UNDECIDED,
    Claim,
    judge_claim,
    mean_and_interval,
)

ROWS = [{"gain": gain, "loss": -gain, "open": gain - 1.0} for gain in (0.8, 1.0, 1.3)]


def verdicts():
    """One verdict of each outcome."""
    gain, loss, neither = (
        Claim(
            name, f"{name} ≥ 0 <b>", lambda rows, name=name: rows[name], least=0.0, original="“a”"
        )
        for name in ROWS[0]
    )
    claims = (
        gain,
        loss,
        replace(neither, original="“b” & more"),
        replace(gain, name="asked", manipulation=loss),
        replace(gain, name="judged", obstacle=lambda _: "nobody learned"),
    )
    return tuple(judge_claim(claim, ROWS) for claim in claims)


def test_each_outcome_stands_in_the_table_with_its_numbers():
    table = VerdictTable(verdicts(), {"gain": 0.25})
    outcomes = [row[-1] for row in table.rows]
    expected = (HELD, NOT_HELD, UNDECIDED, CANNOT_BE_ASKED, CANNOT_BE_JUDGED)
    for outcome, word in zip(outcomes, expected, strict=True):
        assert word in outcome
    assert "loss ≥ 0" in outcomes[3], "a failed manipulation check is named"
    assert outcomes[4].endswith("nobody learned") and table.rows[4][2] == "–"
    assert "(planned 0.25)" in table.rows[0][3] and "planned" not in table.rows[1][3]


def test_each_quotation_stands_once_with_the_claims_that_go_back_to_it():
    text = repr(VerdictTable(verdicts(), {}))
    assert text.count("“a”") == 1 and "gain, loss, asked, judged: “a”" in text


def test_what_was_not_reproduced_is_said():
    assert "not reproduced: loss" in repr(VerdictTable(verdicts(), {}))


def test_nothing_reaches_html_unescaped():
    html = VerdictTable(verdicts(), {})._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html and "“b” &amp; more" in html


def test_every_outcome_has_a_mark():
    marks = [mark for mark, _ in tables.OUTCOMES.values()]
    assert set(tables.OUTCOMES) == {HELD, NOT_HELD, UNDECIDED, CANNOT_BE_ASKED, CANNOT_BE_JUDGED}
    assert all(marks)


@pytest.mark.parametrize(
    ("values", "side"),
    [
        ([1.0, 1.2, 0.9], ABOVE),
        ([-1.0, -1.2, -0.9], BELOW),
        ([1.0, -1.2, 0.1], OPEN),
        ([4.0], OPEN),
    ],
)
def test_the_side_of_zero_is_that_of_the_whole_interval(values, side):
    assert side_of(values) == side


def test_a_paired_picture_has_a_row_for_each_difference_first_on_top():
    figure = paired_figure({"a − b": [1.0, 2.0, 1.5], "c − b": [-0.1, 0.2, 0.0]}, "points")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["c − b", "a − b"]
    numbers = [text.get_text() for text in axes.texts]
    assert any(text.startswith("+1.5 [") for text in numbers)
    figure.savefig("/dev/null", format="png")


@pytest.mark.parametrize("nearest", [0.3, 0.04, 0.017, 0.0021, -0.0021, -0.017, -0.3])
def test_an_interval_shows_on_which_side_of_zero_it_ends(nearest):
    """A bound just beside 0 has as many digits as tell it from 0."""
    apart = [-1.0, 0.0, 1.0]
    _, (low, high) = mean_and_interval(apart)
    nearer = low if nearest > 0.0 else high
    values = [value - nearer + nearest for value in apart]
    bounds = mean_in_digits(values).split("[")[1].rstrip("]").replace("−", "-").split(", ")
    assert float(bounds[nearest < 0.0]) == pytest.approx(nearest, rel=0.5)


def test_a_single_value_has_no_interval_and_a_zero_no_sign():
    assert mean_in_digits([0.25]) == "+0.2"
    assert mean_in_digits([-0.001]) == mean_in_digits([0.0]) == "0.0"
    assert mean_in_digits([-1.0, -2.0], sign="")[0] == "−"


def test_a_paired_picture_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no difference"):
        paired_figure({}, "points")
