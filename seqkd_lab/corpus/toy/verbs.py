"""Lexicon, second part: verbs, in the order of their frequency.

This is where the base probabilities of "verb", "prefix" and "voice" stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.corpus.toy.choices import Option
from seqkd_lab.corpus.toy.inflection import Verb


@dataclass(frozen=True)
class VerbEntry:
    """An English verb (past, and third person of the present: "" where it has none) and its
    translations.

    objects  kinds of nouns that it takes ("" for an intransitive verb)
    mood     +1 done to things one likes, -1 to things one does not, 0 either
    passive  the base probability of the passive, 0 where there is none
    formal   True where one rather says Sie
    places   True where "at the station" and the like may follow
    later    True where it may be said of a thing named before ("and she cleaned it")
    """

    past: str
    third: str
    verbs: tuple[Option, ...]
    choice: str
    objects: str
    mood: int = 0
    passive: float = 0.0
    formal: bool = False
    places: bool = True
    later: bool = True


def _verb(
    forms: str,
    choice: str,
    objects: str,
    *translations: tuple[float, Verb],
    mood: int = 0,
    passive: float = 0.0,
    formal: bool = False,
    places: bool = True,
    later: bool = True,
) -> VerbEntry:
    past, _, third = (form.replace("_", " ") for form in forms.partition(" "))
    options = tuple(Option(verb.infinitive, p, verb) for p, verb in translations)
    return VerbEntry(past, third, options, choice, objects, mood, passive, formal, places, later)


def _v(
    forms: str,
    present: str = "",
    prefix: str = "",
    case: str = "accusative",
    auxiliary: str = "haben",
    preposition: str = "",
    reflexive: str = "",
) -> Verb:
    """forms: infinitive, preterite, participle; present: the er form where it is irregular."""
    infinitive, preterite, participle = forms.split()
    return Verb(
        infinitive, preterite, participle, present, prefix, case, auxiliary, preposition, reflexive
    )


# fmt: off
THING_VERBS = (
    _verb("opened opens", "prefix", "open", (0.4, _v("öffnen öffnete geöffnet")),
          (0.6, _v("aufmachen machte aufgemacht", prefix="auf")), passive=0.3),
    _verb("bought buys", "prefix", "goods", (0.55, _v("kaufen kaufte gekauft")),
          (0.15, _v("erwerben erwarb erworben", "erwirbt")),
          (0.3, _v("anschaffen schaffte angeschafft", prefix="an", reflexive="dative")),
          mood=1, passive=0.3),
    _verb("forgot", "prefix", "carry", (0.6, _v("vergessen vergaß vergessen", "vergisst")),
          (0.4, _v("liegenlassen ließ liegengelassen", "lässt", prefix="liegen")), mood=-1),
    _verb("sold sells", "word", "goods", (1.0, _v("verkaufen verkaufte "
                                                  "verkauft")), mood=-1, passive=0.35),
    _verb("found", "word", "carry goods", (0.6, _v("finden fand gefunden")),
          (0.4, _v("entdecken entdeckte entdeckt")), mood=1, passive=0.3),
    _verb("cleaned cleans", "prefix", "goods paint", (0.5, _v("reinigen reinigte gereinigt")),
          (0.3, _v("saubermachen machte saubergemacht", prefix="sauber")), (0.2, _v("putzen putzte "
                                                                                    "geputzt")),
          mood=-1, passive=0.35),
    _verb("sent", "prefix", "post", (0.6, _v("abschicken schickte abgeschickt", prefix="ab")),
          (0.4, _v("versenden versandte versandt")), passive=0.6, formal=True, places=False),
    _verb("looked_at", "prefix", "view text goods", (0.35, _v("betrachten betrachtete betrachtet")),
          (0.45, _v("ansehen sah angesehen", "sieht", prefix="an", reflexive="dative")),
          (0.2, _v("anschauen schaute angeschaut", prefix="an", reflexive="dative")), mood=1),
    _verb("ate eats", "prefix", "food", (0.4, _v("essen aß gegessen", "isst")),
          (0.6, _v("aufessen aß aufgegessen", "isst", prefix="auf")), mood=1, passive=0.2),
    _verb("repaired repairs", "prefix", "device", (0.6, _v("reparieren reparierte repariert")),
          (0.4, _v("instandsetzen setzte instandgesetzt", prefix="instand")), mood=-1, passive=0.6),
    _verb("planned", "prefix", "event", (0.6, _v("planen plante geplant")),
          (0.4, _v("vorbereiten bereitete "
                   "vorbereitet", prefix="vor")), mood=1, passive=0.6, places=False),
    _verb("brought brings", "prefix", "food carry", (0.6, _v("mitbringen brachte "
                                                             "mitgebracht", prefix="mit")),
          (0.4, _v("bringen brachte gebracht")), mood=1, passive=0.2, places=False),
    _verb("received", "word", "post text", (0.6, _v("erhalten erhielt erhalten", "erhält")),
          (0.4, _v("bekommen bekam bekommen")), mood=1, formal=True, later=False),
    _verb("closed", "prefix", "open", (0.6, _v("schließen schloss geschlossen")),
          (0.4, _v("zumachen machte zugemacht", prefix="zu")), passive=0.3, places=False),
    _verb("collected collects", "prefix", "post food", (0.7, _v("abholen holte "
                                                                "abgeholt", prefix="ab")),
          (0.3, _v("holen holte geholt")), passive=0.35),
    _verb("hid", "verb", "carry", (0.6, _v("verstecken versteckte versteckt")),
          (0.4, _v("verbergen verbarg verborgen", "verbirgt")), passive=0.3),
    _verb("checked", "prefix", "text", (0.4, _v("überprüfen überprüfte überprüft")),
          (0.6, _v("durchsehen sah "
                   "durchgesehen", "sieht", prefix="durch")), passive=0.6, formal=True),
    _verb("painted", "prefix", "paint", (0.4, _v("streichen strich gestrichen")),
          (0.6, _v("anmalen malte angemalt", prefix="an")), mood=-1, passive=0.35),
    _verb("cancelled", "word", "event", (1.0, _v("absagen sagte abgesagt", prefix="ab")),
          mood=-1, passive=0.4, places=False),
    _verb("discarded", "prefix", "carry text food", (0.7, _v("wegwerfen warf "
                                                             "weggeworfen", "wirft", prefix="weg")),
          (0.3, _v("entsorgen entsorgte entsorgt")), mood=-1, passive=0.3, places=False),
)

PERSON_VERBS = (
    _verb("helped helps", "verb", "person", (0.3, _v("helfen half "
                                                     "geholfen", "hilft", case="dative")),
          (0.5, _v("unterstützen unterstützte unterstützt")),
          (0.2, _v("beistehen stand beigestanden", prefix="bei", case="dative"))),
    _verb("met", "verb", "person", (0.4, _v("treffen traf getroffen", "trifft")),
          (0.6, _v("begegnen begegnete begegnet", case="dative", auxiliary="sein"))),
    _verb("thanked", "verb", "person", (0.6, _v("danken dankte gedankt", case="dative")),
          (0.4, _v("bedanken bedankte "
                   "bedankt", case="dative", preposition="bei", reflexive="accusative")),
          places=False),
    _verb("phoned phones", "verb", "person", (0.6, _v("anrufen rief angerufen", prefix="an")),
          (0.4, _v("telefonieren telefonierte telefoniert", case="dative", preposition="mit"))),
    _verb("followed", "verb", "person", (0.6, _v("folgen folgte "
                                                 "gefolgt", case="dative", auxiliary="sein")),
          (0.4, _v("verfolgen verfolgte verfolgt"))),
    _verb("watched watches", "verb", "person", (0.5, _v("beobachten beobachtete beobachtet")),
          (0.15, _v("zuschauen schaute zugeschaut", prefix="zu", case="dative")),
          (0.35, _v("zusehen sah zugesehen", "sieht", prefix="zu", case="dative"))),
    _verb("congratulated", "verb", "person", (0.6, _v("gratulieren gratulierte "
                                                      "gratuliert", case="dative")),
          (0.4, _v("beglückwünschen beglückwünschte beglückwünscht"))),
    _verb("visited visits", "prefix", "person", (0.6, _v("besuchen besuchte besucht")),
          (0.4, _v("aufsuchen suchte aufgesucht", prefix="auf"))),
)

INTRANSITIVE_VERBS = (
    _verb("slept sleeps", "word", "", (1.0, _v("schlafen schlief geschlafen", "schläft"))),
    _verb("arrived", "prefix", "", (0.6, _v("ankommen kam "
                                            "angekommen", prefix="an", auxiliary="sein")),
          (0.4, _v("eintreffen traf eingetroffen", "trifft", prefix="ein", auxiliary="sein"))),
    _verb("worked works", "word", "", (1.0, _v("arbeiten arbeitete gearbeitet"))),
    _verb("waited waits", "word", "", (1.0, _v("warten wartete gewartet"))),
    _verb("left", "verb", "", (0.6, _v("weggehen ging "
                                       "weggegangen", prefix="weg", auxiliary="sein")),
          (0.4, _v("aufbrechen brach "
                   "aufgebrochen", "bricht", prefix="auf", auxiliary="sein")), places=False),
)

MASS_VERBS = (
    _verb("needed needs", "word", "mass", (0.6, _v("brauchen brauchte gebraucht")),
          (0.4, _v("benötigen benötigte benötigt")), places=False, later=False),
)
# fmt: on

VERBS_TABLE = (*THING_VERBS, *PERSON_VERBS, *INTRANSITIVE_VERBS, *MASS_VERBS)
VERBS = {entry.past: entry for entry in VERBS_TABLE}
