"""The lexicon of the toy language, from its own tables."""

from __future__ import annotations

from collections.abc import Sequence

from book.pages.tables import plain, table
from seqkd_lab.corpus.toy import wordlist
from seqkd_lab.corpus.toy.adverbials import CONNECTIVES, PLACES, TIMES, VERB_POSITION
from seqkd_lab.corpus.toy.choices import Option
from seqkd_lab.corpus.toy.inflection import GENDERS, Verb
from seqkd_lab.corpus.toy.nouns import ADJECTIVES, NOUNS, Noun
from seqkd_lab.corpus.toy.verbs import VERBS

title = "The toy language: all words"
name = "reference/lexicon"
PLURAL = "The language has singular nouns only, so no plural is listed."


def markdown() -> str:
    """Return all words in tables, the most frequent first; probabilities are those of the full
    choice."""
    return "\n\n".join(
        [
            f"{len(wordlist.source_words())} English and {len(wordlist.target_words())} German "
            f"words and marks, with all their forms. Each table begins with the most frequent "
            f"word. A number is the probability of a translation where nothing in the source "
            f"decides. {PLURAL}",
            "## Nouns",
            "The choice `noun` has consequences: article, adjective and pronoun agree with the "
            "gender. The choice `word` has none.",
            table(("English", "German", "choice"), map(_noun_row, NOUNS)),
            "## Verbs",
            "An object stands in the accusative where no case is named, and the perfect is made "
            "with *haben* where nothing is said. A bar marks a separable prefix.",
            table(("English", "German", "choice", "passive"), map(_verb_row, VERBS)),
            "## Adjectives",
            table(
                ("English", "German", "as attribute", "after *was*"), map(_adjective, ADJECTIVES)
            ),
            "## Adverbials",
            table(("English", "German", "says the"), _adverbials()),
            "## Connectives",
            "The second column of probabilities is for clauses with *was*.",
            table(("English", "German", "the same, with *was*", "finite verb"), _connectives()),
        ]
    )


def _options(options: Sequence[Option], described: Sequence[str]) -> str:
    """Return options with their probabilities; of a single one without."""
    if len(options) == 1:
        return described[0]
    pairs = zip(options, described, strict=True)
    return "<br>".join(f"{text} {option.probability:g}" for option, text in pairs)


def _noun_row(english: str) -> tuple[str, ...]:
    entry = NOUNS[english]
    described = [_noun(option.value) for option in entry.nouns]
    choice = f"`{entry.choice}`" if len(entry.nouns) > 1 else "none"
    return plain(english), _options(entry.nouns, described), choice


def _noun(noun: Noun) -> str:
    oblique = f" (accusative and dative *{noun.oblique}*)" if noun.oblique else ""
    return f"**{noun.lemma}** {GENDERS[noun.gender]}{oblique}"


def _verb_row(english: str) -> tuple[str, ...]:
    entry = VERBS[english]
    forms = plain(" / ".join(filter(None, (entry.past, entry.third))))
    choice = f"`{entry.choice}`" if len(entry.verbs) > 1 else "none"
    passive = f"{entry.passive:g}" if entry.passive else "no"
    described = [_verb(option.value) for option in entry.verbs]
    return forms, _options(entry.verbs, described), choice, passive


def _verb(verb: Verb) -> str:
    bar = "\\|" if verb.prefix else ""
    parts = [f"**{verb.prefix}{bar}{verb.simple}**, {verb.preterite}, {verb.participle}"]
    if verb.preposition:
        parts.append(f"*{verb.preposition}* with the {verb.case}")
    elif verb.case != "accusative":
        parts.append(verb.case)
    parts += ["perfect with *sein*"] if verb.auxiliary == "sein" else []
    parts += [f"reflexive ({verb.reflexive})"] if verb.reflexive else []
    return "; ".join(parts)


def _adjective(english: str) -> tuple[str, ...]:
    entry = ADJECTIVES[english]
    described = [f"**{option.label}**" for option in entry.words]
    before, after = ("yes" if kinds else "no" for kinds in (entry.before, entry.after))
    return plain(english), _options(entry.words, described), before, after


def _adverbials() -> list[tuple[str, ...]]:
    return [
        (english, _options(entry.phrases, [f"**{o.label}**" for o in entry.phrases]), what)
        for what, entries in (("time", TIMES), ("place", PLACES))
        for english, entry in entries.items()
    ]


def _connectives() -> list[tuple[str, ...]]:
    rows = []
    for english, lists in CONNECTIVES.items():
        columns = [_options(options, [f"**{o.label}**" for o in options]) for options in lists]
        places = dict.fromkeys(f"{o.label}: {VERB_POSITION[o.label]}" for o in lists[0])
        rows.append((english, *columns, "<br>".join(places)))
    return rows
