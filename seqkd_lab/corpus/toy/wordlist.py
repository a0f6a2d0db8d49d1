"""All words of the toy language, found from its tables."""

from __future__ import annotations

from seqkd_lab.corpus.toy import inflection, meaning
from seqkd_lab.corpus.toy.adverbials import CONNECTIVES, PLACES, TIMES
from seqkd_lab.corpus.toy.inflection import Verb
from seqkd_lab.corpus.toy.nouns import ADJECTIVES_TABLE, DEGREES, NOUNS
from seqkd_lab.corpus.toy.verbs import VERBS_TABLE


def source_words() -> tuple[str, ...]:
    """Return the English words, sorted."""
    words = {".", ",", "an", "was", "were", "is", "are", "am"}
    words.update(
        meaning.SUBJECT_PRONOUNS,
        meaning.OBJECT_PRONOUNS,
        meaning.DETERMINERS,
        NOUNS,
        DEGREES,
        CONNECTIVES,
    )
    words.update(entry.english for entry in ADJECTIVES_TABLE)
    phrases = [form for entry in VERBS_TABLE for form in (entry.past, entry.third)]
    words.update(word for phrase in (*phrases, *TIMES, *PLACES) for word in phrase.split())
    return tuple(sorted(words))


def target_words() -> tuple[str, ...]:
    """Return the German words, sorted."""
    return tuple(sorted(kinds_of_words()))


def kinds_of_words() -> dict[str, set[str]]:
    """For each German word what it can be: article, adjective, noun, pronoun, verb, prefix, ..."""
    kinds: dict[str, set[str]] = {}
    for kind, words in _words().items():
        for word in words:
            kinds.setdefault(word, set()).add(kind)
    return kinds


def _words() -> dict[str, set[str]]:
    cases, genders = inflection.CASES, inflection.GENDERS
    determiners = ("der", "ein", "mein", "dein", "sein", "ihr", "Ihr")
    articles = {inflection.article(d, g, c) for d in determiners for g in genders for c in cases}
    adjectives = _adjectives()
    nouns = {n.value.form(c) for entry in NOUNS.values() for n in entry.nouns for c in cases}
    pronouns = {"ich", "du", "Sie", "mich", "mir", "dich", "dir", "sich", "es"}
    pronouns |= {form for row in inflection.THIRD_PERSON.values() for form in row.values()}
    verbs = {
        form
        for entry in VERBS_TABLE
        for option in entry.verbs
        for form in _verb_forms(option.value, bool(entry.third))
    }
    for table in (
        inflection.PRESENT["haben"],
        inflection.PRESENT["sein"],
        inflection.PRETERITE["sein"],
    ):
        verbs |= set(table.values())
    prefixes = {option.value.prefix for entry in VERBS_TABLE for option in entry.verbs} - {""}
    prepositions = {o.value.preposition for entry in VERBS_TABLE for o in entry.verbs} - {""}
    adverbials = {
        w for entry in (*TIMES.values(), *PLACES.values()) for o in entry.phrases for w in o.value
    }
    return {
        "article": articles,
        "adjective": adjectives,
        "noun": nouns,
        "pronoun": pronouns,
        "prefix": prefixes,
        "verb": verbs | {"wird", "wurde", "worden"},
        "preposition": prepositions | {"von", "vom", "beim"},
        "adverbial": adverbials | set(DEGREES.values()),
        "punctuation": {",", "."},
        "connective": {o.label for rows in CONNECTIVES.values() for row in rows for o in row},
    }


def _adjectives() -> set[str]:
    words = set()
    for entry in ADJECTIVES_TABLE:
        for predicative, stem in (option.value for option in entry.words):
            words |= {predicative} if entry.after else set()
            words |= (
                {stem + ending for ending in ("e", "en", "er", "es")} if entry.before else set()
            )
    return words


def _verb_forms(verb: Verb, present: bool) -> set[str]:
    forms = {verb.participle}
    for tense in ("present", "past") if present else ("past",):
        simple = inflection.finite(verb, tense)
        forms |= {simple, verb.prefix + simple}
    return forms
