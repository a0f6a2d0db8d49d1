"""Exercises of lesson 3, the teacher's distributions: temperature, and the two directions of KL."""

from __future__ import annotations

import math
import random

import torch
from torch.nn.functional import kl_div

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def softmax_with_temperature(logits, temperature):
    """p ∝ exp(logit / τ): logits is a list of V numbers; returns V probabilities."""
    largest = max(logits)
    weights = [
        math.exp((logit - largest) / temperature) for logit in logits
    ]  # the largest exponent is 0
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
    """Several temperatures and V, ties, and logits so large or so low that exp fails; by torch's
    softmax in float64.

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


def kl_from_truth(truth, model):
    """KL(truth ‖ model) = Σ_k truth_k ln(truth_k / model_k) in nats; two lists of V
    probabilities."""
    return sum(q * math.log(q / p) for q, p in zip(truth, model, strict=True) if q > 0)


def _log_ratios(truth, model):
    return [(q, p, math.log(q / p)) for q, p in zip(truth, model, strict=True) if q > 0]


@mistake(
    "a word with q = 0 is not left out, and ln 0 does not exist. It adds 0: q · ln q goes to 0 "
    "with q."
)
def _zeros_not_skipped(truth, model):
    return sum(q * math.log(q / p) for q, p in zip(truth, model, strict=True))


@mistake(
    "this is KL(model ‖ truth) over the words that the truth allows: the weights are the model's. "
    "In KL(truth ‖ model) they are the truth's."
)
def _other_direction(truth, model):
    return sum(p * -ratio for _, p, ratio in _log_ratios(truth, model))


@mistake("the sign is turned round: ln(p / q) in place of ln(q / p). A KL is never negative.")
def _wrong_sign(truth, model):
    return -kl_from_truth(truth, model)


@mistake("this is in bits (log2). A nat is the unit of the natural logarithm.")
def _in_bits(truth, model):
    return kl_from_truth(truth, model) / math.log(2)


@mistake(
    "the sum is divided by V. KL is an average already, weighted by q. (torch's "
    '`kl_div` divides unless it gets `reduction="sum"`.)'
)
def _mean_over_words(truth, model):
    return kl_from_truth(truth, model) / len(truth)


@mistake(
    "this is the cross-entropy, −Σ q ln p. It contains the entropy of the truth, which no model "
    "can lower. KL takes it away and is 0 when both agree."
)
def _cross_entropy(truth, model):
    return -sum(q * math.log(p) for q, p in zip(truth, model, strict=True))


@mistake("this is the entropy of the truth: the model is not used.")
def _entropy(truth, model):
    return -sum(q * math.log(q) for q in truth if q > 0)


@mistake(
    "this is the difference of the two entropies. Two distributions may be equally uncertain and "
    "yet give their probability to other words."
)
def _difference_of_entropies(truth, model):
    return _entropy(model, truth) - _entropy(truth, model)


@mistake("this adds both directions, KL(truth ‖ model) and KL(model ‖ truth).")
def _both_directions(truth, model):
    return sum((q - p) * ratio for q, p, ratio in _log_ratios(truth, model))


@mistake(
    "the absolute value of each logarithm is taken. The terms of a KL may be negative; only their "
    "sum is not."
)
def _absolute_ratios(truth, model):
    return sum(q * abs(ratio) for q, _, ratio in _log_ratios(truth, model))


@mistake(
    "this is the total variation distance, half the absolute differences. It does not see how "
    "*relatively* wrong a small probability is."
)
def _total_variation(truth, model):
    return sum(abs(q - p) for q, p in zip(truth, model, strict=True)) / 2


@mistake("these are squared differences. KL compares by the logarithm of the ratio.")
def _squared_differences(truth, model):
    return sum((q - p) ** 2 for q, p in zip(truth, model, strict=True))


@mistake("the logarithms are added without weights; weight each ln(q / p) by q.")
def _unweighted_sum(truth, model):
    return sum(ratio for _, _, ratio in _log_ratios(truth, model))


@mistake("all words count alike here; weight each ln(q / p) by the truth's q.")
def _unweighted_mean(truth, model):
    ratios = [ratio for _, _, ratio in _log_ratios(truth, model)]
    return sum(ratios) / len(ratios)


@mistake("these are the terms of the words. KL is their sum, one number.")
def _one_a_word(truth, model):
    return [q * math.log(q / p) if q > 0 else 0.0 for q, p in zip(truth, model, strict=True)]


def kl_cases() -> list[Case]:
    """Random distributions of several V, equal ones, a certain truth, one that forbids words; by
    torch's kl_div."""
    equal = [0.5, 0.3, 0.2]
    pairs = [
        ("truth and model agree", equal, list(equal)),
        ("the truth forbids a word", [0.6, 0.4, 0.0], [0.3, 0.5, 0.2]),
        ("only one word is right", [0.0, 0.0, 1.0, 0.0], [0.1, 0.25, 0.6, 0.05]),
        ("a word that the model nearly rules out", [0.0, 0.75, 0.25], [0.199, 0.8, 0.001]),
        ("two words", [0.9, 0.1], [0.4, 0.6]),
    ]
    for seed, n_words in enumerate((6, 4, 9)):
        chance = random.Random(seed)
        weights = [[chance.random() ** 2 + 0.01 for _ in range(n_words)] for _ in range(2)]
        truth, model = ([w / sum(ws) for w in ws] for ws in weights)
        pairs.append((f"random distributions, {seed + 1} of 3", truth, model))
    cases = []
    for name, truth, model in pairs:
        q, p = torch.tensor(truth, dtype=torch.float64), torch.tensor(model, dtype=torch.float64)
        cases.append(Case(name, (truth, model), float(kl_div(p.log(), q, reduction="sum"))))
    return cases


KL = Exercise(
    lesson=3,
    title="How far the teacher is from the truth",
    difficulty=2,
    minutes=8,
    task="Write `kl_from_truth(truth, model)`. It gets two lists of V probabilities for one "
    "position and returns one "
    "number: KL(truth ‖ model) in nats, the sum over the words k of $q_k \\ln(q_k/p_k)$, with q "
    "the truth and p "
    "the model. The truth may give a word probability 0, and such a word adds 0. The model never "
    "gives 0.",
    hints=(
        "The average is over the words that *come*: which of the two distributions are the "
        "weights?",
        "Go through the pairs (q, p), leave out those with q = 0, and add up q · ln(q / p).",
    ),
    imports="import math",
    solution=kl_from_truth,
    wrong_answers=(
        _zeros_not_skipped,
        _other_direction,
        _wrong_sign,
        _in_bits,
        _mean_over_words,
        _cross_entropy,
        _entropy,
        _difference_of_entropies,
        _both_directions,
        _absolute_ratios,
        _total_variation,
        _squared_differences,
        _unweighted_sum,
        _unweighted_mean,
        _one_a_word,
    ),
    cases=kl_cases,
    insight="Cross-entropy = entropy of the truth + KL. The first part is the floor of a teacher's "
    "curve, the second "
    "is what the teacher can still learn.",
)

EXERCISES = (SOFTMAX, KL)
