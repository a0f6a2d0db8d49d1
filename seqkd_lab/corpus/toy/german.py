"""German phrases: what a translator says for each part of a clause, and what later clauses must
remember of it.

The translator's choices are asked for here and in `clauses.py`; each word carries the part of the
source that it translates and the reason for its form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from seqkd_lab.corpus.toy import inflection, meaning
from seqkd_lab.corpus.toy.adverbials import TIMES
from seqkd_lab.corpus.toy.choices import Translator, options
from seqkd_lab.corpus.toy.inflection import GENDERS, Verb
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase
from seqkd_lab.corpus.toy.nouns import ADJECTIVES, DEGREES, NOUNS, Noun
from seqkd_lab.corpus.toy.verbs import VERBS

ADDRESS_FORMAL = options(Sie=0.7, du=0.3)
ADDRESS_INFORMAL = options(du=0.6, Sie=0.4)
TENSE_SPOKEN = options(Perfekt=0.65, Präteritum=0.35)
TENSE_WRITTEN = options(Präteritum=0.65, Perfekt=0.35)


class Word(NamedTuple):
    """A German word, the part of the clause that it translates ("" for none), its kind, why it has
    this form."""

    text: str
    part: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Memory:
    """What earlier clauses chose and later ones must agree with; "" where nothing has been chosen.

    noun, gender  the noun that "it" will stand for
    tense         Präteritum or Perfekt
    address       du or Sie
    subordinate   the clause before was a subordinate one: a comma must close it
    """

    noun: str = ""
    gender: str = ""
    tense: str = ""
    address: str = ""
    subordinate: bool = False


class Phrases:
    """Renders the phrases of one clause; `memory` grows with each choice that later clauses
    need."""

    def __init__(self, clause: Clause, memory: Memory, translator: Translator):
        self.clause, self.memory, self.pick = clause, memory, translator.pick

    def address(self) -> str:
        """du or Sie, chosen once for the whole sentence."""
        if not self.memory.address:
            formal = bool(self.clause.verb) and VERBS[self.clause.verb].formal
            chosen = self.pick("address", ADDRESS_FORMAL if formal else ADDRESS_INFORMAL)
            self.memory = replace(self.memory, address=chosen)
        return self.memory.address

    def tense(self) -> str:
        """Präteritum or Perfekt, chosen once for a sentence (to du and Sie always Perfekt), or
        "present"."""
        clause = self.clause
        if clause.tense == "present":
            return "present"
        if clause.subject == "you":
            self.memory = replace(self.memory, tense=self.memory.tense or "Perfekt")
            return "Perfekt"
        if not self.memory.tense:
            spoken = clause.subject == "I" or (bool(clause.time) and TIMES[clause.time].spoken)
            chosen = self.pick("tense", TENSE_SPOKEN if spoken else TENSE_WRITTEN)
            self.memory = replace(self.memory, tense=chosen)
        return self.memory.tense

    def nominal(self, nominal: NounPhrase | str, case: str, role: str, why: str) -> list[Word]:
        """A noun phrase or a pronoun in a case; `why` says what asks for the case."""
        if isinstance(nominal, NounPhrase):
            return self.noun_phrase(nominal, case, role, why)
        return [self.pronoun(nominal, case, role, why)]

    def noun_phrase(self, phrase: NounPhrase, case: str, role: str, why: str) -> list[Word]:
        """Article, adjective, noun. The noun is chosen first: the words before it agree with it."""
        noun = self.noun(phrase)
        told = (
            f" ({meaning.TELLING[phrase.gender]} refers to the first person named)"
            if phrase.gender
            else ""
        )
        about = f"{noun.lemma} is {GENDERS[noun.gender]}{told} and stands in the {case}: {why}"
        words = []
        determiner = (
            self.address_word()
            if phrase.determiner == "your"
            else meaning.DETERMINERS.get(phrase.determiner)
        )
        if determiner:
            form = inflection.article(determiner, noun.gender, case)
            words.append(Word(form, f"{role}.determiner", "article", about))
        if phrase.adjective:
            entry = ADJECTIVES[phrase.adjective]
            stem = self.pick("word", entry.words)[1]
            ending = inflection.adjective_ending(determiner or "", noun.gender, case)
            reason = f"-{ending} is the adjective's ending after {form!r}, for {about}"
            words.append(Word(stem + ending, f"{role}.adjective", "adjective", reason))
        words.append(Word(noun.form(case), f"{role}.noun", "noun", about))
        return words

    def noun(self, phrase: NounPhrase) -> Noun:
        """Return the noun chosen for a phrase; a thing is remembered, since "it" may speak of
        it."""
        entry = NOUNS[phrase.noun]
        choice = entry.nouns
        if phrase.gender:
            choice = tuple(option for option in choice if option.value.gender == phrase.gender)
        noun = self.pick(entry.choice, choice)
        if not entry.is_person and phrase.determiner and not self.clause.connective:
            self.memory = replace(self.memory, noun=noun.lemma, gender=noun.gender)
        return noun

    def address_word(self) -> str:
        """dein or Ihr."""
        return "dein" if self.address() == "du" else "Ihr"

    def pronoun(self, word: str, case: str, role: str, why: str) -> Word:
        """Return the personal pronoun; "it" takes the gender of the noun that an earlier clause
        chose."""
        part = f"{role}.pronoun"
        if word == "I":
            return Word("ich", part, "pronoun", "the source says I")
        if word == "you":
            address = self.address()
            return Word(
                address, part, "pronoun", f"{address} is the form of address in the whole sentence"
            )
        if word == "it":
            gender, antecedent = self.memory.gender, self.memory.noun
        else:
            gender, antecedent = meaning.GENDER_OF_PRONOUN[word], ""
        named = (
            f"its antecedent {antecedent}, which is {GENDERS[gender]}"
            if antecedent
            else f"{word!r} in the source"
        )
        reason = f"the pronoun agrees with {named}; {case}: {why}"
        return Word(inflection.THIRD_PERSON[case][gender], part, "pronoun", reason)

    def person(self) -> str:
        """Return the grammatical person of the subject: ich, du, er, Sie."""
        if self.clause.subject == "I":
            return "ich"
        return self.address() if self.clause.subject == "you" else "er"

    def adverbial(self, phrase: tuple[str, ...], part: str) -> list[Word]:
        """Return the words of an adverbial."""
        return [
            Word(word, part, "adverbial", f"{' '.join(phrase)!r} says the {part}")
            for word in phrase
        ]

    def state(self) -> list[Word]:
        """Return the predicate adjective with its degree: it takes no ending."""
        degree = DEGREES.get(self.clause.degree)
        words = (
            [Word(degree, "degree", "adverbial", "the degree stands before its adjective")]
            if degree
            else []
        )
        form = self.pick("word", ADJECTIVES[self.clause.state].words)[0]
        return [*words, Word(form, "state", "adjective", "a predicate adjective has no ending")]


def with_preposition(preposition: str, phrase: list[Word], part: str, why: str) -> list[Word]:
    """Return the phrase after a preposition, contracted with "dem" where German does so (von dem:
    vom)."""
    contracted = inflection.CONTRACTION.get((preposition, phrase[0].text))
    if contracted:
        reason = f"{contracted} is {preposition} + dem; {phrase[0].reason}"
        return [phrase[0]._replace(text=contracted, kind="preposition", reason=reason), *phrase[1:]]
    return [Word(preposition, part, "preposition", why), *phrase]


def governs(verb: Verb) -> str:
    """Return why the object of a verb stands in its case."""
    name = f"{verb.infinitive} {verb.preposition}".strip()
    return f"{name} governs the {verb.case}"
