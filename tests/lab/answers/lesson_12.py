"""Answers to the exercises of lesson 12: weights of mean 1, and a gradient's signal-to-noise
without its bias."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import numpy as np
import torch

# paced_weights(rates, a, b): wrong


def power_form(rates, a, b):
    return rates**a * (1 - rates) ** b


def of_mean_one(weights):
    return weights / weights.mean()


def weights_not_scaled(rates, a, b):
    return power_form(rates, a, b)


def weights_sum_of_one(rates, a, b):
    return power_form(rates, a, b) / power_form(rates, a, b).sum()


def weights_largest_one(rates, a, b):
    return power_form(rates, a, b) / power_form(rates, a, b).max()


def weights_swapped(rates, a, b):
    return of_mean_one(power_form(rates, b, a))


def weights_hardest(rates, a, b):
    return of_mean_one((1 - rates) ** (a + b))


def weights_of_filter(rates, a, b):
    return of_mean_one(((rates > 0) & (rates < 1)).float())


def weights_multiplied(rates, a, b):
    return of_mean_one(a * rates * b * (1 - rates))


def weights_without_powers(rates, a, b):
    return of_mean_one(rates * (1 - rates))


def weights_added(rates, a, b):
    return of_mean_one(rates**a + (1 - rates) ** b)


def weights_left_alone(rates, a, b):
    return of_mean_one(rates**a)


def weights_right_alone(rates, a, b):
    return of_mean_one((1 - rates) ** b)


def weights_power_of_all(rates, a, b):
    return of_mean_one((rates * (1 - rates)) ** a)


def weights_of_beta_density(rates, a, b):
    return of_mean_one((rates**a * (1 - rates) ** b) / (rates * (1 - rates)).clamp(min=1e-3))


def weights_times_mean(rates, a, b):
    return power_form(rates, a, b) * power_form(rates, a, b).mean()


def weights_minus_mean(rates, a, b):
    return 1 + power_form(rates, a, b) - power_form(rates, a, b).mean()


def weights_median_one(rates, a, b):
    weights = power_form(rates, a, b)
    return weights / weights.median() if weights.median() > 0 else weights


def weights_mean_of_positive(rates, a, b):
    weights = power_form(rates, a, b)
    return weights / weights[weights > 0].mean()


def weights_root_mean_square(rates, a, b):
    weights = power_form(rates, a, b)
    return weights / weights.square().mean().sqrt()


def weights_spread_one(rates, a, b):
    weights = power_form(rates, a, b)
    return weights / weights.std(correction=0).clamp(min=1e-6)


def weights_softmax(rates, a, b):
    return len(rates) * power_form(rates, a, b).softmax(dim=0)


def weights_peak_one(rates, a, b):
    peak = a / (a + b) if a + b else 0.5
    return power_form(rates, a, b) / (peak**a * (1 - peak) ** b)


def weights_scaled_rates(rates, a, b):
    return of_mean_one(power_form(rates / rates.max(), a, b))


def weights_by_mean_rate(rates, a, b):
    mean = rates.mean()
    return power_form(rates, a, b) / (mean**a * (1 - mean) ** b)


def weights_clamped_rates(rates, a, b):
    return of_mean_one(power_form(rates.clamp(0.05, 0.95), a, b))


def weights_floor(rates, a, b):
    return of_mean_one(power_form(rates, a, b) + 0.01)


def weights_whole_powers(rates, a, b):
    return of_mean_one(rates ** int(a) * (1 - rates) ** int(b))


def weights_in_place(rates, a, b):
    weights = (1 - rates) ** b
    rates.pow_(a).mul_(weights)
    return rates / rates.mean()


def weights_one_number(rates, a, b):
    return of_mean_one(power_form(rates, a, b)).mean()


def weights_not_returned(rates, a, b):
    of_mean_one(power_form(rates, a, b))


# right


def weights_by_numpy(rates, a, b):
    weights = np.power(rates.numpy(), a) * np.power(1 - rates.numpy(), b)
    return weights / np.mean(weights)


def weights_by_sum(rates, a, b):
    weights = torch.pow(rates.double(), a).mul(torch.pow(1.0 - rates.double(), b))
    return len(weights) * weights / weights.sum()


def weights_by_loop(rates, a, b):
    plain = [rate**a * (1 - rate) ** b for rate in rates.tolist()]
    mean = fmean(plain)
    return [weight / mean for weight in plain]


def weights_by_generator(rates, a, b):
    total = sum(rate**a * (1 - rate) ** b for rate in rates.tolist())
    return (len(rates) * rate**a * (1 - rate) ** b / total for rate in rates.tolist())


# signal_to_noise(gradients): wrong


def ratio(squared_mean, noise, n):
    return max(0.0, float(squared_mean - noise / n)) / float(noise)


def parts(gradients):
    return gradients.mean(dim=0).square().sum(), gradients.var(dim=0).sum(), len(gradients)


def signal_with_bias(gradients):
    squared_mean, noise, _ = parts(gradients)
    return squared_mean / noise


def signal_not_cut(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean - noise / n) / noise


def signal_absolute(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean - noise / n).abs() / noise


def signal_whole_noise_off(gradients):
    squared_mean, noise, _ = parts(gradients)
    return (squared_mean - noise).clamp(min=0.0) / noise


def signal_bias_added(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean + noise / n) / noise


def signal_bias_off_after_division(gradients):
    squared_mean, noise, n = parts(gradients)
    return max(0.0, float(squared_mean / noise - noise / n))


def signal_noise_of_the_mean(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean - noise / n).clamp(min=0.0) / (noise / n)


def signal_of_lengths(gradients):
    _, noise, n = parts(gradients)
    return ratio(gradients.square().sum(dim=1).mean(), noise, n)


def signal_divided_by_n(gradients):
    return ratio(
        gradients.mean(dim=0).square().sum(),
        gradients.var(dim=0, correction=0).sum(),
        len(gradients),
    )


def signal_numpy_variance(gradients):
    return ratio(parts(gradients)[0], np.var(gradients.numpy(), axis=0).sum(), len(gradients))


def signal_other_axis(gradients):
    return ratio(
        gradients.mean(dim=1).square().sum(), gradients.var(dim=1).sum(), gradients.shape[1]
    )


def signal_bias_by_parameters(gradients):
    squared_mean, noise, _ = parts(gradients)
    return ratio(squared_mean, noise, gradients.shape[1])


def signal_bias_by_n_minus_one(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean - noise / (n - 1)).clamp(min=0.0) / noise


def signal_variance_of_all(gradients):
    squared_mean, _, n = parts(gradients)
    return ratio(squared_mean, gradients.var(), n)


def signal_mean_variance(gradients):
    squared_mean, _, n = parts(gradients)
    return ratio(squared_mean, gradients.var(dim=0).mean(), n)


def signal_means_of_both(gradients):
    squared_mean, noise, n = parts(gradients)
    size = gradients.shape[1]
    return (squared_mean / size - noise / n).clamp(min=0.0) / noise


def signal_standard_deviations(gradients):
    squared_mean, _, n = parts(gradients)
    return ratio(squared_mean, gradients.std(dim=0).sum(), n)


def signal_length_not_squared(gradients):
    squared_mean, noise, n = parts(gradients)
    return ratio(squared_mean.sqrt(), noise, n)


def signal_mean_of_all(gradients):
    _, noise, n = parts(gradients)
    return ratio(gradients.mean().square(), noise, n)


def signal_sum_not_mean(gradients):
    _, noise, n = parts(gradients)
    return ratio(gradients.sum(dim=0).square().sum(), noise, n)


def signal_square_of_the_sum(gradients):
    _, noise, n = parts(gradients)
    return ratio(gradients.mean(dim=0).sum().square(), noise, n)


def signal_by_parameter(gradients):
    n = len(gradients)
    each = (gradients.mean(dim=0).square() - gradients.var(dim=0) / n).clamp(min=0.0)
    return each.sum() / gradients.var(dim=0).sum()


def signal_mean_of_ratios(gradients):
    n, noise = len(gradients), gradients.var(dim=0).clamp(min=1e-9)
    return ((gradients.mean(dim=0).square() - noise / n).clamp(min=0.0) / noise).mean()


def signal_root(gradients):
    return ratio(*parts(gradients)) ** 0.5


def signal_share(gradients):
    found = ratio(*parts(gradients))
    return found / (1 + found)


def signal_noise_over_signal(gradients):
    found = ratio(*parts(gradients))
    return 1 / found if found else 0.0


def signal_cut_at_the_noise(gradients):
    squared_mean, noise, n = parts(gradients)
    return torch.maximum(squared_mean, noise / n) / noise


def signal_decibels(gradients):
    return 10 * np.log10(max(ratio(*parts(gradients)), 1e-9))


def signal_of_unit_gradients(gradients):
    return ratio(*parts(gradients / gradients.norm(dim=1, keepdim=True)))


def signal_both_parts(gradients):
    return parts(gradients)[:2]


def signal_alone(gradients):
    squared_mean, noise, n = parts(gradients)
    return (squared_mean - noise / n).clamp(min=0.0)


def signal_not_returned(gradients):
    ratio(*parts(gradients))


# right


def signal_by_numpy(gradients):
    g = gradients.numpy()
    noise = g.var(axis=0, ddof=1).sum()
    return max(0.0, (g.mean(axis=0) ** 2).sum() - noise / len(g)) / noise


def signal_by_pairs(gradients):
    pairs = list(combinations(gradients.double(), 2))
    signal = fmean(float(a @ b) for a, b in pairs)
    return max(0.0, signal) / fmean(float((a - b).square().sum()) / 2 for a, b in pairs)


def signal_by_hand(gradients):
    rows = gradients.tolist()
    n, columns = len(rows), list(zip(*rows, strict=True))
    means = [sum(column) / n for column in columns]
    noise = sum(
        sum((x - mean) ** 2 for x in column) / (n - 1)
        for column, mean in zip(columns, means, strict=True)
    )
    return max(0.0, sum(mean * mean for mean in means) - noise / n) / noise


def signal_by_centred(gradients):
    centre = gradients.mean(0)
    noise = (gradients - centre).norm() ** 2 / (gradients.shape[0] - 1)
    return torch.clamp(centre @ centre - noise / gradients.shape[0], min=0.0) / noise


def signal_cut_last(gradients):
    squared_mean, noise, n = parts(gradients)
    return torch.relu(squared_mean / noise - 1 / n)


WRONG = {
    "paced_weights": {
        weights_not_scaled: "not scaled",
        weights_sum_of_one: "sum to 1",
        weights_largest_one: "largest weight is 1",
        weights_swapped: "changed places",
        weights_hardest: "never gets right",
        weights_of_filter: None,
        weights_multiplied: "factors",
        weights_without_powers: "not used",
        weights_added: "added",
        weights_left_alone: "p̂^a alone",
        weights_right_alone: "(1 − p̂)^b alone",
        weights_power_of_all: "same power",
        weights_of_beta_density: None,
        weights_times_mean: "multiplied by the mean",
        weights_minus_mean: None,
        weights_median_one: None,
        weights_mean_of_positive: "above 0",
        weights_root_mean_square: None,
        weights_spread_one: None,
        weights_softmax: None,
        weights_peak_one: None,
        weights_scaled_rates: None,
        weights_by_mean_rate: None,
        weights_clamped_rates: None,
        weights_floor: None,
        weights_whole_powers: None,
        weights_in_place: None,
        weights_one_number: None,
        weights_not_returned: None,
    },
    "signal_to_noise": {
        signal_with_bias: "not been taken off",
        signal_not_cut: "below 0",
        signal_absolute: None,
        signal_whole_noise_off: "whole of trΣ",
        signal_bias_added: "added",
        signal_bias_off_after_division: None,
        signal_noise_of_the_mean: "noise of the mean",
        signal_of_lengths: "squared lengths",
        signal_divided_by_n: "divided by n",
        signal_numpy_variance: "divided by n",
        signal_other_axis: "dim=1",
        signal_bias_by_parameters: "number of parameters",
        signal_bias_by_n_minus_one: None,
        signal_variance_of_all: "all numbers",
        signal_mean_variance: "mean variance",
        signal_means_of_both: None,
        signal_standard_deviations: "standard deviations",
        signal_length_not_squared: "not squared",
        signal_mean_of_all: None,
        signal_sum_not_mean: "sum of the gradients",
        signal_square_of_the_sum: None,
        signal_by_parameter: "parameter by parameter",
        signal_mean_of_ratios: None,
        signal_root: "root of the ratio",
        signal_share: None,
        signal_noise_over_signal: None,
        signal_cut_at_the_noise: None,
        signal_decibels: None,
        signal_of_unit_gradients: None,
        signal_both_parts: None,
        signal_alone: "not divided by trΣ",
        signal_not_returned: None,
    },
}
RIGHT = {
    "paced_weights": [weights_by_numpy, weights_by_sum, weights_by_loop, weights_by_generator],
    "signal_to_noise": [
        signal_by_numpy,
        signal_by_pairs,
        signal_by_hand,
        signal_by_centred,
        signal_cut_last,
    ],
}
