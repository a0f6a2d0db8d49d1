"""Exercises of lesson 12, PACED: weights of mean 1, and a gradient's signal-to-noise without its
bias."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import torch
from torch import Tensor

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def paced_weights(rates, a, b):
    """p̂^a (1 − p̂)^b of pass rates p̂ (N,), divided by their mean: (N,)."""
    weights = rates**a * (1.0 - rates) ** b
    return weights / weights.mean()


def signal_to_noise(gradients):
    """max(0, ‖ḡ‖² − trΣ/n) / trΣ of n gradients (n, P)."""
    noise = gradients.var(dim=0).sum()
    signal = gradients.mean(dim=0).square().sum() - noise / len(gradients)
    return signal.clamp(min=0.0) / noise


def weights_cases() -> Sequence[Case]:
    """Pass rates in eighths; the expected weights are computed in fractions. Some rates are equal,
    some 0 or 1."""
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
    for name, (places, a, b) in eighths.items():
        plain = [Fraction(place, 8) ** a * Fraction(8 - place, 8) ** b for place in places]
        mean = sum(plain, Fraction(0)) / len(plain)
        cases.append(
            Case(
                name,
                (torch.tensor(places) / 8, float(a), float(b)),
                [float(w / mean) for w in plain],
            )
        )
    return cases


def by_pairs(gradients: Tensor) -> float:
    """The same ratio without any mean or variance: of two different gradients the product is the
    signal, on average, and half of their squared distance the noise."""
    pairs = list(combinations(gradients.double(), 2))
    signal = sum(float(one @ other) for one, other in pairs) / len(pairs)
    noise = sum(float((one - other).square().sum()) for one, other in pairs) / len(pairs) / 2.0
    return max(0.0, signal) / noise


def ratio_cases() -> Sequence[Case]:
    """Gradients with much, little and no signal; few of them and many; parameters of unequal
    size."""
    generator = torch.Generator().manual_seed(12)
    settings = {
        "a strong signal": (1.0, 6, 4),
        "a weak signal in many parameters": (0.2, 8, 60),
        "many sentences": (0.3, 40, 10),
        "two sentences": (0.8, 2, 7),
        "noise alone": (0.0, 9, 12),
    }
    by_hand = torch.tensor([[3.0, 0.0], [1.0, 0.0]])  # ḡ = (2, 0), trΣ = 2, so (4 − 1) / 2
    opposed = torch.tensor([[1.0, 2.0], [-1.0, -1.0], [0.0, -1.0]])
    cases = [
        Case("two gradients by hand", (by_hand,), 1.5),
        Case("they cancel each other", (opposed,), 0.0),
    ]
    for name, (strength, n, size) in settings.items():
        gradients = strength + torch.randn(n, size, generator=generator)
        cases.append(Case(name, (gradients,), by_pairs(gradients)))
    unequal = torch.tensor([3.0, 0.2, 1.0]) * (0.5 + torch.randn(5, 3, generator=generator))
    return [*cases, Case("parameters of unequal size", (unequal,), by_pairs(unequal))]


@mistake(
    "the weights follow the formula but are not scaled. p̂(1 − p̂) is 1/4 at most, so every "
    "update gets several times smaller, as with a smaller learning rate."
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


@mistake("a and b stand as factors here. They are powers: `rates**a`.")
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


@mistake(
    "trΣ/n has not been taken off ‖ḡ‖²: with few sentences and many parameters this calls pure "
    "noise a signal."
)
def _with_bias(gradients):
    return gradients.mean(dim=0).square().sum() / gradients.var(dim=0).sum()


@mistake(
    "the estimate is below 0 where chance made ‖ḡ‖² small. A squared length is never below 0: cut "
    "it off there."
)
def _not_cut(gradients):
    noise = gradients.var(dim=0).sum()
    return (gradients.mean(dim=0).square().sum() - noise / len(gradients)) / noise


@mistake(
    "the whole of trΣ is taken off. The *mean* of n gradients has only the n-th part of their "
    "variance: trΣ/n."
)
def _whole_noise_taken_off(gradients):
    noise = gradients.var(dim=0).sum()
    return (gradients.mean(dim=0).square().sum() - noise).clamp(min=0.0) / noise


@mistake(
    "this takes the mean of the squared lengths. The signal is the squared length of the *mean*: "
    "gradients that cancel each other have none."
)
def _lengths(gradients):
    noise = gradients.var(dim=0).sum()
    return (gradients.square().sum(dim=1).mean() - noise / len(gradients)).clamp(min=0.0) / noise


@mistake(
    "the variance is divided by n, which makes the noise too small; n − 1 is right, since ḡ comes "
    "from the same gradients."
)
def _divided_by_n(gradients):
    noise = gradients.var(dim=0, correction=0).sum()
    return (gradients.mean(dim=0).square().sum() - noise / len(gradients)).clamp(min=0.0) / noise


@mistake("this is the root of the ratio. The task asks for the ratio of squares, ‖ḡ‖² and trΣ.")
def _root(gradients):
    return signal_to_noise(gradients).sqrt()


def _ratio(squared_mean, noise, n):
    return (squared_mean - noise / n).clamp(min=0.0) / noise


def _squared_mean(gradients):
    return gradients.mean(dim=0).square().sum()


@mistake("trΣ/n is added to ‖ḡ‖². It is what noise alone brings: take it off.")
def _bias_added(gradients):
    return _squared_mean(gradients) / gradients.var(dim=0).sum() + 1.0 / len(gradients)


@mistake(
    "this divides by trΣ/n, the noise of the mean. The noise of *one* sentence's gradient is trΣ."
)
def _noise_of_the_mean(gradients):
    return len(gradients) * signal_to_noise(gradients)


@mistake(
    "mean and variance are taken over dim=1, the parameters. They belong over the sentences: dim=0."
)
def _other_axis(gradients):
    return signal_to_noise(gradients.T)


@mistake(
    "trΣ is divided by the number of parameters. The bias of ‖ḡ‖² is trΣ/n, with n sentences: "
    "`len(gradients)`."
)
def _bias_by_parameters(gradients):
    return _ratio(_squared_mean(gradients), gradients.var(dim=0).sum(), gradients.shape[1])


@mistake(
    "this is the variance of all numbers together. Take the variance of every parameter "
    "(`dim=0`), then add them up."
)
def _variance_of_all(gradients):
    return _ratio(_squared_mean(gradients), gradients.var(), len(gradients))


@mistake("this is the mean variance of a parameter. trΣ is the sum over the parameters.")
def _mean_variance(gradients):
    return _ratio(_squared_mean(gradients), gradients.var(dim=0).mean(), len(gradients))


@mistake("these are standard deviations. trΣ is a sum of variances: `.var`, not `.std`.")
def _standard_deviations(gradients):
    return _ratio(_squared_mean(gradients), gradients.std(dim=0).sum(), len(gradients))


@mistake("‖ḡ‖ is not squared.")
def _length_not_squared(gradients):
    return _ratio(_squared_mean(gradients).sqrt(), gradients.var(dim=0).sum(), len(gradients))


@mistake("this takes the sum of the gradients. ḡ is their mean.")
def _sum_of_gradients(gradients):
    return _ratio(gradients.sum(dim=0).square().sum(), gradients.var(dim=0).sum(), len(gradients))


@mistake(
    "the difference is cut off at 0 parameter by parameter. Add up first: the errors of single "
    "parameters cancel only if those below 0 count, too."
)
def _cut_by_parameter(gradients):
    noise = gradients.var(dim=0)
    return (gradients.mean(dim=0).square() - noise / len(gradients)).clamp(
        min=0.0
    ).sum() / noise.sum()


@mistake("this is the signal alone, not divided by trΣ.")
def _signal_alone(gradients):
    return signal_to_noise(gradients) * gradients.var(dim=0).sum()


WEIGHTS = Exercise(
    lesson=12,
    title="Weights that leave the learning rate alone",
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

RATIO = Exercise(
    lesson=12,
    title="What a gradient is worth",
    difficulty=2,
    minutes=8,
    task="`gradients` is a torch tensor (n, P): for each of n sentences the gradient of its loss "
    "in P parameters. ḡ is "
    "their mean, and trΣ the sum over the parameters of their variance (the unbiased one, divided "
    "by n − 1). Even "
    "without any signal ‖ḡ‖² is trΣ/n on average. Write `signal_to_noise(gradients)`: the estimate "
    "without that "
    "bias, max(0, ‖ḡ‖² − trΣ/n) / trΣ, as one number.",
    hints=(
        "`gradients.mean(dim=0)` is ḡ (P,); ‖ḡ‖² is the sum of its squares.",
        "`gradients.var(dim=0)` divides by n − 1 already; trΣ is its sum.",
        "First take trΣ/n off, then `.clamp(min=0.0)`, then divide by trΣ.",
    ),
    imports="import torch",
    solution=signal_to_noise,
    wrong_answers=(
        _with_bias,
        _not_cut,
        _whole_noise_taken_off,
        _lengths,
        _divided_by_n,
        _root,
        _bias_added,
        _noise_of_the_mean,
        _other_axis,
        _bias_by_parameters,
        _variance_of_all,
        _mean_variance,
        _standard_deviations,
        _length_not_squared,
        _sum_of_gradients,
        _cut_by_parameter,
        _signal_alone,
    ),
    cases=ratio_cases,
    insight="‖ḡ‖² − trΣ/n is the mean product of two *different* gradients: what sentences agree "
    "on.",
)

EXERCISES = (WEIGHTS, RATIO)
