"""Answers to the exercises of lesson 3 that a learner may write, wrong and right."""

from __future__ import annotations

import math
import statistics
import warnings

import numpy as np
import torch
from scipy.special import logsumexp, rel_entr, softmax
from scipy.stats import entropy as scipy_entropy
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from seqkd_lab.lab.next_word.exercises import softmax_with_temperature as right_softmax
from seqkd_lab.lab.next_word.kl_exercise import kl_from_truth as right_kl


def plain(logits):
    weights = [math.exp(z) for z in logits]
    return [w / sum(weights) for w in weights]


def stable(logits):
    return torch.tensor(logits, dtype=torch.float64).softmax(0)


# softmax_with_temperature: wrong


def exp_overflows_in_numpy(logits, temperature):
    with np.errstate(all="ignore"):
        weights = np.exp(np.array(logits) / temperature)
        return weights / weights.sum()


def exp_overflows_in_torch(logits, temperature):
    weights = (torch.tensor(logits) / temperature).exp()
    return weights / weights.sum()


def times_tau(logits, temperature):
    return stable([z * temperature for z in logits])


def times_tau_plainly(logits, temperature):
    return plain([z * temperature for z in logits])


def power_of_tau(logits, temperature):
    p = stable(logits) ** temperature
    return p / p.sum()


def over_tau_afterwards(logits, temperature):
    return stable(logits) / temperature


def over_tau_afterwards_plainly(logits, temperature):
    return [p / temperature for p in plain(logits)]


def tau_in_both_places(logits, temperature):
    return stable([z / temperature for z in logits]) / temperature


def without_tau(logits, temperature):
    return stable(logits)


def without_tau_plainly(logits, temperature):
    return plain(logits)


def tau_added(logits, temperature):
    return stable([z + temperature for z in logits])


def tau_taken_away(logits, temperature):
    return stable([z - temperature for z in logits])


def precedence(logits, temperature):
    return stable([z - max(logits) / temperature for z in logits])


def exp_over_tau_normalised(logits, temperature):
    weights = [math.exp(z - max(logits)) / temperature for z in logits]
    return [w / sum(weights) for w in weights]


def exponentials(logits, temperature):
    return [math.exp(z / temperature) for z in logits]


def exponentials_below_one(logits, temperature):
    return [math.exp((z - max(logits)) / temperature) for z in logits]


def divided_by_the_largest(logits, temperature):
    p = right_softmax(logits, temperature)
    return [x / max(p) for x in p]


def divided_by_their_number(logits, temperature):
    return [math.exp((z - max(logits)) / temperature) / len(logits) for z in logits]


def log_probabilities(logits, temperature):
    return (torch.tensor(logits, dtype=torch.float64) / temperature).log_softmax(0)


def only_scaled(logits, temperature):
    return [z / temperature for z in logits]


def powers_not_normalised(logits, temperature):
    return stable(logits) ** (1 / temperature)


def tau_squared(logits, temperature):
    return stable([z / temperature**2 for z in logits])


def root_of_tau(logits, temperature):
    return stable([z / math.sqrt(temperature) for z in logits])


def softmin(logits, temperature):
    return stable([-z / temperature for z in logits])


def one_hot(logits, temperature):
    return F.one_hot(torch.tensor(logits).argmax(), len(logits))


def all_equal(logits, temperature):
    return [1 / len(logits)] * len(logits)


def base_two(logits, temperature):
    return stable([z * math.log(2) / temperature for z in logits])


def base_ten(logits, temperature):
    return stable([z * math.log(10) / temperature for z in logits])


def sigmoids(logits, temperature):
    return torch.tensor(logits).div(temperature).sigmoid()


def sigmoids_normalised(logits, temperature):
    p = torch.tensor(logits).div(temperature).sigmoid()
    return p / p.sum()


def linear(logits, temperature):
    return [z / temperature / sum(logits) for z in logits]


def exponent_clamped(logits, temperature):
    return plain([max(-700.0, min(700.0, z / temperature)) for z in logits])


def mean_taken_away(logits, temperature):
    return plain([(z - statistics.fmean(logits)) / temperature for z in logits])


def least_taken_away(logits, temperature):
    return plain([(z - min(logits)) / temperature for z in logits])


def first_taken_away(logits, temperature):
    return plain([(z - logits[0]) / temperature for z in logits])


def last_taken_away(logits, temperature):
    return plain([(z - logits[-1]) / temperature for z in logits])


def median_taken_away(logits, temperature):
    return plain([(z - statistics.median(logits)) / temperature for z in logits])


def second_largest_taken_away(logits, temperature):
    return plain([(z - sorted(logits)[-2]) / temperature for z in logits])


def largest_absolute_taken_away(logits, temperature):
    largest = max(map(abs, logits))
    return plain([(z - largest) / temperature for z in logits])


def divided_by_the_largest_logit(logits, temperature):
    return plain([z / max(logits) / temperature for z in logits])


def sorted_probabilities(logits, temperature):
    return sorted(right_softmax(logits, temperature), reverse=True)


def last_word_left_out(logits, temperature):
    return right_softmax(logits[:-1], temperature)


def percent(logits, temperature):
    return [100 * p for p in right_softmax(logits, temperature)]


def rounded(logits, temperature):
    return [round(p, 2) for p in right_softmax(logits, temperature)]


def only_the_largest(logits, temperature):
    return max(right_softmax(logits, temperature))


def whole_division(logits, temperature):
    return stable([z // temperature for z in logits])


def in_place(logits, temperature):
    largest = max(logits)
    for k, z in enumerate(logits):
        logits[k] = math.exp((z - largest) / temperature)
    total = sum(logits)
    return [w / total for w in logits]


def no_return(logits, temperature):
    right_softmax(logits, temperature)


# softmax_with_temperature: right


def by_torch(logits, temperature):
    return F.softmax(torch.tensor(logits) / temperature, dim=-1)


def by_torch_in_float64(logits, temperature):
    return stable([z / temperature for z in logits])


def by_numpy(logits, temperature):
    z = np.asarray(logits) / temperature
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def by_logsumexp(logits, temperature):
    z = np.array(logits) / temperature
    return tuple(np.exp(z - logsumexp(z)))


def by_ratios(logits, temperature):
    def term(difference):
        return math.exp(difference) if difference < 700 else math.inf

    return [1 / sum(term((other - z) / temperature) for other in logits) for z in logits]


def by_generator(logits, temperature):
    largest = max(z / temperature for z in logits)
    total = math.fsum(math.exp(z / temperature - largest) for z in logits)
    yield from (math.exp(z / temperature - largest) / total for z in logits)


def by_log_softmax(logits, temperature):
    return torch.tensor(logits).double().div(temperature).log_softmax(0).exp().numpy()


# kl_from_truth: wrong


def pairs(truth, model):
    return [(q, p) for q, p in zip(truth, model, strict=True) if q > 0]


def zeros_not_skipped(truth, model):
    return sum(q * math.log(q / p) for q, p in zip(truth, model, strict=True))


def zeros_not_skipped_in_numpy(truth, model):
    q, p = np.array(truth), np.array(model)
    with np.errstate(all="ignore"):
        return (q * np.log(q / p)).sum()


def zeros_not_skipped_in_torch(truth, model):
    q, p = torch.tensor(truth), torch.tensor(model)
    return (q * (q.log() - p.log())).sum()


def reverse(truth, model):
    return sum(p * math.log(p / q) for q, p in pairs(truth, model))


def reverse_in_full(truth, model):
    return sum(
        p * math.log(p / q) if q > 0 else math.inf for q, p in zip(truth, model, strict=True)
    )


def arguments_swapped(truth, model):
    return right_kl(model, truth)


def negative(truth, model):
    return sum(q * math.log(p / q) for q, p in pairs(truth, model))


def bits(truth, model):
    return sum(q * math.log2(q / p) for q, p in pairs(truth, model))


def base_of_ten(truth, model):
    return sum(q * math.log10(q / p) for q, p in pairs(truth, model))


def torchs_default(truth, model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own default
        return F.kl_div(torch.tensor(model).log(), torch.tensor(truth))


def torchs_batch_mean(truth, model):
    return F.kl_div(torch.tensor(model).log(), torch.tensor(truth), reduction="batchmean")


def mean_over_right_words(truth, model):
    return right_kl(truth, model) / len(pairs(truth, model))


def torch_without_a_log(truth, model):
    return F.kl_div(torch.tensor(model), torch.tensor(truth), reduction="sum")


def torch_turned_round(truth, model):
    return F.kl_div(torch.tensor(truth).log(), torch.tensor(model), reduction="sum")


def cross_entropy(truth, model):
    return -sum(q * math.log(p) for q, p in zip(truth, model, strict=True))


def cross_entropy_of_the_best(truth, model):
    return -math.log(model[truth.index(max(truth))])


def log_of_the_best(truth, model):
    best = truth.index(max(truth))
    return math.log(truth[best] / model[best])


def entropy_of_the_truth(truth, model):
    return -sum(q * math.log(q) for q in truth if q > 0)


def entropy_of_the_model(truth, model):
    return -sum(p * math.log(p) for p in model)


def entropies_apart(truth, model):
    return entropy_of_the_model(truth, model) - entropy_of_the_truth(truth, model)


def jeffreys(truth, model):
    return sum((q - p) * math.log(q / p) for q, p in pairs(truth, model))


def jensen_shannon(truth, model):
    middle = [(q + p) / 2 for q, p in zip(truth, model, strict=True)]
    return (right_kl(truth, middle) + right_kl(model, middle)) / 2


def absolute_logarithms(truth, model):
    return sum(q * abs(math.log(q / p)) for q, p in pairs(truth, model))


def absolute_terms(truth, model):
    return sum(max(0.0, q * math.log(q / p)) for q, p in pairs(truth, model))


def total_variation(truth, model):
    return np.abs(np.array(truth) - np.array(model)).sum() / 2


def absolute_differences(truth, model):
    return np.abs(np.array(truth) - np.array(model)).sum()


def brier(truth, model):
    return ((np.array(truth) - np.array(model)) ** 2).sum()


def mean_square(truth, model):
    return F.mse_loss(torch.tensor(model), torch.tensor(truth))


def no_weights(truth, model):
    return sum(math.log(q / p) for q, p in pairs(truth, model))


def mean_without_weights(truth, model):
    return statistics.fmean(math.log(q / p) for q, p in pairs(truth, model))


def no_logarithm(truth, model):
    return sum(q * q / p for q, p in pairs(truth, model))


def logarithm_of_the_sum(truth, model):
    return math.log(sum(q * q / p for q, p in pairs(truth, model)))


def chi_square(truth, model):
    return sum((q - p) ** 2 / p for q, p in zip(truth, model, strict=True))


def hellinger(truth, model):
    return sum((math.sqrt(q) - math.sqrt(p)) ** 2 for q, p in zip(truth, model, strict=True)) / 2


def bhattacharyya(truth, model):
    return -math.log(sum(math.sqrt(q * p) for q, p in zip(truth, model, strict=True)))


def ratio_of_logarithms(truth, model):
    return sum(q * math.log(q) / math.log(p) for q, p in pairs(truth, model))


def brackets_forgotten(truth, model):
    return sum(q * math.log(q) - math.log(p) for q, p in pairs(truth, model))


def exponentiated(truth, model):
    return math.exp(right_kl(truth, model))


def smoothed(truth, model):
    return sum((q + 1e-3) * math.log((q + 1e-3) / p) for q, p in zip(truth, model, strict=True))


def a_list(truth, model):
    return [q * math.log(q / p) if q else 0.0 for q, p in zip(truth, model, strict=True)]


def returns_in_the_loop(truth, model):
    total = 0.0
    for q, p in pairs(truth, model):
        total += q * math.log(q / p)
        return total


def last_term_only(truth, model):
    value = 0.0
    for q, p in pairs(truth, model):
        value = q * math.log(q / p)
    return value


def last_word_forgotten(truth, model):
    return right_kl(truth[:-1], model[:-1])


def stops_at_a_zero(truth, model):
    total = 0.0
    for q, p in zip(truth, model, strict=True):
        if q == 0:
            break
        total += q * math.log(q / p)
    return total


def model_normalised_over_right_words(truth, model):
    total = sum(p for _, p in pairs(truth, model))
    return sum(q * math.log(q * total / p) for q, p in pairs(truth, model))


def rounded_kl(truth, model):
    return round(right_kl(truth, model), 2)


def nothing_returned(truth, model):
    right_kl(truth, model)


# kl_from_truth: right


def by_a_loop(truth, model):
    total = 0
    for k in range(len(truth)):
        if truth[k] != 0:
            total -= truth[k] * math.log(model[k] / truth[k])
    return total


def by_scipy(truth, model):
    return rel_entr(truth, model).sum()


def by_scipys_entropy(truth, model):
    return scipy_entropy(truth, model)


def by_kl_div(truth, model):
    return F.kl_div(torch.tensor(model).log(), torch.tensor(truth), reduction="sum")


def by_categorical(truth, model):
    return kl_divergence(Categorical(torch.tensor(truth)), Categorical(torch.tensor(model)))


def by_two_entropies(truth, model):
    q, p = torch.tensor(truth), torch.tensor(model)
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum()


def by_numpy_where(truth, model):
    q, p = np.array(truth), np.array(model)
    return np.sum(q * np.log(np.where(q > 0, q, 1) / p), where=q > 0)


def by_a_tiny_number(truth, model):
    return sum(q * math.log((q + 1e-12) / (p + 1e-12)) for q, p in zip(truth, model, strict=True))


def by_cross_entropy_less_entropy(truth, model):
    return cross_entropy(truth, model) - entropy_of_the_truth(truth, model)


WRONG = {
    "softmax_with_temperature": {
        exp_overflows_in_numpy: "exp of a large logit overflows. Take",
        exp_overflows_in_torch: "exp of a large logit overflows. Take",
        times_tau: "this multiplies by τ",
        times_tau_plainly: "this multiplies by τ",
        power_of_tau: "this multiplies by τ",
        over_tau_afterwards: "after the softmax",
        over_tau_afterwards_plainly: "after the softmax",
        tau_in_both_places: None,
        without_tau: "the temperature changes nothing",
        without_tau_plainly: "the temperature changes nothing",
        tau_added: "the temperature changes nothing",
        tau_taken_away: "the temperature changes nothing",
        precedence: "the temperature changes nothing",
        exp_over_tau_normalised: "the temperature changes nothing",
        exponentials: "divide by their sum",
        exponentials_below_one: "the largest of these numbers is 1",
        divided_by_the_largest: "the largest of these numbers is 1",
        divided_by_their_number: None,
        log_probabilities: "logarithms",
        only_scaled: None,
        powers_not_normalised: "p to the power of 1/τ",
        tau_squared: "divided by τ²",
        root_of_tau: None,
        softmin: "the sign of the logits",
        one_hot: None,  # a tie is given to one word, where the listed mistake gives it to both
        all_equal: None,
        base_two: None,
        base_ten: None,
        sigmoids: None,
        sigmoids_normalised: None,
        linear: None,
        exponent_clamped: None,
        mean_taken_away: None,
        least_taken_away: None,
        first_taken_away: None,
        last_taken_away: None,
        median_taken_away: None,
        second_largest_taken_away: None,
        largest_absolute_taken_away: None,
        divided_by_the_largest_logit: None,
        sorted_probabilities: None,
        last_word_left_out: None,
        percent: None,
        rounded: None,
        only_the_largest: None,
        whole_division: None,
        in_place: None,
        no_return: None,
    },
    "kl_from_truth": {
        zeros_not_skipped: "a word with q = 0 is not left out",
        zeros_not_skipped_in_numpy: "a word with q = 0 is not left out",
        zeros_not_skipped_in_torch: "a word with q = 0 is not left out",
        reverse: "KL(model ‖ truth)",
        reverse_in_full: None,
        arguments_swapped: None,
        negative: "the sign is turned round",
        bits: "in bits",
        base_of_ten: None,
        torchs_default: "divided by V",
        torchs_batch_mean: "divided by V",
        mean_over_right_words: None,
        torch_without_a_log: None,
        torch_turned_round: None,
        cross_entropy: "this is the cross-entropy",
        cross_entropy_of_the_best: None,
        log_of_the_best: None,
        entropy_of_the_truth: "the entropy of the truth",
        entropy_of_the_model: None,
        entropies_apart: "difference of the two entropies",
        jeffreys: "both directions",
        jensen_shannon: None,
        absolute_logarithms: "absolute value",
        absolute_terms: None,
        total_variation: "total variation",
        absolute_differences: None,
        brier: "squared differences",
        mean_square: None,
        no_weights: "without weights",
        mean_without_weights: "all words count alike",
        no_logarithm: None,
        logarithm_of_the_sum: None,
        chi_square: None,
        hellinger: None,
        bhattacharyya: None,
        ratio_of_logarithms: None,
        brackets_forgotten: None,
        exponentiated: None,
        smoothed: None,
        a_list: "the terms of the words",
        returns_in_the_loop: None,
        last_term_only: None,
        last_word_forgotten: None,
        stops_at_a_zero: None,
        model_normalised_over_right_words: None,
        rounded_kl: None,
        nothing_returned: None,
    },
}
RIGHT = {
    "softmax_with_temperature": [
        by_torch,
        by_torch_in_float64,
        by_numpy,
        by_logsumexp,
        by_ratios,
        by_generator,
        by_log_softmax,
        lambda logits, temperature: softmax(np.array(logits) / temperature),
        lambda logits, temperature: [float(p) for p in by_numpy(logits, temperature)],
    ],
    "kl_from_truth": [
        by_a_loop,
        by_scipy,
        by_scipys_entropy,
        by_kl_div,
        by_categorical,
        by_two_entropies,
        by_numpy_where,
        by_a_tiny_number,
        by_cross_entropy_less_entropy,
    ],
}
