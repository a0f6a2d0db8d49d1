"""Answers to the exercises of lesson 11: from forward to reverse KL, and what a drawn word answers
for."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.stats import entropy
from torch.distributions import Categorical, kl_divergence
from torch.nn.functional import kl_div


def kl(a, b):
    return (a * (a / b).log()).sum()


# generalised_jsd(p, q, beta): wrong


def jsd_with(inner, p, q, beta):
    """Right at the ends, `inner` between them."""
    if beta == 0:
        return kl(p, q)
    return kl(q, p) if beta == 1 else inner(p, q, beta)


def inner_right(p, q, beta):
    m = beta * p + (1 - beta) * q
    return beta * kl(p, m) + (1 - beta) * kl(q, m)


def inner_mixture_turned(p, q, beta):
    m = (1 - beta) * p + beta * q
    return beta * kl(p, m) + (1 - beta) * kl(q, m)


def inner_weights_turned(p, q, beta):
    m = beta * p + (1 - beta) * q
    return (1 - beta) * kl(p, m) + beta * kl(q, m)


def inner_both_turned(p, q, beta):
    return inner_right(q, p, beta)


def inner_mixture_first(p, q, beta):
    m = beta * p + (1 - beta) * q
    return beta * kl(m, p) + (1 - beta) * kl(m, q)


def inner_halves(p, q, beta):
    return inner_right(p, q, 0.5)


def inner_half_mixture(p, q, beta):
    m = (p + q) / 2
    return beta * kl(p, m) + (1 - beta) * kl(q, m)


def inner_geometric(p, q, beta):
    m = p**beta * q ** (1 - beta)
    return beta * kl(p, m / m.sum()) + (1 - beta) * kl(q, m / m.sum())


def inner_without_weights(p, q, beta):
    m = beta * p + (1 - beta) * q
    return kl(p, m) + kl(q, m)


def inner_teacher_alone(p, q, beta):
    return kl(p, beta * p + (1 - beta) * q)


def jsd_mixture_turned(p, q, beta):
    return jsd_with(inner_mixture_turned, p, q, beta)


def jsd_weights_turned(p, q, beta):
    return jsd_with(inner_weights_turned, p, q, beta)


def jsd_inner_turned(p, q, beta):
    return jsd_with(inner_both_turned, p, q, beta)


def jsd_roles_swapped(p, q, beta):
    return jsd_with(inner_right, q, p, beta)


def jsd_mixture_first(p, q, beta):
    return jsd_with(inner_mixture_first, p, q, beta)


def jsd_halves(p, q, beta):
    return jsd_with(inner_halves, p, q, beta)


def jsd_half_mixture(p, q, beta):
    return jsd_with(inner_half_mixture, p, q, beta)


def jsd_geometric(p, q, beta):
    return jsd_with(inner_geometric, p, q, beta)


def jsd_without_weights(p, q, beta):
    return jsd_with(inner_without_weights, p, q, beta)


def jsd_teacher_alone(p, q, beta):
    return jsd_with(inner_teacher_alone, p, q, beta)


def jsd_scaled(p, q, beta):
    return jsd_with(lambda p, q, beta: inner_right(p, q, beta) / (beta * (1 - beta)), p, q, beta)


def jsd_no_ends(p, q, beta):
    return inner_right(p, q, beta)


def jsd_near_ends(p, q, beta):
    return inner_right(p, q, min(max(beta, 1e-6), 1 - 1e-6))


def jsd_near_ends_scaled(p, q, beta):
    beta = min(max(beta, 1e-6), 1 - 1e-6)
    return inner_right(p, q, beta) / (beta * (1 - beta))


def jsd_one_end(p, q, beta):
    return kl(p, q) if beta == 0 else inner_right(p, q, beta)


def jsd_other_end(p, q, beta):
    return kl(q, p) if beta == 1 else inner_right(p, q, beta)


def jsd_ends_swapped(p, q, beta):
    return (
        jsd_with(inner_right, p, q, beta) if 0 < beta < 1 else kl(q, p) if beta == 0 else kl(p, q)
    )


def jsd_of_divergences(p, q, beta):
    return (1 - beta) * kl(p, q) + beta * kl(q, p)


def jsd_of_divergences_turned(p, q, beta):
    return beta * kl(p, q) + (1 - beta) * kl(q, p)


def jsd_forward(p, q, beta):
    return kl(p, q)


def jsd_reverse(p, q, beta):
    return kl(q, p)


def jsd_mean(p, q, beta):
    return jsd_with(inner_right, p, q, beta) / len(p)


def jsd_bits(p, q, beta):
    return jsd_with(inner_right, p, q, beta) / math.log(2)


def jsd_sign(p, q, beta):
    return -jsd_with(inner_right, p, q, beta)


def jsd_per_word(p, q, beta):
    if beta in (0, 1):
        return p * (p / q).log() if beta == 0 else q * (q / p).log()
    m = beta * p + (1 - beta) * q
    return beta * p * (p / m).log() + (1 - beta) * q * (q / m).log()


def jsd_distance(p, q, beta):
    return jsd_with(inner_right, p, q, beta).clamp(min=0.0).sqrt()


def jsd_cross_entropies(p, q, beta):
    if beta in (0, 1):
        return -(p * q.log()).sum() if beta == 0 else -(q * p.log()).sum()
    m = beta * p + (1 - beta) * q
    return -(m * m.log()).sum()


def jsd_absolute_terms(p, q, beta):
    if beta in (0, 1):
        return (p * (p / q).log()).abs().sum() if beta == 0 else (q * (q / p).log()).abs().sum()
    m = beta * p + (1 - beta) * q
    return beta * (p * (p / m).log()).abs().sum() + (1 - beta) * (q * (q / m).log()).abs().sum()


def jsd_kl_div_arguments_turned(p, q, beta):
    if beta in (0, 1):
        return (
            kl_div(p.log(), q, reduction="sum")
            if beta == 0
            else kl_div(q.log(), p, reduction="sum")
        )
    m = beta * p + (1 - beta) * q
    return beta * kl_div(p.log(), m, reduction="sum") + (1 - beta) * kl_div(
        q.log(), m, reduction="sum"
    )


def jsd_kl_div_mean(p, q, beta):
    if beta in (0, 1):
        return (
            kl_div(q.log(), p, reduction="none")
            if beta == 0
            else kl_div(p.log(), q, reduction="none")
        ).mean()
    m = (beta * p + (1 - beta) * q).log()
    teacher, student = kl_div(m, p, reduction="none"), kl_div(m, q, reduction="none")
    return (beta * teacher + (1 - beta) * student).mean()


def jsd_softmax_first(p, q, beta):
    return jsd_with(inner_right, p.softmax(0), q.softmax(0), beta)


def jsd_log_of_differences(p, q, beta):
    if beta in (0, 1):
        return (p * (p - q)).sum() if beta == 0 else (q * (q - p)).sum()
    m = beta * p + (1 - beta) * q
    return beta * (p * (p - m)).sum() + (1 - beta) * (q * (q - m)).sum()


def jsd_zero_at_the_ends(p, q, beta):
    return 0.0 if beta in (0, 1) else inner_right(p, q, beta)


def jsd_not_returned(p, q, beta):
    jsd_with(inner_right, p, q, beta)


# right


def jsd_by_numpy(p, q, beta):
    p, q = p.numpy(), q.numpy()
    if beta == 0:
        return np.sum(p * np.log(p / q))
    if beta == 1:
        return np.sum(q * np.log(q / p))
    m = beta * p + (1 - beta) * q
    return beta * np.sum(p * np.log(p / m)) + (1 - beta) * np.sum(q * np.log(q / m))


def jsd_by_entropies(p, q, beta):
    p, q = p.double(), q.double()
    if beta in (0, 1):
        p, q = (p, q) if beta == 0 else (q, p)
        return -(p * q.log()).sum() - torch.special.entr(p).sum()
    m = torch.lerp(q, p, beta)
    return (
        torch.special.entr(m).sum()
        - beta * torch.special.entr(p).sum()
        - (1 - beta) * torch.special.entr(q).sum()
    )


def jsd_by_distributions(p, q, beta):
    teacher, student = Categorical(probs=p), Categorical(probs=q)
    if beta == 0.0:
        return kl_divergence(teacher, student)
    if beta == 1.0:
        return kl_divergence(student, teacher)
    mixture = Categorical(probs=beta * p + (1 - beta) * q)
    return beta * kl_divergence(teacher, mixture) + (1 - beta) * kl_divergence(student, mixture)


def jsd_by_loop(p, q, beta):
    total = 0.0
    for x, y in zip(p.tolist(), q.tolist(), strict=True):
        m = beta * x + (1 - beta) * y
        if beta == 0:
            total += x * math.log(x / y)
        elif beta == 1:
            total += y * math.log(y / x)
        else:
            total += beta * x * math.log(x / m) + (1 - beta) * y * math.log(y / m)
    return total


def jsd_by_scipy(p, q, beta):
    p, q = p.double().numpy(), q.double().numpy()
    if 0 < beta < 1:
        m = beta * p + (1 - beta) * q
        return beta * entropy(p, m) + (1 - beta) * entropy(q, m)
    return entropy(p, q) if beta < 0.5 else entropy(q, p)


# advantages(log_p_student, log_p_teacher, discount): wrong


def discounted(costs, discount):
    return [
        sum(discount ** (u - t) * costs[u] for u in range(t, len(costs))) for t in range(len(costs))
    ]


def costs_of(log_p_student, log_p_teacher):
    return (log_p_student - log_p_teacher).tolist()


def advantage_sign(log_p_student, log_p_teacher, discount):
    return discounted(costs_of(log_p_student, log_p_teacher), discount)


def advantage_past(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [-sum(discount ** (t - u) * costs[u] for u in range(t + 1)) for t in range(len(costs))]


def advantage_cumsum(log_p_student, log_p_teacher, discount):
    return -(log_p_student - log_p_teacher).cumsum(dim=0)


def advantage_own_alone(log_p_student, log_p_teacher, discount):
    return log_p_teacher - log_p_student


def advantage_no_discount(log_p_student, log_p_teacher, discount):
    return (log_p_teacher - log_p_student).flip(0).cumsum(0).flip(0)


def advantage_zero_or_one(log_p_student, log_p_teacher, discount):
    gains = log_p_teacher - log_p_student
    return gains if discount == 0 else gains.flip(0).cumsum(0).flip(0)


def advantage_counted_from_start(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [-sum(discount**u * costs[u] for u in range(t, len(costs))) for t in range(len(costs))]


def advantage_counted_from_end(log_p_student, log_p_teacher, discount):
    costs, T = costs_of(log_p_student, log_p_teacher), len(log_p_student)
    return [-sum(discount ** (T - 1 - u) * costs[u] for u in range(t, T)) for t in range(T)]


def advantage_without_own(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [
        -sum(discount ** (u - t) * costs[u] for u in range(t + 1, len(costs)))
        for t in range(len(costs))
    ]


def advantage_own_discounted(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [
        -sum(discount ** (u - t + 1) * costs[u] for u in range(t, len(costs)))
        for t in range(len(costs))
    ]


def advantage_rest_from_next(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [
        -costs[t] - sum(discount ** (u - t - 1) * costs[u] for u in range(t + 1, len(costs)))
        for t in range(len(costs))
    ]


def advantage_linear_discount(log_p_student, log_p_teacher, discount):
    costs = costs_of(log_p_student, log_p_teacher)
    return [
        -costs[t] - sum(discount * costs[u] for u in range(t + 1, len(costs)))
        for t in range(len(costs))
    ]


def advantage_next_alone(log_p_student, log_p_teacher, discount):
    costs = [*costs_of(log_p_student, log_p_teacher), 0.0]
    return [-(costs[t] + discount * costs[t + 1]) for t in range(len(costs) - 1)]


def advantage_not_turned_round(log_p_student, log_p_teacher, discount):
    return [
        -total for total in reversed(discounted(costs_of(log_p_student, log_p_teacher), discount))
    ]


def advantage_appended_forward(log_p_student, log_p_teacher, discount):
    found, to_come = [], 0.0
    for cost in costs_of(log_p_student, log_p_teacher):
        to_come = cost + discount * to_come
        found.append(-to_come)
    return found[::-1]


def advantage_mean_of_rest(log_p_student, log_p_teacher, discount):
    totals = discounted(costs_of(log_p_student, log_p_teacher), discount)
    return [-total / (len(totals) - t) for t, total in enumerate(totals)]


def advantage_divided_by_length(log_p_student, log_p_teacher, discount):
    return [
        -total / len(log_p_student)
        for total in discounted(costs_of(log_p_student, log_p_teacher), discount)
    ]


def advantage_sum(log_p_student, log_p_teacher, discount):
    return -discounted(costs_of(log_p_student, log_p_teacher), discount)[0]


def advantage_total_for_all(log_p_student, log_p_teacher, discount):
    total = -discounted(costs_of(log_p_student, log_p_teacher), discount)[0]
    return [total] * len(log_p_student)


def advantage_last_sum(log_p_student, log_p_teacher, discount):
    return -sum(costs_of(log_p_student, log_p_teacher))


def advantage_with_baseline(log_p_student, log_p_teacher, discount):
    found = -torch.tensor(discounted(costs_of(log_p_student, log_p_teacher), discount))
    return found - found.mean()


def advantage_probabilities(log_p_student, log_p_teacher, discount):
    return [
        -total
        for total in discounted((log_p_student.exp() - log_p_teacher.exp()).tolist(), discount)
    ]


def advantage_ratio_of_logs(log_p_student, log_p_teacher, discount):
    return [-total for total in discounted((log_p_student / log_p_teacher).tolist(), discount)]


def advantage_teacher_alone(log_p_student, log_p_teacher, discount):
    return discounted(log_p_teacher.tolist(), discount)


def advantage_log_again(log_p_student, log_p_teacher, discount):
    return [
        -total for total in discounted((log_p_student / log_p_teacher).log().tolist(), discount)
    ]


def advantage_weighted_by_student(log_p_student, log_p_teacher, discount):
    return [
        -total
        for total in discounted(
            (log_p_student.exp() * (log_p_student - log_p_teacher)).tolist(), discount
        )
    ]


def advantage_bits(log_p_student, log_p_teacher, discount):
    return [
        -total / math.log(2)
        for total in discounted(costs_of(log_p_student, log_p_teacher), discount)
    ]


def advantage_not_returned(log_p_student, log_p_teacher, discount):
    discounted(costs_of(log_p_student, log_p_teacher), discount)


# right


def advantage_by_definition(log_p_student, log_p_teacher, discount):
    return [-total for total in discounted(costs_of(log_p_student, log_p_teacher), discount)]


def advantage_by_matrix(log_p_student, log_p_teacher, discount):
    t = torch.arange(len(log_p_student))
    away = t[None, :] - t[:, None]
    powers = torch.where(away >= 0, torch.tensor(float(discount)) ** away.clamp(min=0), 0.0)
    return powers @ (log_p_teacher - log_p_student)


def advantage_by_insertion(log_p_student, log_p_teacher, discount):
    gains, found = np.subtract(log_p_teacher.numpy(), log_p_student.numpy()), []
    for gain in gains[::-1]:
        found.insert(0, gain + (discount * found[0] if found else 0.0))
    return np.array(found)


def advantage_in_place_from_the_end(log_p_student, log_p_teacher, discount):
    found = (log_p_teacher - log_p_student).double()
    for t in range(len(found) - 2, -1, -1):
        found[t] += discount * found[t + 1]
    return found


WRONG = {
    "generalised_jsd": {
        jsd_mixture_turned: "mixture is turned",
        jsd_weights_turned: "weights",
        jsd_inner_turned: "between the ends",
        jsd_roles_swapped: "changed places",
        jsd_mixture_first: "KL(m‖p)",
        jsd_halves: "equal halves",
        jsd_half_mixture: None,
        jsd_geometric: None,
        jsd_without_weights: "without their weights",
        jsd_teacher_alone: None,
        jsd_scaled: "divided by β",
        jsd_no_ends: "at both ends",
        jsd_near_ends: None,
        jsd_near_ends_scaled: None,
        jsd_one_end: "β = 1",
        jsd_other_end: "β = 0",
        jsd_ends_swapped: "ends are swapped",
        jsd_of_divergences: "mixes the two KLs",
        jsd_of_divergences_turned: None,
        jsd_forward: "β is not used",
        jsd_reverse: None,
        jsd_mean: "mean over",
        jsd_bits: "bits",
        jsd_sign: "sign",
        jsd_per_word: "single words",
        jsd_distance: "root",
        jsd_cross_entropies: None,
        jsd_absolute_terms: None,
        jsd_kl_div_arguments_turned: "second argument",
        jsd_kl_div_mean: "mean over",
        jsd_softmax_first: None,
        jsd_log_of_differences: None,
        jsd_zero_at_the_ends: "at both ends",
        jsd_not_returned: None,
    },
    "advantages": {
        advantage_sign: "sign",
        advantage_past: "*before*",
        advantage_cumsum: "without any discount",
        advantage_own_alone: "own cost counts",
        advantage_no_discount: "right at 1 only",
        advantage_zero_or_one: None,
        advantage_counted_from_start: "sentence's start",
        advantage_counted_from_end: None,
        advantage_without_own: "own cost is missing",
        advantage_own_discounted: "u − t + 1",
        advantage_rest_from_next: "next word",
        advantage_linear_discount: "same factor",
        advantage_next_alone: None,
        advantage_not_turned_round: "last word comes first",
        advantage_appended_forward: None,
        advantage_mean_of_rest: "mean",
        advantage_divided_by_length: None,
        advantage_sum: None,
        advantage_total_for_all: None,
        advantage_last_sum: None,
        advantage_with_baseline: "own mean",
        advantage_probabilities: "probabilities",
        advantage_ratio_of_logs: None,
        advantage_teacher_alone: None,
        advantage_log_again: None,
        advantage_weighted_by_student: None,
        advantage_bits: None,
        advantage_not_returned: None,
    },
}
RIGHT = {
    "generalised_jsd": [
        jsd_by_numpy,
        jsd_by_entropies,
        jsd_by_distributions,
        jsd_by_loop,
        jsd_by_scipy,
    ],
    "advantages": [
        advantage_by_definition,
        advantage_by_matrix,
        advantage_by_insertion,
        advantage_in_place_from_the_end,
    ],
}
