"""Exercises of lesson 1, the toy language: the entropy of a sentence, and the next word of its
translations."""

from __future__ import annotations

import math
import random

from scipy.stats import entropy as scipy_entropy

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.lab.language.next_word_exercise import NEXT_WORD
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

SHORT = tuple("my wallet was too old .".split())
LONGER = tuple("the angry teacher opened my envelope .".split())


def entropy_of_translations(probability_of):
    """H in nats of a dictionary from translations to their probabilities."""
    return -sum(p * math.log(p) for p in probability_of.values() if p > 0)


def _surprises(probability_of):
    return [(p, -math.log(p)) for p in probability_of.values() if p > 0]


@mistake(
    "the sign is wrong. ln p is negative for p < 1, so −ln p is positive, and so is its average."
)
def _wrong_sign(probability_of):
    return -entropy_of_translations(probability_of)


@mistake(
    "this is the entropy in bits (base 2). The lab counts in nats, as the losses do: natural "
    "logarithms."
)
def _in_bits(probability_of):
    return entropy_of_translations(probability_of) / math.log(2)


@mistake(
    "these are logarithms to the base 10. The lab counts in nats: natural logarithms, `math.log`."
)
def _in_tens(probability_of):
    return entropy_of_translations(probability_of) / math.log(10)


@mistake(
    "every translation counts alike here. An entropy weights each surprise by its probability: "
    "rare translations are surprising, but they rarely come."
)
def _unweighted(probability_of):
    surprises = [surprise for _, surprise in _surprises(probability_of)]
    return sum(surprises) / len(surprises)


@mistake(
    "the surprises are added up without weights. An average weights each of them by its "
    "probability."
)
def _sum_of_surprises(probability_of):
    return sum(surprise for _, surprise in _surprises(probability_of))


@mistake(
    "the sum is divided by the number of translations. The probabilities are weights already, and "
    "their sum is 1: there is nothing to divide by."
)
def _divided_by_the_number(probability_of):
    return entropy_of_translations(probability_of) / len(probability_of)


@mistake(
    "the logarithm of the number of translations is the entropy only when all are equally likely; "
    "uneven probabilities have less."
)
def _logarithm_of_the_number(probability_of):
    return math.log(len(probability_of))


@mistake(
    "this is the surprise of the most probable translation alone. The entropy averages over all "
    "of them."
)
def _surprise_of_the_mode(probability_of):
    return -math.log(max(probability_of.values()))


@mistake(
    "this is exp(H), the number of equally likely translations that would be as hard to guess. "
    "Return H itself."
)
def _number_of_equally_likely(probability_of):
    return math.exp(entropy_of_translations(probability_of))


@mistake(
    "0 · ln 0 counts as 0 (p ln p → 0), but a computer raises an error or gives nan: leave out "
    "translations of probability 0."
)
def _with_zeros(probability_of):
    return -sum(p * math.log(p) for p in probability_of.values())


def entropy_cases() -> list[Case]:
    """Distributions of the language itself, of chance, and with a translation that never comes."""
    chance, cases = random.Random(1), []
    for source in (SHORT, LONGER):
        targets = ToyLanguage().targets(source)
        cases.append(Case(" ".join(source), (targets,), ToyLanguage().entropy(source)))
    only = ToyLanguage(Ambiguity.none()).targets(LONGER)
    cases.append(Case("a language without ambiguity: one translation", (only,), 0.0))
    for n_translations in (3, 8):
        weights = [chance.random() ** 3 for _ in range(n_translations)]
        p = {(f"translation {i}",): weight / sum(weights) for i, weight in enumerate(weights)}
        cases.append(
            Case(f"{n_translations} translations", (p,), float(scipy_entropy(list(p.values()))))
        )
    with_zero = {("der", "Wagen"): 0.75, ("das", "Auto"): 0.25, ("die", "Kutsche"): 0.0}
    alike = {(word,): 0.25 for word in ("kaputt", "defekt", "hin", "entzwei")}
    return [
        *cases,
        Case("four equally likely translations", (alike,), math.log(4)),
        Case(
            "a translation of probability 0",
            (with_zero,),
            float(scipy_entropy(list(with_zero.values()))),
        ),
    ]


ENTROPY = Exercise(
    lesson=1,
    title="The entropy of a translation",
    difficulty=1,
    minutes=5,
    task="Write `entropy_of_translations(probability_of)`: "
    "`probability_of` is a dictionary from each translation (a tuple of words) to its probability; "
    "return "
    "$H = -\\sum_t p(t) \\ln p(t)$ in **nats**. A translation of probability 0 adds nothing.",
    hints=(
        "Each translation's surprise is −ln p. The entropy is the average surprise. Each surprise "
        "comes as often as its translation, so weight it by p.",
        "`math.log` is the natural logarithm, and `math.log(0)` fails: leave the zeros out.",
    ),
    imports="import math",
    solution=entropy_of_translations,
    wrong_answers=(
        _wrong_sign,
        _in_bits,
        _in_tens,
        _unweighted,
        _sum_of_surprises,
        _divided_by_the_number,
        _logarithm_of_the_number,
        _surprise_of_the_mode,
        _number_of_equally_likely,
        _with_zeros,
    ),
    cases=entropy_cases,
    insight="exp(H) is the number of equally likely translations that would be as hard to guess.",
)


EXERCISES = (ENTROPY, NEXT_WORD)
