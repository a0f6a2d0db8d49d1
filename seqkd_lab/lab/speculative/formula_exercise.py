"""The exercise of lesson 10 on the formula: tokens per call of the target, and the speed-up."""

from __future__ import annotations

import math
import random

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def pay_off(alpha, K, c):
    """Return tokens per call, 1 + α + … + α^K, and the speed-up: those tokens by the time of a
    round, K · c + 1 steps of the target."""
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (K * c + 1)


@mistake("the word that the target adds is missing: the sum begins with 1 = α^0.")
def _without_the_targets_word(alpha, K, c):
    tokens = sum(alpha**k for k in range(1, K + 1))
    return tokens, tokens / (K * c + 1)


@mistake(
    "the last proposal is missing. K proposals and the target's own word are K + 1 terms; "
    "`range(K)` ends at K − 1."
)
def _one_term_too_few(alpha, K, c):
    tokens = sum(alpha**k for k in range(K))
    return tokens, tokens / (K * c + 1)


@mistake(
    "this is K · α + 1, as if each proposal were judged by itself. A proposal counts only if all "
    "those before it were accepted, too: the k-th with α^k."
)
def _judged_alone(alpha, K, c):
    tokens = K * alpha + 1
    return tokens, tokens / (K * c + 1)


@mistake(
    "this is the closed form, which divides by 1 − α. Where α = 1 it is 0 / 0: then every proposal "
    "is accepted, and a call brings K + 1 tokens."
)
def _zero_by_zero(alpha, K, c):
    tokens = (1 - alpha ** (K + 1)) / (1 - alpha)
    return tokens, tokens / (K * c + 1)


@mistake(
    "the exponent of the closed form is K here; the sum from α^0 to α^K is (1 − α^(K+1)) / (1 − α)."
)
def _exponent_too_small(alpha, K, c):
    tokens = (1 - alpha**K) / (1 - alpha)
    return tokens, tokens / (K * c + 1)


@mistake(
    "this is 1 / (1 − α), what a draft without an end would bring. A round ends after K proposals."
)
def _endless_draft(alpha, K, c):
    tokens = 1 / (1 - alpha)
    return tokens, tokens / (K * c + 1)


@mistake(
    "the round's time lacks the target's own call: K steps of the draft cost K · c, and the target "
    "1."
)
def _check_for_nothing(alpha, K, c):
    tokens, _ = pay_off(alpha, K, c)
    return tokens, tokens / (K * c)


@mistake("only one of the K drafted words is paid for: a round costs K · c + 1 steps, not c + 1.")
def _one_drafted_word_paid(alpha, K, c):
    tokens, _ = pay_off(alpha, K, c)
    return tokens, tokens / (c + 1)


@mistake(
    "the target is paid for K times here. It reads all K words in one call: a round costs "
    "K · c + 1."
)
def _a_call_a_word(alpha, K, c):
    tokens, _ = pay_off(alpha, K, c)
    return tokens, tokens / (K * (c + 1))


@mistake(
    "the draft is taken to write K + 1 words. It writes K; the last word comes from the target."
)
def _draft_writes_one_more(alpha, K, c):
    tokens, _ = pay_off(alpha, K, c)
    return tokens, tokens / ((K + 1) * c + 1)


@mistake(
    "this is the time of a token. The speed-up is its inverse: tokens of a round by the time of a "
    "round."
)
def _time_of_a_token(alpha, K, c):
    tokens, faster = pay_off(alpha, K, c)
    return tokens, 1 / faster


@mistake("the draft's time is not counted: this is the speed-up for c = 0.")
def _draft_for_nothing(alpha, K, c):
    tokens, _ = pay_off(alpha, K, c)
    return tokens, tokens


@mistake("both numbers are right, in the other order: tokens per call come first.")
def _other_order(alpha, K, c):
    return pay_off(alpha, K, c)[::-1]


@mistake("this is the speed-up alone; the tokens per call are asked for, too, and come first.")
def _speed_up_alone(alpha, K, c):
    return pay_off(alpha, K, c)[1]


@mistake("these are the tokens per call alone; the speed-up is asked for, too.")
def _tokens_alone(alpha, K, c):
    return pay_off(alpha, K, c)[0]


def expected_by_cases(alpha: float, K: int, c: float) -> tuple[float, float]:
    """Return the same two numbers by listing how a round can end: k accepted words and a rejection
    with α^k (1 − α), or all K with α^K."""
    ends = [(k + 1, alpha**k * (1.0 - alpha)) for k in range(K)] + [(K + 1, alpha**K)]
    tokens = math.fsum(n * chance for n, chance in ends)
    return tokens, tokens / (1.0 + K * c)


def pay_off_cases() -> list[Case]:
    """Return drafts by hand (hopeless, perfect, free, as dear as the target) and random ones;
    judged by listing the ends of a round."""
    chance = random.Random(1)
    settings = [
        ("α = 0.8, K = 4, c = 0.05", (0.8, 4, 0.05)),
        ("α = 0: every proposal is rejected", (0.0, 3, 0.1)),
        ("α = 1: every proposal is accepted", (1.0, 5, 0.1)),
        ("K = 1", (0.6, 1, 0.2)),
        ("a draft as dear as the target, c = 1", (0.7, 3, 1.0)),
        ("a draft that costs nothing, c = 0", (0.9, 12, 0.0)),
    ]
    for _ in range(3):
        alpha, K, c = round(chance.random(), 2), chance.randint(2, 12), round(chance.random(), 2)
        settings.append((f"α = {alpha:g}, K = {K}, c = {c:g}", (alpha, K, c)))
    return [Case(name, values, expected_by_cases(*values)) for name, values in settings]


PAY_OFF = Exercise(
    lesson=10,
    title="What a draft brings, and what it costs",
    difficulty=2,
    minutes=6,
    task="A draft writes `K` words in each round. Each proposal is accepted with probability "
    "`alpha`, if those before it were. A step of the draft costs `c` steps of the target. Write "
    "`pay_off(alpha, K, c)`. Return two numbers: the mean number of tokens that a call of the "
    "target brings, and how many times as fast as the target alone this is. No sentence ends. "
    "alpha may be 0 or 1.",
    hints=(
        "With which probability is the k-th proposal accepted? Add these probabilities for k = 1 "
        "to K, and the word that the target adds in every round.",
        "The target alone writes one token in one step. A round writes those tokens in K · c + 1 "
        "steps.",
        "`sum(alpha**k for k in range(K + 1))` needs no case for alpha = 1, and Python's `0.0**0` "
        "is 1.",
    ),
    solution=pay_off,
    wrong_answers=(
        _without_the_targets_word,
        _one_term_too_few,
        _judged_alone,
        _zero_by_zero,
        _exponent_too_small,
        _endless_draft,
        _check_for_nothing,
        _one_drafted_word_paid,
        _a_call_a_word,
        _draft_writes_one_more,
        _time_of_a_token,
        _draft_for_nothing,
        _other_order,
        _speed_up_alone,
        _tokens_alone,
    ),
    cases=pay_off_cases,
    insight="Each further drafted word brings α^K more tokens and costs c more. As K grows, α^K "
    "falls and c does not, so there is a best K.",
)
