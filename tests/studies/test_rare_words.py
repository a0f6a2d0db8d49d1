"""Which words are kept, against a count by hand; and where one class of frequency ends."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.studies.pruning.measures import (
    EDGES,
    FREQUENCIES,
    frequency_class,
    kept_words,
    training_counts,
)

COUNTS = {
    "hapax": 1,
    "rare": 99,
    "seldom": 100,
    "known": 299,
    "often": 300,
    "usual": 2999,
    "common": 3000,
    ".": 10**6,
}
SENTENCES = st.lists(st.sampled_from([*COUNTS, "never"]), max_size=8)


def bounds(label: str) -> tuple[int, float]:
    """The first and the last count that a label names."""
    first, *last = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", label))
    if label.startswith("below"):
        return 0, first - 1
    return first, last[0] if last else math.inf


def by_hand(before, after, counts) -> list[float]:
    """Word by word: each is looked for, and crossed out where it is found."""
    had, kept = [0] * len(FREQUENCIES), [0] * len(FREQUENCIES)
    for old, new in zip(before, after, strict=True):
        left = list(new)
        for word in old:
            count = counts.get(word, 0)
            place = next(
                i
                for i, label in enumerate(FREQUENCIES)
                if bounds(label)[0] <= count <= bounds(label)[1]
            )
            had[place] += 1
            if word in left:
                left.remove(word)
                kept[place] += 1
    return [k / n if n else math.nan for k, n in zip(kept, had, strict=True)]


class TestClasses:
    def test_labels_follow_each_other_without_a_gap(self):
        assert len(FREQUENCIES) == len(EDGES) + 1
        found = [bounds(label) for label in FREQUENCIES]
        assert found[0][0] == 0 and found[-1][1] == math.inf
        assert (
            [first for first, _ in found[1:]] == [last + 1 for _, last in found[:-1]] == list(EDGES)
        )

    @pytest.mark.parametrize("place", range(len(FREQUENCIES)))
    def test_a_class_holds_what_its_label_says(self, place):
        first, last = bounds(FREQUENCIES[place])
        last = int(min(last, 10**9))
        assert [frequency_class(count) for count in (first, (first + last) // 2, last)] == [
            place
        ] * 3

    def test_a_word_that_training_never_showed_is_among_the_rarest(self):
        assert frequency_class(0) == 0

    @given(st.integers(0, 10_000), st.integers(0, 10_000))
    def test_more_frequent_is_never_a_lower_class(self, one, other):
        assert frequency_class(min(one, other)) <= frequency_class(max(one, other))


class TestTrainingCounts:
    @given(st.lists(SENTENCES, min_size=1, max_size=6))
    def test_every_target_word_is_counted_and_no_source_word(self, targets):
        sources = tuple(("source",) for _ in targets)
        corpus = ParallelCorpus("n", "train", "l", sources, tuple(map(tuple, targets)))
        words = [word for target in targets for word in target]
        assert training_counts(corpus) == {word: words.count(word) for word in words}


class TestKeptWords:
    @given(st.lists(st.tuples(SENTENCES, SENTENCES), max_size=6))
    def test_is_the_count_by_hand(self, pairs):
        before, after = [old for old, _ in pairs], [new for _, new in pairs]
        found = kept_words(before, after, COUNTS)
        assert list(found) == pytest.approx(by_hand(before, after, COUNTS), nan_ok=True)

    @given(st.lists(SENTENCES, min_size=1, max_size=6), st.randoms(use_true_random=False))
    def test_order_within_a_sentence_does_not_matter(self, before, chance):
        after = [chance.sample(sentence, len(sentence)) for sentence in before]
        assert {share for share in kept_words(before, after, COUNTS) if not math.isnan(share)} <= {
            1.0
        }

    def test_each_class_has_its_own_share(self):
        before = [("hapax", "rare", "seldom", "often", "."), ("usual", "common", ".", ".")]
        after = [("rare", "seldom", "common"), (".", "usual", "hapax")]
        assert kept_words(before, after, COUNTS) == pytest.approx((1 / 2, 1.0, 0.0, 1.0, 1 / 4))

    def test_a_word_counts_as_often_as_it_stands_there(self):
        assert kept_words([("common",) * 4], [("common",)], COUNTS)[-1] == 1 / 4
        assert kept_words([("common",)], [("common",) * 4], COUNTS)[-1] == 1.0

    def test_another_sentences_words_are_not_kept(self):
        assert kept_words([("rare",), ("common",)], [("common",), ("rare",)], COUNTS)[0] == 0.0

    def test_a_class_without_words_has_no_share(self):
        found = kept_words([("common",)], [("hapax", "seldom")], COUNTS)
        assert [math.isnan(share) for share in found] == [True] * 4 + [False]
        assert all(map(math.isnan, kept_words([], [], COUNTS)))
        assert all(map(math.isnan, kept_words([()], [("common",)], COUNTS)))

    @pytest.mark.parametrize(("n_before", "n_after"), [(2, 3), (3, 2), (0, 1), (1, 0)])
    def test_lists_of_unequal_lengths(self, n_before, n_after):
        with pytest.raises(ValueError, match=f"{n_before} translations before and {n_after} after"):
            kept_words([("rare",)] * n_before, [("rare",)] * n_after, COUNTS)
