"""Exercises of lesson 1, the toy language: what a distribution over whole translations says."""

from __future__ import annotations

import math
import random

from scipy.stats import entropy as scipy_entropy

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer

SHORT = tuple("my wallet was too old .".split())
LONGER = tuple("the angry teacher opened my envelope .".split())


def entropy_of_translations(probability_of):
    """H in nats of a dictionary from translations to their probabilities."""
    return -sum(p * math.log(p) for p in probability_of.values() if p > 0)


def _in_bits(probability_of):
    return -sum(p * math.log2(p) for p in probability_of.values() if p > 0)


def _unweighted(probability_of):
    surprises = [-math.log(p) for p in probability_of.values() if p > 0]
    return sum(surprises) / len(surprises)


def _logarithm_of_the_number(probability_of):
    return math.log(len(probability_of))


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
        cases.append(Case(f"{n_translations} translations", (p,), float(scipy_entropy(list(p.values())))))
    p = {("der", "Wagen"): 0.75, ("das", "Auto"): 0.25, ("die", "Kutsche"): 0.0}
    return [*cases, Case("a translation of probability 0", (p,), float(scipy_entropy(list(p.values()))))]


ENTROPY = Exercise(
    lesson=1, title="The entropy of a translation", difficulty=1, minutes=5,
    task="How many translations does a sentence *really* have? Write `entropy_of_translations(probability_of)`: "
         "`probability_of` is a dictionary from each translation (a tuple of words) to its probability; return "
         "$H = -\\sum_t p(t) \\ln p(t)$ in **nats**. A translation of probability 0 adds nothing.",
    hints=("Each translation's surprise is −ln p. The entropy is the surprise that one meets on average: which "
           "weights does an average over what *happens* have?",
           "`math.log` is the natural logarithm, and `math.log(0)` fails: leave the zeros out."),
    imports="import math",
    solution=entropy_of_translations,
    wrong_answers=(
        WrongAnswer(_in_bits, "this is the entropy in bits (base 2). The lab counts in nats, as the losses do: "
                              "natural logarithms."),
        WrongAnswer(_unweighted, "every translation counts alike here. An entropy weights each surprise by its "
                                 "probability: rare translations are surprising, but they rarely come."),
        WrongAnswer(_logarithm_of_the_number, "the logarithm of the number of translations is the entropy only when "
                                              "all are equally likely; uneven probabilities have less."),
        WrongAnswer(_with_zeros, "0 · ln 0 counts as 0 (p ln p → 0), but a computer raises an error or gives nan: "
                                 "leave out translations of probability 0."),
    ),
    cases=entropy_cases,
    insight="exp(H) is the number of equally likely translations that would be as hard to guess.",
)


def next_word_distribution(probability_of, prefix):
    """p(next word | prefix) from whole translations; "</s>" stands for the end."""
    mass = {}
    for translation, p in probability_of.items():
        if translation[: len(prefix)] == prefix:
            rest = translation[len(prefix) :]
            word = rest[0] if rest else "</s>"
            mass[word] = mass.get(word, 0.0) + p
    total = sum(mass.values())
    return {word: p / total for word, p in mass.items()}


def _mass_by_word(probability_of, prefix, of_one=lambda p: p):
    mass = {}
    for translation, p in probability_of.items():
        if translation[: len(prefix)] == prefix:
            word = (*translation, "</s>")[len(prefix)]
            mass[word] = mass.get(word, 0.0) + of_one(p)
    return mass


def _not_renormalised(probability_of, prefix):
    return _mass_by_word(probability_of, prefix)


def _counted(probability_of, prefix):
    counts = _mass_by_word(probability_of, prefix, lambda p: 1.0)
    return {word: n / sum(counts.values()) for word, n in counts.items()}


def _without_the_prefix(probability_of, prefix):
    mass = {}
    for translation, p in probability_of.items():
        if len(translation) >= len(prefix):
            word = (*translation, "</s>")[len(prefix)]
            mass[word] = mass.get(word, 0.0) + p
    return {word: p / sum(mass.values()) for word, p in mass.items()}


def next_word_cases() -> list[Case]:
    """Prefixes along the mode; the truth comes from the language's own clause by clause computation."""
    language, cases = ToyLanguage(), []
    for source, lengths in ((SHORT, (0, 1)), (LONGER, (0, 1, 2, 4))):
        mode, _ = language.mode(source)
        for length in lengths:
            prefix = mode[:length]
            name = f"{' '.join(source)} after “{' '.join(prefix)}”"
            cases.append(Case(name, (language.targets(source), prefix), language.next_token(source, prefix)))
    whole = language.mode(SHORT)[0]
    return [*cases, Case("after a whole translation", (language.targets(SHORT), whole), {"</s>": 1.0})]


NEXT_WORD = Exercise(
    lesson=1, title="From whole translations to the next word", difficulty=2, minutes=10,
    task="A decoder never sees p(translation); it sees p(next word | prefix). Write "
         "`next_word_distribution(probability_of, prefix)`: `probability_of` maps whole translations (tuples of words) "
         "to probabilities, `prefix` is a tuple of words. Return a dictionary from each possible next word to its "
         "probability *given the prefix*. Where a translation ends at the prefix, the next word is `\"</s>\"`.",
    hints=("Which translations are still possible after the prefix? `translation[:len(prefix)] == prefix`.",
           "Add up the probability of all that go on with the same word; then make the sum 1 again, since the prefix "
           "has been seen."),
    solution=next_word_distribution,
    wrong_answers=(
        WrongAnswer(_not_renormalised, "these are joint probabilities p(prefix, word). Given the prefix, divide by "
                                       "the mass of all translations that begin with it."),
        WrongAnswer(_counted, "every translation counts alike here. What counts is the probability of the translations "
                              "that go on with a word, not their number."),
        WrongAnswer(_without_the_prefix, "translations that begin otherwise are counted too: what stands at this place "
                                         "depends on what was chosen before (a late word agrees with an early one)."),
    ),
    cases=next_word_cases,
    insight="So a choice made early leaves its trace in every later distribution: that is what a student has to "
            "remember.",
)

EXERCISES = (ENTROPY, NEXT_WORD)
