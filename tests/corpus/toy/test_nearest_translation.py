"""The distance to the nearest valid translation, against a search through all of them."""

from __future__ import annotations

import random

import pytest

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.nearest import edits_to_valid

LANGUAGE = ToyLanguage()


def levenshtein(first, second) -> int:
    row = list(range(len(second) + 1))
    for i, word in enumerate(first, 1):
        longer = [i]
        for j, other in enumerate(second, 1):
            longer.append(min(row[j] + 1, longer[-1] + 1, row[j - 1] + (word != other)))
        row = longer
    return row[-1]


def spoilt(target, rng: random.Random) -> list[str]:
    """A target with up to four words inserted, deleted or replaced."""
    words = list(target)
    for _ in range(rng.randrange(5)):
        place, change = rng.randrange(len(words)), rng.randrange(3)
        if change == 0:
            words.insert(place, rng.choice(["der", "Katze", words[0]]))
        elif change == 1 and len(words) > 1:
            del words[place]
        else:
            words[place] = "die"
    return words


def few_targets(rng: random.Random, most: int = 300):
    while True:
        source = LANGUAGE.sample_source(rng)
        if LANGUAGE.count_targets(source) <= most:
            return source


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
def test_it_is_the_least_distance_to_all_translations(seed):
    rng = random.Random(seed)
    source = few_targets(rng)
    words = spoilt(LANGUAGE.sample_target(source, rng), rng)
    nearest = min(levenshtein(words, target) for target in LANGUAGE.targets(source))
    assert edits_to_valid(LANGUAGE, source, tuple(words)) == nearest


def test_a_valid_translation_needs_no_edit_and_an_empty_one_all_words():
    rng = random.Random(1)
    source = few_targets(rng)
    assert edits_to_valid(LANGUAGE, source, LANGUAGE.sample_target(source, rng)) == 0
    assert edits_to_valid(LANGUAGE, source, ()) == min(map(len, LANGUAGE.targets(source)))


def test_a_sentence_of_another_language_is_refused():
    with pytest.raises(ValueError):
        edits_to_valid(LANGUAGE, ("xyz",), ("die",))
