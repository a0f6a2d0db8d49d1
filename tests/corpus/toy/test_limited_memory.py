"""The truth with a short memory: by brute force over small languages, and by drawing from it."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.limited_memory import BEGIN, LimitedTruth

LANGUAGE = ToyLanguage()
CAR = {("das", "Auto", "und", "es"): 0.5, ("der", "Wagen", "und", "er"): 0.3, ("die", "Kiste"): 0.2}
SOURCES = [("the", "doctor", "opened", "the", "box", "."), ("my", "ticket", "was", "new", ".")]

words = st.lists(st.sampled_from("abc"), min_size=0, max_size=5).map(tuple)
languages = st.dictionaries(words, st.floats(0.05, 1.0), min_size=1, max_size=7).map(
    lambda mass: {target: p / sum(mass.values()) for target, p in mass.items()}
)
memories = st.one_of(st.none(), st.integers(1, 7))


def truth(targets: dict, memory: int | None) -> LimitedTruth:
    return LimitedTruth(("s",), targets, memory)


def by_brute_force(targets: dict, memory: int | None, prefix: tuple) -> Counter:
    """Mass of each next word over all targets that have the same last words at the same place."""
    mass: Counter = Counter()
    known = (BEGIN, *prefix)
    for target, p in targets.items():
        beginning = (BEGIN, *target[: len(prefix)])
        n = len(known) if memory is None else min(memory, len(known))
        if len(beginning) == len(known) and beginning[-n:] == known[-n:]:
            mass[target[len(prefix)] if len(prefix) < len(target) else "</s>"] += p
    return mass


def drawn(limited: LimitedTruth, rng: random.Random) -> tuple:
    prefix: tuple = ()
    while True:
        options = limited.next_token(prefix)
        word = rng.choices(list(options), list(options.values()))[0]
        if word == "</s>":
            return prefix
        prefix = (*prefix, word)


def test_a_pronoun_whose_noun_is_forgotten_gets_the_shares_of_the_nouns():
    assert truth(CAR, 3).next_token(("das", "Auto", "und")) == {"es": pytest.approx(1.0)}
    assert truth(CAR, 1).next_token(("das", "Auto", "und")) == pytest.approx(
        {"es": 0.625, "er": 0.375}
    )
    assert truth(CAR, 1).validity() == pytest.approx(0.5 * 0.625 + 0.3 * 0.375 + 0.2)
    assert truth(CAR, None).validity() == pytest.approx(1.0)


@given(languages, memories, st.data())
def test_next_words_are_those_of_brute_force(targets, memory, data):
    target = data.draw(st.sampled_from(sorted(targets)))
    prefix = target[: data.draw(st.integers(0, len(target)))]
    mass = by_brute_force(targets, memory, prefix)
    total = sum(mass.values())
    assert truth(targets, memory).next_token(prefix) == pytest.approx(
        {word: p / total for word, p in mass.items()}
    )


@given(languages)
def test_with_a_memory_of_everything_it_is_the_truth(targets):
    for memory in (None, 6):
        limited = truth(targets, memory)
        for target, p in targets.items():
            assert limited.log_prob(target) == pytest.approx(math.log(p))
        assert limited.validity() == pytest.approx(1.0)


@given(languages, memories)
def test_greedy_ends_and_takes_the_most_probable_word_each_time(targets, memory):
    limited = truth(targets, memory)
    written = limited.greedy()
    for place, word in enumerate((*written, "</s>")):
        options = limited.next_token(written[:place])
        assert word == min(
            other for other in options if options[other] >= max(options.values()) - 1e-12
        )


@pytest.mark.parametrize("memory", [1, 2])
def test_validity_is_what_drawing_gives(memory):
    limited, rng, n = truth(CAR, memory), random.Random(5), 4000
    share = sum(drawn(limited, rng) in CAR for _ in range(n)) / n
    expected = limited.validity()
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / n) + 1e-12


@pytest.mark.parametrize("source", SOURCES)
def test_on_the_toy_language_all_of_the_memory_is_its_own_next_token(source):
    targets = LANGUAGE.targets(source)
    full, short = (LimitedTruth.of(LANGUAGE, source, memory) for memory in (None, 1))
    for target in list(targets)[:20]:
        for place in range(len(target) + 1):
            assert full.next_token(target[:place]) == pytest.approx(
                LANGUAGE.next_token(source, target[:place])
            )
    assert short.validity() <= full.validity() + 1e-9 and LANGUAGE.is_valid(source, full.greedy())


def test_of_equals_the_first_by_the_alphabet_whatever_rounding_makes_of_their_sums():
    """0.1 + 0.2 is more than 0.3 in binary, and no more than it in truth."""
    targets = {("b", "x"): 0.1, ("b", "y"): 0.2, ("a",): 0.3, ("c",): 0.25, ("d",): 0.15}
    assert 0.1 + 0.2 > 0.3 and truth(targets, None).greedy() == truth(targets, 1).greedy() == ("a",)


def test_more_memory_can_make_drawing_worse():
    """No theorem says that validity rises with the memory: here two words draw worse than one, and
    three are enough."""
    targets = {
        tuple("bbbb"): 0.21,
        tuple("abbb"): 0.02,
        tuple("bbaa"): 0.02,
        tuple("abba"): 0.11,
        tuple("abaa"): 0.64,
    }
    one, two, three = (truth(targets, memory).validity() for memory in (1, 2, 3))
    assert two < one - 0.03 and three == pytest.approx(1.0)


def test_who_writes_one_translation_of_a_source_need_remember_nothing():
    mode = max(CAR, key=CAR.get)
    always = truth({mode: 1.0}, 1)
    assert always.validity() == 1.0 and always.greedy() == mode


@pytest.mark.parametrize("memory", [1, 3])
def test_on_the_toy_language_validity_is_what_drawing_gives(memory):
    limited, rng, n = LimitedTruth.of(LANGUAGE, SOURCES[0], memory), random.Random(7), 2000
    share = sum(LANGUAGE.is_valid(SOURCES[0], drawn(limited, rng)) for _ in range(n)) / n
    expected = limited.validity()
    assert 0.0 < expected < 1.0 + 1e-9
    assert abs(share - expected) < 4 * math.sqrt(max(0.0, expected * (1 - expected)) / n) + 1e-9


def test_what_cannot_be_asked_is_said():
    with pytest.raises(ValueError, match="'s'.*'Auto' before its word 2"):
        truth(CAR, 1).next_token(("Auto",))
    assert truth(CAR, None).log_prob(("das", "Kiste")) == -math.inf
    for make in (
        lambda: LimitedTruth.of(LANGUAGE, SOURCES[0], 0),
        lambda: truth(CAR, 0),
        lambda: truth(CAR, -1),
    ):
        with pytest.raises(ValueError, match="memory must be at least 1"):
            make()
    with pytest.raises(ValueError, match="limit of 1"):
        LimitedTruth.of(LANGUAGE, SOURCES[0], 2, limit=1)
