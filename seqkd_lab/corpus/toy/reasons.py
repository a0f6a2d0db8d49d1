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


class Slot(NamedTuple):
    """A slot in a translation: the words before it, the word that could stand there, its clause,
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


def reason_against(word: str, slot: Slot, source: tuple[str, ...]) -> str:
    """Return in words why `word` cannot stand at `slot`; "" where the reason for the right word's
    form says it."""
    return (
        _closed_too_early(word, slot)
        or _contraction(word, slot)
        or _other_gender(word, slot, source)
        or _other_words(word, slot, source)
        or _other_determiner(word, slot)
        or _ambiguous_subject(word, slot)
        or _other_verb(word, slot)
    )


def _closed_too_early(word: str, slot: Slot) -> str:
    right = slot.right
    if word not in CLOSING or right.kind == "end":
        return ""
    if right.kind != "punctuation":
        return f"the clause is not complete: {right.text!r} would fit: {right.reason}"
    return (
        f"the source has a further clause: {right.text!r} would fit: {right.reason}"
        if right.text == ","
        else ""
    )


def _contraction(word: str, slot: Slot) -> str:
    """ "beim" is bei + dem: it is wrong before a feminine noun, or where the source has another
    determiner."""
    parts = {whole: pair for pair, whole in CONTRACTION.items()}.get(word)
    if parts is None or slot.right.text != parts[0] or not slot.after:
        return ""
    follows = slot.after[0]
    return (
        f"{word} is {parts[0]} + {parts[1]}, but after {parts[0]} comes {follows.text!r} here: "
        f"{follows.reason}"
    )


def _other_gender(word: str, slot: Slot, source: tuple[str, ...]) -> str:
    """A man where the source speaks of a woman, or the other way round."""
    for english, noun in _nouns_of().get(word, ()):
        told = _gender_told(english, source)
        if told and noun.gender in "mf" and noun.gender != told:
            right = next(o.value.lemma for o in NOUNS[english].nouns if o.value.gender == told)
            phrase, first = slot.phrase, "the first person that the source names"
            why = f"{meaning.TELLING[told]} refers to the {english}, {first}: {right}, not {word}"
            if phrase is None or phrase.noun == english:
                return why
            return f"{why}. {_begun(slot)} the words for {_in_english(phrase)!r}"
    return ""


def _other_words(word: str, slot: Slot, source: tuple[str, ...]) -> str:
    """A noun or an adjective of another phrase, or of no word of the source."""
    phrase = slot.phrase
    meanings = {english for english, _ in _nouns_of().get(word, ())} | _adjectives_of().get(
        word, set()
    )
    if phrase is None or not meanings or meanings & {phrase.noun, phrase.adjective}:
        return ""
    translated = sorted(meanings & set(source))
    if not translated:
        return (
            f"{word!r} translates no word of the source; {slot.right.text!r} would fit: "
            f"{slot.right.reason}"
        )
    return (
        f"{word!r} translates {translated[0]!r}, but {_begun(slot)} the words for "
        f"{_in_english(phrase)!r}"
    )


def _other_determiner(word: str, slot: Slot) -> str:
    """du or Sie is chosen once; "the" is der, "a" is ein."""
    wrong, right = (
        _determiners_of().get(word, set()),
        _determiners_of().get(slot.right.text, set()),
    )
    phrase = slot.phrase
    if slot.right.kind != "article" or phrase is None or not wrong or wrong & right:
        return ""
    if phrase.determiner == "your" and wrong <= POSSESSIVES_OF_ADDRESS:
        address = "Sie" if "Ihr" in right else "du"
        return (
            f"{slot.right.text!r} would fit: {address} is the form of address in the whole sentence"
        )
    return (
        f"the source has {phrase.determiner!r}: {slot.right.text!r} would fit: {slot.right.reason}"
    )


def _ambiguous_subject(word: str, slot: Slot) -> str:
    """ "hat sie eine Lehrerin vergessen" would leave open who forgot whom."""
    feminine = inflection.THIRD_PERSON["accusative"]["f"]
    if slot.right.part != "subject.determiner" or slot.before[-1:] != (feminine,):
        return ""
    lemmas = _determiners_of().get(word, set()) & _determiners_of().get(slot.right.text, set())
    if not any(inflection.article(lemma, "f", "nominative") == word for lemma in lemmas):
        return ""
    return (
        f"after {feminine!r} only a masculine subject shows that it is the subject: "
        f"{slot.right.text!r} is a nominative, {word!r} could be an accusative, too"
    )


def _other_verb(word: str, slot: Slot) -> str:
    """A verb of the same meaning that asks for another case or preposition than the words before it
    have."""
    if not slot.clause.verb or slot.right.kind != "verb":
        return ""
    wrong, right = (_verbs_of(slot.clause.verb, word), _verbs_of(slot.clause.verb, slot.right.text))
    if (
        not wrong
        or not right
        or set(wrong) & set(right)
        or _government(wrong[0]) == _government(right[0])
    ):
        return ""
    return (
        f"{word!r} is a form of {wrong[0].infinitive}, which governs {_government(wrong[0])}; the "
        f"words before it stand with {right[0].infinitive}, which governs {_government(right[0])}"
    )


def _government(verb: Verb) -> str:
    return f"{verb.preposition} with the {verb.case}" if verb.preposition else f"the {verb.case}"


def _begun(slot: Slot) -> str:
    """Return the words of the phrase that stand already."""
    begun = 2 if slot.right.part.endswith(".noun") and slot.phrase and slot.phrase.adjective else 1
    return f"{' '.join(slot.before[-begun:])!r} begins" if slot.before else "here begin"


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
