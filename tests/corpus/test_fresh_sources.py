import random

import pytest

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import SIZES, load, toy_directory
from seqkd_lab.corpus.toy.fresh import JUDGE, PILOT, fresh_sources
from seqkd_lab.corpus.toy.verifier import Verifier


def changed(target, rng, words):
    """Return a target with one word dropped, doubled, swapped or replaced, or as it is."""
    words_of, i = list(target), rng.randrange(len(target))
    kind = rng.randrange(5)
    if kind == 0:
        del words_of[i]
    elif kind == 1:
        words_of.insert(i, words_of[i])
    elif kind == 2:
        j = rng.randrange(len(target))
        words_of[i], words_of[j] = words_of[j], words_of[i]
    elif kind == 3:
        words_of[i] = rng.choice(words)
    return tuple(words_of)


def test_a_verifier_says_what_the_language_says_the_first_time_and_again():
    language, rng = ToyLanguage(), random.Random(4)
    verifier = Verifier(language)
    words = list(language.target_vocabulary)
    judged = []
    for _ in range(150):
        source, target = language.sample(rng)
        for output in (target, *(changed(target, rng, words) for _ in range(4)), ()):
            expected = language.is_valid(source, output)
            assert verifier(source, output) == verifier(source, list(output)) == expected
            judged.append(expected)
    assert 0.15 < sum(judged) / len(judged) < 0.85


def test_a_verifier_refuses_a_source_that_the_language_does_not_have():
    with pytest.raises(ValueError, match="zebra"):
        Verifier(ToyLanguage())(("the", "zebra", "slept", "."), ("das", "Zebra", "schlief", "."))


def test_fresh_sources_are_new_different_and_the_same_each_time():
    pilot, judging = (fresh_sources(seed, 300) for seed in (PILOT, JUDGE))
    known = {source for split in SIZES for source in load(toy_directory(), split).source}
    assert len(set(pilot) | set(judging)) == 600
    assert not known & (set(pilot) | set(judging))
    fresh_sources.cache_clear()
    assert fresh_sources(JUDGE, 100) == judging[:100]


def test_fresh_sources_refuse_another_set():
    with pytest.raises(ValueError, match="PILOT or JUDGE"):
        fresh_sources(5)
    with pytest.raises(ValueError, match="n ≥ 1"):
        fresh_sources(PILOT, 0)
