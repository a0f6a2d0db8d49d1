"""Answers to the exercises of lesson 09: one threshold for all weights, and zeros that stay."""

from __future__ import annotations

import heapq
import math
from itertools import chain

import numpy as np
import torch


def magnitudes_of(weights):
    return torch.cat([weight.abs().flatten() for weight in weights.values()])


def at(numbers, n):
    """The n-th smallest of `numbers`, 0.0 for n = 0."""
    return numbers.sort().values[n - 1].item() if n else 0.0


# global_threshold(weights, share): wrong


def threshold_own_and_averaged(weights, share):
    own = [at(weight.abs().flatten(), round(share * weight.numel())) for weight in weights.values()]
    return sum(own) / len(own)


def threshold_own_and_largest(weights, share):
    return max(
        at(weight.abs().flatten(), round(share * weight.numel())) for weight in weights.values()
    )


def threshold_with_signs(weights, share):
    numbers = torch.cat([weight.flatten() for weight in weights.values()])
    return at(numbers, round(share * len(numbers)))


def threshold_sign_dropped_late(weights, share):
    return abs(threshold_with_signs(weights, share))


def threshold_from_the_largest(weights, share):
    magnitudes = magnitudes_of(weights)
    n = round(share * len(magnitudes))
    return magnitudes.sort(descending=True).values[n - 1].item() if n else 0.0


def threshold_of_matrices(weights, share):
    matrices = [weight.abs().flatten() for weight in weights.values() if weight.dim() > 1]
    magnitudes = torch.cat(matrices)
    return at(magnitudes, round(share * len(magnitudes)))


def threshold_part_of_the_largest(weights, share):
    return share * magnitudes_of(weights).max().item()


def threshold_part_of_the_mean(weights, share):
    return share * magnitudes_of(weights).mean().item()


def threshold_first_that_stays(weights, share):
    magnitudes = magnitudes_of(weights).sort().values
    return magnitudes[round(share * len(magnitudes))].item()


def threshold_rounded_down(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, int(share * len(magnitudes)))


def threshold_rounded_up(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, math.ceil(share * len(magnitudes)))


def threshold_rounded_tensor_by_tensor(weights, share):
    return at(
        magnitudes_of(weights), sum(round(share * weight.numel()) for weight in weights.values())
    )


def threshold_rows_counted(weights, share):
    return at(
        magnitudes_of(weights), round(share * sum(len(weight) for weight in weights.values()))
    )


def threshold_by_quantile(weights, share):
    return torch.quantile(magnitudes_of(weights), share).item()


def threshold_by_quantile_but_nothing(weights, share):
    magnitudes = magnitudes_of(weights)
    return torch.quantile(magnitudes, share).item() if round(share * len(magnitudes)) else 0.0


def threshold_by_lower_quantile(weights, share):
    magnitudes = magnitudes_of(weights)
    found = torch.quantile(magnitudes, share, interpolation="lower").item()
    return found if round(share * len(magnitudes)) else 0.0


def threshold_nothing_forgotten(weights, share):
    magnitudes = magnitudes_of(weights).sort().values
    return magnitudes[round(share * len(magnitudes)) - 1].item()


def threshold_at_least_one(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, max(1, round(share * len(magnitudes))))


def threshold_of_different_values(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes.unique(), min(round(share * len(magnitudes)), len(magnitudes.unique())))


def threshold_zeros_left_out(weights, share):
    magnitudes = magnitudes_of(weights)
    magnitudes = magnitudes[magnitudes > 0]
    return at(magnitudes, round(share * len(magnitudes)))


def threshold_squared(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, round(share * len(magnitudes))) ** 2


def threshold_of_the_first(weights, share):
    return threshold_own_and_largest(dict([next(iter(weights.items()))]), share)


def threshold_of_the_last(weights, share):
    return threshold_own_and_largest(dict([list(weights.items())[-1]]), share)


def threshold_of_rows(weights, share):
    norms = torch.cat(
        [
            weight.flatten(1).norm(dim=1) if weight.dim() > 1 else weight.abs()
            for weight in weights.values()
        ]
    )
    return at(norms, round(share * len(norms)))


def threshold_share_in_percent(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, round(share / 100 * len(magnitudes)))


def threshold_of_what_stays(weights, share):
    magnitudes = magnitudes_of(weights)
    return at(magnitudes, round((1 - share) * len(magnitudes)))


def threshold_number(weights, share):
    return round(share * len(magnitudes_of(weights)))


def threshold_all_that_go(weights, share):
    magnitudes = magnitudes_of(weights).sort().values
    return magnitudes[: round(share * len(magnitudes))]


def threshold_changes_the_weights(weights, share):
    return at(
        torch.cat([weight.abs_().flatten() for weight in weights.values()]),
        round(share * sum(weight.numel() for weight in weights.values())),
    )


def threshold_not_returned(weights, share):
    magnitudes_of(weights).sort()


# right


def threshold_by_kthvalue(weights, share):
    magnitudes = torch.cat([weight.reshape(-1) for weight in weights.values()]).abs()
    n = round(magnitudes.numel() * share)
    return torch.kthvalue(magnitudes, n).values if n > 0 else torch.tensor(0.0)


def threshold_by_partition(weights, share):
    numbers = np.abs(np.concatenate([weight.numpy().ravel() for weight in weights.values()]))
    n = round(share * numbers.size)
    return 0.0 if n == 0 else np.partition(numbers, n - 1)[n - 1]


def threshold_by_heap(weights, share):
    numbers = [
        abs(number) for number in chain(*(weight.flatten().tolist() for weight in weights.values()))
    ]
    return max(heapq.nsmallest(round(share * len(numbers)), numbers), default=0.0)


def threshold_by_topk(weights, share):
    magnitudes = magnitudes_of(weights)
    n = round(share * len(magnitudes))
    if n == 0:
        return 0
    return magnitudes.topk(n, largest=False).values.max()


def threshold_by_sorting(weights, share):
    numbers = []
    for weight in weights.values():
        numbers += weight.double().abs().view(-1).tolist()
    return ([0.0] + sorted(numbers))[round(share * len(numbers))]


# prune_and_hold(weight, gradient, mask, learning_rate): wrong


def hold_masked_before(weight, gradient, mask, learning_rate):
    return weight * mask - learning_rate * gradient


def hold_gradient_only(weight, gradient, mask, learning_rate):
    return weight - learning_rate * gradient * mask


def hold_where_else_the_weight(weight, gradient, mask, learning_rate):
    return torch.where(mask, weight - learning_rate * gradient, weight)


def hold_where_else_the_step(weight, gradient, mask, learning_rate):
    return torch.where(mask, weight - learning_rate * gradient, -learning_rate * gradient)


def hold_inverted(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient).masked_fill(mask, 0.0)


def hold_in_place(weight, gradient, mask, learning_rate):
    weight -= learning_rate * gradient
    weight *= mask
    return weight


def hold_gradient_in_place(weight, gradient, mask, learning_rate):
    gradient *= mask
    return weight * mask - learning_rate * gradient


def hold_weight_masked_in_place(weight, gradient, mask, learning_rate):
    weight[~mask] = 0.0
    return weight - learning_rate * gradient * mask


def hold_uphill(weight, gradient, mask, learning_rate):
    return (weight + learning_rate * gradient) * mask


def hold_pruned_only(weight, gradient, mask, learning_rate):
    return torch.where(mask, weight, 0.0)


def hold_not_masked(weight, gradient, mask, learning_rate):
    return weight - learning_rate * gradient


def hold_without_rate(weight, gradient, mask, learning_rate):
    return (weight - gradient) * mask


def hold_rate_on_all(weight, gradient, mask, learning_rate):
    return learning_rate * (weight - gradient) * mask


def hold_step_alone(weight, gradient, mask, learning_rate):
    return -learning_rate * gradient * mask


def hold_divided_by_rate(weight, gradient, mask, learning_rate):
    return (weight - gradient / learning_rate) * mask


def hold_mask_from_zeros(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient) * (weight != 0)


def hold_mask_and_zeros(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient) * (mask & (weight != 0))


def hold_sign_of_gradient(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient.sign()) * mask


def hold_clipped(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient.clamp(-1.0, 1.0)) * mask


def hold_mean_gradient(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient.mean()) * mask


def hold_normalised_gradient(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient / gradient.norm()) * mask


def hold_weight_decay(weight, gradient, mask, learning_rate):
    return (weight * (1.0 - learning_rate) - learning_rate * gradient) * mask


def hold_only_what_stays(weight, gradient, mask, learning_rate):
    return (weight - learning_rate * gradient)[mask]


def hold_nan_for_pruned(weight, gradient, mask, learning_rate):
    return torch.where(mask, weight - learning_rate * gradient, float("nan"))


def hold_gradients_product(weight, gradient, mask, learning_rate):
    return weight * mask * (1.0 - learning_rate * gradient)


def hold_magnitudes(weight, gradient, mask, learning_rate):
    return (weight.abs() - learning_rate * gradient) * mask


def hold_sum(weight, gradient, mask, learning_rate):
    return ((weight - learning_rate * gradient) * mask).sum()


def hold_not_returned(weight, gradient, mask, learning_rate):
    weight = (weight - learning_rate * gradient) * mask  # noqa: F841


# right


def hold_by_where(weight, gradient, mask, learning_rate):
    return torch.where(mask, weight - learning_rate * gradient, torch.zeros_like(weight))


def hold_both_masked(weight, gradient, mask, learning_rate):
    return weight * mask.float() - learning_rate * (gradient * mask.float())


def hold_on_a_copy(weight, gradient, mask, learning_rate):
    new = weight.clone()
    new -= learning_rate * gradient
    new[~mask] = 0
    return new


def hold_by_numpy(weight, gradient, mask, learning_rate):
    return (weight.numpy() - learning_rate * gradient.numpy()) * mask.numpy()


def hold_by_loop(weight, gradient, mask, learning_rate):
    numbers = zip(
        weight.flatten().tolist(), gradient.flatten().tolist(), mask.flatten().tolist(), strict=True
    )
    new = [w - learning_rate * g if stays else 0 for w, g, stays in numbers]
    return torch.tensor(new).view(weight.shape)


def hold_by_sgd(weight, gradient, mask, learning_rate):
    parameter = torch.nn.Parameter(weight.clone())
    parameter.grad = gradient.clone()
    torch.optim.SGD([parameter], lr=learning_rate).step()
    return parameter.detach() * mask


WRONG = {
    "global_threshold": {
        threshold_own_and_averaged: "averaged",
        threshold_own_and_largest: None,
        threshold_with_signs: "signs",
        threshold_sign_dropped_late: None,
        threshold_from_the_largest: "from the largest",
        threshold_of_matrices: "vectors",
        threshold_part_of_the_largest: "largest magnitude",
        threshold_part_of_the_mean: None,
        threshold_first_that_stays: "too far",
        threshold_rounded_down: "rounds down",
        threshold_rounded_up: "rounds up",
        threshold_rounded_tensor_by_tensor: "tensor by tensor",
        threshold_rows_counted: "rows",
        threshold_by_quantile: "quantile",
        threshold_by_quantile_but_nothing: None,
        threshold_by_lower_quantile: None,
        threshold_nothing_forgotten: "[-1]",
        threshold_at_least_one: "at least one",
        threshold_of_different_values: None,
        threshold_zeros_left_out: "0 already",
        threshold_squared: None,
        threshold_of_the_first: None,
        threshold_of_the_last: None,
        threshold_of_rows: None,
        threshold_share_in_percent: None,
        threshold_of_what_stays: "stay",
        threshold_number: "how many",
        threshold_all_that_go: None,
        threshold_changes_the_weights: None,
        threshold_not_returned: None,
    },
    "prune_and_hold": {
        hold_masked_before: "before the step",
        hold_gradient_only: "only the gradient",
        hold_where_else_the_weight: "only the gradient",
        hold_where_else_the_step: "before the step",
        hold_inverted: "turned round",
        hold_in_place: "given is changed",
        hold_gradient_in_place: None,
        hold_weight_masked_in_place: None,
        hold_uphill: "up the gradient",
        hold_pruned_only: "nothing is learned",
        hold_not_masked: "without pruning",
        hold_without_rate: "learning rate",
        hold_rate_on_all: None,
        hold_step_alone: "the step alone",
        hold_divided_by_rate: None,
        hold_mask_from_zeros: "where a weight is 0",
        hold_mask_and_zeros: None,
        hold_sign_of_gradient: None,
        hold_clipped: None,
        hold_mean_gradient: None,
        hold_normalised_gradient: None,
        hold_weight_decay: None,
        hold_only_what_stays: None,
        hold_nan_for_pruned: None,
        hold_gradients_product: None,
        hold_magnitudes: None,
        hold_sum: None,
        hold_not_returned: None,
    },
}
RIGHT = {
    "global_threshold": [
        threshold_by_kthvalue,
        threshold_by_partition,
        threshold_by_heap,
        threshold_by_topk,
        threshold_by_sorting,
    ],
    "prune_and_hold": [
        hold_by_where,
        hold_both_masked,
        hold_on_a_copy,
        hold_by_numpy,
        hold_by_loop,
        hold_by_sgd,
    ],
}
