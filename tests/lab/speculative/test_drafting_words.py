"""The computed sentences of lesson 10, in each of their branches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from synthetic_speculative import N_ROUNDS, alpha_of, seeds_of

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import ACCEPTED, REJECTED, DraftedWord, DraftTrace, TracedRound
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.speculative import words
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.speculative.clock import OWN, StepTime
from seqkd_lab.studies.speculative.exactness import Exactness
from seqkd_lab.studies.speculative.recipes import DEEP, ON_POLICY, SAME_ON_GOLD
from seqkd_lab.studies.speculative.tokens import Acceptance


def with_alphas(changes: dict[tuple[str, float], list[float]]) -> list:
    """Seeds whose α of some drafts and temperatures are these."""
    seeds = []
    for number, one in enumerate(seeds_of(3, 0)):
        acceptance = [
            Acceptance(
                each.draft,
                each.temperature,
                changes.get((each.draft, each.temperature), [each.alpha] * 3)[number],
                100,
            )
            for each in one.acceptance
        ]
        seeds.append(replace(one, acceptance=tuple(acceptance)))
    return seeds


class TestAcceptance:
    def test_who_is_rejected_and_accepted_most(self):
        seeds = seeds_of()
        assert words.rejected_most(seeds, 1.0) == SEQ_KD
        assert words.accepted_most(seeds, 0.0) == SEQ_KD
        assert words.accepted_most(seeds, 1.0) == WORD_KD

    def test_what_the_seeds_do_not_decide_cannot_be_told(self):
        noisy = with_alphas({(SEQ_KD, 1.0): [0.7, 0.95, 0.9]})
        assert words.rejected_most(noisy, 1.0) == CANNOT_TELL
        assert words.accepted_most(noisy, 1.0) == CANNOT_TELL

    def test_differences_are_paired_and_in_points(self):
        found = words.differences(seeds_of())
        values = found[f"temperature 1: {WORD_KD} − {SEQ_KD}"]
        assert values[0] == pytest.approx(
            100 * (alpha_of(WORD_KD, 1.0, 21) - alpha_of(SEQ_KD, 1.0, 21))
        )
        assert len(found) == 4 and {len(each) for each in found.values()} == {5}

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({}, "turns the order round"),
            ({(SEQ_KD, 0.0): [0.80, 0.81, 0.80]}, "Word-KD stays ahead"),
            ({(SEQ_KD, 0.0): [0.80, 0.99, 0.90]}, "do not decide which of the two"),
            ({(SEQ_KD, 1.0): [0.80, 0.99, 0.90]}, "do not put Word-KD's draft above"),
        ],
    )
    def test_the_order_under_both_searches(self, changes, said):
        assert said in words.acceptance_in_words(with_alphas(changes)).text

    @pytest.mark.parametrize(
        ("own", "said"),
        [
            ([0.90, 0.91, 0.90], "a better draft"),
            ([0.80, 0.81, 0.80], "a worse draft"),
            ([0.80, 0.95, 0.88], "do not decide whether its own words help"),
        ],
    )
    def test_what_own_words_do(self, own, said):
        changes = {(ON_POLICY, 1.0): own, (SAME_ON_GOLD, 1.0): [0.88, 0.89, 0.885]}
        assert said in words.acceptance_in_words(with_alphas(changes)).text

    def test_the_range_of_alpha_is_that_of_the_seeds_and_its_error(self):
        seeds = with_alphas({(WORD_KD, 1.0): [0.80, 0.85, 0.90]})
        assert words.alpha_range(seeds, WORD_KD, 1.0, 0.01) == pytest.approx((0.78, 0.92))
        assert words.alpha_range(seeds, WORD_KD, 1.0, 0.2)[1] == 1.0


def trace_of(q_of_rejected: float | None) -> DraftTrace:
    """One round over the words a, b and c; without a number all words are accepted."""
    q = torch.tensor([q_of_rejected or 0.0, 0.9 - (q_of_rejected or 0.0), 0.1])
    fate = ACCEPTED if q_of_rejected is None else REJECTED
    word = DraftedWord("a", 0.6, float(q[0]), fate)
    traced = TracedRound((), (word,), "b", q, q, q)
    hypothesis = Hypothesis(("b",), 0.0, 0.0)
    return DraftTrace(("s",), 1, SamplingDistribution(), (traced,), hypothesis, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("q", "said"),
    [
        (None, "no word is rejected"),
        (0.01, "nearly rules the proposal out"),
        (0.3, "possible, too"),
    ],
)
def test_the_rejected_word(q, said):
    text = words.rejected_in_words(trace_of(q), 1)
    assert said in text and (q is None or "“b”" in text)


@pytest.mark.parametrize(("price", "said"), [(9.0, "makes its check longer"), (1.2, "too busy")])
def test_what_reading_costs(price, said):
    steps = [
        StepTime(name, n, [seconds])
        for name, last in ((TEACHER, price), (DEEP, 1.1), (BASELINE, price))
        for n, seconds in ((1, 1.0), (9, last))
    ]
    text = words.steps_in_words(steps).text
    assert said in text and f"{price:.1f}" in text and "1.1" in text


class TestClock:
    @pytest.fixture
    def targets(self):
        return [one for one in seeds_of() if one.clock]

    @staticmethod
    def timed(targets, seconds):
        """The targets with the seconds per token that `seconds` (K, round) gives to each draft."""
        return [
            replace(
                one,
                clock=tuple(
                    replace(
                        time,
                        seconds_per_token=[
                            1.0 if time.draft == OWN else seconds(time.draft_length, number)
                            for number in range(N_ROUNDS)
                        ],
                    )
                    for time in one.clock
                ),
            )
            for one in targets
        ]

    def test_growth_is_a_ratio_of_tokens_per_call(self, targets):
        assert 1.0 < words.growth(targets) < 3.0
        assert words.growth(targets, 4, 4) == 1.0

    def test_one_k_is_the_fastest_beyond_the_noise(self, targets):
        found = self.timed(
            targets, lambda K, number: (0.4 if K == 4 else 0.6) + 0.01 * (number % 2)
        )
        assert words.level_lengths(found, WORD_KD, 1.0) == [4]
        assert words.best_length_answer(found, WORD_KD, 1.0) == "3 to 6"
        assert "the fastest K is 4." in words.clock_in_words(found).text

    def test_level_k_of_one_answer_are_one_answer(self, targets):
        found = self.timed(
            targets, lambda K, number: 0.4 + 0.01 * ((number + K) % 3) if K >= 8 else 0.6
        )
        assert set(words.level_lengths(found, WORD_KD, 1.0)) <= {8, 10, 12}
        assert words.best_length_answer(found, WORD_KD, 1.0) == "8 to 12"

    def test_level_k_of_several_answers_cannot_be_told(self, targets):
        found = self.timed(targets, lambda K, number: 0.4 + 0.05 * (number % 3))
        assert words.best_length_answer(found, WORD_KD, 1.0) == CANNOT_TELL
        assert "do not tell them apart" in words.clock_in_words(found).text

    def test_every_answer_has_its_k(self, targets):
        lengths = {time.draft_length for time in targets[0].clock} - {0}
        assert lengths <= {K for some in words.LENGTHS_OF.values() for K in some}
        assert (*words.LENGTHS_OF, CANNOT_TELL) == words.LENGTH_ANSWERS

    def test_who_was_chosen_is_said_of_both_searches(self, targets):
        text = words.clock_in_words(targets).text
        assert "**Temperature 1.**" in text and "**Greedy.**" in text
        assert f"{SEQ_KD} with K" in text and "of 3)" in text and "c = 0.050" in text

    @pytest.mark.parametrize(
        ("factor", "said"),
        [(1.0, "explain nearly all"), (3.0, "counted by neither"), (0.5, "come in a row")],
    )
    def test_what_lies_between_formula_and_clock(self, targets, factor, said):
        checked = words.refined_speed_ups(targets, WORD_KD, 1.0)
        *_, last = checked.values()
        found = self.timed(targets, lambda K, number: factor / last[K])
        text = words.gap_in_words(found, WORD_KD, 1.0)
        assert said in text and "favours K =" in text


@pytest.mark.parametrize(
    ("draft", "p", "said", "why"),
    [("b", 0.2, True, False), (WORD_KD, 0.2, True, True), (WORD_KD, 1e-13, False, False)],
)
def test_the_tests_of_both_rules_are_counted(draft, p, said, why):
    tests = [
        Exactness(name, rule, 1.0, 4, 1, 100, 5, p_value)
        for name, rule, p_value in (
            ("a", "exact", 0.4),
            (draft, "exact", 0.001),
            ("a", "redrawn from q", 1e-19),
            (draft, "redrawn from q", p),
        )
    ]
    text = words.exactness_in_words(tests).text
    n_broken = 2 if p < 0.005 else 1
    assert f"1 of 2 tests of the right rule, and {n_broken} of 2 of the broken one" in text
    assert (f"with the draft {draft} (p = 0.2)" in text) == said
    assert ("nearest to the target" in text) == why


@pytest.mark.parametrize(
    ("rounds", "answer"),
    [
        ([1.2, 1.3, 1.25], "faster than alone"),
        ([0.6, 0.7, 0.65], "slower than alone"),
        ([0.8, 1.2, 1.0], CANNOT_TELL),
        ([1.2], CANNOT_TELL),
    ],
)
def test_the_small_target(rounds, answer):
    assert words.small_answer({1: [0.1] * len(rounds), 4: rounds}) == answer


@pytest.mark.parametrize(("together", "said"), [(1.5, ": fewer are"), (2.6, ": not fewer are")])
def test_limits_are_said_with_their_numbers(together, said):
    text = words.limits_in_words(
        {1: [0.5, 0.7]}, {1: 2.5, 64: together}, {WORD_KD: {1.0: 0.9, 2.0: 0.6, 8.0: 0.8}}
    ).text
    assert "0.60 (K = 1)" in text and said in text
    assert "lowest at temperature 2 (0.60); at 8 it is 0.80" in text
