"""Exercises of lesson 4, word-level distillation: the mixed target, and the gradient by each word's
logit."""

from __future__ import annotations

import math
import random

import torch
from torch.nn.functional import cross_entropy

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def mixed_target(gold, teacher_probabilities, alpha):
    """Return α · q + (1 − α) · [k = gold]: gold is a word's number, teacher_probabilities a list
    of V; returns V numbers."""
    return [alpha * q + (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]


@mistake(
    "α and 1 − α have changed places: in the paper α weighs the teacher, α = 0 is training on "
    "gold alone."
)
def _alpha_on_gold(gold, teacher_probabilities, alpha):
    return mixed_target(gold, teacher_probabilities, 1 - alpha)


@mistake("gold is added with its full weight: the sum is above 1. It gets 1 − α.")
def _gold_added(gold, teacher_probabilities, alpha):
    return [alpha * q + (k == gold) for k, q in enumerate(teacher_probabilities)]


@mistake(
    "gold's place lost the teacher's share: the sum is below 1. The teacher gives the gold word a "
    "probability too."
)
def _gold_replaced(gold, teacher_probabilities, alpha):
    return [(1 - alpha) if k == gold else alpha * q for k, q in enumerate(teacher_probabilities)]


@mistake("gold is missing: the sum is α. The gold word gets 1 − α on top.")
def _gold_missing(gold, teacher_probabilities, alpha):
    return [alpha * q for q in teacher_probabilities]


@mistake("the teacher counts in full: the sum is 2 − α. Its probabilities are weighted by α.")
def _teacher_unweighted(gold, teacher_probabilities, alpha):
    return [q + (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]


@mistake("the wrong word got 1 − α: the gold word's number counts from 0.")
def _counted_from_one(gold, teacher_probabilities, alpha):
    return mixed_target(gold - 1, teacher_probabilities, alpha)


@mistake("every word got 1 − α. The hard target gives it to the gold word alone.")
def _added_to_every_word(gold, teacher_probabilities, alpha):
    return [alpha * q + (1 - alpha) for q in teacher_probabilities]


@mistake(
    "α is spread evenly over the vocabulary: that is label smoothing. Here the teacher's "
    "probabilities say who gets how much of it."
)
def _smoothed_evenly(gold, teacher_probabilities, alpha):
    return [
        alpha / len(teacher_probabilities) + (1 - alpha) * (k == gold)
        for k in range(len(teacher_probabilities))
    ]


@mistake("the hard target stands on the teacher's best word. It belongs on gold.")
def _teachers_best_is_gold(gold, teacher_probabilities, alpha):
    best = max(range(len(teacher_probabilities)), key=teacher_probabilities.__getitem__)
    return mixed_target(best, teacher_probabilities, alpha)


def random_teacher(chance: random.Random, n_words: int) -> list[float]:
    """Return V positive probabilities, no two of them near each other."""
    weights = [(1.0 + chance.random()) * 1.7**rank for rank in range(n_words)]
    chance.shuffle(weights)
    return [weight / sum(weights) for weight in weights]


def mixing_cases() -> list[Case]:
    """Return cases of each α on random teachers of several sizes, gold first, last and between;
    by torch's linear interpolation."""
    cases = []
    for seed, (alpha, n_words, gold) in enumerate(
        ((0.5, 5, 2), (0.0, 4, 3), (1.0, 6, 1), (0.9, 5, 0), (0.3, 7, 6), (0.25, 3, 1))
    ):
        q = random_teacher(random.Random(seed), n_words)
        one_hot = torch.nn.functional.one_hot(torch.tensor(gold), n_words).double()
        cases.append(
            Case(
                f"α = {alpha:g}, {n_words} words",
                (gold, q, alpha),
                one_hot.lerp(torch.tensor(q).double(), alpha),
            )
        )
    return cases


MIXED = Exercise(
    lesson=4,
    title="The target that α mixes",
    difficulty=1,
    minutes=5,
    task="Write `mixed_target(gold, teacher_probabilities, alpha)`: the gold word's number "
    "(counted from 0), the "
    "teacher's V probabilities, and α, the weight of the teacher. Return the V numbers of the "
    "mixed target, the "
    "weighted mean of hard and soft target.",
    hints=(
        "The hard target is a distribution, too: it gives the gold word probability 1 and every "
        "other word 0.",
        "α belongs to the teacher, 1 − α to gold. The result must sum to 1.",
    ),
    solution=mixed_target,
    wrong_answers=(
        _alpha_on_gold,
        _gold_added,
        _gold_replaced,
        _gold_missing,
        _teacher_unweighted,
        _counted_from_one,
        _added_to_every_word,
        _smoothed_evenly,
        _teachers_best_is_gold,
    ),
    cases=mixing_cases,
    insight="With a teacher near the truth, the mixed target is gold with some of its noise taken "
    "out.",
)


def word_gradient(student_logits, teacher_probabilities, gold, alpha):
    """Return ∂ loss / ∂ logit of each word = p − mixed target, at τ = 1: lists of V numbers in
    and out."""
    largest = max(student_logits)
    weights = [math.exp(z - largest) for z in student_logits]
    p = [w / sum(weights) for w in weights]
    mixed = [alpha * q + (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]
    return [p_k - target_k for p_k, target_k in zip(p, mixed, strict=True)]


def _softmax(logits):
    return torch.tensor(logits, dtype=torch.float64).softmax(dim=0).tolist()


def _minus(values, target):
    return [value - t for value, t in zip(values, target, strict=True)]


@mistake("the sign: this is the step that lowers the loss. The gradient points uphill: p − target.")
def _downhill(student_logits, teacher_probabilities, gold, alpha):
    return [-g for g in word_gradient(student_logits, teacher_probabilities, gold, alpha)]


@mistake(
    "the teacher is missing: this is the gradient of NLL alone, which pushes every word but gold "
    "down, right ones too."
)
def _gold_alone(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, teacher_probabilities, gold, 0.0)


@mistake("gold is missing: this is the gradient of Word-KD alone, α = 1.")
def _teacher_alone(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, teacher_probabilities, gold, 1.0)


@mistake("α and 1 − α have changed places: α weighs the teacher.")
def _alpha_swapped(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, teacher_probabilities, gold, 1 - alpha)


@mistake(
    "this is the gradient with respect to ln p. The logits go through the softmax, which adds p."
)
def _of_log_probabilities(student_logits, teacher_probabilities, gold, alpha):
    return [-target for target in mixed_target(gold, teacher_probabilities, alpha)]


@mistake(
    "this is the gradient with respect to p itself, −target/p. The logits go through the softmax: "
    "its derivative is still missing."
)
def _of_probabilities(student_logits, teacher_probabilities, gold, alpha):
    target = mixed_target(gold, teacher_probabilities, alpha)
    return [-t / p for p, t in zip(_softmax(student_logits), target, strict=True)]


@mistake("the logits are no probabilities: p is their softmax.")
def _without_softmax(student_logits, teacher_probabilities, gold, alpha):
    return _minus(student_logits, mixed_target(gold, teacher_probabilities, alpha))


@mistake("exp(logit) is not yet p: the softmax divides it by the sum over all words.")
def _not_normalised(student_logits, teacher_probabilities, gold, alpha):
    return _minus(map(math.exp, student_logits), mixed_target(gold, teacher_probabilities, alpha))


@mistake("this is V times too small: over the words the loss is a sum, not a mean.")
def _mean_over_words(student_logits, teacher_probabilities, gold, alpha):
    gradient = word_gradient(student_logits, teacher_probabilities, gold, alpha)
    return [g / len(gradient) for g in gradient]


@mistake(
    "the teacher's probabilities went through a softmax again. They are probabilities already."
)
def _softmax_of_the_teacher(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, _softmax(teacher_probabilities), gold, alpha)


@mistake("gold counts in full: it has the weight 1 − α, so that the target sums to 1.")
def _gold_in_full(student_logits, teacher_probabilities, gold, alpha):
    return _minus(_softmax(student_logits), _gold_added(gold, teacher_probabilities, alpha))


def gradient_cases() -> list[Case]:
    """Return what autograd finds for the loss as it is written: α · cross-entropy with q + (1 −
    α) · NLL."""
    cases = []
    for seed, (alpha, n_words, gold) in enumerate(
        ((0.5, 5, 0), (0.0, 4, 1), (1.0, 6, 2), (0.8, 5, 4), (0.25, 7, 3), (0.6, 3, 0))
    ):
        generator = torch.Generator().manual_seed(seed)
        logits = 1.5 * torch.randn(n_words, generator=generator, dtype=torch.float64)
        q, z = random_teacher(random.Random(100 + seed), n_words), logits.tolist()
        logits.requires_grad_()
        loss = alpha * cross_entropy(logits, torch.tensor(q, dtype=torch.float64))
        loss = loss + (1 - alpha) * cross_entropy(logits, torch.tensor(gold))
        expected = torch.autograd.grad(loss, logits)[0]
        cases.append(Case(f"α = {alpha:g}, {n_words} words", (z, q, gold, alpha), expected))
    return cases


GRADIENT = Exercise(
    lesson=4,
    title="The gradient by each word's logit",
    difficulty=3,
    minutes=12,
    task="Write `word_gradient(student_logits, teacher_probabilities, gold, alpha)`: the gradient "
    "of "
    "α · Word-KD + (1 − α) · NLL with respect to each of the V logits, at one position and τ = 1. "
    "The logits and "
    "the probabilities are lists of V numbers, and so is the answer; `gold` is the gold word's "
    "number, from 0. "
    "(Derive a formula, or let `torch.autograd` do it: both are right.)",
    hints=(
        "The gradient of a cross-entropy against *any* target distribution has one short form.",
        "It is the student's softmax minus the target, and the target is `mixed_target`.",
    ),
    imports="import math",
    solution=word_gradient,
    wrong_answers=(
        _downhill,
        _gold_alone,
        _teacher_alone,
        _alpha_swapped,
        _gold_in_full,
        _of_log_probabilities,
        _of_probabilities,
        _without_softmax,
        _not_normalised,
        _mean_over_words,
        _softmax_of_the_teacher,
    ),
    cases=gradient_cases,
    insight="The gradient is 0 where the student equals the mixed target. NLL alone would go on "
    "and push a good "
    "synonym down.",
)
