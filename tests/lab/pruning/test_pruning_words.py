"""The sentences of lesson 09, in each branch."""

from __future__ import annotations

import pytest
from synthetic_table3 import table3_of

from seqkd_lab.compression.pruning import METHODS
from seqkd_lab.compression.storage import DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, ZIPPED_INT8
from seqkd_lab.lab.pruning import words
from seqkd_lab.lab.pruning.live import ClassLevel, Level, Written
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.studies.pruning.recipes import BASELINE, INT8, SEQ_KD, Place, unpruned

BETTER, WORSE = table3_of(dense=90.0), table3_of(dense=94.0)
EQUAL = [rows for number in (1, 2) for rows in table3_of((number,), dense=91.5 + number / 3)]


class TestPredictions:
    @pytest.mark.parametrize(
        ("by_seed", "answer"),
        [(BETTER, words.PRUNED_ONE), (WORSE, words.DENSE_ONE), (EQUAL, CANNOT_TELL)],
    )
    def test_pruned_or_dense_is_answered_by_the_interval(self, by_seed, answer):
        assert words.which_is_better(by_seed) == answer
        said = words.pruned_or_dense_in_words(by_seed).text
        assert ("translate better than as many" in said) == (answer == words.PRUNED_ONE)
        sides = {words.PRUNED_ONE: "(better)", words.DENSE_ONE: "(worse)"}
        assert sides.get(answer, "(the seeds cannot tell)") in said

    @pytest.mark.parametrize(
        ("rare", "answer"),
        [((0.5, 0.52), words.OFTEN), ((0.97, 0.98, 0.97), words.SELDOM), ((0.8, 1.0), CANNOT_TELL)],
    )
    def test_which_words_stay_is_answered_by_the_interval(self, rare, answer):
        by_seed = [
            {Place(SEQ_KD, 0.5, "pruned").row: {"words_kept": [None, share, 0.1, 0.9]}}
            for share in rare
        ]
        assert words.which_words_stay(by_seed, 0.5) == answer
        said = words.words_in_words(by_seed, 0.5).text
        firsts = {words.OFTEN: "Rare words go first.", words.SELDOM: "Frequent words go first."}
        assert said.endswith(firsts.get(answer, "The seeds do not decide which go first."))

    @pytest.mark.parametrize(
        ("ratios", "answer"),
        [
            ([2.2, 2.3, 2.25], words.FAST),
            ([1.4, 1.5, 1.45], words.FASTER),
            ([0.7, 0.8, 0.75], words.SLOWER),
            ([0.8, 1.2, 1.0], CANNOT_TELL),
            ([1.9, 2.1, 2.0], CANNOT_TELL),
        ],
    )
    def test_speed_is_answered_by_the_interval_over_the_rounds(self, ratios, answer):
        assert words.how_fast(ratios) == answer
        said = words.ratios_in_words({"a": ratios}).text
        assert ("do not decide" if answer == CANNOT_TELL else answer) in said


class TestBeam:
    @pytest.mark.parametrize(
        ("gold", "own", "said", "f2"),
        [
            ((1.0, 1.1, 1.0), (0.1, -0.1, 0.05), "lowers", "no need"),
            ((0.1, 0.2, 0.1), (1.0, 1.1, 1.0), "raises", "does not contain 0"),
            ((0.5, 1.5, 1.0), (0.98, 1.02, 1.0), "do not decide", "does not contain 0"),
        ],
    )
    def test_the_beam_of_both_students(self, gold, own, said, f2):
        by_seed = [
            {
                unpruned(BASELINE).row: {"greedy": 90.0, "beam": 90.0 + of_gold},
                unpruned(SEQ_KD).row: {"greedy": 90.0, "beam": 90.0 + distilled},
            }
            for of_gold, distilled in zip(gold, own, strict=True)
        ]
        text = words.beam_in_words(by_seed).text
        assert said in text and f2 in text


class TestInt8:
    @pytest.mark.parametrize(("cost", "said"), [(0.02, "is below 0.0"), (2.0, "beyond half")])
    def test_what_rounding_costs(self, cost, said):
        by_seed = [
            {
                Place(SEQ_KD, share, stage).row: {"beam": 90.0 - (stage == INT8) * cost * factor}
                for share in (0.0, 0.8)
                for stage in ("retrained", INT8)
            }
            for factor in (1.0, 1.1)
        ]
        assert said in words.int8_in_words(by_seed).text


class Fixed:
    """A student whose translations are given: valid below the level `breaks`."""

    def __init__(self, breaks: float | None, repaired: bool = True) -> None:
        self.breaks, self.repaired = breaks, repaired

    def written(self, share, method, source):
        bad = self.breaks is not None and share >= self.breaks
        return Written("Unsinn." if bad else "Gut.", "word 1" if bad else None)

    def written_retrained(self, source):
        return Written("Gut.", None if self.repaired else "word 2")

    def breaks_at(self, source):
        return self.breaks

    def at(self, share, method):
        classes = {"output": ClassLevel(0.1, 0.9), "source_embedding": ClassLevel(0.1, 0.5)}
        return Level(None, classes, 10, {})


class TestLiveWords:
    @pytest.mark.parametrize(
        ("breaks", "said"),
        [(None, "none of the levels"), (0.0, "even before"), (0.65, "first breaks at 65%")],
    )
    @pytest.mark.parametrize("repaired", [True, False])
    def test_where_a_sentence_breaks(self, breaks, said, repaired):
        text = words.breaks_in_words(Fixed(breaks, repaired), ("a", "student", "slept", "."))
        assert said in text
        assert text.endswith("valid." if repaired else "not valid (word 2).")

    def test_which_class_loses_most(self):
        text = words.classes_in_words(Fixed(None), 0.8)
        assert "the output loses 90%" in text and "the source embedding 50%" in text


@pytest.mark.parametrize(
    ("valid", "said"),
    [((0.1, 0.5, 0.4), "leaves the fewest"), ((0.6, 0.5, 0.4), "class-blind lea")],
)
def test_methods_on_classes_of_unequal_size(valid, said):
    zeros = {method: {"output": 0.5, "decoder": 0.7} for method in METHODS}
    text = words.scales_in_words(zeros, dict(zip(METHODS, valid, strict=True)), 0.6).text
    assert said in text and "50% of the output" in text


@pytest.mark.parametrize(
    ("held", "grown", "said"),
    [(0.9, 50, "brings back 50 points"), (0.3, 0, "no weight has grown"), (0.3, 5, "none: −10")],
)
def test_retraining_in_words(held, grown, said):
    valid = {"unpruned": 0.95, "pruned": 0.4, "zeros held": held, "zeros free": 0.9}
    left = {"unpruned": 100, "pruned": 40, "zeros held": 40, "zeros free": 40 + grown}
    assert said in words.retrained_in_words(valid, left).text


def test_files_in_times_of_the_dense_one():
    level = {DENSE: 600, SPARSE: 200, DENSE_INT8: 150, SPARSE_INT8: 100, ZIPPED_INT8: 50}
    said = words.sizes_in_words({0.0: {**level, DENSE: 600}, 0.8: level})
    assert "3.0 times smaller without the zeros (not 5 times" in said
    assert said.endswith(f"The smallest is *{ZIPPED_INT8}*.")


@pytest.mark.parametrize(
    ("by_share", "said"),
    [
        ({0.5: 0.5, 0.9: 1.2, 0.99: 3.0}, "from 90% zeros on"),
        ({0.5: 1.5, 0.9: 0.9, 0.99: 3.0}, "from 99% zeros on"),
        ({0.5: 0.5, 0.9: 0.6}, "not faster in this run"),
    ],
)
def test_where_a_sparse_product_pays(by_share, said):
    assert said in words.products_in_words({"a": by_share}).text
