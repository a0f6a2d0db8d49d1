"""From English words to their meaning, or to an error that says what would fit."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import replace

from seqkd_lab.corpus.toy import meaning
from seqkd_lab.corpus.toy.adverbials import COMMA_IN_ENGLISH, CONNECTIVES, PLACES, TIMES
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase, Sentence
from seqkd_lab.corpus.toy.nouns import ADJECTIVES, DEGREES, IMPERSONAL, NOUNS
from seqkd_lab.corpus.toy.verbs import VERBS_TABLE

MOST_CLAUSES = 3
LONGEST_PHRASE = 3  # "at the station"
_PAST = {entry.past: entry for entry in VERBS_TABLE}
_PRESENT = {entry.third: entry for entry in VERBS_TABLE if entry.third}
_FORMS = {**_PAST, **_PRESENT}
_MASSES = {noun: entry for noun, entry in NOUNS.items() if "mass" in entry.kinds}
_PERSONS = {noun: entry for noun, entry in NOUNS.items() if entry.is_person}
_THINGS = {
    noun: entry for noun, entry in NOUNS.items() if noun not in _MASSES and noun not in _PERSONS
}
_PERSONS_AND_THINGS = {**_PERSONS, **_THINGS}


class ToyParseError(ValueError):
    """A source sentence that the toy language does not have; names the word, its place and what
    would fit."""


class _Reader:
    """The words from left to right; `take` reads the longest phrase of a table that stands here."""

    def __init__(self, words: Sequence[str]):
        self.words, self.position = tuple(words), 0

    def take(self, phrases: Container[str]) -> str:
        """Return the longest of the phrases that begins here, or "" (and nothing is read)."""
        for length in range(LONGEST_PHRASE, 0, -1):
            phrase = " ".join(self.words[self.position : self.position + length])
            if phrase in phrases:
                self.position += phrase.count(" ") + 1
                return phrase
        return ""

    def need(self, phrases: Collection[str], what: str) -> str:
        """Like `take`, but raises ToyParseError where none stands."""
        phrase = self.take(phrases)
        if not phrase:
            raise self.error(f"expected {what}, such as {_some(phrases)}")
        return phrase

    def error(self, reason: str) -> ToyParseError:
        """Return the error at the word that comes next."""
        if self.position < len(self.words):
            return ToyParseError(
                f"word {self.position + 1} {self.words[self.position]!r}: {reason}"
            )
        return ToyParseError(f"the sentence ends after {len(self.words)} words: {reason}")


def parse(source: Sequence[str]) -> Sentence:
    """Return the meaning of an English sentence; raise ToyParseError (a ValueError) for anything
    else."""
    reader = _Reader(source)
    clauses = [_clause(reader, "")]
    while not reader.take(["."]):
        if len(clauses) == MOST_CLAUSES:
            raise reader.error(f"expected '.' after {MOST_CLAUSES} clauses")
        clauses.append(_clause(reader, _connective(reader)))
    if reader.position < len(reader.words):
        raise reader.error("nothing may follow the full stop")
    clauses = [
        replace(clause, ends=number == len(clauses) - 1) for number, clause in enumerate(clauses)
    ]
    sentence = tuple(resolve(clauses))
    _compare(reader, meaning.source_words(sentence))
    return sentence


def _connective(reader: _Reader) -> str:
    comma = reader.take([","])
    return reader.need(
        [word for word in CONNECTIVES if (word in COMMA_IN_ENGLISH) == bool(comma)],
        "a connective" if comma else "'.', ',' or a connective",
    )


def _clause(reader: _Reader, connective: str) -> Clause:
    time = "" if connective else reader.take(TIMES)
    subject = reader.take(meaning.SUBJECT_PRONOUNS) or _noun_phrase(reader, "a subject")
    be = reader.take(["was", "were", "is", "are", "am"])
    if be:
        tense = "past" if be in ("was", "were") else "present"
        degree = reader.take(DEGREES)
        state = reader.need(ADJECTIVES, "an adjective")
        return Clause(
            subject,
            state=state,
            degree=degree,
            tense=tense,
            connective=connective,
            time=time,
            time_first=bool(time),
        )
    verb, tense = _verb(reader, subject)
    thing: NounPhrase | str = _object(reader, verb)
    place = reader.take(PLACES)
    late = "" if time or connective else reader.take(TIMES)
    return Clause(
        subject,
        verb,
        thing,
        place=place,
        time=time or late,
        time_first=bool(time),
        tense=tense,
        connective=connective,
    )


def _verb(reader: _Reader, subject: NounPhrase | str) -> tuple[str, str]:
    forms = _FORMS if meaning.is_third_person(subject) else _PAST
    form = reader.need(forms, "a verb (some have a present, for he, she and it only)")
    return forms[form].past, "past" if form in _PAST else "present"


def _object(reader: _Reader, verb: str) -> NounPhrase | str:
    kinds = _PAST[verb].objects
    what = f"an object of {verb!r}"
    if kinds in ("", "mass"):
        return NounPhrase("", reader.need(_MASSES, what)) if kinds else ""
    start = reader.position
    pronoun = reader.take(meaning.OBJECT_PRONOUNS)
    following = reader.words[reader.position] if reader.position < len(reader.words) else ""
    possessive = pronoun == "her" and (following in NOUNS or following in ADJECTIVES)
    if pronoun and not possessive and (pronoun == "it") != (kinds == "person"):
        return pronoun
    reader.position = start
    if pronoun and not possessive:
        raise reader.error(
            f"expected {what}, which is a {'person' if kinds == 'person' else 'thing'}"
        )
    return _noun_phrase(reader, what, _PERSONS if kinds == "person" else _THINGS)


def _noun_phrase(
    reader: _Reader, what: str, nouns: Collection[str] = _PERSONS_AND_THINGS
) -> NounPhrase:
    determiner = reader.need((*meaning.DETERMINERS, "an"), what)
    adjective = reader.take(ADJECTIVES)
    noun = reader.need(nouns, f"a noun, {what}")
    return NounPhrase("a" if determiner == "an" else determiner, noun, adjective)


def resolve(clauses: list[Clause]) -> list[Clause]:
    """Give the first person that the sentence names the gender that he or she, his or her tell;
    checks all of them."""
    told = {gender for number, clause in enumerate(clauses) for gender in _told(clause, number)}
    if any(_says_it(clause) for clause in clauses) and not _names_thing(clauses[0]):
        raise ToyParseError("'it' speaks of no thing: the first clause must name one")
    if len(told) > 1:
        raise ToyParseError(
            "he, him, his and she, her speak of two people here: the toy language has one to "
            "speak of"
        )
    if not told:
        return clauses
    named = [
        (n, role)
        for n, c in enumerate(clauses)
        for role in ("subject", "object")
        if _is_person(getattr(c, role))
    ]
    if not named:
        raise ToyParseError(
            "he, she, him, his or her speak of nobody: an earlier clause must name a person"
        )
    number, role = named[0]
    person, gender = getattr(clauses[number], role), told.pop()
    if any(clause.subject in ("he", "she") for clause in clauses[: number + 1]):
        raise ToyParseError(
            "he or she comes before the person: an earlier clause must name a person"
        )
    if gender not in {option.value.gender for option in NOUNS[person.noun].nouns}:
        raise ToyParseError(
            f"{person.noun!r} and {'she' if gender == 'f' else 'he'!r} do not agree"
        )
    marked = replace(clauses[number], **{role: replace(person, gender=gender)})
    return [*clauses[:number], marked, *clauses[number + 1 :]]


def _told(clause: Clause, number: int) -> list[str]:
    """Return the genders that the clause's pronouns and possessives tell."""
    words = [clause.subject, clause.object]
    words += [
        phrase.determiner
        for phrase in (clause.subject, clause.object)
        if isinstance(phrase, NounPhrase)
    ]
    if number == 0 and any(
        w in ("he", "she", "him", "her", "it") for w in words[:2] if isinstance(w, str)
    ):
        raise ToyParseError(
            "the first clause must name whom or what it speaks of, not he, she, him, her or it"
        )
    return [
        meaning.GENDER_OF_PRONOUN[word]
        for word in words
        if isinstance(word, str) and word in meaning.GENDER_OF_PRONOUN
    ]


def _says_it(clause: Clause) -> bool:
    return clause.object == "it" or (clause.subject == "it" and clause.state not in IMPERSONAL)


def _names_thing(clause: Clause) -> bool:
    return any(
        isinstance(p, NounPhrase) and not _is_person(p) and "mass" not in NOUNS[p.noun].kinds
        for p in (clause.subject, clause.object)
    )


def _is_person(nominal: NounPhrase | str) -> bool:
    return isinstance(nominal, NounPhrase) and NOUNS[nominal.noun].is_person


def _compare(reader: _Reader, words: tuple[str, ...]) -> None:
    for position, (read, right) in enumerate(zip(reader.words, words, strict=True)):
        if read != right:
            raise ToyParseError(f"word {position + 1} {read!r}: expected {right!r}")


def _some(phrases: Iterable[str]) -> str:
    return ", ".join(repr(phrase) for phrase in list(phrases)[:8])
