"""The paced explorer: shares by hand, the numbers of its picture in words, and what it shows is
escaped; what all views have in common is in test_view_events.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.lab.paced.explorer import PacedDrawing, paced_bins, paced_figure, percent
from seqkd_lab.lab.paced.view import PacedExplorer

COUNTS = (4, 0, 2, 1, 1)
"""Of eight sources four have no valid draw of four, two have two, one has three and one all."""
POWERS = [n / 4 for n in range(17)]


@pytest.fixture
def explorer():
    return PacedExplorer({"early": (8, 0, 0, 0, 0), "late": COUNTS, "end": (0, 1, 1, 2, 4)})


class TestBins:
    def test_the_shares_by_hand(self):
        found = paced_bins(COUNTS, 1.0, 1.0)  # 2 × 1/4 and 1 × 3/16, together 11/16
        assert found.sources == (0.5, 0.0, 0.25, 0.125, 0.125)
        assert found.shares == pytest.approx((0.0, 0.0, 8 / 11, 3 / 11, 0.0))
        assert found.weights == pytest.approx((0.0, 0.0, 8 / 11 / 0.25, 3 / 11 / 0.125, 0.0))
        assert found.effective == pytest.approx((11 / 16) ** 2 / (8 * (2 / 16 + 9 / 256)))

    @given(
        st.lists(st.integers(0, 30), min_size=3, max_size=9).filter(sum),
        st.sampled_from(POWERS),
        st.sampled_from(POWERS),
    )
    def test_shares_sum_to_one_or_nothing_counts(self, counts, a, b):
        found = paced_bins(counts, a, b)
        mean = sum(
            source * weight for source, weight in zip(found.sources, found.weights, strict=True)
        )
        assert sum(found.sources) == pytest.approx(1.0)
        assert sum(found.shares) == pytest.approx(mean, abs=1e-5)
        assert (
            mean == pytest.approx(1.0, abs=1e-4) if any(found.weights) else found.effective == 0.0
        )
        assert found.effective <= 1.0 + 1e-5

    def test_powers_of_zero_leave_the_histogram_as_it_is(self):
        found = paced_bins(COUNTS, 0.0, 0.0)
        assert found.shares == pytest.approx(found.sources) and found.effective == pytest.approx(
            1.0
        )

    def test_what_has_no_answer_is_refused(self):
        with pytest.raises(ValueError, match="no source"):
            paced_bins((0, 0, 0), 1.0, 1.0)
        with pytest.raises(ValueError, match="negative"):
            paced_bins(COUNTS, -1.0, 1.0)

    def test_percent_never_turns_something_into_nothing(self):
        assert [percent(share) for share in (0.0, 0.001, 0.0049, 0.254, 1.0)] == [
            "0",
            "<1",
            "<1",
            "25",
            "100",
        ]


def test_where_nothing_counts_it_says_so(explorer):
    assert explorer.moment.value == "early" and "there is nothing to learn" in explorer.text.value
    explorer.a.value = 0.0
    assert "nothing to learn" not in explorer.text.value and "p = 0.00" in explorer.text.value
    explorer.b.value = 0.0
    assert "All weights are equal." in explorer.text.value
    assert "every source has the same weight" in explorer.text.value


def test_the_text_has_the_numbers_of_the_picture(explorer):
    explorer.moment.value = "late"
    for said in ("0/4", "4/4", ">73<", ">27<", "p = 0.50", "62% of the sources have the weight 0"):
        assert said in explorer.text.value
    texts = [
        text.get_text()
        for axes in paced_figure(COUNTS).axes
        for text in [*axes.texts, *axes.artists]
    ]
    assert texts.count("73") == 1 and texts.count("50") == 1


def test_scales_stand_still():
    drawing = PacedDrawing(5)
    limits = [(axes.get_xlim(), axes.get_ylim()) for axes in drawing.picture.figure.axes]
    for counts, a, b in ((COUNTS, 1.0, 1.0), ((8, 0, 0, 0, 0), 0.0, 0.0)):
        drawing.show(paced_bins(counts, a, b), a, b)
        shown = [(axes.get_xlim(), axes.get_ylim()) for axes in drawing.picture.figure.axes]
        assert shown == limits


def test_what_a_moment_is_called_is_escaped():
    explorer = PacedExplorer({"<script>alert(1)</script>": COUNTS, "b": COUNTS})
    assert "<script" not in explorer.text.value and "&lt;script" in explorer.text.value


@pytest.mark.parametrize(
    "moments", [{}, {"a": (0, 0, 0)}, {"a": (1, 2, 3), "b": (1, 2)}, {"a": (3,)}]
)
def test_what_cannot_be_shown_is_refused(moments):
    with pytest.raises(ValueError, match="histogram"):
        PacedExplorer(moments)
