"""Lexicon, third part: adverbials, in the order of their frequency, and connectives.

This is where the base probabilities of "connective" and of the adverbials' "word" stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.corpus.toy.choices import Option


@dataclass(frozen=True)
class AdverbialEntry:
    """An English adverbial and its translations (each option's label is the German phrase)."""

    english: str
    phrases: tuple[Option, ...]
    tenses: str
    spoken: bool = False


def _adverbial(
    english: str, tenses: str, phrases: dict[str, float], spoken: bool = False
) -> AdverbialEntry:
    translations = tuple(Option(phrase, p, tuple(phrase.split())) for phrase, p in phrases.items())
    return AdverbialEntry(english, translations, tenses, spoken)


# `spoken` adverbials make the Perfekt the more probable tense.
TIMES_TABLE = (
    _adverbial("last week", "past", {"letzte Woche": 0.6, "vorige Woche": 0.4}),
    _adverbial("yesterday", "past", {"gestern": 1.0}, spoken=True),
    _adverbial("recently", "past", {"neulich": 0.4, "kürzlich": 0.6}, spoken=True),
    _adverbial("in the evening", "past present", {"am Abend": 0.6, "abends": 0.4}),
    _adverbial("this morning", "past", {"heute Morgen": 0.6, "heute früh": 0.4}, spoken=True),
    _adverbial("finally", "past", {"endlich": 0.4, "schließlich": 0.6}),
    _adverbial("today", "past present", {"heute": 1.0}, spoken=True),
    _adverbial("on monday", "past present", {"am Montag": 1.0}),
    _adverbial("often", "present", {"oft": 0.6, "häufig": 0.4}),
    _adverbial("in summer", "past present", {"im Sommer": 1.0}),
)
PLACES_TABLE = (
    _adverbial("at home", "past present", {"zu Hause": 0.7, "daheim": 0.3}),
    _adverbial("at the station", "past present", {"am Bahnhof": 1.0}),
    _adverbial("in the garden", "past present", {"im Garten": 1.0}),
    _adverbial("in the city", "past present", {"in der Stadt": 1.0}),
    _adverbial("at the office", "past present", {"im Büro": 1.0}),
    _adverbial("in the kitchen", "past present", {"in der Küche": 1.0}),
    _adverbial("in the village", "past present", {"im Dorf": 1.0}),
    _adverbial("at the market", "past present", {"auf dem Markt": 1.0}),
)
TIMES = {entry.english: entry for entry in TIMES_TABLE}
PLACES = {entry.english: entry for entry in PLACES_TABLE}

# German connectives by the place of the finite verb in their clause: "last" (subordinate), "second"
# (the connective
# stands outside the clause), "inverted" (the connective itself stands before the finite verb).
VERB_POSITION = {
    **dict.fromkeys(("weil", "da", "obwohl", "obgleich", "bevor", "ehe"), "last"),
    **dict.fromkeys(("denn", "aber", "doch", "und"), "second"),
    **dict.fromkeys(("deshalb", "darum", "also"), "inverted"),
}


def _connective(**probabilities: float) -> tuple[Option, ...]:
    return tuple(Option(word, p) for word, p in probabilities.items())


# The second list is for clauses with "was": which connective is the mode depends on the source.
CONNECTIVES = {
    "because": (
        _connective(weil=0.3, denn=0.55, da=0.15),
        _connective(weil=0.55, denn=0.3, da=0.15),
    ),
    "but": (_connective(aber=0.65, doch=0.35), _connective(aber=0.35, doch=0.65)),
    "and": (_connective(und=1.0),) * 2,
    "although": (_connective(obwohl=0.7, obgleich=0.3), _connective(obwohl=0.7, obgleich=0.3)),
    "so": (
        _connective(deshalb=0.55, also=0.3, darum=0.15),
        _connective(deshalb=0.3, also=0.55, darum=0.15),
    ),
    "before": (_connective(bevor=0.65, ehe=0.35),) * 2,
}
COMMA_IN_ENGLISH = frozenset({"but", "so"})
