"""Lesson 06's sentences and ranges: they quote what was measured, and say the other thing where it
is otherwise."""

from __future__ import annotations

import math

import pytest

from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.lab.seq_kd import notebook as seq_kd
from seqkd_lab.lab.seq_kd import students, words
from seqkd_lab.lab.seq_kd.lens import ChoiceShares, Pair
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.comparison import Comparison, Row
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.translated import Translated
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.study import by_seed, read_later
from seqkd_lab.studies.budget.students import FACTORS, METHODS, factor_key, factors_of
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES

TICKET = (lesson.TICKET, lesson.TICKET_GOLD)


def live(gold: float, samples: float, mode: float) -> dict[str, Score]:
    return {
        name: Score(100, (80.0 + share, 81.0 + share), (share, share), 0.1, 0.01, 0.5)
        for name, share in ((GOLD, gold), (SAMPLES, samples), (MODE, mode))
    }


def live_seeds(modes, gains=(2.0, 1.0)) -> list[dict]:
    return [
        {
            name: {"valid": share, "greedy": 80.0, "beam": 80.0 + gain + n / 50}
            for name, share, gain in (
                (GOLD, 0.2, gains[0]),
                (SAMPLES, 0.3, 2.0),
                (MODE, mode, gains[1]),
            )
        }
        for n, mode in enumerate(modes)
    ]


class TestThreeStudents:
    def test_where_the_mode_helps_and_samples_do_not_the_words_say_which_it_is(self):
        text = words.three_in_words(live(0.25, 0.30, 0.65)).text
        assert (
            "25%" in text
            and "by +5 points, the mode by +40" in text
            and "It comes from the mode." in text
        )

    @pytest.mark.parametrize("shares", [(0.25, 0.60, 0.65), (0.5, 0.5, 0.52), (0.6, 0.5, 0.4)])
    def test_else_they_do_not(self, shares):
        text = words.three_in_words(live(*shares)).text
        assert "one run alone decides nothing" in text and "It comes from the mode" not in text

    def test_a_student_is_first_only_beyond_the_chance_in_the_sentences(self):
        assert seq_kd.most_valid(live(0.25, 0.30, 0.65)) == MODE
        assert seq_kd.most_valid(live(0.25, 0.60, 0.65)) == CANNOT_TELL

    def test_the_seeds_are_counted(self):
        text = words.seeds_in_words(live_seeds((0.6, 0.7, 0.25))).text
        assert (
            "In 2 of 3 seeds" in text and "between −5 and 40" in text and "it is 22 points" in text
        )
        assert "it adds less to the student of the mode" in text
        assert "it adds more to" in words.seeds_in_words(live_seeds((0.6, 0.7), (1.0, 2.0))).text
        varied = [*live_seeds((0.6,), (1.0, 2.0)), *live_seeds((0.6,), (2.0, 1.0))]
        assert "do not decide to which" in words.seeds_in_words(varied).text

    def test_ranges_are_those_of_the_seeds_and_of_chance(self):
        seeds = live_seeds((0.6, 0.7, 0.25))
        low, high = students.valid_range(seeds, MODE, 400)
        assert low < 0.25 and 0.7 < high < 0.76
        assert students.valid_range(seeds, GOLD, 10**9) == pytest.approx((0.2, 0.2), abs=1e-3)
        assert students.seeds_figure(seeds).axes[0].get_ylim() == (0.0, 100.0)


class TestTicket:
    def test_its_pair_is_put_before_the_corpus(self, toy, toy_models):
        pair = seq_kd.ticket_pair(toy_models["teacher"])
        assert (
            pair[GOLD].source == pair[MODE].source == TICKET[:1] and pair[GOLD].target == TICKET[1:]
        )
        both = seq_kd.joined(pair[GOLD], toy.train[:3])
        assert (
            both.source == (*TICKET[:1], *toy.train.source[:3])
            and both.target[1:] == toy.train.target[:3]
        )

    def test_its_target_is_judged(self):
        mode = tuple("meine Fahrkarte war neu und der Arzt versteckte sie .".split())
        text = words.ticket_target_in_words(Pair(*TICKET, mode)).text
        assert (
            "Meine Fahrkarte" in text
            and "also a valid translation" in text
            and "agree within each" in text
        )
        faulty = words.ticket_target_in_words(Pair(*TICKET, mode, None, "a fault")).text
        assert "not a valid translation" in faulty and "agree" not in faulty
        assert "nothing to compare" in words.ticket_target_in_words(Pair(*TICKET, TICKET[1])).text

    @pytest.mark.parametrize(
        "faults, said",
        [
            ((None, None, None), "all three students"),
            (("x", "y", "z"), "none of the three"),
            (
                ("x", None, None),
                f"the student of {SAMPLES} and the student of {MODE} translate the ticket",
            ),
            (("x", "y", None), f"the student of {MODE} translates the ticket"),
        ],
    )
    def test_its_translations_are_counted(self, faults, said):
        rows = [
            Row(f"student of {name}", search, "Text.", 0.1, 0.1, fault)
            for name, fault in zip((GOLD, SAMPLES, MODE), faults, strict=True)
            for search in ("greedy", "beam 5")
        ]
        text = words.ticket_students_in_words(Comparison("the ticket", tuple(rows))).text
        assert said in text and text.count("writes *Text.*") == sum(
            fault is not None for fault in faults
        )

    def test_it_is_translated_by_each_student(self, toy, toy_models):
        written = seq_kd.ticket_translations(toy_models, toy.language)
        assert written.sentence == " ".join(lesson.TICKET) and len(written.rows) == 2 * len(
            toy_models
        )
        assert {row.model for row in written.rows} == {f"student of {name}" for name in toy_models}


class TestCorpus:
    def test_the_tokens_of_the_seeds_are_the_range(self, toy):
        results = {
            "by_seed": {
                "1": {"seq-kd": {"distilled": {"length_ratio": 0.97}}},
                "2": {"seq-kd": {"distilled": {"length_ratio": 0.99}}},
            }
        }
        gold = toy.train[:50]
        assert seq_kd.token_ratio(gold, gold) == 1.0 and seq_kd.equal_targets(gold, gold) == 50
        assert seq_kd.token_ratio_range(results, gold, gold) == pytest.approx((0.97, 0.99))
        shorter = gold.with_target(
            [target[: max(1, len(target) - n % 3)] for n, target in enumerate(gold.target)]
        )
        low, high = seq_kd.token_ratio_range(results, gold, shorter)
        assert low < 0.97 and high > 0.99 and seq_kd.token_ratio(gold, shorter) < 1.0

    def test_the_option_that_gains_is_named(self):
        def text(*options) -> str:
            return words.tense_in_words(ChoiceShares({"tense": options}, 9))

        assert "Präteritum: its share is 60% in gold and 75%" in text(
            ("Präteritum", 0.6, 0.75), ("Perfekt", 0.4, 0.25)
        )
        assert "most frequent one already" in text(
            ("Präteritum", 0.6, 0.75), ("Perfekt", 0.4, 0.25)
        )
        assert "was not the most frequent" in text(
            ("Präteritum", 0.6, 0.25), ("Perfekt", 0.4, 0.75)
        )
        assert "No option of tense" in text(("Präteritum", 0.6, 0.6), ("Perfekt", 0.4, 0.4))


def budget_rows(gains, n: int = 3) -> list[dict]:
    """Seeds whose Seq-KD is `gains` above the baseline at each budget, all but equal."""
    rows = []
    for seed in range(n):
        measured = {method: {} for method in METHODS}
        for method in METHODS:
            for factor in factors_of(method):
                above = gains[FACTORS.index(factor)] + seed / 10 if method == SEQ_KD else 0.0
                measured[method][factor_key(factor)] = {
                    "updates": round(4000 * factor),
                    "greedy_bleu": 80.0 + above,
                    "greedy_validity": 0.5 + above / 100,
                }
        rows.append(measured)
    return rows


def table_rows(to_baseline: float, to_seq_kd: float, n: int = 4) -> list[dict]:
    return [
        {
            name: {
                "greedy": {"bleu": bleu, "validity": share},
                "beam": {"bleu": bleu + gain + seed / 100},
                "p_mode": 0.2 + seed / 100,
            }
            for name, bleu, share, gain in (
                (BASELINE, 86.0, 0.5, to_baseline),
                (SEQ_KD, 92.0, 0.6, to_seq_kd),
            )
        }
        for seed in range(n)
    ]


class TestBudget:
    def test_each_budget_is_a_row_with_its_verdict(self):
        text = seq_kd.budget_table(budget_rows((-5.0, 0.0, 6.0, 3.0))).text
        rows = text.splitlines()[2:6]
        assert "Seq-KD is behind" in rows[0] and "not decided" in rows[1]
        assert all("Seq-KD is ahead" in row for row in rows[2:])

    def test_the_words_say_where_it_is_ahead_and_whether_that_ends(self):
        table = table_rows(2.0, 0.6)
        text = seq_kd.budget_in_words(budget_rows((-5.0, 0.0, 6.0, 0.0)), table)
        assert (
            "ahead at 4,000 updates" in text
            and "do not decide" in text
            and "+10.0 [+10.0, +10.0] points" in text
        )
        assert "still ahead" in seq_kd.budget_in_words(budget_rows((1.0, 2.0, 6.0, 3.0)), table)
        assert "at none of these budgets" in seq_kd.budget_in_words(
            budget_rows((-5.0, -1.0, -1.0, -1.0)), table
        )


class TestBeam:
    @pytest.mark.parametrize(
        "to_seq_kd, said",
        [(0.1, "So greedy search is enough"), (0.7, "**not** held"), (0.29, "do not decide")],
    )
    def test_what_the_beam_adds_decides_what_is_said(self, to_seq_kd, said):
        rows = table_rows(2.0, to_seq_kd)
        text = seq_kd.beam_in_words(rows).text
        assert said in text and f"{seq_kd.beam_share(rows):.0f}% of what it adds" in text

    def test_the_committed_table_is_quoted_as_it_is(self):
        rows = seq_kd.rows_by_seed(lesson.table_results())
        text = seq_kd.beam_in_words(rows).text
        assert "2.9 BLEU to the baseline and 0.1 to Seq-KD" in text
        low, high = seq_kd.p_mode_range(rows, SEQ_KD, 0.01)
        assert 0.0 < low < min(seed[SEQ_KD]["p_mode"] for seed in rows) and high < 1.0

    def test_the_committed_studies_can_be_put_into_words(self):
        for name, say in (("live", words.seeds_in_words), ("budget", seq_kd.budget_table)):
            seeds = by_seed(read_later(seq_kd.results_path(f"{name}.json")))
            assert f"{len(seeds)} seeds" in say(seeds).text

    @pytest.mark.parametrize(
        "same, said",
        [
            ((False, True, True, True), "there is a tendency"),
            ((True, True, False, False), "no such tendency"),
        ],
    )
    def test_the_tendency_is_that_of_the_sentences(self, same, said):
        def hypothesis(p: float, word: str = "a") -> Hypothesis:
            return Hypothesis((word,), math.log(p), math.log(p))

        beam = tuple(hypothesis(p) for p in (0.01, 0.02, 0.2, 0.5))
        greedy = tuple(hypothesis(0.01, "a" if equal else "b") for equal in same)
        text = seq_kd.tendency_in_words({"it": Translated(greedy, beam, ())}).text
        assert said in text and "below 3%" in text and "from 10% to 50%" in text
        assert (
            "Too few" in seq_kd.tendency_in_words({"it": Translated(greedy[:2], beam[:2], ())}).text
        )
