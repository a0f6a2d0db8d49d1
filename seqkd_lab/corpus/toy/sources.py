"""What people say in the toy language: sources drawn by Zipf's law, with a reason for each second
clause."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from seqkd_lab.corpus.toy.adverbials import PLACES_TABLE, TIMES_TABLE
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase, Sentence, source_words
from seqkd_lab.corpus.toy.nouns import (
    ADJECTIVES,
    ADJECTIVES_TABLE,
    NOUNS,
    PERSONS,
    THINGS,
    AdjectiveEntry,
)
from seqkd_lab.corpus.toy.parsing import resolve
from seqkd_lab.corpus.toy.verbs import (
    INTRANSITIVE_VERBS,
    PERSON_VERBS,
    THING_VERBS,
    VERBS,
    VerbEntry,
)

Item = TypeVar("Item")
LENGTHS = {1: 0.11, 2: 0.66, 3: 0.23}
PRESENT = 0.06
# After these nothing more can be done with the thing.
FINAL = frozenset({"ate", "discarded", "cancelled"})
# With these a thing comes to a person: nobody does them to a thing that he has just sold or
# cleaned.
COMING = frozenset({"bought", "found", "collected"})
OPPOSITE = {"old": "new", "new": "old", "small": "big", "big": "small"}
FEWEST_WORDS, MOST_WORDS = 4, 17


def draw(rng: random.Random, weights: dict[Item, float]) -> Item:
    """A key with a probability proportional to its weight; uses `rng.random()` and nothing else."""
    total = 0.0
    for weight in weights.values():  # not sum(): its rounding differs between versions of Python
        total += weight
    point = rng.random() * total
    for item, weight in weights.items():
        point -= weight
        if point < 0.0:
            return item
    return item


def zipf(rng: random.Random, items: Sequence[Item]) -> Item:
    """Return the item of rank r (from 1) with a probability proportional to 1 / (r + 1): Zipf's
    law, Mandelbrot's shift."""
    return items[draw(rng, {rank: 1.0 / (rank + 2.0) for rank in range(len(items))})]


def draw_sentence(rng: random.Random) -> Sentence:
    """A meaning: a first clause that names a person and mostly a thing, then up to two clauses that
    speak of them."""
    while True:
        first = draw(
            rng,
            {
                _thing_clause: 0.7,
                _person_clause: 0.12,
                _intransitive_clause: 0.05,
                _state_clause: 0.13,
            },
        )
        tense = "present" if rng.random() < PRESENT else "past"
        clauses = [first(rng, tense)]
        count = draw(rng, LENGTHS)
        pronoun = _pronoun(rng, clauses[0])
        while len(clauses) < count:
            clauses.append(replace(_next_clause(rng, clauses, pronoun), tense=tense))
        clauses = [
            replace(clause, ends=number == len(clauses) - 1)
            for number, clause in enumerate(clauses)
        ]
        words = source_words(tuple(clauses))
        if FEWEST_WORDS <= len(words) <= MOST_WORDS and (
            tense == "past" or all(map(_has_present, clauses))
        ):
            return tuple(resolve(clauses))


def _has_present(clause: Clause) -> bool:
    return bool(clause.state) or (
        clause.subject not in ("I", "you") and bool(VERBS[clause.verb].third)
    )


def _thing_clause(rng: random.Random, tense: str) -> Clause:
    """Return a clause such as "The old teacher sold the red car yesterday"."""
    subject = _subject(rng)
    verb = zipf(rng, [v for v in THING_VERBS if v.third or tense == "past"])
    thing = zipf(rng, _fitting(THINGS, verb.objects))
    phrase = _described(rng, _owner(rng, subject), thing.english, 0.55)
    return _with_adverbials(rng, Clause(subject, verb.past, phrase, tense=tense), verb)


def _person_clause(rng: random.Random, tense: str) -> Clause:
    """You helped the tired doctor."""
    subject = draw(rng, {"I": 0.25, "you": 0.35, None: 0.4}) or _subject(rng, named=True)
    verb = zipf(rng, [v for v in PERSON_VERBS if v.third or tense == "past"])
    people = [p for p in PERSONS if isinstance(subject, str) or p.english != subject.noun]
    determiner = draw(rng, {"the": 0.6, "a": 0.15, "my": 0.1, "your": 0.15})
    noun = zipf(rng, people).english
    phrase = _described(rng, "the" if noun in ("man", "woman") else determiner, noun, 0.4)
    return _with_adverbials(rng, Clause(subject, verb.past, phrase, tense=tense), verb)


def _intransitive_clause(rng: random.Random, tense: str) -> Clause:
    """Return a clause such as "The farmer slept at home"."""
    verb = zipf(rng, [v for v in INTRANSITIVE_VERBS if v.third or tense == "past"])
    return _with_adverbials(rng, Clause(_subject(rng), verb.past, tense=tense), verb)


def _state_clause(rng: random.Random, tense: str) -> Clause:
    """Return a clause such as "The car was broken", which a reason may follow."""
    thing = zipf(rng, THINGS)
    state = zipf(rng, [a for a in ADJECTIVES_TABLE if _fits(a.after, thing.kinds)])
    determiner = draw(rng, {"the": 0.7, "my": 0.15, "your": 0.15})
    phrase = _described(rng, determiner, thing.english, 0.2, but=state.english)
    return Clause(
        phrase,
        state=state.english,
        degree=draw(rng, dict.fromkeys(state.degrees, 1.0)),
        tense=tense,
    )


def _with_adverbials(rng: random.Random, clause: Clause, verb: VerbEntry) -> Clause:
    times = [t.english for t in TIMES_TABLE if clause.tense in t.tenses.split()]
    time = zipf(rng, times) if rng.random() < 0.65 else ""
    takes_place = verb.places and not (
        isinstance(clause.object, NounPhrase) and "fixed" in NOUNS[clause.object.noun].kinds
    )
    place = (
        zipf(rng, PLACES_TABLE).english
        if takes_place and rng.random() < (0.2 if time else 0.25)
        else ""
    )
    return replace(clause, time=time, time_first=bool(time) and rng.random() < 0.55, place=place)


def _subject(rng: random.Random, named: bool = False) -> NounPhrase | str:
    """A person, I or you."""
    pronoun = "" if named else draw(rng, {"": 0.79, "I": 0.08, "you": 0.13})
    if pronoun:
        return pronoun
    noun = zipf(rng, PERSONS).english
    determiner = draw(rng, {"the": 0.72, "a": 0.1, "my": 0.1, "your": 0.08})
    return _described(rng, "the" if noun in ("man", "woman") else determiner, noun, 0.5)


def _owner(rng: random.Random, subject: NounPhrase | str) -> str:
    """Return the determiner of an object: the, a, or whose it is."""
    if isinstance(subject, str):
        return draw(rng, {"the": 0.4, "a": 0.25, "my" if subject == "I" else "your": 0.35})
    genders = {option.value.gender for option in NOUNS[subject.noun].nouns}
    own = (
        "his"
        if genders == {"m"}
        else "her"
        if genders == {"f"}
        else draw(rng, {"his": 0.5, "her": 0.5})
    )
    return draw(rng, {"the": 0.55, "a": 0.22, own: 0.11, "my": 0.06, "your": 0.06})


def _described(
    rng: random.Random, determiner: str, noun: str, chance: float, but: str = ""
) -> NounPhrase:
    """A noun phrase, with an adjective that fits the noun by that chance."""
    if rng.random() >= chance:
        return NounPhrase(determiner, noun)
    fitting = [
        a for a in ADJECTIVES_TABLE if _fits(a.before, NOUNS[noun].kinds) and a.english != but
    ]
    return NounPhrase(determiner, noun, zipf(rng, fitting).english)


def _pronoun(rng: random.Random, first: Clause) -> str:
    """Return how later clauses speak of the first clause's person: I, you, he, she; "" where it
    names none."""
    if first.subject in ("I", "you"):
        return str(first.subject)
    if not isinstance(first.subject, NounPhrase):
        return ""
    if NOUNS[first.subject.noun].is_person:
        if isinstance(first.object, NounPhrase) and first.object.determiner in ("his", "her"):
            return "he" if first.object.determiner == "his" else "she"
        genders = {option.value.gender for option in NOUNS[first.subject.noun].nouns}
        known = {"m": "he", "f": "she"}
        only = known.get(genders.pop(), "") if len(genders) == 1 else ""
        return only or draw(rng, {"he": 0.5, "she": 0.5})
    return ""


def _next_clause(rng: random.Random, clauses: list[Clause], pronoun: str) -> Clause:
    """A clause about the thing or the person of the first clause, with a connective not used
    before."""
    first, before = clauses[0], clauses[-1]
    thing = _thing(first)
    kinds = {}
    if thing and not any(
        clause.state and not isinstance(clause.subject, str) for clause in clauses
    ):
        kinds[_it_was] = 0.34 if before is first else 0.1
    if thing and first.verb not in FINAL:
        kinds[_someone_did] = 0.35
        kinds[_did_it] = 0.3 if pronoun else 0.0
    kinds[_it_got_late] = 0.05
    if pronoun:
        kinds[_was] = (
            0.0
            if any(c.state and c.subject == pronoun for c in clauses)
            else 0.12
            if thing
            else 0.5
        )
        kinds[_needed] = 0.08 if thing else 0.3
        kinds[_acted] = 0.05 if thing else 0.3
    else:
        kinds[_someone_did] = 1.0
    used = {clause.connective for clause in clauses}
    while True:
        clause = draw(rng, kinds)(rng, first, pronoun)
        repeated = any((clause.verb, clause.state) == (c.verb, c.state) for c in clauses)
        if clause.connective not in used and not repeated:
            return clause


def _thing(first: Clause) -> str:
    """Return the noun that "it" stands for, "" for none."""
    for phrase in (first.object, first.subject):
        if isinstance(phrase, NounPhrase) and not NOUNS[phrase.noun].is_person:
            return phrase.noun
    return ""


def _it_was(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... because it was too expensive. The connective goes with what the verb says about the
    thing."""
    described = first.object.adjective if isinstance(first.object, NounPhrase) else ""
    kinds = NOUNS[_thing(first)].kinds
    unsaid = {described, OPPOSITE.get(described)}
    state = zipf(
        rng, [a for a in ADJECTIVES_TABLE if _fits(a.after, kinds) and a.english not in unsaid]
    )
    mood = VERBS[first.verb].mood * state.mood if first.verb else 0
    connectives = {
        1: {"because": 1.0},
        -1: {"although": 0.6, "but": 0.4},
        0: {"but": 0.6, "and": 0.4},
    }
    return _state_of("it", state, draw(rng, connectives[mood]), rng)


def _was(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... although she was very tired."""
    state = zipf(rng, [a for a in ADJECTIVES_TABLE if "person" in a.after])
    return _state_of(
        pronoun, state, draw(rng, {"because": 0.5, "although": 0.25, "but": 0.25}), rng
    )


def _it_got_late(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... because it was too dark: an "it" that stands for nothing."""
    state = ADJECTIVES["late" if rng.random() < 0.6 else "dark"]
    return _state_of("it", state, draw(rng, {"because": 0.5, "although": 0.2, "but": 0.3}), rng)


def _state_of(subject: str, state: AdjectiveEntry, connective: str, rng: random.Random) -> Clause:
    degree = draw(rng, dict.fromkeys(state.degrees, 1.0))
    return Clause(subject, state=state.english, degree=degree, connective=connective)


def _needed(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... because he needed money."""
    mass = draw(rng, {"money": 0.5, "help": 0.3, "time": 0.2})
    connective = draw(rng, {"because": 0.6, "but": 0.2, "although": 0.2})
    return Clause(pronoun, "needed", NounPhrase("", mass), connective=connective)


def _acted(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... because she worked at the office."""
    verb = zipf(rng, INTRANSITIVE_VERBS)
    place = zipf(rng, PLACES_TABLE).english if verb.places and rng.random() < 0.4 else ""
    connective = draw(rng, {"because": 0.3, "before": 0.4, "but": 0.3})
    return Clause(pronoun, verb.past, place=place, connective=connective)


def _did_it(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... but she forgot it at the station."""
    return _did(rng, first, pronoun, {"and": 0.35, "but": 0.35, "before": 0.3})


def _someone_did(rng: random.Random, first: Clause, pronoun: str) -> Clause:
    """... so the doctor repaired it; after a clause without a person also: so you repaired it."""
    connectives = {"and": 0.55, "but": 0.45} if pronoun else {"so": 0.5, "but": 0.25, "and": 0.25}
    someone = _subject(rng, named=bool(pronoun))
    while (
        isinstance(someone, NounPhrase)
        and isinstance(first.subject, NounPhrase)
        and someone.noun == (first.subject.noun)
    ):
        someone = _subject(rng, named=bool(pronoun))
    return _did(rng, first, someone, connectives)


def _did(
    rng: random.Random, first: Clause, who: NounPhrase | str, connectives: dict[str, float]
) -> Clause:
    """A second thing done with the thing: with "but" anything, else what goes with the first
    clause's mood."""
    kinds = NOUNS[_thing(first)].kinds
    connective = draw(rng, connectives)
    mood = VERBS[first.verb].mood if first.verb else ADJECTIVES[first.state].mood
    able = [
        v
        for v in THING_VERBS
        if v.later and v.past != first.verb and set(v.objects.split()) & kinds
    ]
    if isinstance(who, str):
        able = [v for v in able if v.past not in COMING]
    fitting = (
        [v for v in able if v.mood * mood >= 0 and v.past not in FINAL]
        if connective != "but"
        else able
    )
    verb = zipf(rng, fitting or able)
    takes_place = verb.places and "fixed" not in kinds
    place = zipf(rng, PLACES_TABLE).english if takes_place and rng.random() < 0.35 else ""
    return Clause(who, verb.past, "it", place=place, connective=connective)


def _fits(described: frozenset[str], kinds: frozenset[str]) -> bool:
    """Tell whether an adjective for those kinds goes with a noun; food takes only what is said of
    food."""
    return bool(described & (frozenset({"food"}) if "food" in kinds else kinds))


def _fitting(things: Sequence, objects: str) -> list:
    wanted = set(objects.split())
    return [thing for thing in things if thing.kinds & wanted]
