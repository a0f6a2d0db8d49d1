"""Exercises of lesson 9, pruning: the threshold below which weights go, and the update that keeps
zeros at zero."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.utils import prune

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def global_threshold(weights, share):
    """The largest |w| among the round(share · N) smallest of all N weights {name: tensor}; 0.0 when
    none go."""
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights.values()])
    n_pruned = round(share * len(magnitudes))
    return magnitudes.sort().values[n_pruned - 1].item() if n_pruned else 0.0


def _smallest(weights, n):
    """The n-th smallest of all magnitudes, 0.0 for n = 0."""
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights.values()])
    return magnitudes.sort().values[n - 1].item() if n else 0.0


def _size(weights):
    return sum(weight.numel() for weight in weights.values())


@mistake(
    "each tensor gets a threshold of its own, and these are averaged. Here all weights are "
    "compared with each other: there is one list and one threshold."
)
def _mean_of_thresholds(weights, share):
    own = [global_threshold({name: weight}, share) for name, weight in weights.items()]
    return sum(own) / len(own)


@mistake(
    "weights are compared with their signs, so the most negative ones go first. A weight of −3 "
    "matters as much as one of 3: take |w|."
)
def _with_signs(weights, share):
    numbers = torch.cat([weight.flatten() for weight in weights.values()]).sort().values
    n_pruned = round(share * len(numbers))
    return numbers[n_pruned - 1].item() if n_pruned else 0.0


@mistake("only the largest weight of each tensor is looked at. Every single weight counts.")
def _among_maxima(weights, share):
    return torch.stack([weight.abs().max() for weight in weights.values()]).quantile(share).item()


@mistake(
    "this counts from the largest weight down: it would prune the share that matters most. The "
    "smallest go."
)
def _share_of_the_largest(weights, share):
    n_pruned = round(share * _size(weights))
    return _smallest(weights, _size(weights) - n_pruned + 1) if n_pruned else 0.0


@mistake(
    "vectors (the biases) are left out. All parameters count, whatever their shape, towards N as "
    "well."
)
def _matrices_only(weights, share):
    return global_threshold(
        {name: weight for name, weight in weights.items() if weight.dim() > 1}, share
    )


@mistake(
    "this is a part of the largest magnitude. share says how *many* weights go, not how small "
    "they are: most weights are far smaller than the largest."
)
def _part_of_the_largest(weights, share):
    return share * max(weight.abs().max().item() for weight in weights.values())


@mistake("this is one place too far: the smallest magnitude that stays, not the largest that goes.")
def _first_that_stays(weights, share):
    return _smallest(weights, round(share * _size(weights)) + 1)


@mistake(
    "this rounds down (as `int` and `//` do). The number that go is `round(share * N)`, the "
    "nearest whole number."
)
def _rounded_down(weights, share):
    return _smallest(weights, math.floor(share * _size(weights)))


@mistake("this rounds up. The number that go is `round(share * N)`, the nearest whole number.")
def _rounded_up(weights, share):
    return _smallest(weights, math.ceil(share * _size(weights)))


@mistake(
    "the number that go is rounded tensor by tensor and then added up. Add up the sizes first and "
    "round once."
)
def _rounded_by_tensor(weights, share):
    return _smallest(weights, sum(round(share * weight.numel()) for weight in weights.values()))


@mistake("`len` counts the rows of a tensor. N counts numbers: `weight.numel()`.")
def _rows_counted(weights, share):
    return _smallest(weights, round(share * sum(len(weight) for weight in weights.values())))


@mistake(
    "a quantile lies between two magnitudes, and it is not 0 when none go. The threshold is the "
    "magnitude of one of the weights that go."
)
def _quantile(weights, share):
    return torch.cat([weight.abs().flatten() for weight in weights.values()]).quantile(share).item()


@mistake("when none go, n − 1 is −1, and `[-1]` is the largest magnitude of all. Return 0.0 then.")
def _nothing_forgotten(weights, share):
    return _smallest(weights, round(share * _size(weights)) or _size(weights))


@mistake("at least one weight goes here. When `round(share * N)` is 0, none go: return 0.0.")
def _at_least_one(weights, share):
    return _smallest(weights, max(1, round(share * _size(weights))))


@mistake(
    "weights that are 0 already are left out. They are weights too: they count towards N, and "
    "they go first."
)
def _zeros_left_out(weights, share):
    return global_threshold({name: weight[weight != 0] for name, weight in weights.items()}, share)


@mistake("share is taken for the share that stays. It is the share that goes.")
def _share_that_stays(weights, share):
    return global_threshold(weights, 1.0 - share)


@mistake("this is how many weights go. The task asks for the largest magnitude among them.")
def _number_that_go(weights, share):
    return round(share * _size(weights))


def threshold_by_torch(weights, share) -> float:
    """The largest weight that torch's own global pruning masks."""
    module = nn.Module()
    names = [f"part{number}" for number in range(len(weights))]
    for name, weight in zip(names, weights.values(), strict=True):
        module.register_parameter(name, nn.Parameter(weight.clone()))
    prune.global_unstructured(
        [(module, name) for name in names], prune.L1Unstructured, amount=share
    )
    pruned = torch.cat(
        [getattr(module, f"{name}_orig")[getattr(module, f"{name}_mask") == 0] for name in names]
    )
    return pruned.abs().max().item() if len(pruned) else 0.0


def threshold_cases() -> list[Case]:
    """Parts of a small model whose weights are of very different sizes; biases are large and few.
    In some models many magnitudes are equal, or 0."""
    scales = {
        "embedding": (0.2, (6, 3)),
        "decoder": (1.0, (4, 3, 2)),
        "output": (3.0, (5, 4)),
        "bias": (2.0, (8,)),
    }
    settings = [
        ("half of a model with four parts", tuple(scales), 0.5),
        ("a fifth of it", tuple(scales), 0.2),
        ("nine of ten", tuple(scales), 0.9),
        ("small weights beside large ones", ("embedding", "output"), 0.4),
        ("mostly biases", ("bias", "embedding"), 0.6),
        ("one part alone", ("decoder",), 0.75),
        ("a number that is rounded down", ("bias", "embedding"), 0.2),
        ("nothing goes", ("embedding", "bias"), 0.0),
        ("so little that it rounds to nothing", ("decoder",), 0.01),
        ("many equal magnitudes", ("decoder", "bias"), 0.7),
        ("many weights that are 0 already", tuple(scales), 0.65),
    ]
    cases = []
    for seed, (name, parts, share) in enumerate(settings):
        generator = torch.Generator().manual_seed(90 + seed)
        weights = {
            part: scales[part][0] * torch.randn(scales[part][1], generator=generator)
            for part in parts
        }
        if "equal" in name:
            weights = {part: weight.round() / 2 for part, weight in weights.items()}
        elif "already" in name:
            weights = {part: weight * (weight.abs() > 0.2) for part, weight in weights.items()}
        cases.append(Case(name, (weights, share), threshold_by_torch(weights, share)))
    return cases


THRESHOLD = Exercise(
    lesson=9,
    title="One threshold for all weights",
    difficulty=2,
    minutes=8,
    task="The size of a weight without its sign, |w|, is called its magnitude. Pruning by "
    "magnitude sets the weights "
    "with the smallest magnitudes to 0. Write `global_threshold(weights, share)`: `weights` is a "
    "dictionary from "
    "a name to a torch tensor **of any shape** (a matrix, a bias, …). Together they hold N "
    "numbers, of which "
    "`round(share * N)` go. Return the largest magnitude among those that go: the threshold. When "
    "none go, "
    "return 0.0.",
    hints=(
        "Make one long list of *all* magnitudes of *all* tensors; only then sort.",
        "`tensor.abs().flatten()` gives the magnitudes of one tensor; `torch.cat` joins a list of "
        "such.",
        "The list, smallest first, begins with those that go: the last of them stands at place n "
        "− 1 when n go. Look out for n = 0.",
    ),
    imports="import torch",
    solution=global_threshold,
    wrong_answers=(
        _mean_of_thresholds,
        _with_signs,
        _among_maxima,
        _share_of_the_largest,
        _matrices_only,
        _part_of_the_largest,
        _first_that_stays,
        _rounded_down,
        _rounded_up,
        _rounded_by_tensor,
        _rows_counted,
        _quantile,
        _nothing_forgotten,
        _at_least_one,
        _zeros_left_out,
        _share_that_stays,
        _number_that_go,
    ),
    cases=threshold_cases,
    insight="With one threshold for all, a part with large weights keeps nearly all of its own; a "
    "part with small "
    "weights pays for it.",
)


def prune_and_hold(weight, gradient, mask, learning_rate):
    """`weight` after one step against `gradient`, and 0 wherever `mask` is False."""
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
    """Pruned already or not yet, matrices and a vector, all or nothing pruned. In one case some
    weights and gradients are 0 although they are not pruned."""
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
        given = (weight * mask if is_pruned else weight, gradient, mask, learning_rate)
        cases.append(Case(name, given, update_by_torch(*given)))
    return cases


HOLD = Exercise(
    lesson=9,
    title="Zeros that stay",
    difficulty=1,
    minutes=6,
    task="After pruning the model is trained further, so that the weights that are left make up "
    "for those that are "
    "gone. Write `prune_and_hold(weight, gradient, mask, learning_rate)`: three tensors of one "
    "shape and a "
    "number. `mask` is True where a weight stays and False where it is pruned. Take one step of "
    "plain gradient "
    "descent, weight − learning_rate · gradient, and return the **new** weights: pruned ones are "
    "0, whether or "
    "not they were 0 before. Leave the tensors that you are given as they are.",
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
    insight="Pruned weights stay 0 and the others learn to do without them: it is this retraining "
    "that brings the "
    "quality back.",
)

EXERCISES = (THRESHOLD, HOLD)
