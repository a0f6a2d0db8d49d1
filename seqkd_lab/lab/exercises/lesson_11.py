"""Exercises of lesson 11, on-policy distillation: the divergence between two next words, and what a drawn word answers
for."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer

P, Q = (0.7, 0.2, 0.06, 0.04), (0.1, 0.3, 0.35, 0.25)
SURE, FLAT = (0.97, 0.01, 0.02), (0.3, 0.4, 0.3)


def generalised_jsd(p, q, beta):
    """JSD_β between teacher p and student q, laws (V,): KL(p‖q) at β = 0 and KL(q‖p) at β = 1."""
    if beta == 0:
        return (p * (p / q).log()).sum()
    if beta == 1:
        return (q * (q / p).log()).sum()
    m = beta * p + (1 - beta) * q
    return beta * (p * (p / m).log()).sum() + (1 - beta) * (q * (q / m).log()).sum()


def advantages(log_p_student, log_p_teacher, discount):
    """A_t = −Σ_{u ≥ t} discount^(u − t) (log p_S(y_u) − log p_T(y_u)) for the drawn words' log-probabilities (T,)."""
    found, to_come = [], 0.0
    for cost in reversed((log_p_student - log_p_teacher).tolist()):
        to_come = cost + discount * to_come
        found.append(-to_come)
    return torch.tensor(found[::-1])


def entropy(law: list[float]) -> float:
    """In nats."""
    return -math.fsum(x * math.log(x) for x in law)


def by_entropies(p: tuple[float, ...], q: tuple[float, ...], beta: float) -> float:
    """Another way to the same number: H(m) − β H(p) − (1 − β) H(q), at the ends the cross-entropy minus the entropy."""
    if beta in (0, 1):
        first, second = (p, q) if beta == 0 else (q, p)
        return -math.fsum(x * math.log(y) for x, y in zip(first, second, strict=True)) - entropy(list(first))
    m = [beta * x + (1 - beta) * y for x, y in zip(p, q, strict=True)]
    return entropy(m) - beta * entropy(list(p)) - (1 - beta) * entropy(list(q))


def jsd_cases() -> list[Case]:
    """Inner β, both ends, laws that are equal, and a teacher that is sure."""
    asked = {
        "β = 0.2": (P, Q, 0.2), "β = 0.5": (P, Q, 0.5), "β = 0.9": (SURE, FLAT, 0.9),
        "β = 0: forward": (P, Q, 0), "β = 1: reverse": (P, Q, 1), "equal laws": (FLAT, FLAT, 0.3),
    }
    return [Case(name, (torch.tensor(p), torch.tensor(q), beta), by_entropies(p, q, beta))
            for name, (p, q, beta) in asked.items()]


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum()


def _shares_swapped(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = (1 - beta) * p + beta * q
    return beta * _kl(p, m) + (1 - beta) * _kl(q, m)


def _no_special_ends(p, q, beta):
    m = beta * p + (1 - beta) * q
    return beta * _kl(p, m) + (1 - beta) * _kl(q, m)


def _ends_swapped(p, q, beta):
    return _no_special_ends(p, q, beta) if 0 < beta < 1 else _kl(q, p) if beta == 0 else _kl(p, q)


def _mixture_first(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = beta * p + (1 - beta) * q
    return beta * _kl(m, p) + (1 - beta) * _kl(m, q)


def _always_halves(p, q, beta):
    if beta in (0, 1):
        return _kl(p, q) if beta == 0 else _kl(q, p)
    m = (p + q) / 2
    return (_kl(p, m) + _kl(q, m)) / 2


def _mixed_divergences(p, q, beta):
    return (1 - beta) * _kl(p, q) + beta * _kl(q, p)


JSD = Exercise(
    lesson=11, title="From forward to reverse", difficulty=2, minutes=7,
    task="Write `generalised_jsd(p, q, beta)`: two torch tensors (V,) of probabilities, none of them 0, `p` the "
         "**teacher's** next word and `q` the **student's**, and a number β from 0 to 1. Return GKD's divergence in "
         "nats: KL(p‖q) at β = 0, KL(q‖p) at β = 1, and between them β KL(p‖m) + (1 − β) KL(q‖m) with the mixture "
         "m = β p + (1 − β) q.",
    hints=("KL(a‖b) = Σ a log(a / b): `(a * (a / b).log()).sum()`. The law before the bars is the one that weighs.",
           "At β = 0 the formula with the mixture would give 0, since m is q then. So look at both ends first."),
    imports="import torch",
    solution=generalised_jsd,
    wrong_answers=(
        WrongAnswer(_shares_swapped, "the mixture is turned round: its share β belongs to the teacher, 1 − β to the "
                                     "student. At β = 0.5 one does not see it."),
        WrongAnswer(_no_special_ends, "at both ends the formula with the mixture gives 0, whatever the laws are: m is "
                                      "then one of the two. The ends are defined apart, as the two KLs."),
        WrongAnswer(_ends_swapped, "the ends are swapped: β = 0 is the forward KL(p‖q), weighed by the teacher, β = 1 "
                                   "the reverse one."),
        WrongAnswer(_mixture_first, "these are KL(m‖p) and KL(m‖q). The mixture stands second: p and q are compared "
                                    "with it."),
        WrongAnswer(_always_halves, "β is not used: this is the Jensen–Shannon divergence of equal halves."),
        WrongAnswer(_mixed_divergences, "this mixes the two KLs. GKD mixes the *laws* and compares both with the "
                                        "mixture."),
    ),
    cases=jsd_cases,
    insight="Divided by β (1 − β) the inner formula goes over into the two KLs; without that, the loss all but "
            "vanishes near the ends, and one learning rate does not serve every β.",
)


def advantage_cases() -> list[Case]:
    """Sentences of several words at several discounts, and one of a single word."""
    student = {"four words": (-0.2, -1.5, -0.1, -0.7), "a likely sentence": (-0.05, -0.1, -0.02),
               "one word": (-0.4,)}
    teacher = {"four words": (-0.9, -0.3, -2.5, -0.7), "a likely sentence": (-0.01, -0.3, -0.01),
               "one word": (-1.9,)}
    cases = []
    for name, discount in (("four words", 0.0), ("four words", 1.0), ("four words", 0.5), ("a likely sentence", 0.9),
                           ("one word", 1.0)):
        costs = [s - t for s, t in zip(student[name], teacher[name], strict=True)]
        expected = [-math.fsum(discount ** (u - t) * costs[u] for u in range(t, len(costs))) for t in range(len(costs))]
        cases.append(Case(f"{name}, discount {discount:g}", (torch.tensor(student[name]), torch.tensor(teacher[name]),
                                                            discount), expected))
    return cases


def _sign(log_p_student, log_p_teacher, discount):
    return -advantages(log_p_student, log_p_teacher, discount)


def _past(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student.flip(0), log_p_teacher.flip(0), discount).flip(0)


def _own_alone(log_p_student, log_p_teacher, discount):
    return log_p_teacher - log_p_student


def _no_discount(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student, log_p_teacher, 1.0)


def _counted_from_the_start(log_p_student, log_p_teacher, discount):
    powers = torch.tensor([float(discount) ** t for t in range(len(log_p_student))])
    return advantages(powers * log_p_student, powers * log_p_teacher, 1.0)


def _without_own(log_p_student, log_p_teacher, discount):
    every = advantages(log_p_student, log_p_teacher, discount)
    return every + log_p_student - log_p_teacher


ADVANTAGES = Exercise(
    lesson=11, title="What a drawn word answers for", difficulty=2, minutes=8,
    task="The student has drawn a translation of T words. Write `advantages(log_p_student, log_p_teacher, discount)`: "
         "two torch tensors (T,), what student and teacher gave to each drawn word (log-probabilities), and a number "
         "from 0 to 1. The cost of a word is log p_S − log p_T. Return the T advantages "
         "A_t = −Σ_{u ≥ t} discount^(u − t) · cost_u: discount 0 lets a word answer for itself alone, 1 for "
         "all that comes after it as well.",
    hints=("From behind it is one line: what is to come at t is cost_t + discount · (what is to come at t + 1).",
           "`reversed(costs.tolist())` walks from the last word to the first; turn the result round in the end, and "
           "mind the sign: a cost is bad, an advantage good."),
    imports="import torch",
    solution=advantages,
    wrong_answers=(
        WrongAnswer(_sign, "the sign is turned: where the student gives a word more than the teacher does, the cost is "
                           "positive and the advantage negative."),
        WrongAnswer(_past, "this sums over the words *before*. A word cannot change those any more: it answers for "
                           "what comes after it."),
        WrongAnswer(_own_alone, "the discount is not used: each word answers for itself alone, which is right at 0 "
                                "only."),
        WrongAnswer(_no_discount, "the discount is not used: all that comes counts in full, which is right at 1 only."),
        WrongAnswer(_counted_from_the_start, "the power counts from the sentence's start. It is the distance u − t "
                                             "that discounts, so that a word's own cost always counts in full."),
        WrongAnswer(_without_own, "a word's own cost is missing: the sum begins at u = t."),
    ),
    cases=advantage_cases,
    insight="With discount 0 the mean over draws is the gradient of the reverse KL at the prefixes as they are; with 1 "
            "that of the KL between whole translations, in which the choice of prefixes counts. They differ.",
)

EXERCISES = (JSD, ADVANTAGES)
