"""An exercise of lesson 11, on-policy distillation: the advantage of a drawn word."""

from __future__ import annotations

import math

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def advantages(log_p_student, log_p_teacher, discount):
    """Return A_t = −Σ_{u ≥ t} discount^(u − t) (log p_S(y_u) − log p_T(y_u)) for the drawn words'
    log-probabilities (T,)."""
    result, to_come = [], 0.0
    for cost in reversed((log_p_student - log_p_teacher).tolist()):
        to_come = cost + discount * to_come
        result.append(-to_come)
    return torch.tensor(result[::-1])


def advantage_cases() -> list[Case]:
    """Return cases of several words at several discounts, and one of a single word. Some words cost
    nothing."""
    student = {
        "four words": (-0.2, -1.5, -0.1, -0.7),
        "a likely sentence": (-0.05, -0.1, -0.02),
        "one word": (-0.4,),
        "seven words": (-1.1, -0.3, -2.2, -0.6, -0.05, -1.7, -0.9),
        "two words": (-0.8, -0.2),
    }
    teacher = {
        "four words": (-0.9, -0.3, -2.5, -0.7),
        "a likely sentence": (-0.01, -0.3, -0.01),
        "one word": (-1.9,),
        "seven words": (-0.4, -0.3, -0.7, -3.1, -0.2, -1.2, -2.4),
        "two words": (-0.1, -1.3),
    }
    cases = []
    for name, discount in (
        ("four words", 0.0),
        ("four words", 1.0),
        ("four words", 0.5),
        ("a likely sentence", 0.9),
        ("one word", 1.0),
        ("one word", 0.3),
        ("seven words", 0.7),
        ("two words", 0.25),
    ):
        costs = [s - t for s, t in zip(student[name], teacher[name], strict=True)]
        expected = [
            -math.fsum(discount ** (u - t) * costs[u] for u in range(t, len(costs)))
            for t in range(len(costs))
        ]
        cases.append(
            Case(
                f"{name}, discount {discount:g}",
                (torch.tensor(student[name]), torch.tensor(teacher[name]), discount),
                expected,
            )
        )
    return cases


@mistake(
    "the sign is turned: where the student gives a word more than the teacher does, the cost is "
    "positive and the advantage negative."
)
def _sign(log_p_student, log_p_teacher, discount):
    return -advantages(log_p_student, log_p_teacher, discount)


@mistake(
    "this sums over the words *before*. A word cannot change those any more. Sum over what comes "
    "after it."
)
def _past(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student.flip(0), log_p_teacher.flip(0), discount).flip(0)


@mistake("the discount is not used: only a word's own cost counts, which is right at 0 only.")
def _own_alone(log_p_student, log_p_teacher, discount):
    return log_p_teacher - log_p_student


@mistake("the discount is not used: all that comes counts in full, which is right at 1 only.")
def _no_discount(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student, log_p_teacher, 1.0)


@mistake(
    "the power counts from the sentence's start. It is the distance u − t that discounts, so that "
    "a word's own cost always counts in full."
)
def _counted_from_the_start(log_p_student, log_p_teacher, discount):
    powers = torch.tensor([float(discount) ** t for t in range(len(log_p_student))])
    return advantages(powers * log_p_student, powers * log_p_teacher, 1.0)


@mistake("a word's own cost is missing: the sum begins at u = t.")
def _without_own(log_p_student, log_p_teacher, discount):
    every = advantages(log_p_student, log_p_teacher, discount)
    return every + log_p_student - log_p_teacher


@mistake(
    "this is a running sum over the words so far, without any discount. Sum over what comes after "
    "a word."
)
def _past_in_full(log_p_student, log_p_teacher, discount):
    return (log_p_teacher - log_p_student).cumsum(dim=0)


@mistake("the power is u − t + 1, one too many: a word's own cost counts in full.")
def _own_discounted(log_p_student, log_p_teacher, discount):
    return discount * advantages(log_p_student, log_p_teacher, discount)


@mistake(
    "the cost of the next word counts in full: its power should be 1. Only a word's own cost has "
    "the power 0."
)
def _next_in_full(log_p_student, log_p_teacher, discount):
    every = advantages(log_p_student, log_p_teacher, discount)
    return log_p_teacher - log_p_student + torch.cat([every[1:], torch.zeros(1)])


@mistake(
    "all later words have the same factor. The power grows with the distance: discount, "
    "discount², discount³, …"
)
def _one_factor_for_all(log_p_student, log_p_teacher, discount):
    own = log_p_teacher - log_p_student
    return own + discount * (own.flip(0).cumsum(0).flip(0) - own)


@mistake("the advantages are right, but the last word comes first. Reverse the result.")
def _not_turned_round(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student, log_p_teacher, discount).flip(0)


@mistake("this is the mean over the words that are left. A_t is their sum.")
def _mean_of_the_rest(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student, log_p_teacher, discount) / torch.arange(
        len(log_p_student), 0, -1
    )


@mistake(
    "the sentence's own mean is subtracted. A baseline may do something like that, but the task "
    "asks for the sum alone."
)
def _own_mean_off(log_p_student, log_p_teacher, discount):
    every = advantages(log_p_student, log_p_teacher, discount)
    return every - every.mean()


@mistake("these are differences of probabilities. Both tensors hold logarithms already: no `exp`.")
def _probabilities(log_p_student, log_p_teacher, discount):
    return advantages(log_p_student.exp(), log_p_teacher.exp(), discount)


ADVANTAGES = Exercise(
    lesson=11,
    title="The advantage of a drawn word",
    difficulty=2,
    minutes=8,
    task="The student has drawn a translation of T words. Write `advantages(log_p_student, "
    "log_p_teacher, discount)`. The two arguments are torch tensors (T,): the log-probabilities "
    "that student and teacher gave to the drawn words. `discount` is a number from 0 to 1. The "
    "cost of a word is c = log p_S − log p_T. Return the T advantages, without a baseline: "
    "A_t = −Σ_{u ≥ t} discount^(u − t) · c_u.",
    hints=(
        "Begin with the last word: the sum at t is c_t + discount · (the sum at t + 1).",
        "`reversed(costs.tolist())` goes from the last word to the first. Reverse the result at "
        "the end, and change the sign: a high cost is a low advantage.",
    ),
    imports="import torch",
    solution=advantages,
    wrong_answers=(
        _sign,
        _past,
        _own_alone,
        _no_discount,
        _counted_from_the_start,
        _without_own,
        _past_in_full,
        _own_discounted,
        _next_in_full,
        _one_factor_for_all,
        _not_turned_round,
        _mean_of_the_rest,
        _own_mean_off,
        _probabilities,
    ),
    cases=advantage_cases,
    insight="With discount 0, the mean over draws is the gradient of the reverse KL at the "
    "prefixes as they are. With discount 1, it is that of the KL between whole translations, in "
    "which the choice of the prefixes counts, too. The two differ.",
)
