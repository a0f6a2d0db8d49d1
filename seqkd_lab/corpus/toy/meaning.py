"""What an English sentence of the toy language means, and its English words.

A sentence is a tuple of clauses. Everything that the source says about a clause is in the clause
itself (the gender of "the teacher" when a "she" further on tells it), so that a clause can be
translated without its source: what an earlier clause *chose* comes from the memory
(`german.Memory`).
"""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.corpus.toy.adverbials import COMMA_IN_ENGLISH
from seqkd_lab.corpus.toy.verbs import VERBS

# Subject pronouns; "it" speaks of a thing, or of nothing at all ("it was late").
SUBJECT_PRONOUNS = ("I", "you", "he", "she", "it")
OBJECT_PRONOUNS = ("it", "him", "her")
GENDER_OF_PRONOUN = {"he": "m", "she": "f", "him": "m", "her": "f", "his": "m"}
TELLING = {"m": "'he', 'him' or 'his'", "f": "'she' or 'her'"}
# English determiner -> German determiner; "your" waits for the choice between du and Sie.
DETERMINERS = {"the": "der", "a": "ein", "my": "mein", "your": "", "his": "sein", "her": "ihr"}


@dataclass(frozen=True)
class NounPhrase:
    """determiner ("" before money, time, help), adjective ("" for none), noun; `gender` when the
    source tells it."""

    determiner: str
    noun: str
    adjective: str = ""
    gender: str = ""


@dataclass(frozen=True)
class Clause:
    """One clause. A clause has either a `verb` (the English past form is its key) or a `state` (an
    adjective).

    subject, object  a NounPhrase or a pronoun; object "" for none
    tense            "past" or "present"
    time_first       the English time adverbial stands before the subject
    ends             the sentence ends here
    """

    subject: NounPhrase | str
    verb: str = ""
    object: NounPhrase | str = ""
    state: str = ""
    degree: str = ""
    place: str = ""
    time: str = ""
    time_first: bool = False
    tense: str = "past"
    connective: str = ""
    ends: bool = True


Sentence = tuple[Clause, ...]
Part = tuple[int, str]  # clause number, part of the clause ("object.noun")


def english(sentence: Sentence) -> list[tuple[str, Part]]:
    """Return the English words, each with the part of the meaning that it says."""
    words: list[tuple[str, Part]] = []
    for number, clause in enumerate(sentence):
        words += [(word, (number, part)) for word, part in _clause(clause)]
    return words


def positions(sentence: Sentence) -> dict[Part, list[int]]:
    """For each part of the meaning the places of its words in the source sentence."""
    by_part: dict[Part, list[int]] = {}
    for position, (_, part) in enumerate(english(sentence)):
        by_part.setdefault(part, []).append(position)
    return by_part


def source_words(sentence: Sentence) -> tuple[str, ...]:
    """Return the source sentence: its English words."""
    return tuple(word for word, _ in english(sentence))


def is_third_person(subject: NounPhrase | str) -> bool:
    """True where the English present takes an -s."""
    return not isinstance(subject, str) or subject in ("he", "she", "it")


def be(subject: NounPhrase | str, tense: str) -> str:
    """was, were, is, are or am."""
    if tense == "past":
        return "were" if subject == "you" else "was"
    return {"I": "am", "you": "are"}.get(subject, "is") if isinstance(subject, str) else "is"


def _clause(clause: Clause) -> list[tuple[str, str]]:
    words = [(",", "comma")] if clause.connective in COMMA_IN_ENGLISH else []
    words += _phrase(clause.connective, "connective")
    time = _phrase(clause.time, "time")
    words += time if clause.time_first else []
    words += _nominal(clause.subject, "subject")
    if clause.state:
        words += [(be(clause.subject, clause.tense), "verb")]
        words += _phrase(clause.degree, "degree") + _phrase(clause.state, "state")
    else:
        words += _phrase(_english_verb(clause), "verb") + _nominal(clause.object, "object")
    words += _phrase(clause.place, "place")
    words += [] if clause.time_first else time
    return words + ([(".", "end")] if clause.ends else [])


def _english_verb(clause: Clause) -> str:
    entry = VERBS[clause.verb]
    return entry.past if clause.tense == "past" else entry.third


def _nominal(nominal: NounPhrase | str, role: str) -> list[tuple[str, str]]:
    if isinstance(nominal, str):
        return [(nominal, f"{role}.pronoun")] if nominal else []
    following = nominal.adjective or nominal.noun
    determiner = nominal.determiner
    if determiner == "a" and following[0] in "aeiou" and not following.startswith("use"):
        determiner = "an"
    words = [(determiner, f"{role}.determiner"), (nominal.adjective, f"{role}.adjective")]
    return [(word, part) for word, part in words if word] + [(nominal.noun, f"{role}.noun")]


def _phrase(phrase: str, part: str) -> list[tuple[str, str]]:
    return [(word, part) for word in phrase.split()]
