"""Exercises of lesson 3, the teacher's distributions: a softmax with temperature; KL in
kl_exercise."""

from __future__ import annotations

import math
import random

import torch

from seqkd_lab.lab.next_word.kl_exercise import KL
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def softmax_with_temperature(logits, temperature):
    """Return p ∝ exp(logit / τ), V probabilities, for a list of V logits."""
    largest = max(logits)
    weights = [math.exp((logit - largest) / temperature) for logit in logits]  # at most exp(0)
    total = sum(weights)
    return [weight / total for weight in weights]


def _softmax(logits):
    largest = max(logits)
    weights = [math.exp(logit - largest) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def _exponentials(logits):
    return [math.exp(logit) for logit in logits]


def _plain_softmax(logits):
    weights = _exponentials(logits)
    return [weight / sum(weights) for weight in weights]


_AND_OVERFLOWS = (
    " And exp of a large logit overflows here: take the largest logit away from all of them first."
)
_MULTIPLIED = (
    "this multiplies by τ, so a high temperature sharpens. A high temperature must flatten: divide."
)
_AFTERWARDS = (
    "the division comes after the softmax, so these numbers sum to 1/τ. τ belongs inside the "
    "exponent."
)
_NO_TAU = "the temperature changes nothing: this is the softmax at τ = 1."


@mistake(
    "exp of a large logit overflows. Take the largest logit away from all of them first: the "
    "probabilities stay the same, and the largest exponent is 0."
)
def _overflows(logits, temperature):
    return _plain_softmax([logit / temperature for logit in logits])


@mistake(_MULTIPLIED)
def _multiplied(logits, temperature):
    return _softmax([logit * temperature for logit in logits])


@mistake(_MULTIPLIED + _AND_OVERFLOWS)
def _multiplied_plainly(logits, temperature):
    return _plain_softmax([logit * temperature for logit in logits])


@mistake(_AFTERWARDS)
def _divided_afterwards(logits, temperature):
    return [p / temperature for p in _softmax(logits)]


@mistake(_AFTERWARDS + _AND_OVERFLOWS)
def _divided_afterwards_plainly(logits, temperature):
    return [p / temperature for p in _plain_softmax(logits)]


@mistake(_NO_TAU)
def _forgotten(logits, temperature):
    return _softmax(logits)


@mistake(_NO_TAU + _AND_OVERFLOWS)
def _forgotten_plainly(logits, temperature):
    return _plain_softmax(logits)


@mistake(
    "these are exp(logit / τ). Probabilities must sum to 1: divide by their sum. To avoid an "
    "overflow, take the largest logit away first."
)
def _not_normalised(logits, temperature):
    return _exponentials([logit / temperature for logit in logits])


@mistake("the largest of these numbers is 1. Probabilities must *sum* to 1: divide by their sum.")
def _largest_is_one(logits, temperature):
    return _exponentials([(logit - max(logits)) / temperature for logit in logits])


@mistake("these are the *logarithms* of the probabilities (a log_softmax).")
def _logarithms(logits, temperature):
    largest = max(logits)
    total = math.log(sum(math.exp((logit - largest) / temperature) for logit in logits))
    return [(logit - largest) / temperature - total for logit in logits]


@mistake(
    "p to the power of 1/τ is proportional to the answer; it must still be divided by its sum. "
    "For a small p it also loses digits."
)
def _powers_not_normalised(logits, temperature):
    return [p ** (1.0 / temperature) for p in _softmax(logits)]


@mistake(
    "the logits are divided by τ². That factor belongs to the loss of lesson 04, not to the "
    "softmax."
)
def _squared(logits, temperature):
    return _softmax([logit / temperature**2 for logit in logits])


@mistake("the sign of the logits is turned round: the least likely word gets the most.")
def _negated(logits, temperature):
    return _softmax([-logit / temperature for logit in logits])


@mistake("this gives all to the largest logit: the limit τ → 0, not the softmax at this τ.")
def _argmax(logits, temperature):
    return [float(logit == max(logits)) for logit in logits]


def temperature_cases() -> list[Case]:
    """Return cases of several temperatures and V, ties, and logits so large or so low that exp
    fails; by torch's softmax in float64.

    The large logits are numbers that float32 holds exactly.
    """
    settings = [
        ("τ = 1", _logits(0, 5), 1.0),
        ("τ = 2, softer", _logits(1, 4), 2.0),
        ("τ = 0.5, sharper", _logits(2, 6), 0.5),
        ("τ = 3, two words only", [1.5, -0.25], 3.0),
        ("two equal logits", [2.0, -1.0, 2.0, 0.5, -3.0], 4.0),
        ("logits of some thousands", [-1200.0, 2999.0, 3000.0, -2000.0, -4000.0], 0.5),
        ("one logit far above the others", [-5.0, 2400.0, 12.0, 10.0], 2.0),
        ("logits far below 0", [-2000.0, -1998.5, -1999.0], 0.5),
        ("τ = 1/32, a low temperature", [29.0, 29.0625, 3.0, -40.0, 29.03125], 0.03125),
    ]
    return [
        Case(name, (logits, tau), (torch.tensor(logits, dtype=torch.float64) / tau).softmax(dim=0))
        for name, logits, tau in settings
    ]


def _logits(seed: int, n_words: int) -> list[float]:
    chance = random.Random(seed)
    return [2.0 * chance.gauss(0, 1) for _ in range(n_words)]


SOFTMAX = Exercise(
    lesson=3,
    title="A softmax with temperature that does not overflow",
    difficulty=1,
    minutes=8,
    task="Write `softmax_with_temperature(logits, temperature)`. It gets a list of V logits and τ "
    "> 0. It returns the "
    "V probabilities $p_k \\propto \\exp(z_k/\\tau)$ as a list, a tensor or an array. A logit may "
    "be in the "
    "thousands: `exp(1000)` overflows, but the probabilities exist.",
    hints=(
        "First divide by τ, then take the softmax.",
        "A softmax does not change when the same number is taken from every logit. Which number "
        "makes the largest exponent 0?",
    ),
    imports="import math",
    solution=softmax_with_temperature,
    wrong_answers=(
        _overflows,
        _multiplied,
        _multiplied_plainly,
        _divided_afterwards,
        _divided_afterwards_plainly,
        _forgotten,
        _forgotten_plainly,
        _not_normalised,
        _largest_is_one,
        _logarithms,
        _powers_not_normalised,
        _squared,
        _negated,
        _argmax,
    ),
    cases=temperature_cases,
    insight="For τ → 0 only the largest logit keeps probability; for τ → ∞ all words become equal. "
    "The order of the "
    "words never changes.",
)

EXERCISES = (SOFTMAX, KL)
