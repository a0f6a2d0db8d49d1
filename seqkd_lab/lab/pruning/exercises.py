"""Exercises of lesson 9, pruning: the threshold below which weights go, and the update that keeps
zeros at zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils import prune

from seqkd_lab.lab.pruning.threshold_exercise import THRESHOLD
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def prune_and_hold(weight, gradient, mask, learning_rate):
    """Return `weight` after one step against `gradient`, and 0 wherever `mask` is False."""
    return (weight - learning_rate * gradient) * mask


@mistake(
    "the mask comes before the step, and the step lets pruned weights grow again. Mask the result."
)
def _masked_before(weight, gradient, mask, learning_rate):
    return weight * mask - learning_rate * gradient


@mistake(
    "only the gradient is masked: pruned weights do not move, but those that were not 0 before "
    "stay what they were. Mask the weights, too."
)
def _gradient_only(weight, gradient, mask, learning_rate):
    return weight - learning_rate * (gradient * mask)


@mistake("the mask is turned round: True means that a weight stays.")
def _inverted(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient) * ~mask


@mistake(
    "the tensor that was given is changed (`-=`, `*=`, or an operation with `_`). Return a new one."
)
def _in_place(weight, gradient, mask, learning_rate):
    weight -= learning_rate * gradient
    weight *= mask
    return weight


@mistake("the step goes up the gradient, so the loss grows. Descent subtracts.")
def _uphill(weight, gradient, mask, learning_rate):
    return (weight + learning_rate * gradient) * mask


@mistake("the weights are pruned but nothing is learned: the step against the gradient is missing.")
def _pruned_only(weight, gradient, mask, learning_rate):
    return weight * mask


@mistake("this is a step without pruning: the mask is not used, and all zeros are gone after it.")
def _not_masked(weight, gradient, mask, learning_rate):
    return weight - learning_rate * gradient


@mistake("the learning rate is missing: the step is learning_rate · gradient.")
def _without_rate(weight, gradient, mask, learning_rate):
    return (weight - gradient) * mask


@mistake("this is the step alone. The new weights are the old ones plus the step.")
def _step_alone(weight, gradient, mask, learning_rate):
    return -learning_rate * gradient * mask


@mistake(
    "this masks where a weight is 0 instead of where `mask` says so: before pruning the weights "
    "are not 0 yet, and a weight that stays may happen to be 0."
)
def _mask_from_zeros(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient) * (weight != 0)


def update_by_torch(weight, gradient, mask, learning_rate) -> torch.Tensor:
    """Take one step of torch's own SGD on a parameter with torch's own pruning mask, for a loss
    with this gradient."""
    module: Any = nn.Module()
    module.register_parameter("weight", nn.Parameter(weight.clone()))
    prune.custom_from_mask(module, "weight", mask)
    optimiser = torch.optim.SGD(module.parameters(), lr=learning_rate)
    (module.weight * gradient).sum().backward()
    optimiser.step()
    prune.remove(module, "weight")
    return module.weight.detach()


def update_cases() -> list[Case]:
    """Return weights pruned already or not yet, matrices and a vector, all or nothing pruned. In
    one case some weights and gradients are 0 although they are not pruned."""
    settings = [
        ("a matrix that is pruned already", (3, 4), 0.5, True, 0.1),
        ("a matrix that is not pruned yet", (3, 4), 0.5, False, 0.1),
        ("a bias, most of it pruned", (6,), 0.2, True, 0.5),
        ("nothing is pruned", (2, 3), 1.0, True, 0.05),
        ("a step as large as the gradient", (2, 5), 0.6, False, 1.0),
        ("everything is pruned", (5,), 0.0, False, 0.3),
        ("weights of 0 that are not pruned", (2, 4, 3), 0.7, False, 0.25),
    ]
    cases = []
    for seed, (name, shape, kept, is_pruned, learning_rate) in enumerate(settings):
        generator = torch.Generator().manual_seed(70 + seed)
        weight, gradient = (torch.randn(shape, generator=generator) for _ in range(2))
        if "of 0" in name:
            weight, gradient = weight * (weight.abs() > 0.4), 3 * gradient * (gradient.abs() > 0.3)
        n = weight.numel()
        mask = (torch.randperm(n, generator=generator) < round(kept * n)).view(shape)
        before = weight * mask if is_pruned else weight
        arguments = (before, gradient, mask, learning_rate)
        cases.append(Case(name, arguments, update_by_torch(*arguments)))
    return cases


HOLD = Exercise(
    lesson=9,
    title="Zeros that stay",
    difficulty=1,
    minutes=6,
    task="After pruning, the model is trained further, so that the weights that are left make "
    "up for those that are gone. Write `prune_and_hold(weight, gradient, mask, "
    "learning_rate)`: three tensors of one shape and a number. `mask` is True where a "
    "weight stays and False where it is pruned. Take one step of plain gradient descent, "
    "weight − learning_rate · gradient, and return the **new** weights: pruned ones are 0, "
    "whether or not they were 0 before. Leave the tensors that you are given as they are.",
    hints=(
        "A pruned weight has a gradient like any other: without the mask, the step would move it "
        "away from 0.",
        "A number times True is itself, times False it is 0: multiply by the mask, last of all.",
    ),
    solution=prune_and_hold,
    wrong_answers=(
        _masked_before,
        _gradient_only,
        _inverted,
        _in_place,
        _uphill,
        _pruned_only,
        _not_masked,
        _without_rate,
        _step_alone,
        _mask_from_zeros,
    ),
    cases=update_cases,
    insight="Pruned weights stay 0, and the others learn to do without them. Without this "
    "retraining, the quality does not come back.",
)

EXERCISES = (THRESHOLD, HOLD)
