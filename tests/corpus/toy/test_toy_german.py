"""German as a native speaker writes it: pairs judged by hand, and the explanations of wrong
ones."""

# ruff: noqa: E501 (a pair of sentences is read on one line)

from __future__ import annotations

import math
import random
import re

import pytest

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.adverbials import CONNECTIVES, VERB_POSITION
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.inflection import DEFINITE, finite
from seqkd_lab.corpus.toy.nouns import ADJECTIVES_TABLE, NOUNS
from seqkd_lab.corpus.toy.verbs import VERBS_TABLE

LANGUAGE = ToyLanguage()

RIGHT = """
the doctor slept . | der Arzt schlief .
the doctor slept . | die Ärztin hat geschlafen .
the old teacher helped a doctor . | die alte Lehrerin unterstützte einen Arzt .
the old teacher helped a doctor . | der alte Lehrer half einer Ärztin .
the old teacher helped a doctor . | der alte Lehrer hat einem Arzt beigestanden .
yesterday the man sold his old car . | gestern verkaufte der Mann sein altes Auto .
yesterday the man sold his old car . | der Mann hat gestern seinen alten Wagen verkauft .
the neighbour opened a small parcel . | der Nachbar machte ein kleines Päckchen auf .
the neighbour opened a small parcel . | eine kleine Sendung ist vom Nachbarn geöffnet worden .
you met the student . | Sie sind dem Studenten begegnet .
you met the student . | du hast die Studentin getroffen .
I thanked my colleague . | ich bedankte mich bei meiner Kollegin .
I thanked my colleague . | ich habe meinem Kollegen gedankt .
you looked at your photo because it was important . | Sie haben sich Ihr Foto angesehen , weil es wichtig war .
you looked at your photo because it was important . | du hast deine Aufnahme betrachtet , denn sie war wichtig .
the car was broken , so the gardener repaired it . | der Wagen war kaputt , deshalb setzte der Gärtner ihn instand .
the car was broken , so the gardener repaired it . | das Auto war defekt , also wurde es von der Gärtnerin repariert .
the car was broken , so the gardener repaired it . | der Wagen war kaputt , darum reparierte ihn die Gärtnerin .
the woman ate the cake before she left . | die Frau aß die Torte auf , bevor sie wegging .
the woman ate the cake before she left . | die Frau hat den Kuchen aufgegessen , ehe sie aufgebrochen ist .
the man sold the sofa because it was too old and the woman bought it . | der Mann verkaufte das Sofa , weil es zu alt war , und die Frau schaffte es sich an .
the man sold the sofa because it was too old and the woman bought it . | der Mann verkaufte die Couch , denn sie war zu alt und die Frau kaufte sie .
the man followed a singer at the station . | der Mann folgte am Bahnhof einer Sängerin .
the boss phoned the doctor although he was ill . | der Chef hat mit der Ärztin telefoniert , obwohl er krank war .
the man sold the flat , but it was dark . | der Mann hat das Apartment verkauft , doch es war dunkel .
often the man opens the shop . | oft macht der Mann den Laden auf .
an angry student watches the gardener . | eine wütende Studentin sieht dem Gärtner zu .
"""

# Each line: source | wrong translation | the right word at that place | what the rule names
WRONG = """
the old teacher helped a doctor . | die alte Lehrerin unterstützte einem Arzt . | einen | unterstützen governs the accusative
the old teacher helped a doctor . | der alte Lehrer half einen Arzt . | einem | helfen governs the dative
the man sold the old car . | der Mann verkaufte den alten Auto . | Wagen | Wagen is masculine
the man sold the old car . | der Mann verkaufte das alten Auto . | alte | the adjective's ending after 'das'
the man sold the old car . | der Mann verkaufte ein altes Auto . | das | Auto is neuter|Wagen is masculine|Fahrzeug is neuter
the man sold the old car . | der Mann verkaufte die alten Wagen . | den | Wagen is masculine
the man sold a small bag . | der Mann verkaufte ein kleines Beutel . | einen | Beutel is masculine
the man sold a new car . | der Mann verkaufte ein neue Auto . | neues | the adjective's ending after 'ein'
the man sold a new car . | der Mann verkaufte einen neuer Wagen . | neuen | accusative
the man sold the car because it was broken . | der Mann verkaufte den Wagen , weil es kaputt war . | er | antecedent Wagen, which is masculine
the man sold the car because it was broken . | der Mann verkaufte das Auto , denn sie war kaputt . | es | antecedent Auto, which is neuter
the man sold the car because it was broken . | der Mann verkaufte den Wagen , weil er war kaputt . | kaputt | the finite verb stands last in a subordinate clause
the man sold the car because it was broken . | der Mann verkaufte den Wagen , denn er kaputt war . | war | the finite verb stands second
the man sold the car because it was broken . | der Mann verkaufte den Wagen weil er kaputt war . | , | comma
the neighbour opened the box . | der Nachbar machte die Kiste . | auf | separable prefix of aufmachen
the neighbour opened the box . | der Nachbar aufmachte die Kiste . | machte | the finite verb stands second
the neighbour opened the box . | die Kiste wurde vom Nachbarin geöffnet . | Nachbarn | Nachbar is masculine and stands in the dative
yesterday the man slept . | gestern der Mann schlief . | schlief | the finite verb stands second
you met the student . | du hast dem Studenten begegnet . | den | treffen governs the accusative
you met the student . | du bist den Studenten begegnet . | dem | begegnen governs the dative
you met the student . | du haben den Studenten getroffen . | hast | agrees with du
you sold your boat because you needed money . | du hast dein Boot verkauft , weil Sie Geld gebraucht haben . | du | form of address
you sold your boat because you needed money . | Sie haben dein Boot verkauft , weil Sie Geld gebraucht haben . | Ihr | Sie is the form of address
the man bought a boat and the woman painted it . | der Mann kaufte einen Kahn und die Frau hat ihn angemalt . | malte | Präteritum
the man slept because he was tired . | der Mann schlief , weil sie müde war . | er | 'he' in the source
the man slept because he was tired . | der Mann schlief , weil er müder war . | müde | no ending
the man slept because he was tired . | der Mann schlief , weil er müde war | . | the sentence ends
the man slept because he was tired . | der Mann schlief zzz , weil er müde war . | , | no word of the toy language
I thanked the doctor . | ich bedankte sich beim Arzt . | mich | bedanken is reflexive
the man planned a trip . | der Mann hat einen Ausflug plante . | geplant | participle of planen
I thanked the woman . | ich bedankte mich beim Frau . | bei | beim is bei . dem, but after bei comes 'der' here: Frau
the man opened the box . | die Kiste wurde von Mann geöffnet . | vom | vom is von . dem; Mann is masculine
a singer bought your old car . | dein Sänger | alter | 'Sänger' translates 'singer', but 'dein' begins .*'your old car'
the man sold a new car . | der Mann verkaufte einen neuen Hund . | Wagen | 'Hund' is no word
the man sold a new car . | der Mann verkaufte einen neuen Kahn . | Wagen | 'Kahn' translates no word of the source
the man sold a new car . | der Mann verkaufte den neuen Wagen . | einen | the source has 'a'
the student slept because she was tired . | der Student schlief | die | Studentin is feminine .'she' or 'her' refers
the student sold the old boat because she needed money . | der Student | alte | the student, the first .*'the old boat'
you watched the singer . | du hast der Sängerin beobachtet . | zugesehen | beobachten, which governs the accusative; .*dative
the box was new and a teacher hid it . | die Kiste war neu und die hat | eine | the source has 'a'
the box was old , so a teacher hid it . | die Kiste war alt , darum hat sie eine Lehrerin | ein | could be an accusative
last week the man met the farmer . | der Mann traf den Bauern . | letzte | the clause is not complete: 'letzte'
the man slept and the woman left . | der Mann schlief . | , | the source has a further clause
"""


def rows(table: str, columns: int) -> list[tuple[str, ...]]:
    return [tuple(line.split(" | ", columns - 1)) for line in table.strip().splitlines()]


@pytest.mark.parametrize(("source", "target"), rows(RIGHT, 2))
def test_right_german_is_valid(source, target):
    assert LANGUAGE.explain(source.split(), target.split()) is None
    assert -math.inf < LANGUAGE.log_prob(source.split(), target.split()) < 0.0


@pytest.mark.parametrize(("source", "target", "right", "rule"), rows(WRONG, 4))
def test_wrong_german_is_explained(source, target, right, rule):
    source, target = tuple(source.split()), tuple(target.split())
    assert not LANGUAGE.is_valid(source, target)
    assert LANGUAGE.log_prob(source, target) == -math.inf
    violation = LANGUAGE.explain(source, target)
    assert violation.found == (*target, "</s>")[violation.position]
    assert right in violation.expected
    assert re.search(rule, violation.rule), violation.rule
    assert violation.found not in violation.expected
    assert set(violation.expected) == set(LANGUAGE.next_token(source, target[: violation.position]))
    assert f"word {violation.position + 1} '{violation.found}'" in str(violation)


@pytest.mark.parametrize(
    ("verb", "present", "past"),
    [
        ("öffnen", "öffnet", "öffnete"),
        ("ansehen", "sieht", "sah"),
        ("arbeiten", "arbeitet", "arbeitete"),
        ("helfen", "hilft", "half"),
        ("putzen", "putzt", "putzte"),
        ("aufessen", "isst", "aß"),
        ("reinigen", "reinigt", "reinigte"),
        ("abholen", "holt", "holte"),
        ("warten", "wartet", "wartete"),
    ],
)
def test_verb_forms(verb, present, past):
    found = {o.value.infinitive: o.value for entry in VERBS_TABLE for o in entry.verbs}[verb]
    assert (finite(found, "present"), finite(found, "past")) == (present, past)


def test_the_tables_are_sound():
    for entry in (*NOUNS.values(),):
        assert math.isclose(sum(option.probability for option in entry.nouns), 1.0)
        assert all(
            option.value.gender in "mfn" and option.label[0].isupper() for option in entry.nouns
        )
    for choice in (
        [e.verbs for e in VERBS_TABLE]
        + [e.words for e in ADJECTIVES_TABLE]
        + [row for rows in CONNECTIVES.values() for row in rows]
    ):
        assert math.isclose(sum(option.probability for option in choice), 1.0)
        probabilities = sorted(option.probability for option in choice)
        assert len(probabilities) == 1 or probabilities[-1] > probabilities[-2]  # one clear mode
    for verb in (option.value for entry in VERBS_TABLE for option in entry.verbs):
        assert verb.infinitive.startswith(verb.prefix) and verb.participle.startswith(verb.prefix)
    assert {label for rows in CONNECTIVES.values() for row in rows for label, *_ in row} == set(
        VERB_POSITION
    )


def test_articles_agree_with_their_nouns():
    # Independent of the renderer: an article directly before a noun must be one of that noun's
    # articles.
    genders = {
        o.value.form(case): o.value.gender
        for e in NOUNS.values()
        for o in e.nouns
        for case in DEFINITE
    }
    rng = random.Random(21)
    seen = 0
    for _ in range(400):
        _, target = LANGUAGE.sample(rng)
        for word, following in zip(target, target[1:], strict=False):
            if word in ("der", "die", "das", "den", "dem") and following in genders:
                seen += 1
                assert word in {DEFINITE[case][genders[following]] for case in DEFINITE}
    assert seen > 200


def test_verb_places():
    # Independent of the renderer: after weil, da, obwohl, ... the last word before the next mark is
    # a finite verb.
    rng = random.Random(22)
    last = {
        "war",
        "warst",
        "waren",
        "hat",
        "habe",
        "hast",
        "haben",
        "ist",
        "bin",
        "bist",
        "sind",
        "wurde",
        "wird",
    }
    last |= {
        v.prefix + finite(v, tense)
        for e in VERBS_TABLE
        for o in e.verbs
        for v in [o.value]
        for tense in ("past", "present")
    }
    seen = 0
    for _ in range(400):
        _, target = LANGUAGE.sample(rng)
        for clause in " ".join(target).split(" , ")[1:]:
            words = clause.removesuffix(" .").split()
            if VERB_POSITION.get(words[0]) == "last":
                seen += 1
                assert words[-1] in last, target
            elif VERB_POSITION.get(words[0]) == "inverted":
                assert words[1] in last, target
    assert seen > 80


def test_detokenise():
    assert detokenise("das Auto ist alt , aber schön .".split()) == "Das Auto ist alt, aber schön."
    assert detokenise(()) == ""
