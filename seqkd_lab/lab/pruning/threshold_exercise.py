"""The exercise of lesson 9 on the threshold below which weights go."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.utils import prune

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def global_threshold(weights, share):
    """Return the largest |w| among the round(share · N) smallest of all N weights {name: tensor};
    0.0 when none go."""
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights.values()])
    n_pruned = round(share * len(magnitudes))
    return magnitudes.sort().values[n_pruned - 1].item() if n_pruned else 0.0


def _smallest(weights, n):
    """Return the n-th smallest of all magnitudes, 0.0 for n = 0."""
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
    """Return the largest weight that torch's own global pruning masks."""
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
    """Return parts of a small model whose weights are of very different sizes; biases are large
    and few. In some models many magnitudes are equal, or 0."""
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
    task="Pruning by magnitude sets the weights with the smallest magnitudes |w| to 0. Write "
    "`global_threshold(weights, share)`: `weights` is a dictionary from a name to a torch "
    "tensor **of any shape** (a matrix, a bias, …). Together they hold N numbers, of which "
    "`round(share * N)` go. Return the largest magnitude among those that go: the "
    "threshold. When none go, return 0.0.",
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
    insight="With one threshold for all, a part with large weights keeps nearly all of its own, "
    "and a part with small weights loses many.",
)
