"""The toy language: its choices with exact probabilities, its clauses, its rules; all computed by
the language itself."""

from __future__ import annotations

import math
from itertools import product

from book.pages.tables import plain, table
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.meaning import Clause
from seqkd_lab.lab.language.ambiguity import FAMILIES
from seqkd_lab.lab.language.kinds import KINDS, Kind, marked, translations_alone

title = "The toy language: choices, clauses, rules"
name = "reference/toy_language"
Tokens = tuple[str, ...]
MOST_LISTED = 8
CLAUSES = {
    "a thing is acted on": "the old teacher sold the car yesterday .",
    "a person is acted on": "the neighbour helped the teacher .",
    "nobody is acted on": "the farmer slept at home .",
    "a state": "my car was broken .",
    "a state of nothing": "the farmer slept because it was late .",
    "two clauses": "the teacher bought a car because it was new .",
    "three clauses": "I collected my parcel and the old neighbour found it , but it was dirty .",
}
REJECTED = (
    # a source, and the words of its mode that are replaced
    ("the teacher sold the car .", {"den": "das", "das": "den", "der": "die"}),
    ("the neighbour helped the teacher .", {"die": "der", "den": "dem", "der": "den"}),
    ("my neighbour cleaned my boat .", {"mein": "meine", "meinen": "mein"}),
    ("the doctor repaired the boat .", {"Boot": "Brief", "Kahn": "Brief"}),
    ("you ate your biscuit .", {"deinen": "Ihren", "Ihren": "deinen"}),
    ("my car was broken .", {"kaputt": "müde", "war": "wurde"}),
    ("the farmer slept because it was late .", {"schlief": "geschlafen"}),
    ("the teacher bought a car because it was new .", {"neu": "neue", "einen": "ein"}),
    ("the baker left last week .", {"Woche": "Hund", "Bäcker": "Bus"}),
)


def markdown() -> str:
    """Return the reference of the toy language."""
    intro = (
        "The language translates English into German. It gives every translation of a sentence "
        "its exact probability. All examples here were computed by the language itself. "
        "[All its words](lexicon.md) have a page of their own."
    )
    return "\n\n".join([intro, *_choices(), *_clauses(), *_rejected()])


def _choices() -> list[str]:
    text = (
        f"## The {len(KINDS)} kinds of choice\n\nEach kind has a strength s from 0 to 1. An "
        "option whose probability in the full choice is b has the probability "
        "(1 − s) · m + s · b, where m is 1 for the most probable option and 0 for the others. In "
        "the examples all other kinds are switched off, so each list is the whole distribution. "
        "The entropy in nats says how strong the choice is: 0 where there is none."
    )
    by_name = {kind.name: kind for kind in KINDS}
    parts = [text]
    for family, names in FAMILIES.items():
        parts.append(f"### {family.capitalize()}")
        parts += [_kind(by_name[name]) for name in names]
    return parts


def _kind(kind: Kind) -> str:
    translations = translations_alone(kind)
    first = translations[0][0]
    entropy = -math.fsum(p * math.log(p) for _, p in translations)
    rows = [(marked(first, t)[1] if t != first else _text(t), f"{p:.3g}") for t, p in translations]
    left = len(rows) - MOST_LISTED
    more = f" The {left} least probable ones are left out." if left > 0 else ""
    total = ToyLanguage().count_targets(kind.source)
    return (
        f"#### `{kind.name}`\n\n{kind.chosen[0].upper()}{kind.chosen[1:]}. "
        f"“{detokenise(kind.source)}” has {len(translations)} translations by this kind alone, "
        f"with an entropy of {entropy:.2f} nats, and {total} with all kinds.{more} What differs "
        f"from the most probable one is in bold.\n\n"
        + table(("translation", "probability"), rows[:MOST_LISTED])
    )


def _clauses() -> list[str]:
    language = ToyLanguage()
    rows = []
    for what, text in CLAUSES.items():
        source = tuple(text.split())
        target, probability = language.mode(source)
        said = ", ".join(map(_parts, language.parse(source)))
        number = f"{language.count_targets(source):,}"
        rows.append((what, detokenise(source), said, _text(target), number, f"{probability:.2g}"))
    head = ("clause", "source", "parts", "most probable translation", "translations", "its p")
    return [
        "## The clauses",
        "A sentence has one to three clauses. A clause has a verb or a state (an adjective after "
        "*was*). The finite verb stands second in a main clause, and last in a subordinate one. "
        "What an earlier clause chose binds the later ones: tense, address, the noun's gender.",
        table(head, rows),
    ]


def _parts(clause: Clause) -> str:
    shown = ("connective", "time", "subject", "verb", "object", "degree", "state", "place")
    return " + ".join(part for part in shown if getattr(clause, part))


def _rejected() -> list[str]:
    return [
        "## What the verifier rejects",
        "The verifier compares a translation with all valid ones, word by word. At the first word "
        "that none of them has there, it names the rule. Each translation here is the most "
        "probable one with one change.",
        table(("source", "translation", "why it is rejected"), rejected()),
    ]


def rejected() -> list[tuple[str, str, str]]:
    """Return wrong translations with the language's own reason, no reason twice."""
    rows: dict[str, tuple[str, str, str]] = {}
    language = ToyLanguage()
    for text, changes in REJECTED:
        source = tuple(text.split())
        mode = language.mode(source)[0]
        for wrong in (*_changed(mode, changes), mode[:-1], (*mode[:-2], ".")):
            violation = language.explain(source, wrong)
            if violation is not None and violation.rule not in rows:
                why = plain(f"{violation.found!r}: {violation.rule}")
                rows[violation.rule] = (detokenise(source), _text(wrong), why)
    return list(rows.values())


def _changed(target: Tokens, changes: dict[str, str]) -> list[Tokens]:
    """Return the target with each of the changes at each place where it can be made."""
    places = product(range(len(target)), changes.items())
    return [(*target[:n], new, *target[n + 1 :]) for n, (old, new) in places if target[n] == old]


def _text(tokens: Tokens) -> str:
    return plain(detokenise(tokens))
