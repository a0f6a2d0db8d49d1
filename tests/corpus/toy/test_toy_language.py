"""The toy language knows its truth: every exact quantity against an enumeration or against
counts."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import fields, replace

import pytest

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage, ToyParseError
from seqkd_lab.corpus.toy.german import Memory
from seqkd_lab.corpus.toy.meaning import source_words
from seqkd_lab.corpus.toy.parsing import parse
from seqkd_lab.corpus.toy.wordlist import kinds_of_words

LANGUAGE = ToyLanguage()
UNEVEN = ToyLanguage(replace(Ambiguity(), noun=0.3, tense=0.5, word=0.0, voice=0.8))
FEW_WORDS = [
    "the teacher bought a camera .",
    "you sold your old car because you needed money .",
    "the gate was dirty and the baker opened it .",
    "the old student forgot the box , but he opened it .",
    "the car was too old , so the boss sold it before she bought a boat .",
]
SOURCES = [tuple(text.split()) for text in FEW_WORDS]


def drawn_sources(count: int, seed: int = 5, limit: int = 3000) -> list[tuple[str, ...]]:
    rng = random.Random(seed)
    found: list[tuple[str, ...]] = []
    while len(found) < count:
        source = LANGUAGE.sample_source(rng)
        if LANGUAGE.count_targets(source) <= limit:
            found.append(source)
    return found


@pytest.mark.parametrize("language", [LANGUAGE, UNEVEN], ids=["full", "uneven"])
@pytest.mark.parametrize("source", SOURCES + drawn_sources(8), ids=" ".join)
def test_enumeration_and_chain_agree(language, source):
    targets = language.targets(source)
    assert math.fsum(targets.values()) == pytest.approx(1.0, abs=1e-9)
    assert language.count_targets(source) == len(targets)
    entropy = -math.fsum(p * math.log(p) for p in targets.values())
    assert language.entropy(source) == pytest.approx(entropy, abs=1e-9)
    mode, probability = language.mode(source)
    assert probability == pytest.approx(max(targets.values()), rel=1e-12)
    assert targets[mode] == pytest.approx(probability, rel=1e-12)
    for target, p in random.Random(1).sample(sorted(targets.items()), min(20, len(targets))):
        assert language.log_prob(source, target) == pytest.approx(math.log(p), abs=1e-9)


@pytest.mark.parametrize("source", SOURCES[:4], ids=" ".join)
def test_next_token_is_the_ratio_of_prefix_masses(source):
    targets = LANGUAGE.targets(source)
    rng = random.Random(2)
    for target in rng.sample(sorted(targets), min(5, len(targets))):
        for length in range(len(target) + 1):
            masses: Counter[str] = Counter()
            for other, p in targets.items():
                if other[:length] == target[:length]:
                    masses[(*other, "</s>")[length]] += p
            total = math.fsum(masses.values())
            expected = {token: p / total for token, p in masses.items()}
            assert LANGUAGE.next_token(source, target[:length]) == pytest.approx(
                expected, abs=1e-12
            )


def test_next_token_multiplies_to_the_probability():
    rng = random.Random(3)
    for source in drawn_sources(10, seed=9):
        target = LANGUAGE.sample_target(source, rng)
        steps = [
            LANGUAGE.next_token(source, target[:n])[(*target, "</s>")[n]]
            for n in range(len(target) + 1)
        ]
        assert math.prod(steps) == pytest.approx(
            math.exp(LANGUAGE.log_prob(source, target)), rel=1e-9
        )


def test_a_prefix_of_no_translation_is_refused():
    with pytest.raises(ValueError, match="no translation"):
        LANGUAGE.next_token(SOURCES[0], ("Kamera",))


@pytest.mark.parametrize("source", SOURCES[:4], ids=" ".join)
def test_log_prob_agrees_with_counts(source):
    rng, draws = random.Random(4), 4000
    counts = Counter(LANGUAGE.sample_target(source, rng) for _ in range(draws))
    targets = LANGUAGE.targets(source)
    assert set(counts) <= set(targets)
    for target, p in targets.items():
        if p * draws >= 10:
            assert abs(counts[target] - p * draws) < 5 * math.sqrt(draws * p * (1 - p))
    rare = [target for target, p in targets.items() if p * draws < 10]
    mass = math.fsum(targets[target] for target in rare)
    seen = sum(counts[target] for target in rare)
    assert abs(seen - mass * draws) <= 5 * math.sqrt(draws * mass * (1 - mass)) + 1e-9


def test_entropy_is_the_mean_surprisal_of_samples():
    rng = random.Random(6)
    gaps = []
    for source in drawn_sources(60, seed=7):
        for _ in range(20):
            target = LANGUAGE.sample_target(source, rng)
            gaps.append(-LANGUAGE.log_prob(source, target) - LANGUAGE.entropy(source))
    mean = sum(gaps) / len(gaps)
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps) / len(gaps))
    assert abs(mean) < 5 * error


def test_what_is_remembered_can_be_read_off_the_words():
    # Else two chains could give one target, and the entropy of the chain would not be that of the
    # target.
    for source in drawn_sources(40, seed=8):
        memories = [Memory()]
        for clause in LANGUAGE.parse(source):
            after = set()
            for memory in memories:
                variants = LANGUAGE.variants(clause, memory)
                assert len({v.tokens for v in variants}) == len(variants)
                assert math.fsum(v.probability for v in variants) == pytest.approx(1.0, abs=1e-12)
                after |= {v.memory for v in variants}
            memories = sorted(after, key=str)


@pytest.mark.slow
def test_samples_are_valid_and_sources_are_parsed_back():
    rng = random.Random(10)
    for _ in range(300):
        source, target = LANGUAGE.sample(rng)
        assert source_words(parse(source)) == source
        assert LANGUAGE.is_valid(source, target)
        assert LANGUAGE.explain(source, target) is None
        assert 4 <= len(target) <= 25
        assert set(source) <= set(LANGUAGE.source_vocabulary) and set(target) <= set(
            LANGUAGE.target_vocabulary
        )


def test_single_word_corruptions_are_invalid():
    """At least 99% of replacements by a random word of the vocabulary, and of deletions, are
    invalid.

    The exceptions among replacements are synonyms without consequences (weil and da, müde and
    erschöpft, Feier and Party); among deletions the comma before und, and the prefix of mitbringen,
    aufessen and abholen, whose simple verbs mean the same. Where the replacement is of the word's
    own kind (an article for an article) at least 97% are invalid.
    """
    rng, words, kinds = random.Random(11), LANGUAGE.target_vocabulary, kinds_of_words()
    outcome: dict[str, list[bool]] = {"any": [], "same kind": [], "deleted": []}
    for _ in range(120):
        source, target = LANGUAGE.sample(rng)
        for _ in range(8):
            place = rng.randrange(len(target))
            like = [word for word in words if kinds[word] & kinds[target[place]]]
            for name, new in (
                ("any", rng.choice(words)),
                ("same kind", rng.choice(like)),
                ("deleted", None),
            ):
                if new != target[place]:
                    changed = target[:place] + ((new,) if new else ()) + target[place + 1 :]
                    outcome[name].append(not LANGUAGE.is_valid(source, changed))
    rates = {name: sum(found) / len(found) for name, found in outcome.items()}
    assert rates["any"] >= 0.99 and rates["same kind"] >= 0.97 and rates["deleted"] >= 0.98, rates


def test_without_ambiguity_there_is_one_translation():
    language = ToyLanguage(Ambiguity.none())
    rng = random.Random(12)
    for source in drawn_sources(40, seed=13, limit=10**9):
        assert language.count_targets(source) == 1
        assert language.entropy(source) == 0.0
        assert {language.sample_target(source, rng) for _ in range(3)} == {language.mode(source)[0]}


@pytest.mark.parametrize("name", [field.name for field in fields(Ambiguity)])
def test_each_switch_alone_makes_choices_of_its_name_only(name):
    language = ToyLanguage(replace(Ambiguity.none(), **{name: 1.0}))
    named, several = Counter(), 0
    for source in drawn_sources(60, seed=14, limit=10**9):
        targets = language.targets(source)
        several += len(targets) > 1
        for target in sorted(targets)[:4]:
            named.update(key.split()[0] for key in language.choices(source, target))
    assert several >= 3
    assert set(named) == {name}


def test_strength_moves_between_mode_and_base():
    half = ToyLanguage(replace(Ambiguity.none(), noun=0.5))
    full = ToyLanguage(replace(Ambiguity.none(), noun=1.0))
    source = tuple("the man sold the sofa .".split())
    (mode, p_full), (_, p_half) = full.mode(source), half.mode(source)
    assert half.mode(source)[0] == mode
    assert p_half == pytest.approx(0.5 + 0.5 * p_full)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_outside_its_range_is_refused(strength):
    with pytest.raises(ValueError, match="Ambiguity.tense"):
        Ambiguity(tense=strength)


@pytest.mark.slow
def test_alignment_covers_the_words_that_mean_something():
    rng, unaligned = random.Random(15), set()
    for _ in range(1000):
        source, target = LANGUAGE.sample(rng)
        aligned = LANGUAGE.alignment(source, target)
        assert len(aligned) == len(target)
        assert all(-1 <= place < len(source) for place in aligned)
        assert {target[n] for n, place in enumerate(aligned) if place == -1} <= {","}
        unaligned |= {source[place] for place in range(len(source)) if place not in aligned}
    # English words that German says within another word: im Garten, abends, daheim, sah … an, and
    # the comma.
    assert unaligned <= {"in", "on", "at", "the", ","}


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        (
            "the teacher slept in the garden .",
            "der Lehrer schlief im Garten .",
            {"im": "in", "Garten": "garden"},
        ),
        (
            "the teacher slept in the city .",
            "der Lehrer schlief in der Stadt .",
            {"in": "in", "Stadt": "city"},
        ),
        (
            "the teacher slept in the evening .",
            "der Lehrer schlief abends .",
            {"abends": "evening"},
        ),
        (
            "the teacher slept in the evening .",
            "der Lehrer schlief am Abend .",
            {"Abend": "evening"},
        ),
        ("the teacher slept at home .", "der Lehrer schlief daheim .", {"daheim": "home"}),
        (
            "the teacher slept at home .",
            "der Lehrer schlief zu Hause .",
            {"zu": "at", "Hause": "home"},
        ),
        (
            "the teacher slept at the station .",
            "der Lehrer schlief am Bahnhof .",
            {"Bahnhof": "station"},
        ),
        (
            "the teacher looked at the box .",
            "der Lehrer hat sich die Kiste angesehen .",
            {"hat": "looked", "sich": "looked", "angesehen": "looked", "Kiste": "box"},
        ),
    ],
)
def test_the_head_of_a_phrase_is_aligned_with_the_head(source, target, pairs):
    source, target = tuple(source.split()), tuple(target.split())
    aligned = LANGUAGE.alignment(source, target)
    for german, english in pairs.items():
        assert source[aligned[target.index(german)]] == english


def test_alignment_of_a_sentence_by_hand():
    source = tuple("yesterday the old teacher opened a box .".split())
    target = tuple("gestern machte der alte Lehrer eine Kiste auf .".split())
    assert LANGUAGE.alignment(source, target) == (0, 4, 1, 2, 3, 5, 6, 4, 7)
    passive = tuple("gestern ist eine Kiste vom alten Lehrer geöffnet worden .".split())
    assert LANGUAGE.alignment(source, passive) == (0, 4, 5, 6, 1, 2, 3, 4, 4, 7)


def test_choices_are_named():
    source = tuple("the teacher sold the car because it was broken .".split())
    target = tuple("das Auto ist von der Lehrerin verkauft worden , da es defekt war .".split())
    assert LANGUAGE.choices(source, target) == {
        "person": "Lehrerin",
        "noun": "Auto",
        "voice": "passive",
        "tense": "Perfekt",
        "connective": "da",
        "word": "defekt",
    }
    with pytest.raises(ValueError, match="not a translation"):
        LANGUAGE.choices(source, target[:-1])


def test_targets_refuses_more_than_its_limit():
    with pytest.raises(ValueError, match="40 targets, more than the limit of 39"):
        LANGUAGE.targets(SOURCES[0], limit=39)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the sentence ends after 0 words"),
        ("the purple teacher slept .", "word 2 'purple': expected a noun.*'teacher'"),
        ("the teacher slept", "ends after 3 words.*connective"),
        ("the teacher slept . .", "word 5 '.'.*nothing may follow"),
        ("a old teacher slept .", "word 1 'a': expected 'an'"),
        ("the teacher sold the money .", "word 5 'money': expected a noun"),
        ("the teacher sold it .", "first clause must name"),
        ("the teacher slept because it was broken .", "'it' speaks of no thing"),
        ("the woman slept because he was tired .", "do not agree"),
        ("the teacher slept because he was ill , but she worked .", "two people"),
        ("I was tired because she was ill .", "speak of nobody"),
        ("you sells the car .", "word 2 'sells': expected a verb"),
        ("you was tired .", "word 2 'was': expected 'were'"),
        ("the man slept and he worked , but he left although he was ill .", "after 3 clauses"),
    ],
)
def test_a_wrong_source_is_refused_with_the_word_at_fault(text, message):
    with pytest.raises(ToyParseError, match=message):
        LANGUAGE.entropy(text.split())
