"""Lesson 01: the kinds of choice, what each costs if it is forgotten, and sentences that are true
of their numbers."""

from __future__ import annotations

import math

import pytest

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.language import notebook as language
from seqkd_lab.lab.language.ambiguity import (
    ALL,
    FAMILIES,
    SOURCES,
    Measures,
    Setting,
    Sweep,
    some_sources,
)
from seqkd_lab.lab.language.kinds import KINDS, alone, marked, translations_alone
from seqkd_lab.lab.language.measures import Cost, Costs, next_of_the_forgetful
from seqkd_lab.lab.language.words import pronouns_in
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.predictions import CANNOT_TELL

LANGUAGE = ToyLanguage()
TICKET = LANGUAGE.targets(lesson.TICKET)


def made_up(**forgetting: float) -> Costs:
    """Costs of two sentences, alike; the entropy of each kind is 0.5, and its cost 0.1 where it is
    not given."""
    of = {name: Cost((0.5, 0.5), (forgetting.get(name, 0.1),) * 2) for name in SOURCES}
    return Costs(of, Cost((5.0, 6.0), (forgetting.get("together", 1.0),) * 2))


def sweep_of(noun_off: str, noun_on: str, word: tuple[float, float]) -> Sweep:
    def setting(texts: str, forgetting: float, entropy: float) -> Setting:
        return Setting(
            Measures(entropy, forgetting, 1.0, 1.0),
            tuple((text, 0.1) for text in texts.split("|")),
            (),
        )

    settings = {
        ("noun", 0.0): setting(noun_off, 1.0, 4.0),
        ("noun", 1.0): setting(noun_on, 2.0, 5.0),
        ("word", 0.0): setting("", word[0], 4.0),
        ("word", 1.0): setting("", word[1], 5.0),
        (ALL, 0.0): setting("", 0.0, 0.0),
        (ALL, 1.0): setting("", 2.0, 5.0),
    }
    return Sweep(lesson.TICKET, 2, (0.0, 1.0), settings)


class TestKinds:
    def test_every_kind_stands_in_the_order_of_its_family(self):
        assert [kind.name for kind in KINDS] == [
            name for names in FAMILIES.values() for name in names
        ]

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
    def test_its_two_translations_are_valid_and_differ_in_this_choice_alone(self, kind):
        (first, p), (second, q), *_ = translations_alone(kind)
        assert p >= q > 0.0 and first != second
        only = ToyLanguage(alone(kind.name))
        chosen = [only.choices(kind.source, translation) for translation in (first, second)]
        assert chosen[0] != chosen[1]
        assert {name.split()[0] for choices in chosen for name in choices} == {kind.name}
        assert all(LANGUAGE.is_valid(kind.source, translation) for translation in (first, second))

    def test_the_table_shows_every_kind_and_what_differs(self):
        table = language.kinds_table().text
        assert all(f"| `{name}` |" in table for name in SOURCES)
        assert all(f"**{family}**" in table for family in FAMILIES)
        assert "**Meine Fahrkarte** war neu und der Arzt versteckte **sie**." in table

    def test_what_differs_is_in_bold(self):
        assert marked("er kam an .".split(), "sie kam , an .".split()) == (
            "**Er** kam an.",
            "**Sie** kam **,** an.",
        )
        assert marked("das war rot .".split(), "das war rot .".split()) == (
            "Das war rot.",
            "Das war rot.",
        )


class TestTicket:
    def test_sizes(self):
        assert [language.size_of(n) for n in (1, 9, 10, 49, 50, 96, 199, 200, 5000)] == [
            language.SIZES[place] for place in (0, 0, 1, 1, 2, 2, 2, 3, 3)
        ]

    def test_ranges_are_tight_and_hold(self):
        drawn = language.draws(LANGUAGE, lesson.TICKET, 2000)
        for expectation in (
            language.expected_share(drawn, TICKET),
            language.expected_surprise(drawn, TICKET),
        ):
            assert expectation.held and expectation.high - expectation.low < 0.15
        biased = [language.mode_of(TICKET)] * 2000
        assert not language.expected_share(biased, TICKET).held

    def test_clauses_multiply_to_all_translations(self):
        text = language.clauses_in_words(LANGUAGE, lesson.TICKET).text
        assert f"= {len(TICKET)} translations" in text and "0.55" in text

    def test_entropy_and_mode_are_quoted(self):
        H = LANGUAGE.entropy(lesson.TICKET)
        text = language.entropy_in_words(TICKET).text
        assert (
            f"{H:.2f} nats" in text
            and f"{math.exp(H):.0f} equally likely" in text
            and f"{math.log(96):.2f}" in text
        )
        assert "p = 0.059" in language.mode_in_words(TICKET).text

    def test_kinds_that_occur_and_those_that_do_not(self):
        text = language.choices_in_words(LANGUAGE, lesson.TICKET).text
        occur, absent = text.split("do not occur")
        assert "6 of the 11 kinds" in occur and "`tense` (Präteritum)" in occur
        assert all(
            f"`{name}`" in absent for name in ("prefix", "address", "order", "adverb", "word")
        )

    def test_the_forgetful_expects_what_stands_there_in_all_translations(self):
        expected = next_of_the_forgetful(TICKET, 8, "versteckte")
        assert expected == pytest.approx({"sie": 0.55, "es": 0.3, "ihn": 0.15})
        text = language.forgetful_in_words(TICKET, language.mode_of(TICKET))
        assert (
            "At *sie*, by 0.60 nats" in text
            and "At *.*, by 0.43 nats" in text
            and "*versteckt*" in text
        )
        assert language.forgetful_in_words({("a", "b"): 1.0}, ("a", "b")).startswith("Nowhere")

    def test_the_broken_agreement_is_explained(self):
        text = language.broken_in_words(LANGUAGE, lesson.TICKET, language.mode_of(TICKET)).text
        assert "versteckte es." in text and "Fahrkarte" in text

    def test_what_each_kind_costs_alone(self):
        text = language.ticket_costs(lesson.TICKET).text
        assert "| `noun` | 0.97 | 0.97 |" in text and "| `person` | 0.67 | 0.00 |" in text
        assert "only `noun` and `tense` must be remembered" in text and "`word`" not in text

    def test_a_choice_is_paid_for_at_every_word_that_depends_on_it(self):
        text = language.paid_again(language.TENSE_SOURCE, "tense")
        assert "*abgeholt*, *hat* and *gefunden*" in text and "3.0 times the entropy" in text


class TestCosts:
    def test_alone_and_together(self):
        sources = some_sources(3)
        heard = []
        costs = language.costs(sources, watch=lambda done, total: heard.append((done, total)))
        assert heard[-1] == (12, 12) and costs.n_sentences == 3 and set(costs.of) == set(SOURCES)
        for name in FAMILIES["free choices"]:
            assert max(costs.of[name].forgetting) == pytest.approx(0.0, abs=1e-12)
        assert costs.total("entropy") == pytest.approx(sum(map(LANGUAGE.entropy, sources)) / 3)

    def test_the_largest_is_named_only_where_the_sentences_decide(self):
        names = ("noun", "tense", "word")
        of = {
            "noun": Cost((1.0, 1.1, 0.9), (0.1,) * 3),
            "tense": Cost((2.0, 2.1, 1.9), (0.2,) * 3),
            "word": Cost((1.0, 2.5, 0.9), (0.0,) * 3),
        }
        costs = Costs(of, of["noun"])
        assert costs.largest(names, "forgetting") == "tense"
        assert costs.largest(names, "entropy") == CANNOT_TELL
        assert costs.largest(("noun", "tense"), "entropy") == "tense"

    def test_the_explanation_names_what_was_measured(self):
        text = language.explained(made_up(tense=0.6, noun=0.3)).text
        assert (
            "costs most to forget is `tense`, one of the decisions about the clause: 0.60" in text
        )
        assert "`noun` occurs in 100% of the sentences and costs 0.60 times" in text
        assert "the ticket's costliest kind, too" in language.explained(made_up(noun=0.6)).text

    def test_sums_in_both_directions(self):
        assert "Together they are larger" in language.sums_in_words(made_up(together=1.5))
        assert "Together they are no larger" in language.sums_in_words(made_up(together=0.9))


class TestStrengths:
    def test_pronouns_are_read_from_the_translations(self):
        sweep = sweep_of("Er sah sie.|Er hat sie gesehen.", "Er sah sie.|Er sah es.", (1.9, 1.95))
        assert pronouns_in(sweep, "noun", 1.0) == ["*er*", "*sie*", "*es*"]

    def test_the_answers_follow_the_numbers(self):
        fixed = sweep_of("Der Arzt sah sie.", "Der Arzt sah sie.|Der Arzt sah es.", (1.9, 1.95))
        assert language.noun_at_0(fixed).startswith("No.")
        free = sweep_of("Der Arzt sah sie.|Der Arzt sah ihn.", "Der Arzt sah es.", (1.0, 1.9))
        assert language.noun_at_0(free).startswith("It does not show here")
        assert language.curve_in_words(fixed, "word").startswith("Hardly")
        assert language.curve_in_words(free, "word").startswith("Yes")
        assert "has 1 translation" in language.all_at_0(fixed)
