"""The second exercise of lesson 1: from whole translations to the distribution of the next word."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.exercises.comparing import first_difference, kind, shown
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

END = "</s>"
SHORT = tuple("my wallet was too old .".split())
LONGER = tuple("the angry teacher opened my envelope .".split())
Words = tuple[str, ...]


def next_word_distribution(probability_of, prefix):
    """p(next word | prefix) from whole translations; "</s>" stands for the end."""
    mass: dict[str, float] = {}
    for translation, p in probability_of.items():
        if translation[: len(prefix)] == prefix:
            rest = translation[len(prefix) :]
            word = rest[0] if rest else "</s>"
            mass[word] = mass.get(word, 0.0) + p
    total = sum(mass.values())
    return {word: p / total for word, p in mass.items()}


def _grouped(pairs):
    mass: dict[str, float] = {}
    for word, p in pairs:
        mass[word] = mass.get(word, 0.0) + p
    return mass


def _shares(mass):
    total = sum(mass.values())
    return {word: p / total for word, p in mass.items()}


def _going_on(probability_of, prefix):
    """(next word, probability) of each translation that begins with the prefix."""
    n = len(prefix)
    return [((*t, END)[n], p) for t, p in probability_of.items() if t[:n] == prefix]


@mistake(
    "these are joint probabilities p(prefix, word). Given the prefix, divide by the sum over all "
    "translations that begin with it."
)
def _not_renormalised(probability_of, prefix):
    return _grouped(_going_on(probability_of, prefix))


@mistake(
    "every translation counts alike here. What counts is the probability of the translations that "
    "go on with a word, not their number."
)
def _counted(probability_of, prefix):
    return _shares(_grouped((word, 1.0) for word, _ in _going_on(probability_of, prefix)))


@mistake(
    "translations that begin otherwise are counted too. The word at this place depends on what "
    "was chosen before: a late word agrees with an early one."
)
def _without_the_prefix(probability_of, prefix):
    n = len(prefix)
    return _shares(_grouped(((*t, END)[n], p) for t, p in probability_of.items() if len(t) >= n))


@mistake(
    "only the last word of the prefix is compared. All its words must be the same: a late word "
    "may agree with the first one."
)
def _one_word_before(probability_of, prefix):
    n = len(prefix)
    same = [
        (t, p) for t, p in probability_of.items() if len(t) >= n and t[n - 1 : n] == prefix[-1:]
    ]
    return _shares(_grouped(((*t, END)[n], p) for t, p in (same if n else probability_of.items())))


@mistake(
    "each word keeps the probability of one translation only. Where several translations go on "
    "with the same word, add up their probabilities."
)
def _overwritten(probability_of, prefix):
    return _shares(dict(_going_on(probability_of, prefix)))


@mistake(
    "the probabilities of translations that go on with the same word are averaged. Add them up, "
    "then divide by the sum of all."
)
def _averaged(probability_of, prefix):
    pairs = _going_on(probability_of, prefix)
    return {
        word: math.fsum(p for w, p in pairs if w == word) / sum(w == word for w, _ in pairs)
        for word, _ in pairs
    }


@mistake(
    "the end is left out. A translation that ends at the prefix goes on with "
    '`"</s>"`, and this takes its share.'
)
def _end_left_out(probability_of, prefix):
    return _shares(
        {word: p for word, p in _grouped(_going_on(probability_of, prefix)).items() if word != END}
    )


@mistake(
    "the end is not in your dictionary, although its probability is missing from the "
    'others. Where a translation ends at the prefix, the next word is `"</s>"`.'
)
def _end_not_counted(probability_of, prefix):
    return {
        word: p for word, p in next_word_distribution(probability_of, prefix).items() if word != END
    }


@mistake("every later word is counted. Count the one word right after the prefix.")
def _every_later_word(probability_of, prefix):
    n = len(prefix)
    same = [(t[n:] or (END,), p) for t, p in probability_of.items() if t[:n] == prefix]
    return _shares(_grouped((word, p) for words, p in same for word in words))


@mistake("these are log-probabilities. Return the probabilities themselves.")
def _log_probabilities(probability_of, prefix):
    return {
        word: math.log(p) if p > 0 else -math.inf
        for word, p in next_word_distribution(probability_of, prefix).items()
    }


def fault_of(expected: Mapping[str, float]) -> Callable[[Any], str | None]:
    """Return a judge of distributions: a word of probability 0 may be in the dictionary or not."""

    def fault(answer: Any) -> str | None:
        """Return what is wrong with `answer`, or None."""
        if not isinstance(answer, Mapping):
            return (
                f"your function gave {kind(answer)} instead of a dictionary from each word to its "
                "probability."
            )
        for word in expected:
            if word not in answer:
                named = 'the end, `"</s>"`,' if word == END else f"the word {word!r}"
                return (
                    f"{named} is not in your dictionary, but it may come next: p = "
                    f"{expected[word]:.4g}."
                )
        for word, p in answer.items():
            if first_difference(p, expected.get(word, 0.0), 1e-4):
                right = (
                    f"right is {expected[word]:.6g}"
                    if word in expected
                    else (
                        "it cannot come next: no possible translation goes on so after the prefix"
                    )
                )
                return f"your function gave {word!r} the probability {shown(p)}; {right}."
        return None

    return fault


def next_word_cases() -> list[Case]:
    """Prefixes along the language's modes, and distributions by hand; the truth comes from another
    computation."""
    language, cases = ToyLanguage(), []
    for source, lengths in ((SHORT, (0, 1)), (LONGER, (0, 1, 2, 4))):
        mode, _ = language.mode(source)
        for prefix in (mode[:length] for length in lengths):
            name = f"{' '.join(source)}” after “{' '.join(prefix)}"
            cases.append(
                _case(name, language.targets(source), prefix, language.next_token(source, prefix))
            )
    whole = language.mode(SHORT)[0]
    by_hand = [_case(*arguments) for arguments in BY_HAND]
    return [
        *cases,
        _case("after a whole translation", language.targets(SHORT), whole, {END: 1.0}),
        *by_hand,
        *drawn(),
    ]


def _case(
    name: str, probability_of: Mapping[Words, float], prefix: Words, expected: Mapping[str, float]
) -> Case:
    return Case(name, (dict(probability_of), prefix), dict(expected), fault_of(expected))


WENT_HOME = {
    ("er", "ging"): 0.2,
    ("er", "ging", "heim"): 0.1,
    ("er", "ging", "nach", "Hause"): 0.3,
    ("er", "kam", "heim"): 0.2,
    ("sie", "ging", "heim"): 0.1,
    ("er",): 0.04,
    ("ging", "er", "heim"): 0.06,
}
NEVER = {
    ("das", "Auto", "war", "rot"): 0.4,
    ("das", "Auto", "war", "blau"): 0.0,
    ("die", "Kutsche", "war", "rot"): 0.6,
}
AGAIN = {("sehr", "sehr", "alt"): 0.3, ("sehr", "alt"): 0.45, ("alt", "sehr"): 0.25}
BY_HAND = (
    (
        "one translation is the beginning of another",
        WENT_HOME,
        ("er", "ging"),
        {END: 0.2 / 0.6, "heim": 0.1 / 0.6, "nach": 0.3 / 0.6},
    ),
    ("two translations go on with one word", WENT_HOME, (), {"er": 0.84, "sie": 0.1, "ging": 0.06}),
    ("a translation of probability 0", NEVER, ("das", "Auto", "war"), {"rot": 1.0}),
    ("a word that comes twice", AGAIN, ("sehr",), {"sehr": 0.4, "alt": 0.6}),
)
"""Name, probabilities of the translations, prefix, and what may come next."""


def drawn() -> list[Case]:
    """Draw random translations of two letters; the truth counts them letter by letter."""
    cases = []
    for seed, length in ((1, 2), (2, 1), (3, 3)):
        chance = random.Random(seed)
        words = {tuple(chance.choice("ab") for _ in range(chance.randint(1, 5))) for _ in range(25)}
        weights = {translation: chance.random() for translation in sorted(words)}
        p = {translation: weight / sum(weights.values()) for translation, weight in weights.items()}
        prefix = max(p, key=len)[:length]
        alive = {t: q for t, q in p.items() if " ".join((*t, END)).startswith(" ".join(prefix))}
        mass = {
            word: sum(q for t, q in alive.items() if " ".join((*t, END)).split()[length] == word)
            for word in ("a", "b", END)
        }
        expected = {word: q / sum(alive.values()) for word, q in mass.items() if q > 0.0}
        cases.append(
            _case(f"{len(p)} random translations” after “{' '.join(prefix)}", p, prefix, expected)
        )
    return cases


NEXT_WORD = Exercise(
    lesson=1,
    title="From whole translations to the next word",
    difficulty=2,
    minutes=10,
    task="A model never sees p(translation); it sees p(next word | prefix), where the **prefix** "
    "is what has been "
    "written so far. Write `next_word_distribution(probability_of, prefix)`: `probability_of` is a "
    "dictionary "
    "from whole translations (tuples of words) to their probabilities, `prefix` is a tuple of "
    "words. Return a "
    "dictionary from each possible next word to its probability *given the prefix*. Where a "
    "translation ends at "
    'the prefix, the next word is `"</s>"`. You may leave out words of probability 0.',
    hints=(
        "Which translations are still possible after the prefix? Those with "
        "`translation[:len(prefix)] == prefix`.",
        "Add up the probabilities of all that go on with the same word. Then divide by the sum of "
        "these sums, so that the probabilities sum to one: the prefix has been seen.",
    ),
    solution=next_word_distribution,
    wrong_answers=(
        _not_renormalised,
        _counted,
        _without_the_prefix,
        _one_word_before,
        _overwritten,
        _averaged,
        _end_left_out,
        _end_not_counted,
        _every_later_word,
        _log_probabilities,
    ),
    cases=next_word_cases,
    insight="A choice made early changes the distribution of a much later word. That is why a "
    "student has to remember "
    "what it wrote.",
)
