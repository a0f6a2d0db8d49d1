"""Why one word cannot stand where another can: what it translates, which gender, case or form of
address it would need.

`explanation.explain` finds the first wrong word and the most likely right one. The reason for the
right word's form is often the rule that the wrong one breaks. Where it is not, these functions know
it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from seqkd_lab.corpus.toy import inflection, meaning
from seqkd_lab.corpus.toy.german import Word
from seqkd_lab.corpus.toy.inflection import CASES, CONTRACTION, GENDERS, Verb
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase
from seqkd_lab.corpus.toy.nouns import ADJECTIVES, NOUNS, Noun
from seqkd_lab.corpus.toy.verbs import VERBS

POSSESSIVES_OF_ADDRESS = {"dein", "Ihr"}
CLOSING = {",", ".", "</s>"}


class Place(NamedTuple):
    """A place in a translation: the words before it, the word that could stand there, its clause,
    the words after."""

    before: tuple[str, ...]
    right: Word
    clause: Clause
    after: tuple[Word, ...]

    @property
    def phrase(self) -> NounPhrase | None:
        """Return the noun phrase of the source that the right word helps to translate."""
        role = self.right.part.partition(".")[0]
        nominal = getattr(self.clause, role, None) if role in ("subject", "object") else None
        return nominal if isinstance(nominal, NounPhrase) else None


def reason_against(found: str, place: Place, source: tuple[str, ...]) -> str:
    """Return in words why `found` cannot stand at `place`; "" where the reason for the right word's
    form says it."""
    return (
        _closed_too_early(found, place)
        or _contraction(found, place)
        or _other_gender(found, place, source)
        or _other_words(found, place, source)
        or _other_determiner(found, place)
        or _ambiguous_subject(found, place)
        or _other_verb(found, place)
    )


def _closed_too_early(found: str, place: Place) -> str:
    right = place.right
    if found not in CLOSING or right.kind == "end":
        return ""
    if right.kind != "punctuation":
        return f"the clause is not complete: {right.text!r} would fit: {right.reason}"
    return (
        f"the source has a further clause: {right.text!r} would fit: {right.reason}"
        if right.text == ","
        else ""
    )


def _contraction(found: str, place: Place) -> str:
    """ "beim" is bei + dem: it is wrong before a feminine noun, or where the source has another
    determiner."""
    parts = {whole: pair for pair, whole in CONTRACTION.items()}.get(found)
    if parts is None or place.right.text != parts[0] or not place.after:
        return ""
    follows = place.after[0]
    return (
        f"{found} is {parts[0]} + {parts[1]}, but after {parts[0]} comes {follows.text!r} here: "
        f"{follows.reason}"
    )


def _other_gender(found: str, place: Place, source: tuple[str, ...]) -> str:
    """A man where the source speaks of a woman, or the other way round."""
    for english, noun in _nouns_of().get(found, ()):
        told = _gender_told(english, source)
        if told and noun.gender in "mf" and noun.gender != told:
            right = next(o.value.lemma for o in NOUNS[english].nouns if o.value.gender == told)
            phrase, first = place.phrase, "the first person that the source names"
            why = f"{meaning.TELLING[told]} refers to the {english}, {first}: {right}, not {found}"
            if phrase is None or phrase.noun == english:
                return why
            return f"{why}. {_begun(place)} the words for {_in_english(phrase)!r}"
    return ""


def _other_words(found: str, place: Place, source: tuple[str, ...]) -> str:
    """A noun or an adjective of another phrase, or of no word of the source."""
    phrase = place.phrase
    meanings = {english for english, _ in _nouns_of().get(found, ())} | _adjectives_of().get(
        found, set()
    )
    if phrase is None or not meanings or meanings & {phrase.noun, phrase.adjective}:
        return ""
    said = sorted(meanings & set(source))
    if not said:
        return (
            f"{found!r} translates no word of the source; {place.right.text!r} would fit: "
            f"{place.right.reason}"
        )
    return (
        f"{found!r} translates {said[0]!r}, but {_begun(place)} the words for "
        f"{_in_english(phrase)!r}"
    )


def _other_determiner(found: str, place: Place) -> str:
    """du or Sie is chosen once; "the" is der, "a" is ein."""
    wrong, right = (
        _determiners_of().get(found, set()),
        _determiners_of().get(place.right.text, set()),
    )
    phrase = place.phrase
    if place.right.kind != "article" or phrase is None or not wrong or wrong & right:
        return ""
    if phrase.determiner == "your" and wrong <= POSSESSIVES_OF_ADDRESS:
        address = "Sie" if "Ihr" in right else "du"
        return (
            f"{place.right.text!r} would fit: {address} is the form of address in the whole "
            "sentence"
        )
    return (
        f"the source has {phrase.determiner!r}: {place.right.text!r} would fit: "
        f"{place.right.reason}"
    )


def _ambiguous_subject(found: str, place: Place) -> str:
    """ "hat sie eine Lehrerin vergessen" would leave open who forgot whom."""
    feminine = inflection.THIRD_PERSON["accusative"]["f"]
    if place.right.part != "subject.determiner" or place.before[-1:] != (feminine,):
        return ""
    lemmas = _determiners_of().get(found, set()) & _determiners_of().get(place.right.text, set())
    if not any(inflection.article(lemma, "f", "nominative") == found for lemma in lemmas):
        return ""
    return (
        f"after {feminine!r} only a masculine subject shows that it is the subject: "
        f"{place.right.text!r} is a nominative, {found!r} could be an accusative, too"
    )


def _other_verb(found: str, place: Place) -> str:
    """A verb of the same meaning that asks for another case or preposition than the words before it
    have."""
    if not place.clause.verb or place.right.kind != "verb":
        return ""
    wrong, right = (
        _verbs_of(place.clause.verb, found),
        _verbs_of(place.clause.verb, place.right.text),
    )
    if (
        not wrong
        or not right
        or set(wrong) & set(right)
        or _government(wrong[0]) == _government(right[0])
    ):
        return ""
    return (
        f"{found!r} is a form of {wrong[0].infinitive}, which governs {_government(wrong[0])}; the "
        f"words before it stand with {right[0].infinitive}, which governs {_government(right[0])}"
    )


def _government(verb: Verb) -> str:
    return f"{verb.preposition} with the {verb.case}" if verb.preposition else f"the {verb.case}"


def _begun(place: Place) -> str:
    """Return the words of the phrase that stand already."""
    begun = (
        2 if place.right.part.endswith(".noun") and place.phrase and place.phrase.adjective else 1
    )
    return f"{' '.join(place.before[-begun:])!r} begins" if place.before else "here begin"


def _in_english(phrase: NounPhrase) -> str:
    return " ".join(word for word in (phrase.determiner, phrase.adjective, phrase.noun) if word)


def _gender_told(english: str, source: tuple[str, ...]) -> str:
    """Return the gender of a person that a pronoun tells: he, she, his, her always speak of the
    first person of the source."""
    persons = [word for word in source if word in NOUNS and NOUNS[word].is_person]
    told = {meaning.GENDER_OF_PRONOUN[word] for word in source if word in meaning.GENDER_OF_PRONOUN}
    return told.pop() if told and persons[:1] == [english] else ""


@lru_cache(maxsize=1)
def _nouns_of() -> dict[str, list[tuple[str, Noun]]]:
    """By German form the English nouns that it translates."""
    nouns: dict[str, list[tuple[str, Noun]]] = {}
    for english, entry in NOUNS.items():
        for noun in (option.value for option in entry.nouns):
            for form in {noun.form(case) for case in CASES}:
                nouns.setdefault(form, []).append((english, noun))
    return nouns


@lru_cache(maxsize=1)
def _adjectives_of() -> dict[str, set[str]]:
    """By German form the English adjectives that it translates."""
    adjectives: dict[str, set[str]] = {}
    for english, entry in ADJECTIVES.items():
        for predicative, stem in (option.value for option in entry.words):
            for form in (predicative, *(stem + ending for ending in ("e", "en", "er", "es"))):
                adjectives.setdefault(form, set()).add(english)
    return adjectives


@lru_cache(maxsize=1)
def _determiners_of() -> dict[str, set[str]]:
    """By form the determiners that it can be."""
    determiners: dict[str, set[str]] = {}
    for lemma in ("der", "ein", "mein", "dein", "sein", "ihr", "Ihr"):
        for form in {
            inflection.article(lemma, gender, case) for gender in GENDERS for case in CASES
        }:
            determiners.setdefault(form, set()).add(lemma)
    return determiners


def _verbs_of(english: str, form: str) -> list[Verb]:
    """Return the translations of an English verb that have this form."""
    verbs = (option.value for option in VERBS[english].verbs)
    return [
        verb
        for verb in verbs
        if form in (verb.participle, verb.preterite, verb.prefix + verb.preterite)
    ]
