"""German forms: articles, adjective endings, pronouns, verb forms. Plain tables and rules without
exceptions.

Genders are "m", "f", "n"; cases "nominative", "accusative", "dative"; persons "ich", "du", "er"
(third singular), "Sie" (formal address).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GENDERS = {"m": "masculine", "f": "feminine", "n": "neuter"}
CASES = ("nominative", "accusative", "dative")

DEFINITE = {
    "nominative": {"m": "der", "f": "die", "n": "das"},
    "accusative": {"m": "den", "f": "die", "n": "das"},
    "dative": {"m": "dem", "f": "der", "n": "dem"},
}
# The endings of ein, mein, dein, sein, ihr, unser, Ihr.
EIN_ENDING = {
    "nominative": {"m": "", "f": "e", "n": ""},
    "accusative": {"m": "en", "f": "e", "n": ""},
    "dative": {"m": "em", "f": "er", "n": "em"},
}
ADJECTIVE_AFTER_DEFINITE = {
    "nominative": {"m": "e", "f": "e", "n": "e"},
    "accusative": {"m": "en", "f": "e", "n": "e"},
    "dative": {"m": "en", "f": "en", "n": "en"},
}
ADJECTIVE_AFTER_EIN = {
    "nominative": {"m": "er", "f": "e", "n": "es"},
    "accusative": {"m": "en", "f": "e", "n": "es"},
    "dative": {"m": "en", "f": "en", "n": "en"},
}
THIRD_PERSON = {
    "nominative": {"m": "er", "f": "sie", "n": "es"},
    "accusative": {"m": "ihn", "f": "sie", "n": "es"},
    "dative": {"m": "ihm", "f": "ihr", "n": "ihm"},
}
REFLEXIVE = {
    "accusative": {"ich": "mich", "du": "dich", "er": "sich", "Sie": "sich"},
    "dative": {"ich": "mir", "du": "dir", "er": "sich", "Sie": "sich"},
}
CONTRACTION = {("von", "dem"): "vom", ("bei", "dem"): "beim"}

PRESENT = {
    "haben": {"ich": "habe", "du": "hast", "er": "hat", "Sie": "haben"},
    "sein": {"ich": "bin", "du": "bist", "er": "ist", "Sie": "sind"},
    "werden": {"er": "wird"},
}
PRETERITE = {
    "sein": {"ich": "war", "du": "warst", "er": "war", "Sie": "waren"},
    "werden": {"er": "wurde"},
}


@dataclass(frozen=True)
class Verb:
    """A German verb. `preterite` and `present` are those of the simple verb, `prefix` the separable
    part.

    present     the er form where it is irregular
    case        what the object stands in; with `preposition`, the case after it
    reflexive   the case of the reflexive pronoun, "" if there is none
    """

    infinitive: str
    preterite: str
    participle: str
    present: str = ""
    prefix: str = ""
    case: str = "accusative"
    auxiliary: str = "haben"
    preposition: str = ""
    reflexive: str = ""

    @property
    def simple(self) -> str:
        """Return the infinitive without its separable prefix."""
        return self.infinitive.removeprefix(self.prefix)


def finite(verb: Verb, tense: str) -> str:
    """Return the form for ich (past) and er of the simple verb, without its prefix; tense is
    "present" or "past".

    The past of du and Sie is always the Perfekt in this language, and there is no present of ich,
    du and Sie.
    """
    if tense == "past":
        return verb.preterite
    if verb.present:
        return verb.present
    stem = verb.simple.removesuffix("en")
    # arbeit-e-t, find-e-t, öffn-e-t, begegn-e-t: without the e nobody could say them.
    linking = "e" if re.search(r"[dt]$|(ch|[^aeiouäöülrhnm])[nm]$", stem) else ""
    return stem + linking + "t"


def article(determiner: str, gender: str, case: str) -> str:
    """Return the form of "der" or of an ein-word ("ein", "mein", "Ihr", ...) before a noun."""
    if determiner == "der":
        return DEFINITE[case][gender]
    return determiner + EIN_ENDING[case][gender]


def adjective_ending(determiner: str, gender: str, case: str) -> str:
    """Weak endings after "der", mixed endings after an ein-word."""
    table = ADJECTIVE_AFTER_DEFINITE if determiner == "der" else ADJECTIVE_AFTER_EIN
    return table[case][gender]
