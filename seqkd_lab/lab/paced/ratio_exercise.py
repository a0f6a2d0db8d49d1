"""An exercise of lesson 12, PACED: a gradient's signal-to-noise ratio without its bias."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

import torch
from torch import Tensor

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def signal_to_noise(gradients):
    """Return max(0, ‖ḡ‖² − trΣ/n) / trΣ of n gradients (n, P)."""
    noise = gradients.var(dim=0).sum()
    signal = gradients.mean(dim=0).square().sum() - noise / len(gradients)
    return signal.clamp(min=0.0) / noise


def by_pairs(gradients: Tensor) -> float:
    """Return the same ratio without any mean or variance: of two different gradients the product is
    the signal, on average, and half of their squared distance the noise."""
    pairs = list(combinations(gradients.double(), 2))
    signal = fmean(float(first @ second) for first, second in pairs)
    noise = fmean(float((first - second).square().sum()) for first, second in pairs) / 2.0
    return max(0.0, signal) / noise


def ratio_cases() -> Sequence[Case]:
    """Return cases with much, little and no signal; of few gradients and many; with parameters of
    unequal size."""
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


def _ratio(squared_mean, noise, n):
    return (squared_mean - noise / n).clamp(min=0.0) / noise


def _squared_mean(gradients):
    return gradients.mean(dim=0).square().sum()


@mistake(
    "trΣ/n has not been taken off ‖ḡ‖²: with few sentences and many parameters this calls pure "
    "noise a signal."
)
def _with_bias(gradients):
    return _squared_mean(gradients) / gradients.var(dim=0).sum()


@mistake(
    "the estimate is below 0 where chance made ‖ḡ‖² small. A squared length is never below 0: cut "
    "it off there."
)
def _not_cut(gradients):
    noise = gradients.var(dim=0).sum()
    return (_squared_mean(gradients) - noise / len(gradients)) / noise


@mistake(
    "the whole of trΣ is taken off. The *mean* of n gradients has only the n-th part of their "
    "variance: trΣ/n."
)
def _whole_noise_taken_off(gradients):
    return _ratio(_squared_mean(gradients), gradients.var(dim=0).sum(), 1)


@mistake(
    "this takes the mean of the squared lengths. The signal is the squared length of the *mean*: "
    "gradients that cancel each other have none."
)
def _lengths(gradients):
    lengths = gradients.square().sum(dim=1)
    return _ratio(lengths.mean(), gradients.var(dim=0).sum(), len(gradients))


@mistake(
    "the variance is divided by n, which makes the noise too small; n − 1 is right, since ḡ comes "
    "from the same gradients."
)
def _divided_by_n(gradients):
    noise = gradients.var(dim=0, correction=0).sum()
    return _ratio(_squared_mean(gradients), noise, len(gradients))


@mistake("this is the root of the ratio. The task asks for the ratio of squares, ‖ḡ‖² and trΣ.")
def _root(gradients):
    return signal_to_noise(gradients).sqrt()


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
