"""The sentences of lesson 12: each branch says what the values are."""

from __future__ import annotations

import pytest
from synthetic_paced import HISTOGRAM, paced_of, seeds

from seqkd_lab.lab.paced import words


@pytest.mark.parametrize(
    "one_edit, slip, wrong",
    [
        (0.2, "usually more than a single slip", "most of its words are right"),
        (0.7, "most often a single slip", "Most of its words are wrong"),
    ],
)
def test_failures(one_edit, slip, wrong):
    said = words.failures_in_words([paced_of(one_edit=one_edit)] * 3)
    assert slip in said and wrong in said and f"{one_edit:.0%}" in said and "300" in said


def test_the_histogram_with_the_fewest_weights():
    moments = {"the pool": HISTOGRAM, "many": [8, 1, 0, 0, 0, 0, 0, 0, 1]}
    said = words.fewest_weighed_in_words(moments)
    assert said.startswith("“many”: 10%")


@pytest.mark.parametrize(
    "counts, said",
    [(HISTOGRAM, "fewer sources carry nearly"), ([0, 0, 0, 0, 9, 0, 0, 0, 0], "no fewer sources")],
)
def test_steep_powers(counts, said):
    assert said in words.steep_powers_in_words(counts)


@pytest.mark.parametrize(
    "ends, bell, end",
    [
        (0.1, "as a bell would be", "the ratio collapses"),
        (2.0, "this is no bell", "it does not collapse"),
        (0.7, "as a bell would be", "it does not collapse"),
    ],
)
def test_the_bell(ends, bell, end):
    said = words.bell_in_words(seeds(ends=ends))
    assert bell in said and said.count(end) == 2
    assert "1,000" not in said and "thousandths" in said


def test_an_open_bell_is_open():
    rows = [paced_of(ends=ends) for ends in (0.1, 2.0, 0.4, 1.5)]
    said = words.bell_in_words(rows)
    assert "do not decide whether the middle" in said and said.count("do not decide") == 3


@pytest.mark.parametrize("ends, said", [(0.1, "do not both"), (2.0, "do not both")])
def test_lengths_at_the_end(ends, said):
    assert said in words.lengths_in_words([paced_of(ends=ends)] * 2)


def test_both_lengths_are_small():
    row = paced_of(ends=0.1)
    row["noise"]["noise"][-1] = 0.2
    said = words.lengths_in_words([row, row])
    assert "0.10 times" in said and "Both become small" in said


@pytest.mark.parametrize(
    "learned, said", [(5.0, "it learned"), (-5.0, "it lost"), (0.0, "a gain is not shown")]
)
def test_what_was_learned(learned, said):
    assert words.learned_in_words(seeds(learned=learned)).count(said) == 3


@pytest.mark.parametrize(
    "gain, random, expected",
    [
        (3.0, -1.0, ("are better than uniform ones", "say which sources", "cost something")),
        (-3.0, 1.0, ("are worse than uniform", "at random are better than those", "at random are")),
        (0.0, 0.0, ("open which is better", "the choice of sources matters", "cost anything")),
    ],
)
def test_the_three_differences(gain, random, expected):
    wobbling = [
        paced_of(gain=gain + step, random=random - 0.5 * step) for step in (-0.02, 0.0, 0.02)
    ]
    said = words.weights_in_words(wobbling)
    assert all(said.count(part) >= 3 for part in expected), said


@pytest.mark.parametrize(
    "more, said",
    [
        (0.5, "lead is larger where more"),
        (-0.5, "lead is smaller where more"),
        (0.0, "whether PACED's lead depends"),
    ],
)
def test_the_dose(more, said):
    assert said in words.weights_in_words(seeds(more=more))


@pytest.mark.parametrize("gain, said", [(3.0, "(better)"), (-3.0, "(worse)"), (0.0, "(open)")])
def test_greedy(gain, said):
    assert words.greedy_in_words(seeds(gain=gain)).count(said) == 3


@pytest.mark.parametrize(
    "risen, said",
    [(3.0, "rise without being learned"), (-1.0, "they fall"), (0.0, "a change is not shown")],
)
def test_sources_that_never_passed(risen, said):
    assert words.never_in_words(seeds(risen=risen)).count(said) == 3


@pytest.mark.parametrize(
    "forgotten, spared, expected",
    [
        (4.0, 1.0, ("uniform weights forget;", "PACED's keep more")),
        (4.0, -1.0, ("uniform weights forget;", "PACED's keep less")),
        (4.0, 0.0, ("uniform weights forget;", "which of the two keeps more is open")),
        (-4.0, -1.0, ("do not forget, they gain", "cannot be asked: these")),
        (0.0, 0.0, ("whether uniform weights forget is open", "cannot be asked: these")),
    ],
)
def test_forgetting(forgotten, spared, expected):
    wobbling = [
        paced_of(forgotten=forgotten + step, spared=spared - 0.5 * step)
        for step in (-0.02, 0.0, 0.02)
    ]
    said = words.forgetting_in_words(wobbling)
    assert all(said.count(part) == 3 for part in expected), said


def test_nothing_is_concluded_where_the_check_is_not_passed():
    rows = seeds(gain=3.0, learned=-1.0, forgotten=-1.0, spared=1.0)
    assert words.weights_in_words(rows).count(words.NOT_ASKED) == 10
    assert words.greedy_in_words(rows).count("(not asked)") == 3
    assert words.forgetting_in_words(rows).count("cannot be asked: these") == 3


def test_one_seed_is_enough_to_show_and_decides_nothing():
    said = words.weights_in_words([paced_of()])
    assert words.NOT_ASKED in said
