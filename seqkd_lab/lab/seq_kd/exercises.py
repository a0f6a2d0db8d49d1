"""Exercises of lesson 6, sequence-level distillation: the length of a distilled corpus, and the
mode's mass."""

from __future__ import annotations

import math
import random
import statistics

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def mode_mass(log_probs):
    """Return the mean over sentences of p(ŷ | s); log_probs holds ln p(ŷ | s) of each sentence's
    best hypothesis."""
    return sum(math.exp(log_prob) for log_prob in log_probs) / len(log_probs)


@mistake(
    "this is exp of the mean, a geometric mean: one hopeless sentence takes it to 0. Take exp of "
    "each sentence first."
)
def _exp_of_mean(log_probs):
    return math.exp(sum(log_probs) / len(log_probs))


@mistake("this is a sum over the sentences; p(ŷ) is their mean, so at most 1.")
def _summed(log_probs):
    return sum(math.exp(log_prob) for log_prob in log_probs)


@mistake("these are still log-probabilities: a probability is exp of them.")
def _left_logarithmic(log_probs):
    return sum(log_probs) / len(log_probs)


@mistake(
    "this is a perplexity: exp of the mean *negative* log-probability, at least 1. A probability "
    "is at most 1."
)
def _perplexity(log_probs):
    return math.exp(-sum(log_probs) / len(log_probs))


@mistake("this takes powers of 2. The log-probabilities are natural logarithms: take exp.")
def _powers_of_two(log_probs):
    return sum(2.0**log_prob for log_prob in log_probs) / len(log_probs)


@mistake("this is in percent; a number between 0 and 1 is asked for.")
def _in_percent(log_probs):
    return 100.0 * mode_mass(log_probs)


@mistake("this is the median of the probabilities; the mean is asked for.")
def _median(log_probs):
    return statistics.median(map(math.exp, log_probs))


def mass_cases() -> list[Case]:
    """Return models that are certain, uncertain and mixed, of several numbers of sentences; judged
    by torch's logsumexp."""
    chance = random.Random(1)
    settings = [
        ("one sure sentence, one hopeless", [0.0, -60.0]),
        ("a single sentence", [-1.5]),
        ("seven sentences", [-0.1, -0.5, -2.0, -3.0, -4.5, -7.0, -9.0]),
        ("two sentences alike", [-0.7, -2.5, -0.7]),
    ]
    for n_sentences, steepness in ((6, 1.0), (13, 3.0), (40, 8.0)):
        drawn = [-steepness * chance.random() ** 2 - 0.05 for _ in range(n_sentences)]
        settings.append((f"{n_sentences} random sentences", drawn))
    return [
        Case(
            name,
            (values,),
            float(torch.tensor(values, dtype=torch.float64).logsumexp(0).exp()) / len(values),
        )
        for name, values in settings
    ]


MODE_MASS = Exercise(
    lesson=6,
    title="p(ŷ), the probability of a model's own best translation",
    difficulty=1,
    minutes=5,
    task="Table 1 has a column p(ŷ): how much probability a model gives to its *own* best "
    "translation, on average. Write `mode_mass(log_probs)`: a list with ln p(ŷ | s) of each "
    "sentence's best hypothesis. Return the mean probability, a number between 0 and 1.",
    hints=(
        "Is the mean taken before or after `exp`? The column is a mean of *probabilities*.",
        "Take `math.exp(log_prob)` of each, then the mean.",
    ),
    imports="import math",
    solution=mode_mass,
    wrong_answers=(
        _exp_of_mean,
        _summed,
        _left_logarithmic,
        _perplexity,
        _powers_of_two,
        _in_percent,
        _median,
    ),
    cases=mass_cases,
    insight="Where a translation has more than half of the probability, greedy search cannot miss "
    "it: the proof stands it below.",
)


def length_ratio(distilled, gold):
    """Return the tokens of the distilled corpus per token of gold: lists of sentences, each a tuple
    of words."""
    return sum(len(sentence) for sentence in distilled) / sum(len(sentence) for sentence in gold)


@mistake(
    "this is the mean of the sentences' ratios: short sentences rule it. BLEU's brevity penalty, "
    "too, sums over the corpus first."
)
def _mean_of_ratios(distilled, gold):
    return sum(len(d) / len(g) for d, g in zip(distilled, gold, strict=True)) / len(gold)


@mistake("upside down: a teacher that is too short must come out below 1.")
def _upside_down(distilled, gold):
    return length_ratio(gold, distilled)


@mistake("this counts sentences: aligned corpora have equally many. Count words.")
def _sentences_counted(distilled, gold):
    return len(distilled) / len(gold)


@mistake("this counts characters, with the blanks: the lab's lengths are in words.")
def _characters(distilled, gold):
    return len(" ".join(map(" ".join, distilled))) / len(" ".join(map(" ".join, gold)))


@mistake("this counts the letters of the words: the lab's lengths are in words.")
def _letters(distilled, gold):
    return sum(len(word) for s in distilled for word in s) / sum(
        len(word) for s in gold for word in s
    )


@mistake("this is a difference of two numbers of words; a ratio is asked for.")
def _difference(distilled, gold):
    return sum(map(len, distilled)) - sum(map(len, gold))


@mistake("this counts different words; a word that stands there twice counts twice.")
def _distinct_words(distilled, gold):
    return len({word for s in distilled for word in s}) / len({word for s in gold for word in s})


@mistake("this is in percent; equal lengths must give 1.")
def _in_percent_of_gold(distilled, gold):
    return 100.0 * length_ratio(distilled, gold)


@mistake("`//` cuts the ratio down to a whole number; divide with `/`.")
def _whole_number(distilled, gold):
    return sum(map(len, distilled)) // sum(map(len, gold))


def ratio_cases() -> list[Case]:
    """Return corpora that are equal, shorter and longer than gold, one with an empty translation;
    counted by flattening."""
    settings = [
        ("a teacher that copies gold", 0, 1),
        ("a teacher that stops early", -4, 2),
        ("a teacher that repeats", 5, 3),
        ("a teacher that writes far too much", 14, 4),
    ]
    corpora = []
    for name, shift, seed in settings:
        chance = random.Random(seed)
        gold = [
            tuple(
                chance.choice("abcdefg") * chance.randint(1, 9)
                for _ in range(chance.randint(2, 14))
            )
            for _ in range(8 + seed)
        ]
        corpora.append(
            (name, [(g * 9)[: max(1, len(g) + round(shift * chance.random()))] for g in gold], gold)
        )
    corpora.append(
        (
            "a translation that is empty",
            [("der", "alte", "Hund", "schlief", "."), ()],
            [("der", "Hund", "."), ("sie", "kam", "nie", "an", ".", ".")],
        )
    )
    corpora.append(("a single sentence", [("ja", ",", "ja", ",", "ja")], [("ja", ".")]))
    cases = []
    for name, distilled, gold in corpora:
        flat = [[word for sentence in corpus for word in sentence] for corpus in (distilled, gold)]
        cases.append(Case(name, (distilled, gold), len(flat[0]) / len(flat[1])))
    return cases


LENGTH_RATIO = Exercise(
    lesson=6,
    title="Before training: the length",
    difficulty=1,
    minutes=4,
    task="Beam search may write translations that are too short, and a student learns that "
    "length. Write `length_ratio(distilled, gold)`: two lists of sentences (tuples of words) in "
    "the same order. Return the number of distilled words per gold word, over the whole corpus.",
    hints=("It is one division of two sums over the corpus.",),
    solution=length_ratio,
    wrong_answers=(
        _mean_of_ratios,
        _upside_down,
        _sentences_counted,
        _characters,
        _letters,
        _difference,
        _distinct_words,
        _in_percent_of_gold,
        _whole_number,
    ),
    cases=ratio_cases,
    insight="The library warns outside 0.9–1.1: look at the ratio before you look at any BLEU.",
)

EXERCISES = (MODE_MASS, LENGTH_RATIO)
