"""Lesson 14's sentences: they quote what was measured, and say the other thing where it is
otherwise."""

from __future__ import annotations

import copy

import pytest
import synthetic_near_policy as synthetic

from seqkd_lab.distillation.generation import GENERATE, SCORE, TRAIN, WAIT, Event
from seqkd_lab.lab.near_policy import words
from seqkd_lab.lab.near_policy.explorer import Timelines
from seqkd_lab.lab.near_policy.results import timelines
from seqkd_lab.studies.near_policy.recipes import EVERY, FORWARD, LATE, REVERSE, SAMPLES, arm_name
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, MAIN, NEAR_POLICY, NOT_SHARED

CLOCK = [synthetic.clock_round(number) for number in range(1, 6)]
SEEDS = [synthetic.seed_rows(seed) for seed in range(1, 6)]


def moved(arm: str, by: float, scatter: float = 0.0) -> list[dict]:
    """The seeds with another validity of an arm."""
    found = copy.deepcopy(SEEDS)
    for number, rows in enumerate(found):
        rows[arm]["validity"] += by + scatter * (number - 2)
    return found


def timed(name: str, times: float, scatter: float = 0.0) -> list[dict]:
    """The rounds with other seconds of a way."""
    found = copy.deepcopy(CLOCK)
    for number, rows in enumerate(found):
        rows[str(MAIN)][name]["seconds_per_1000"] *= times + scatter * (number - 2)
    return found


def lanes(generator: dict, trainer: dict) -> Timelines:
    """Recordings in which both processes spend these seconds of ten."""
    events = []
    for who, seconds in (("generator", generator), ("trainer", trainer)):
        clock = 0.0
        for what, length in seconds.items():
            events.append(Event(who, what, clock, clock + length, 0))
            clock += length
    loop = [Event("trainer", TRAIN, 0.0, 10.0, 0)]
    return Timelines(loop, {1: events, 16: events})


class TestSeen:
    def test_from_which_k_on_nearly_all_is_seen(self):
        said = words.seen_in_words({1: 0.8, 4: 0.97, 8: 0.985, 64: 0.999})
        assert "k = 1, 80%" in said and "From k = 8 on" in said
        assert "Even with k = 4 it is 90%" in words.seen_in_words({1: 0.8, 4: 0.9})


class TestTimeline:
    def test_the_slower_process_and_its_longest_part(self):
        said = words.timeline_in_words(lanes({GENERATE: 3.0, SCORE: 7.0}, {WAIT: 3.0, TRAIN: 7.0}))
        assert "The generator waits less" in said and "*score* (70%)" in said
        said = words.timeline_in_words(
            lanes({WAIT: 3.0, GENERATE: 3.0, SCORE: 4.0}, {WAIT: 1.0, TRAIN: 9.0})
        )
        assert "The trainer waits less" in said and "*train* (90%)" in said

    def test_two_in_balance(self):
        said = words.timeline_in_words(lanes({GENERATE: 10.0}, {WAIT: 0.2, TRAIN: 9.8}))
        assert "in balance" in said and "The generator waits a little less" in said

    def test_it_reads_a_recording(self):
        assert "At interval 16" in words.timeline_in_words(timelines(CLOCK))


class TestClock:
    def test_the_factor_against_both_loops(self):
        said = words.factor_in_words(CLOCK).text
        assert "3.50 [3.50, 3.50] times" in said and "*+ drawing without waste*" in said
        assert "no difference that these rounds can tell" in said

    def test_packing_may_help_or_harm(self):
        packing = LADDER[4].name
        assert "makes it faster" in words.factor_in_words(timed(packing, 0.8, 0.01)).text
        assert "makes it slower" in words.factor_in_words(timed(packing, 1.3, 0.01)).text

    def test_no_step_is_named_where_the_rounds_do_not_decide(self):
        said = words.factor_in_words(timed(LADDER[1].name, 1.0, 0.45)).text
        assert "do not decide which step" in said

    @pytest.mark.parametrize(
        ("times", "scatter", "said"),
        [(1.0, 0.0, "That is faster"), (1.5, 0.0, "That is slower"), (1.2, 0.3, "do not decide")],
    )
    def test_sharing(self, times, scatter, said):
        assert said in words.sharing_in_words(timed(NEAR_POLICY, times, scatter)).text
        assert "60% of its work" in words.sharing_in_words(CLOCK).text
        assert NOT_SHARED in CLOCK[0][str(MAIN)]

    def test_this_machine(self):
        quick = words.here_in_words({LOOP: 0.09, NEAR_POLICY: 0.03}).text
        assert "3.00" in quick and "two free cores" not in quick
        assert "two free cores" in words.here_in_words({LOOP: 0.09, NEAR_POLICY: 0.1}).text


class TestStaleness:
    def test_the_lag_beside_the_distance_to_the_teacher(self):
        said = words.lag_in_words(SEEDS).text
        assert "nats a token" in said and "(0.200)" in said

    def test_a_loss_that_gains_has_a_price_and_one_that_does_not_has_none(self):
        reverse, forward = words.staleness_in_words(SEEDS).text.split("\n\n")
        assert "brings valid translations" in reverse and "cannot be asked" not in reverse
        assert "costs valid translations" in forward and "cannot be asked" in forward

    def test_each_sign_of_the_price(self):
        stale = arm_name(LATE, EVERY[16], REVERSE)
        assert "teach better" in words.staleness_in_words(moved(stale, 2.0)).text
        assert "the price" in words.staleness_in_words(moved(stale, -2.0)).text
        assert "do not tell" in words.staleness_in_words(moved(stale, 0.2, 1.0)).text

    def test_a_gain_within_chance(self):
        on_policy = arm_name(LATE, EVERY[1], REVERSE)
        said = words.staleness_in_words(moved(on_policy, -3.0, 1.0)).text
        assert "no more than chance" in said


class TestWhose:
    def test_each_answer(self):
        own, samples = arm_name(LATE, EVERY[16], FORWARD), arm_name(LATE, SAMPLES, FORWARD)
        assert "the teacher's sentences teach more" in words.whose_in_words(SEEDS).text
        assert "student's own sentences teach" in words.whose_in_words(moved(own, 20.0)).text
        equal = SEEDS[0][samples]["validity"] - SEEDS[0][own]["validity"]
        assert "do not decide whose" in words.whose_in_words(moved(own, equal, 2.0)).text

    def test_the_loss_or_the_writer(self):
        own, reverse = (arm_name(LATE, EVERY[16], loss) for loss in (FORWARD, REVERSE))
        found = copy.deepcopy(SEEDS)
        for arm, shift in ((own, 0.0), (reverse, 20.0), (arm_name(LATE, SAMPLES, FORWARD), 2.0)):
            for rows in found:
                rows[arm]["samples"] = 50.0 + shift
        assert "the loss matters more" in words.whose_in_words(found).text
        for rows in found:
            rows[reverse]["samples"] = 51.0
        assert "than which loss" in words.whose_in_words(found).text
        for number, rows in enumerate(found):
            rows[reverse]["samples"] = 50.0 + number
        assert "whether the loss or the writer" in words.whose_in_words(found).text

    def test_what_is_not_told_from_0_is_said(self):
        own = arm_name(LATE, EVERY[16], FORWARD)
        assert "not told from 0" in words.whose_in_words(moved(own, 6.0, 3.0)).text


class TestDelta:
    @pytest.mark.parametrize(
        ("low", "kept", "said"),
        [(0, 50, "*dropped high*"), (0, 95, "keeps the best part"), (95, 50, "*dropped low*")],
    )
    def test_each_part_may_be_the_best(self, low, kept, said):
        found = copy.deepcopy(SEEDS)
        for rows in found:
            delta = rows[synthetic.warm_start_name(LATE)]["delta"]
            for fate, n in (("dropped low", low), ("kept", kept)):
                delta |= {f"{fate} valid": n, f"{fate} wrong": 100 - n}
        assert said in words.delta_in_words(found).text

    def test_none_is_named_where_the_seeds_do_not_decide(self):
        found = copy.deepcopy(SEEDS)
        for number, rows in enumerate(found):
            delta = rows[synthetic.warm_start_name(LATE)]["delta"]
            delta |= {"kept valid": 60 + 10 * number, "kept wrong": 40 - 10 * number}
        assert "do not decide" in words.delta_in_words(found).text
