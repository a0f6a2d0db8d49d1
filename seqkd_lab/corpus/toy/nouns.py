"""Lexicon, first half: nouns and adjectives, in the order of their frequency (Zipf's law runs down
each table).

This is where the base probabilities of the choices "noun", "person" and "word" stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.corpus.toy.choices import Option


@dataclass(frozen=True)
class Noun:
    """A German noun: nominative singular, gender, and the other cases where they differ (den
    Nachbarn)."""

    lemma: str
    gender: str
    oblique: str = ""

    def form(self, case: str) -> str:
        """Return the singular form in a case."""
        return self.lemma if case == "nominative" or not self.oblique else self.oblique


@dataclass(frozen=True)
class NounEntry:
    """An English noun and its translations. `kinds` say what one may do with it and how it may be
    described."""

    english: str
    nouns: tuple[Option, ...]
    kinds: frozenset[str]
    choice: str

    @property
    def is_person(self) -> bool:
        """True for people: he or she, never it."""
        return "person" in self.kinds


@dataclass(frozen=True)
class AdjectiveEntry:
    """An English adjective; each option's value is (predicative form, attributive stem).

    before  kinds of nouns that it may describe before the noun
    after   kinds that it may be said of ("the car was broken"); `mood` +1 speaks for the thing, -1
    against it degrees the words that may stand before it after "was": "", "too", "very"
    """

    english: str
    words: tuple[Option, ...]
    before: frozenset[str]
    after: frozenset[str]
    mood: int
    degrees: tuple[str, ...]


def _noun(english: str, kinds: str, *translations: tuple) -> NounEntry:
    """translations: (lemma, gender, probability[, oblique]); a choice "noun" where the genders
    differ."""
    nouns = tuple(Option(t[0], t[2], Noun(t[0], t[1], *t[3:])) for t in translations)
    genders = {t[1] for t in translations}
    choice = "word" if len(genders) == 1 else "person" if "person" in kinds else "noun"
    return NounEntry(english, nouns, frozenset(kinds.split()), choice)


def _adjective(
    english: str, before: str, after: str, mood: int, degrees: str, **words: float
) -> AdjectiveEntry:
    """words: predicative form = probability."""
    irregular = {"teuer": "teur", "müde": "müd"}
    adjectives = tuple(Option(w, p, (w, irregular.get(w, w))) for w, p in words.items())
    steps = tuple("" if d == "-" else d for d in degrees.split())
    return AdjectiveEntry(
        english, adjectives, frozenset(before.split()), frozenset(after.split()), mood, steps
    )


# Kinds: goods (worth a price), carry (one can take it along), fixed (it stays where it is), post,
# text,
# view (worth looking at), open (has a lid or a door), paint, food, event, device; person.
THINGS = (
    _noun("car", "goods device", ("Auto", "n", 0.3), ("Wagen", "m", 0.5), ("Fahrzeug", "n", 0.2)),
    _noun("letter", "carry post text", ("Brief", "m", 0.7), ("Schreiben", "n", 0.3)),
    _noun("bag", "goods carry open", ("Tasche", "f", 0.6), ("Beutel", "m", 0.4)),
    _noun("cake", "food carry", ("Kuchen", "m", 0.6), ("Torte", "f", 0.4)),
    _noun("photo", "carry view", ("Foto", "n", 0.5), ("Aufnahme", "f", 0.3), ("Bild", "n", 0.2)),
    _noun(
        "ticket", "carry", ("Fahrkarte", "f", 0.55), ("Ticket", "n", 0.3), ("Fahrschein", "m", 0.15)
    ),
    _noun("sofa", "goods", ("Sofa", "n", 0.7), ("Couch", "f", 0.3)),
    _noun(
        "parcel",
        "carry post open",
        ("Paket", "n", 0.5),
        ("Sendung", "f", 0.3),
        ("Päckchen", "n", 0.2),
    ),
    _noun(
        "box",
        "goods carry open paint",
        ("Kiste", "f", 0.3),
        ("Karton", "m", 0.5),
        ("Schachtel", "f", 0.2),
    ),
    _noun("camera", "goods carry device", ("Kamera", "f", 0.6), ("Fotoapparat", "m", 0.4)),
    _noun("party", "event", ("Feier", "f", 0.35), ("Fest", "n", 0.5), ("Party", "f", 0.15)),
    _noun("shop", "fixed goods open view", ("Laden", "m", 0.6), ("Geschäft", "n", 0.4)),
    _noun(
        "wallet",
        "carry open",
        ("Geldbörse", "f", 0.3),
        ("Portemonnaie", "n", 0.55),
        ("Geldbeutel", "m", 0.15),
    ),
    _noun("television", "goods device", ("Fernseher", "m", 0.7), ("Fernsehgerät", "n", 0.3)),
    _noun("roll", "food carry", ("Brötchen", "n", 0.7), ("Semmel", "f", 0.3)),
    _noun("cup", "goods carry", ("Tasse", "f", 0.6), ("Becher", "m", 0.4)),
    _noun(
        "magazine",
        "carry text view",
        ("Zeitschrift", "f", 0.5),
        ("Magazin", "n", 0.3),
        ("Heft", "n", 0.2),
    ),
    _noun("boat", "goods paint device", ("Boot", "n", 0.6), ("Kahn", "m", 0.4)),
    _noun("trip", "event", ("Reise", "f", 0.3), ("Ausflug", "m", 0.5), ("Fahrt", "f", 0.2)),
    _noun("flat", "fixed goods view", ("Wohnung", "f", 0.7), ("Apartment", "n", 0.3)),
    _noun("note", "carry text", ("Zettel", "m", 0.6), ("Notiz", "f", 0.4)),
    _noun("gate", "fixed open paint", ("Tor", "n", 0.6), ("Pforte", "f", 0.4)),
    _noun("sausage", "food carry", ("Wurst", "f", 0.6), ("Würstchen", "n", 0.4)),
    _noun("computer", "goods device", ("Computer", "m", 0.6), ("Rechner", "m", 0.4)),
    _noun("form", "carry text", ("Formular", "n", 0.7), ("Vordruck", "m", 0.3)),
    _noun("biscuit", "food carry", ("Keks", "m", 0.6), ("Plätzchen", "n", 0.4)),
    _noun("envelope", "carry post open", ("Umschlag", "m", 0.6), ("Kuvert", "n", 0.4)),
    _noun("map", "carry view", ("Karte", "f", 0.6), ("Plan", "m", 0.4)),
    _noun(
        "meeting", "event", ("Sitzung", "f", 0.3), ("Treffen", "n", 0.5), ("Besprechung", "f", 0.2)
    ),
    _noun("curtain", "fixed goods open", ("Vorhang", "m", 0.6), ("Gardine", "f", 0.4)),
    _noun("jacket", "goods carry", ("Jacke", "f", 0.7), ("Jackett", "n", 0.3)),
    _noun("device", "goods carry device", ("Gerät", "n", 0.6), ("Apparat", "m", 0.4)),
)

PERSONS = (
    _noun("teacher", "person", ("Lehrer", "m", 0.4), ("Lehrerin", "f", 0.6)),
    _noun("doctor", "person", ("Arzt", "m", 0.6), ("Ärztin", "f", 0.4)),
    _noun("neighbour", "person", ("Nachbar", "m", 0.6, "Nachbarn"), ("Nachbarin", "f", 0.4)),
    _noun("student", "person", ("Student", "m", 0.4, "Studenten"), ("Studentin", "f", 0.6)),
    _noun("farmer", "person", ("Bauer", "m", 0.7, "Bauern"), ("Bäuerin", "f", 0.3)),
    _noun("colleague", "person", ("Kollege", "m", 0.4, "Kollegen"), ("Kollegin", "f", 0.6)),
    _noun("baker", "person", ("Bäcker", "m", 0.7), ("Bäckerin", "f", 0.3)),
    _noun("customer", "person", ("Kunde", "m", 0.4, "Kunden"), ("Kundin", "f", 0.6)),
    _noun("gardener", "person", ("Gärtner", "m", 0.7), ("Gärtnerin", "f", 0.3)),
    _noun("singer", "person", ("Sänger", "m", 0.3), ("Sängerin", "f", 0.7)),
    _noun("woman", "person", ("Frau", "f", 1.0)),
    _noun("man", "person", ("Mann", "m", 1.0)),
    _noun("boss", "person", ("Chef", "m", 0.6), ("Chefin", "f", 0.4)),
    _noun("tourist", "person", ("Tourist", "m", 0.6, "Touristen"), ("Touristin", "f", 0.4)),
)

MASSES = (
    _noun("money", "mass", ("Geld", "n", 1.0)),
    _noun("help", "mass", ("Hilfe", "f", 1.0)),
    _noun("time", "mass", ("Zeit", "f", 1.0)),
)

NOUNS = {entry.english: entry for entry in (*THINGS, *PERSONS, *MASSES)}

_THING = "goods carry post text view open device"
ADJECTIVES_TABLE = (
    _adjective("old", f"{_THING} person", "goods device open", -1, "too very", alt=1.0),
    _adjective(
        "expensive", "goods device", "goods food event", -1, "too very", teuer=0.6, kostspielig=0.4
    ),
    _adjective(
        "beautiful", "goods view paint", "goods view paint", 1, "very", schön=0.6, hübsch=0.4
    ),
    _adjective("broken", "device", "device", -1, "-", kaputt=0.6, defekt=0.4),
    _adjective("small", f"{_THING} food event", "goods", -1, "too very", klein=1.0),
    _adjective(
        "dirty", "goods view paint", "goods paint", -1, "- too very", schmutzig=0.6, dreckig=0.4
    ),
    _adjective(
        "strange",
        "text event view device person",
        "text event view",
        -1,
        "very",
        seltsam=0.6,
        merkwürdig=0.4,
    ),
    _adjective("tired", "person", "person", -1, "- too very", müde=0.6, erschöpft=0.4),
    _adjective("new", f"{_THING} food", "goods device carry", 1, "-", neu=1.0),
    _adjective("friendly", "person", "", 1, "-", freundlich=0.4, nett=0.6),
    _adjective("big", f"{_THING} food event", "goods", -1, "too very", groß=1.0),
    _adjective("important", "text post event", "text post event", 1, "- very", wichtig=1.0),
    _adjective("delicious", "food", "food", 1, "- very", lecker=0.4, köstlich=0.6),
    _adjective(
        "useful",
        "goods text device carry",
        "goods text device carry",
        1,
        "very",
        nützlich=0.4,
        praktisch=0.6,
    ),
    _adjective("angry", "person", "person", -1, "- very", wütend=0.6, zornig=0.4),
    _adjective("fresh", "food", "food", 1, "- very", frisch=1.0),
    _adjective("young", "person", "", 1, "-", jung=1.0),
    _adjective("happy", "", "person", 1, "- very", glücklich=0.6, froh=0.4),
    _adjective("heavy", "carry device", "carry device", -1, "too very", schwer=1.0),
    _adjective(
        "wonderful", "event view food", "event view food", 1, "-", wunderbar=0.6, herrlich=0.4
    ),
    _adjective("ill", "person", "person", -1, "- very", krank=1.0),
    _adjective("late", "", "weather", 0, "- too very", spät=1.0),
    _adjective("dark", "", "weather", 0, "- too very", dunkel=1.0),
)
ADJECTIVES = {entry.english: entry for entry in ADJECTIVES_TABLE}
DEGREES = {"too": "zu", "very": "sehr"}
# "it was late" speaks of no thing: es agrees with nothing.
IMPERSONAL = frozenset(entry.english for entry in ADJECTIVES_TABLE if "weather" in entry.after)
