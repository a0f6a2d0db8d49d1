"""The exercise of lesson 0: greedy search, word by word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

END = "</s>"
MOST_CALLS = 3000
"""Even a search through all translations of a case asks less often: who asks more does not come to
an end."""
TICKET = tuple("my ticket was new and the doctor hid it .".split())
Words = tuple[str, ...]


@dataclass
class NextWord:
    """A model as a table: called with the words written so far, it gives the next word's
    probabilities.

    Raises LookupError for words that the model cannot have written, and RuntimeError for somebody
    who never ends.
    """

    table: Mapping[Words, Mapping[str, float]]
    calls: int = field(default=0, compare=False)

    def __call__(self, words: Sequence[str]) -> dict[str, float]:
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise RuntimeError(
                f"next_word was called more than {MOST_CALLS} times. Hand over *all* words written "
                f"so far, and stop as soon as {END} is the most probable"
            )
        if isinstance(words, str) or tuple(words) not in self.table:
            raise LookupError(
                f"next_word knows no translation that begins with {words!r}. Hand over a tuple of "
                "all words written so far; at the beginning it is empty: ()"
            )
        return dict(self.table[tuple(words)])

    def __repr__(self) -> str:
        rows = (
            f"after {' '.join(words) or '()'}: "
            + ", ".join(f"{word} {p:.3g}" for word, p in row.items())
            for words, row in self.table.items()
        )
        return "; ".join(rows)


def greedy_search(next_word):
    """The translation whose every word is the most probable next one."""
    words: tuple = ()
    while True:
        probability_of = next_word(words)
        best = max(probability_of, key=probability_of.get)
        if best == "</s>":
            return words
        words = (*words, best)


@mistake('`"</s>"` is part of your translation. It only marks the end: return the words before it.')
def _with_the_end(next_word):
    return (*greedy_search(next_word), END)


@mistake('the last word is lost. Return all words that were written before `"</s>"`.')
def _last_word_lost(next_word):
    return greedy_search(next_word)[:-1]


def _by_another_choice(choose):
    def search(next_word):
        words: tuple[str, ...] = ()
        while (word := choose(next_word(words))) != END:
            words = (*words, word)
        return words

    return search


@mistake(
    "the first word of the dictionary is taken. Its order says nothing: take the word with the "
    "largest probability."
)
def _first_word_of_the_dictionary(next_word):
    return _by_another_choice(lambda row: next(iter(row)))(next_word)


@mistake(
    "`max` of a dictionary compares its words, by the alphabet. Compare their probabilities: "
    "`max(…, key=probability_of.get)`."
)
def _last_in_the_alphabet(next_word):
    return _by_another_choice(max)(next_word)


@mistake("the least probable word is taken. Greedy search takes the most probable one.")
def _least_probable(next_word):
    return _by_another_choice(lambda row: min(row, key=row.get))(next_word)


def _every_ending(next_word, words=(), p=1.0):
    for word, more in next_word(words).items():
        if word == END:
            yield p * more, words
        else:
            yield from _every_ending(next_word, (*words, word), p * more)


@mistake(
    "this is the most probable *translation*. Greedy search does not find it always: it takes the "
    "best next word and never looks back."
)
def _most_probable_translation(next_word):
    return max(_every_ending(next_word))[1]


@mistake("the probabilities are returned. Return the words that have them.")
def _probabilities(next_word):
    words = greedy_search(next_word)
    return [max(next_word(words[:n]).values()) for n in range(len(words))]


@mistake("one text is returned. Return the words one by one, as a tuple.")
def _one_long_text(next_word):
    return " ".join(greedy_search(next_word))


def along(words: str) -> dict[Words, dict[str, float]]:
    """Make a table whose greedy translation is `words`: at each step the likeliest word comes
    second, and a translation that leaves the path ends after one word.
    """
    table, written = {}, (*words.split(), END)
    for place, word in enumerate(written):
        beside = {
            other: p for other, p in {"rot": 0.2, END: 0.1, "zu": 0.1}.items() if other != word
        }
        first, *rest = beside
        row = {first: beside[first], word: 1.0 - math.fsum(beside.values())}
        table[written[:place]] = row | {other: beside[other] for other in rest}
        table |= {(*written[:place], other): {END: 1.0} for other in beside if other != END}
    return table


@cache
def of_the_language(source: Words) -> dict[Words, dict[str, float]]:
    """Return the truth as such a table: every prefix of every translation of `source`."""
    language = ToyLanguage()
    beginnings = {words[:n] for words in language.targets(source) for n in range(len(words) + 1)}
    return {
        words: language.next_token(source, words)
        for words in sorted(beginnings, key=lambda w: (len(w), w))
    }


GARDEN_PATH = {
    (): {"die": 0.4, "das": 0.6},
    ("die",): {"Limousine": 1.0},
    ("die", "Limousine"): {"war": 0.1, END: 0.9},
    ("die", "Limousine", "war"): {END: 1.0},
    ("das",): {"Auto": 0.5, "Fahrzeug": 0.3, "Zimmer": 0.2},
    ("das", "Auto"): {END: 0.6, "war": 0.4},
    ("das", "Fahrzeug"): {END: 1.0},
    ("das", "Zimmer"): {END: 1.0},
    ("das", "Auto", "war"): {END: 1.0},
}
"""The likelier first word leads away from the likeliest translation: 0.6 · 0.5 · 0.6 < 0.4 · 1 ·
0.9."""
EARLY_END = {
    (): {"ja": 0.7, END: 0.3},
    ("ja",): {"doch": 0.55, END: 0.45},
    ("ja", "doch"): {"klar": 0.2, END: 0.8},
    ("ja", "doch", "klar"): {END: 1.0},
}
HESITATION = {
    (): {"zu": 0.34, "am": 0.36, "im": 0.3},
    ("zu",): {END: 1.0},
    ("im",): {END: 1.0},
    ("am",): {"Tag": 0.3, "Ende": 0.45, END: 0.25},
    ("am", "Tag"): {END: 1.0},
    ("am", "Ende"): {END: 1.0},
}
"""No word is as likely as not."""
THREE_WAYS = {
    (): {"heute": 0.34, "gestern": 0.36, "bald": 0.3},
    ("gestern",): {"kam": 0.5, "ging": 0.3, END: 0.2},
    ("heute",): {"kam": 0.6, END: 0.4},
    ("bald",): {END: 1.0},
    ("gestern", "kam"): {END: 1.0},
    ("gestern", "ging"): {END: 1.0},
    ("heute", "kam"): {END: 1.0},
}
"""Greedy search, a beam of two and a search through everything end at three translations."""
AT_ONCE = {(): {"nein": 0.2, END: 0.5, "ja": 0.3}, ("nein",): {END: 1.0}, ("ja",): {END: 1.0}}
STOP_INSIDE = "Dr. Arzt kam . er ging"


def greedy_cases() -> list[Case]:
    """Tables by hand, whose answers are known, and the truth of the ticket, asked step by step."""
    language = ToyLanguage()
    ticket: tuple[str, ...] = ()
    while True:  # the language's own distribution instead of the table
        ranked = sorted(language.next_token(TICKET, ticket).items(), key=lambda item: -item[1])
        if ranked[0][0] == END:
            break
        ticket += (ranked[0][0],)
    repeated = "sehr sehr sehr gut , sehr gut"
    return [
        Case("three words", (NextWord(along("das Auto war")),), ("das", "Auto", "war")),
        Case("the likelier first word leads away", (NextWord(GARDEN_PATH),), ("das", "Auto")),
        Case(
            "the end is likely early, but not the likeliest", (NextWord(EARLY_END),), ("ja", "doch")
        ),
        Case("no word has as much as one half", (NextWord(HESITATION),), ("am", "Ende")),
        Case("three words are nearly as likely", (NextWord(THREE_WAYS),), ("gestern", "kam")),
        Case("words that come again", (NextWord(along(repeated)),), tuple(repeated.split())),
        Case("a full stop inside", (NextWord(along(STOP_INSIDE)),), tuple(STOP_INSIDE.split())),
        Case("the end is the likeliest at once", (NextWord(AT_ONCE),), ()),
        Case("the ticket, by the truth", (NextWord(of_the_language(TICKET)),), ticket),
    ]


GREEDY = Exercise(
    lesson=0,
    title="Greedy search",
    difficulty=1,
    minutes=5,
    task="Write `greedy_search(next_word)`. `next_word` is a function that stands for a trained "
    "model: called with the "
    "words written so far (a tuple, empty at the beginning), it returns a dictionary from each "
    "possible next word "
    "to its probability. Take the most probable word, again and again, until that word is "
    '`"</s>"`, the mark '
    "for the end. Return the translation as a tuple of words, without the mark.",
    hints=(
        "Begin with `words = ()`. In a loop, ask `next_word(words)` and append the best word: "
        "`words = (*words, best)`.",
        "`max(probability_of, key=probability_of.get)` is the word with the largest probability. "
        "If it is "
        '`"</s>"`, return what has been written.',
    ),
    solution=greedy_search,
    wrong_answers=(
        _with_the_end,
        _last_word_lost,
        _first_word_of_the_dictionary,
        _last_in_the_alphabet,
        _least_probable,
        _most_probable_translation,
        _probabilities,
        _one_long_text,
    ),
    cases=greedy_cases,
    insight="Greedy search asks the model once for each word, and never looks back. So it may miss "
    "the most probable "
    "translation, as in the case “the likelier first word leads away”.",
)

EXERCISES = (GREEDY,)
