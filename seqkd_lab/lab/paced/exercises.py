"""Exercises of lesson 12, PACED: weights of mean 1; the gradient's ratio is in its own module."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import torch

from seqkd_lab.lab.paced.ratio_exercise import RATIO
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def paced_weights(rates, a, b):
    """Return p̂^a (1 − p̂)^b of pass rates p̂ (N,), divided by their mean: (N,)."""
    weights = rates**a * (1.0 - rates) ** b
    return weights / weights.mean()


def weights_cases() -> Sequence[Case]:
    """Return cases with pass rates in eighths, some equal, some 0 or 1; the expected weights are
    computed in fractions."""
    eighths = {
        "one of each": (tuple(range(9)), 1, 1),
        "a student that hardly knows anything": ((0, 0, 0, 1, 2), 1, 1),
        "the peak moved to the right": ((1, 4, 6, 7, 8), 3, 1),
        "b = 0: the better, the more": ((0, 2, 8), 1, 0),
        "a = b = 0: all alike": ((0, 3, 8), 0, 0),
        "a = 0: the worse, the more": ((8, 1, 5, 5, 0), 0, 2),
        "equal rates": ((2, 2, 2, 6), 2, 1),
        "one source": ((3,), 1, 2),
        "the peak moved to the left": ((7, 0, 1, 1, 3, 8, 2), 1, 3),
        "powers that are no whole numbers": ((1, 5, 2, 7, 2), 0.5, 1.5),
    }
    cases = []
    for name, (numbers, a, b) in eighths.items():
        plain = [Fraction(n, 8) ** a * Fraction(8 - n, 8) ** b for n in numbers]
        mean = sum(plain, Fraction(0)) / len(plain)
        cases.append(
            Case(
                name,
                (torch.tensor(numbers) / 8, float(a), float(b)),
                [float(w / mean) for w in plain],
            )
        )
    return cases


@mistake(
    "the weights follow the formula but are not scaled. p̂(1 − p̂) is 1/4 at most, so every "
    "gradient gets several times smaller; with plain gradient descent that is a smaller learning "
    "rate."
)
def _plain(rates, a, b):
    return rates**a * (1.0 - rates) ** b


@mistake("the weights sum to 1, so each of them is small. Their *mean* should be 1.")
def _sum_of_one(rates, a, b):
    weights = rates**a * (1.0 - rates) ** b
    return weights / weights.sum()


@mistake("the largest weight is 1, so the mean is below 1. How far below depends on the student.")
def _largest_is_one(rates, a, b):
    weights = rates**a * (1.0 - rates) ** b
    return weights / weights.max()


@mistake("a and b have changed places: a is the power of p̂, b that of 1 − p̂.")
def _swapped(rates, a, b):
    weights = rates**b * (1.0 - rates) ** a
    return weights / weights.mean()


@mistake(
    "the sources that the student never gets right have the largest weight. PACED gives them none."
)
def _hardest_first(rates, a, b):
    weights = (1.0 - rates) ** (a + b)
    return weights / weights.mean()


@mistake("this is the hard filter: all sources that it keeps count alike, whatever a and b are.")
def _filter(rates, a, b):
    weights = ((rates > 0.2) & (rates < 0.8)).float()
    return weights / weights.mean() if weights.sum() else weights


@mistake("a and b are factors here. They are powers: `rates**a`.")
def _factors(rates, a, b):
    weights = a * rates * b * (1.0 - rates)
    return weights / weights.mean()


@mistake("a and b are not used: this is p̂ (1 − p̂) whatever they are.")
def _without_powers(rates, a, b):
    return paced_weights(rates, 1.0, 1.0)


@mistake(
    "the two powers are added. The formula multiplies them, so that a source of rate 0 or 1 gets "
    "no weight."
)
def _added(rates, a, b):
    weights = rates**a + (1.0 - rates) ** b
    return weights / weights.mean()


@mistake(
    "this is p̂^a alone: the sources that always pass have the largest weight. The factor (1 − "
    "p̂)^b is missing."
)
def _left_alone(rates, a, b):
    return paced_weights(rates, a, 0.0)


@mistake(
    "this is (1 − p̂)^b alone: the sources that never pass have the largest weight. The factor "
    "p̂^a is missing."
)
def _right_alone(rates, a, b):
    return paced_weights(rates, 0.0, b)


@mistake("both factors have the same power a. The power of 1 − p̂ is b.")
def _same_power(rates, a, b):
    return paced_weights(rates, a, a)


@mistake("the weights are multiplied by the mean. Divide by it.")
def _times_the_mean(rates, a, b):
    return _plain(rates, a, b) * _plain(rates, a, b).mean()


@mistake("this divides by the mean of the weights above 0. The mean of *all* weights should be 1.")
def _mean_of_the_positive(rates, a, b):
    weights = _plain(rates, a, b)
    return weights / weights[weights > 0].mean()


WEIGHTS = Exercise(
    lesson=12,
    title="Weights of mean 1",
    difficulty=1,
    minutes=5,
    task="`rates` is a torch tensor (N,) with the pass rate p̂ of every source, `a` and `b` are "
    "the powers. Write "
    "`paced_weights(rates, a, b)`: PACED's p̂^a (1 − p̂)^b for every source, scaled such that the "
    "weights' *mean* "
    "is 1. (At least one of them is above 0.)",
    hints=(
        "Torch knows powers of whole tensors: `rates**a`.",
        "Then divide by `weights.mean()`: the sum of all weights is N, as if every source had "
        "weight 1.",
    ),
    imports="import torch",
    solution=paced_weights,
    wrong_answers=(
        _plain,
        _sum_of_one,
        _largest_is_one,
        _swapped,
        _hardest_first,
        _filter,
        _factors,
        _without_powers,
        _added,
        _left_alone,
        _right_alone,
        _same_power,
        _times_the_mean,
        _mean_of_the_positive,
    ),
    cases=weights_cases,
    insight="The mean weight is 1, as without weights. What differs is how much each source "
    "counts.",
)

EXERCISES = (WEIGHTS, RATIO)
