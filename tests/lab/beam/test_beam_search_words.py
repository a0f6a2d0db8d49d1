"""Lesson 05's computed sentences and verdicts are true for their values, whichever way they come
out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.lab.beam import notebook as beam
from seqkd_lab.lab.beam.chance import NOT_TOLD, Difference
from seqkd_lab.lab.beam.faults import Faults, Mode
from seqkd_lab.lab.beam.outputs import Outputs, Row, SentenceStudy, SideBySide
from seqkd_lab.lab.beam.pruned import Loss
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.predictions import CANNOT_TELL


def outputs(
    log_prob: float = -3.0,
    bleu: float = 80.0,
    validity: float = 0.5,
    ratio: float = 1.0,
    penalty=1.0,
):
    score = SimpleNamespace(
        bleu=bleu, validity=validity, length_ratio=ratio, brevity_penalty=penalty
    )
    return Outputs(5, (Hypothesis(("a",), log_prob, log_prob),), (True,), score)


class TestSentence:
    def study(self, log_probs: dict[int, float], valid: bool, best: float) -> SentenceStudy:
        found = {
            K: Hypothesis((f"w{log_prob:g}", "."), log_prob, log_prob)
            for K, log_prob in log_probs.items()
        }
        return SentenceStudy(("s",), found, dict.fromkeys(found, valid), ("gut", "."), best)

    def test_the_three_ways_it_may_come_out(self):
        model_error = beam.ticket_in_words(self.study({1: -4.0, 10: -4.0}, False, -4.1), "baseline")
        assert (
            "Every beam up to K = 10 writes the same" in model_error
            and "a model error" in model_error
        )
        search_error = beam.ticket_in_words(
            self.study({1: -5.0, 10: -4.0}, False, -3.0), "baseline"
        )
        assert "a beam of 10 writes" in search_error and "a search error" in search_error
        right = beam.ticket_in_words(self.study({1: -5.0, 10: -4.0}, True, -4.0), "baseline")
        assert "accepts the translation" in right and "error" not in right

    def test_equal_log_probs_of_two_batches_ask_for_no_more_digits(self):
        said = beam.ticket_in_words(
            self.study({1: -4.164667, 10: -4.164668}, False, -4.297), "baseline"
        )
        assert "−4.16." in said.replace("−4.16,", "−4.16.")

    def test_the_best_valid_translation_is_the_best(self, toy, toy_models):
        study = beam.study_sentence(toy_models["baseline"], lesson.TICKET, toy.language, (1, 2))
        targets = list(toy.language.targets(lesson.TICKET))
        log_probs = sentence_log_probs(
            toy_models["baseline"], [lesson.TICKET] * len(targets), targets
        )
        assert study.best_valid_log_prob == pytest.approx(max(log_probs), abs=1e-4) and set(
            study.hypotheses
        ) == {1, 2}
        assert study.valid == {
            K: toy.language.is_valid(lesson.TICKET, study.hypotheses[K].tokens) for K in (1, 2)
        }


def test_changes_and_faults_are_counted_in_words():
    kinds = {"repaired": [1, 2], "spoiled": [3], "both valid": [], "both wrong": [4]}
    (line,) = beam.changes_in_words({"baseline": kinds}, 9, 5).splitlines()
    assert "changes 4 of 9" in line and "repairs 2 and spoils 1: 1 more valid translation." in line
    kinds = {"repaired": [], "spoiled": [3, 4], "both valid": [], "both wrong": []}
    assert "2 fewer valid translations" in beam.changes_in_words({"x": kinds}, 9, 5)
    blame = {
        "a": {1: Faults(3, 2, 1, 4, 3), 5: Faults(5, 0, 0, 5, 0), None: Faults(5, 0, 0, 5, 0)},
        "b": {1: Faults(3, 2, 0, 4, 3), 5: Faults(5, 0, 1, 5, 0), None: Faults(6, 0, 0, 5, 0)},
    }
    one, other = beam.faults_in_words(blame).splitlines()
    assert (
        "from K = 5 on there is no search error. In 5 of 10" in one
        and "In 2 greedy search is right only" in one
    )
    assert "K = 5 still makes 1 search error." in other


def test_pruning_in_words():
    lost = {1: Loss(3, ("a", "b"), 2, -1.74, -1.65), 2: Loss(4, ("a", "</s>"), 5, -4.3640, -4.3632)}
    assert beam.smallest_beam(lost) == 3 and beam.smallest_beam({2: lost[2]}) == 1
    lines = beam.pruned_in_words(lost, 3).splitlines()
    assert "rank 2 with log p −1.74, and the last one that is kept has −1.65" in lines[0]
    assert (
        "“a (end)” has rank 5 with log p −4.364, and the last one that is kept has −4.363"
        in lines[1]
    )
    assert lines[2] == "- A beam of 3 keeps it to the end."
    assert beam.fate_in_words("it", lost, 2).endswith("The smallest beam that keeps it has K = 3.")
    assert beam.fate_in_words("it", {}, 2) == "A beam of 2 keeps it to the end."
    everywhere = dict.fromkeys(range(1, 21), lost[1])
    assert beam.fate_in_words("it", everywhere, 2).endswith("Even a beam of 20 prunes it.")


class TestBleu:
    def test_a_difference_has_a_direction_only_where_the_sentences_decide(self):
        assert [
            Difference(80.0, after, p).direction
            for after, p in ((81.0, 0.01), (79.0, 0.01), (79.0, 0.2))
        ] == [1, -1, 0]

    def test_a_bigger_beam_and_length(self):
        by_size = {5: outputs(), 20: outputs(-2.9, 79.5, 0.6, 0.99, 0.99)}
        said = beam.bigger_in_words(by_size, Difference(80.0, 79.5, 0.2), 5, 20)
        assert (
            "does not change by more than chance (-0.50, p = 0.20" in said
            and "become shorter" in said
        )
        assert "-0.80, of -0.50 in all" in said and "50.0% to 60.0%" in said
        assert "BLEU falls" in beam.bigger_in_words(by_size, Difference(80.0, 79.5, 0.01), 5, 20)
        longer = {5: outputs(), 20: outputs(ratio=1.01)}
        assert "costs no BLEU" in beam.bigger_in_words(longer, Difference(80.0, 81.0, 0.01), 5, 20)

    def test_to_which_model_the_beam_adds_more_is_said_where_the_seeds_decide(self):
        gains = {"baseline": Difference(80.0, 82.0, 0.01), "seq-kd": Difference(90.0, 90.5, 0.2)}
        more, less = [2.0, 2.1, 2.2], [0.5, 0.6, 0.6]
        assert "adds more to the baseline" in beam.gains_in_words(
            gains, {"baseline": more, "seq-kd": less}, 5
        )
        assert "adds more to seq-kd" in beam.gains_in_words(
            gains, {"baseline": less, "seq-kd": more}, 5
        )
        assert "do not tell" in beam.gains_in_words(
            gains, {"baseline": more, "seq-kd": [1.9, 2.3, 2.1]}, 5
        )

    def test_a_course_is_told_only_where_the_sentences_decide(self):
        def step(sign: int) -> Difference:
            return Difference(80.0, 80.0 + (sign or 0.1), 0.01 if sign else 0.5)

        answers = ("rises", "ends below", "rises and falls")
        for steps, whole, expected in (
            ((1, 1), 1, "rises"),
            ((1, -1), -1, "ends below"),
            ((0, -1), -1, "ends below"),
            ((1, -1), 1, "rises and falls"),
            ((1, 0), 1, NOT_TOLD),
            ((1, -1), 0, NOT_TOLD),
        ):
            assert (
                beam.bleu_course([step(sign) for sign in steps], step(whole), answers) == expected
            )

    def test_penalties(self):
        swept = {
            "brief": {
                1: {0.0: outputs(bleu=40.0)},
                50: {0.0: outputs(bleu=30.0, ratio=0.8), 1.0: outputs(bleu=39.0)},
            }
        }
        said = beam.penalties_in_words(swept, 50)
        assert "length ratio of 0.800 and 30.0 BLEU" in said
        assert "The best of the penalties, 1, changes BLEU by +9.0." in said
        swept["brief"][50][0.0] = outputs(bleu=41.0)
        assert "None of the penalties does better." in beam.penalties_in_words(swept, 50)


class TestChance:
    def test_a_share_has_wilsons_interval(self):
        low, high = beam.share_interval(1, 56)
        assert 0.0 < low < 1 / 56 < high < 0.1
        assert beam.share_interval(0, 0) == (0.0, 1.0) and beam.share_interval(0, 10)[0] == 0.0
        assert beam.share_interval(7, 20) == pytest.approx((0.1812, 0.5671), abs=1e-4)

    def test_an_answer_is_chosen_only_where_it_holds_the_interval(self):
        answers = ("few", "half", "many")
        for interval, expected in (
            ((0.0, 0.3), "few"),
            ((0.4, 0.6), "half"),
            ((0.7, 1.0), "many"),
            ((0.3, 0.4), NOT_TOLD),
            ((0.0, 1.0), NOT_TOLD),
        ):
            assert beam.choose_by_interval(interval, (1 / 3, 2 / 3), answers) == expected
        assert beam.how_often(30, 1000).startswith("in fewer") and beam.how_often(0, 9) == NOT_TOLD
        assert (
            beam.how_often(90, 1000).startswith("in more") and beam.how_often(50, 1000) == NOT_TOLD
        )

    def test_one_more_seed(self):
        low, high = beam.range_of_one_more([1.0, 2.0, 3.0])
        assert (low, high) == pytest.approx(
            (2 - 4.30265 * (4 / 3) ** 0.5, 2 + 4.30265 * (4 / 3) ** 0.5), abs=1e-3
        )
        assert beam.range_of_one_more([1.0])[1] == float("inf")

    def test_the_model_that_is_changed_most_by_the_seeds(self):
        def seeds(*rows: tuple[float, float]) -> dict:
            return {
                "by_seed": {
                    str(seed): {"a": {"same_translation": a}, "b": {"same_translation": b}}
                    for seed, (a, b) in enumerate(rows)
                }
            }

        assert beam.changed_most(seeds((0.5, 0.8), (0.4, 0.8), (0.5, 0.7)), ["a", "b"]) == "a"
        assert (
            beam.changed_most(seeds((0.5, 0.4), (0.4, 0.8), (0.7, 0.7)), ["a", "b"]) == CANNOT_TELL
        )


def test_more_is_hurt_or_less():
    assert "fewer than the 3" in beam.hurt_in_words([1, 2], [3, 4, 5], 5, 20, 9)
    assert "the better search hurts here" in beam.hurt_in_words([1, 2], [3], 5, 20, 9)


def test_what_is_guaranteed_is_the_mode():
    sure, unsure, missed = (
        Hypothesis(("a",), log_prob, log_prob) for log_prob in (-0.5, -3.0, -1.0)
    )
    made = Outputs(5, (sure, unsure, missed), (True, True, True), None)
    best = Hypothesis(("b",), -0.9, -0.9)
    known = [Mode(sure, 20, True), Mode(unsure, 20, True), Mode(best, 20, True)]
    assert beam.guaranteed({"a": {5: made}}, 5, {"a": known}) == (2, 1)


def test_a_table_shows_the_digits_that_tell_two_translations_apart():
    table = SideBySide(
        "<s> & t",
        (
            Row("m", "greedy", "a <b>", -4.3631, None),
            Row("m", "beam 5", "c", -4.3642, "no"),
            Row("n", "greedy", "a", -1.0, None),
        ),
    )
    assert [table.log_prob_of(row) for row in table.rows] == ["−4.363", "−4.364", "−1.00"]
    page = table._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page.replace("<b>&lt;s&gt;", "") and "✗ no" in page
    assert "−4.364" in repr(table)
