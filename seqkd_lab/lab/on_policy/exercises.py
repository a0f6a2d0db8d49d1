"""Exercises of lesson 11, on-policy distillation: the divergence here, the advantages in their own
module."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seqkd_lab.lab.on_policy.advantages_exercise import ADVANTAGES
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

P = (0.7, 0.2, 0.06, 0.04)
Q = (0.1, 0.3, 0.35, 0.25)
SURE = (0.97, 0.01, 0.02)
FLAT = (0.3, 0.4, 0.3)
WIDE = (0.02, 0.28, 0.05, 0.4, 0.1, 0.15)
OTHER = (0.3, 0.08, 0.25, 0.07, 0.28, 0.02)


def generalised_jsd(p, q, beta):
    """Return JSD_β of teacher p and student q, distributions (V,): KL(p‖q) at β = 0, KL(q‖p) at
    β = 1."""
    if beta == 0:
        return (p * (p / q).log()).sum()
    if beta == 1:
        return (q * (q / p).log()).sum()
    m = beta * p + (1 - beta) * q
    return beta * (p * (p / m).log()).sum() + (1 - beta) * (q * (q / m).log()).sum()


def cross_entropy(p: Sequence[float], q: Sequence[float]) -> float:
    """Return −Σ p ln q in nats; of p and p, the entropy."""
    return -math.fsum(x * math.log(y) for x, y in zip(p, q, strict=True))


def by_entropies(p: Sequence[float], q: Sequence[float], beta: float) -> float:
    """Return the same number in another way: H(m) − β H(p) − (1 − β) H(q), and at the ends the
    cross-entropy minus the entropy."""
    if beta in (0, 1):
        weights, other = (p, q) if beta == 0 else (q, p)
        return cross_entropy(weights, other) - cross_entropy(weights, weights)
    m = [beta * x + (1 - beta) * y for x, y in zip(p, q, strict=True)]
    parts = beta * cross_entropy(p, p) + (1 - beta) * cross_entropy(q, q)
    return cross_entropy(m, m) - parts


def jsd_cases() -> list[Case]:
    """Return cases with inner β, both ends, equal distributions and a sure teacher; of two, three,
    four and six words."""
    settings = {
        "β = 0.2": (P, Q, 0.2),
        "β = 0.5": (P, Q, 0.5),
        "β = 0.9": (SURE, FLAT, 0.9),
        "six words": (WIDE, OTHER, 0.35),
        "β = 0: forward": (P, Q, 0),
        "β = 1: reverse": (P, Q, 1),
        "six words, β = 0": (WIDE, OTHER, 0),
        "a sure teacher, β = 1": (SURE, FLAT, 1),
        "two words": ((0.9, 0.1), (0.35, 0.65), 0.7),
        "equal distributions": (FLAT, FLAT, 0.3),
    }
    return [
        Case(name, (torch.tensor(p), torch.tensor(q), beta), by_entropies(p, q, beta))
        for name, (p, q, beta) in settings.items()
    ]


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum()


@mistake(
    "the mixture is turned round: its share β belongs to the teacher, 1 − β to the student. At β "
    "= 0.5 one does not see it."
)
def _shares_swapped(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = (1 - beta) * p + beta * q
    return beta * _kl(p, m) + (1 - beta) * _kl(q, m)


@mistake(
    "at both ends the formula with the mixture gives 0, whatever p and q are: m is then one of "
    "the two. The ends are defined apart, as the two KLs."
)
def _no_special_ends(p, q, beta):
    m = beta * p + (1 - beta) * q
    return beta * _kl(p, m) + (1 - beta) * _kl(q, m)


@mistake(
    "the ends are swapped: β = 0 is the forward KL(p‖q), weighed by the teacher, β = 1 the "
    "reverse one."
)
def _ends_swapped(p, q, beta):
    return _no_special_ends(p, q, beta) if 0 < beta < 1 else _kl(q, p) if beta == 0 else _kl(p, q)


@mistake("these are KL(m‖p) and KL(m‖q). The mixture stands second: p and q are compared with it.")
def _mixture_first(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = beta * p + (1 - beta) * q
    return beta * _kl(m, p) + (1 - beta) * _kl(m, q)


@mistake("β is not used: this is the Jensen–Shannon divergence of equal halves.")
def _always_halves(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = (p + q) / 2
    return (_kl(p, m) + _kl(q, m)) / 2


@mistake(
    "this mixes the two KLs. GKD mixes the *distributions* and compares both with the mixture."
)
def _mixed_divergences(p, q, beta):
    return (1 - beta) * _kl(p, q) + beta * _kl(q, p)


@mistake(
    "the weights before the two KLs have changed places: β belongs to KL(p‖m), 1 − β to KL(q‖m)."
)
def _weights_swapped(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = beta * p + (1 - beta) * q
    return (1 - beta) * _kl(p, m) + beta * _kl(q, m)


@mistake(
    "between the ends teacher and student have changed places: β is the teacher's share of the "
    "mixture and the weight of its KL."
)
def _swapped_between(p, q, beta):
    return generalised_jsd(p, q, beta) if beta in (0, 1) else generalised_jsd(q, p, beta)


@mistake("p and q have changed places: p is the teacher, and β = 0 is KL(p‖q).")
def _roles_swapped(p, q, beta):
    return generalised_jsd(q, p, beta)


@mistake("the two KLs are added without their weights β and 1 − β.")
def _without_weights(p, q, beta):
    m = beta * p + (1 - beta) * q
    return generalised_jsd(p, q, beta) if beta in (0, 1) else _kl(p, m) + _kl(q, m)


@mistake(
    "between the ends this is divided by β (1 − β). GKD's divergence is not, although its values "
    "near the ends would then pass smoothly into the two KLs."
)
def _scaled(p, q, beta):
    return generalised_jsd(p, q, beta) / (1 if beta in (0, 1) else beta * (1 - beta))


@mistake("at β = 1 the formula with the mixture gives 0. That end is defined apart, too: KL(q‖p).")
def _only_the_forward_end(p, q, beta):
    return _kl(p, q) if beta == 0 else _no_special_ends(p, q, beta)


@mistake("at β = 0 the formula with the mixture gives 0. That end is defined apart, too: KL(p‖q).")
def _only_the_reverse_end(p, q, beta):
    return _kl(q, p) if beta == 1 else _no_special_ends(p, q, beta)


@mistake("β is not used: this is the forward KL(p‖q) throughout.")
def _forward(p, q, beta):
    return _kl(p, q)


@mistake("this is the mean over the vocabulary. A KL is a sum: its weights p sum to 1 already.")
def _mean(p, q, beta):
    return generalised_jsd(p, q, beta) / len(p)


@mistake("these are bits. Nats take the natural logarithm: `.log()`, not `.log2()`.")
def _bits(p, q, beta):
    return generalised_jsd(p, q, beta) / math.log(2)


@mistake("the sign: a divergence is never below 0.")
def _negative(p, q, beta):
    return -generalised_jsd(p, q, beta)


@mistake("these are the terms of single words. Add them up: `.sum()`.")
def _not_added_up(p, q, beta):
    if beta in (0, 1):
        return p * (p / q).log() if beta == 0 else q * (q / p).log()
    m = beta * p + (1 - beta) * q
    return beta * p * (p / m).log() + (1 - beta) * q * (q / m).log()


@mistake("this is the root of the divergence.")
def _distance(p, q, beta):
    return generalised_jsd(p, q, beta).clamp(min=0.0).sqrt()


@mistake(
    "every KL is the other way round. `kl_div(a.log(), b)` in torch is KL(b‖a): its second "
    "argument gives the weights."
)
def _second_argument_first(p, q, beta):
    return _mixture_first(p, q, beta) if 0 < beta < 1 else _ends_swapped(p, q, beta)


JSD = Exercise(
    lesson=11,
    title="From forward to reverse",
    difficulty=2,
    minutes=7,
    task="Write `generalised_jsd(p, q, beta)`: two torch tensors (V,) of probabilities, none of "
    "them 0, `p` the "
    "**teacher's** next word and `q` the **student's**, and a number β from 0 to 1. Return GKD's "
    "divergence in "
    "nats, as one number: KL(p‖q) at β = 0, KL(q‖p) at β = 1, and between them β KL(p‖m) + (1 − β) "
    "KL(q‖m) with "
    "the mixture m = β p + (1 − β) q.",
    hints=(
        "KL(a‖b) = Σ a ln(a / b): `(a * (a / b).log()).sum()`. The distribution before the bars "
        "gives the weights.",
        "At β = 0 the formula with the mixture would give 0, since m is q then. So look at both "
        "ends first.",
    ),
    imports="import torch",
    solution=generalised_jsd,
    wrong_answers=(
        _shares_swapped,
        _no_special_ends,
        _ends_swapped,
        _mixture_first,
        _always_halves,
        _mixed_divergences,
        _weights_swapped,
        _swapped_between,
        _roles_swapped,
        _without_weights,
        _scaled,
        _only_the_forward_end,
        _only_the_reverse_end,
        _forward,
        _mean,
        _bits,
        _negative,
        _not_added_up,
        _distance,
        _second_argument_first,
    ),
    cases=jsd_cases,
    insight="Divided by β (1 − β), the inner formula approaches the two KLs at the ends. Without "
    "that division, its "
    "values are close to 0 near the ends.",
)


EXERCISES = (JSD, ADVANTAGES)
