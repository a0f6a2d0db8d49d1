"""Exercises of lesson 6, sequence-level distillation: the length of a distilled corpus, and the mode's mass."""

from __future__ import annotations

import math
import random

import torch

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def mode_mass(log_probs):
    """Mean over sentences of p(ŷ | s); log_probs holds ln p(ŷ | s) of each sentence's best hypothesis."""
    return sum(math.exp(log_prob) for log_prob in log_probs) / len(log_probs)


def _exp_of_mean(log_probs):
    return math.exp(sum(log_probs) / len(log_probs))


def _summed(log_probs):
    return sum(math.exp(log_prob) for log_prob in log_probs)


def _left_logarithmic(log_probs):
    return sum(log_probs) / len(log_probs)


def mass_cases() -> list[Case]:
    """Models that know, doubt and mix; by torch's logsumexp."""
    random_ones = [[random.Random(seed).uniform(-9.0, -0.1) for _ in range(7)] for seed in (1, 2)]
    random_ones[1] = [log_prob * (1 + place) for place, log_prob in enumerate(random_ones[1])]
    settings = [("one sure sentence, one hopeless", [0.0, -60.0]), ("a single sentence", [-1.5]),
                ("seven sentences", [-0.1, -0.5, -2.0, -3.0, -4.5, -7.0, -9.0]),
                ("random sentences", random_ones[0]), ("random sentences, some very unlikely", random_ones[1])]
    return [
        Case(name, (values,), float(torch.tensor(values, dtype=torch.float64).logsumexp(0).exp()) / len(values))
        for name, values in settings
    ]


MODE_MASS = Exercise(
    lesson=6, title="The mode's mass, p(ŷ)", difficulty=1, minutes=5,
    task="Table 1 has a column p(ŷ): how much probability a model gives to its *own* best translation, on average. "
         "Write `mode_mass(log_probs)`: a list with ln p(ŷ | s) of each sentence's best hypothesis. Return the mean "
         "probability, between 0 and 1.",
    hints=("Is the mean taken before or after `exp`? The column is a mean of *probabilities*.",
           "`math.exp(log_prob)` of each, then the mean."),
    imports="import math",
    solution=mode_mass,
    wrong_answers=(
        WrongAnswer(_exp_of_mean, "this is exp of the mean, a geometric mean: one hopeless sentence takes it to 0. "
                                  "Take exp of each sentence first."),
        WrongAnswer(_summed, "this is a sum over the sentences; p(ŷ) is their mean, so at most 1."),
        WrongAnswer(_left_logarithmic, "these are still log-probabilities: a mass is exp of them."),
    ),
    cases=mass_cases,
    insight="Where the mass has gathered on one translation, greedy search can hardly miss it: this is the paper's "
            "reason why no beam is needed.",
)


def length_ratio(distilled, gold):
    """Tokens of the distilled corpus per token of gold: lists of sentences, each a tuple of words."""
    return sum(len(sentence) for sentence in distilled) / sum(len(sentence) for sentence in gold)


def _mean_of_ratios(distilled, gold):
    return sum(len(d) / len(g) for d, g in zip(distilled, gold, strict=True)) / len(gold)


def _upside_down(distilled, gold):
    return length_ratio(gold, distilled)


def _sentences_counted(distilled, gold):
    return len(distilled) / len(gold)


def _characters(distilled, gold):
    return len(" ".join(map(" ".join, distilled))) / len(" ".join(map(" ".join, gold)))


def ratio_cases() -> list[Case]:
    """Corpora that are equal, shorter and longer than gold; counted by flattening them into one list."""
    settings = [("a teacher that copies gold", 0, 1), ("a teacher that stops early", -4, 2), ("one that repeats", 5, 3)]
    cases = []
    for name, shift, seed in settings:
        chance = random.Random(seed)
        gold = [tuple("w" * chance.randint(1, 9) for _ in range(chance.randint(2, 14))) for _ in range(8)]
        distilled = [(g * 2)[: max(1, len(g) + int(shift * chance.random()))] for g in gold]
        flat = [[word for sentence in corpus for word in sentence] for corpus in (distilled, gold)]
        cases.append(Case(name, (distilled, gold), len(flat[0]) / len(flat[1])))
    return cases


LENGTH_RATIO = Exercise(
    lesson=6, title="Before you distil: the length", difficulty=1, minutes=4,
    task="A beam may write translations that are too short, and a student learns that length. Write "
         "`length_ratio(distilled, gold)`: two lists of sentences (tuples of words) in the same order. Return the "
         "number of distilled words per gold word, over the whole corpus.",
    hints=("It is one division, of two sums over the corpus.",),
    solution=length_ratio,
    wrong_answers=(
        WrongAnswer(_mean_of_ratios, "this is the mean of the sentences' ratios: short sentences rule it. BLEU's "
                                     "brevity penalty, too, sums over the corpus first."),
        WrongAnswer(_upside_down, "upside down: a teacher that is too short must come out below 1."),
        WrongAnswer(_sentences_counted, "this counts sentences: aligned corpora have equally many. Count words."),
        WrongAnswer(_characters, "this counts characters: the lab's lengths are in tokens."),
    ),
    cases=ratio_cases,
    insight="The library warns outside 0.9–1.1: look at the ratio before you look at any BLEU.",
)

EXERCISES = (MODE_MASS, LENGTH_RATIO)
