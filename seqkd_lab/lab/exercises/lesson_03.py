"""Exercises of lesson 3, the teacher's distributions: temperature, and the two directions of KL."""

from __future__ import annotations

import math
import random

import torch
from torch.nn.functional import kl_div

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def softmax_with_temperature(logits, temperature):
    """p ∝ exp(logit / τ): logits is a list of V numbers; returns V probabilities."""
    largest = max(logits)
    weights = [math.exp((logit - largest) / temperature) for logit in logits]  # the largest exponent is 0
    total = sum(weights)
    return [weight / total for weight in weights]


def _softmax(logits):
    largest = max(logits)
    weights = [math.exp(logit - largest) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def _overflows(logits, temperature):
    weights = [math.exp(logit / temperature) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def _multiplied(logits, temperature):
    return _softmax([logit * temperature for logit in logits])


def _divided_afterwards(logits, temperature):
    return [p / temperature for p in _softmax(logits)]


def _forgotten(logits, temperature):
    return _softmax(logits)


def temperature_cases() -> list[Case]:
    """Several temperatures, and logits so large that exp overflows; by torch's softmax in float64."""
    cases = []
    settings = [(1.0, 2.0, "τ = 1"), (2.0, 2.0, "τ = 2, softer"), (0.5, 2.0, "τ = 0.5, sharper"),
                (1.0, 2000.0, "logits of some thousands"), (0.01, 30.0, "τ = 0.01, nearly the argmax")]
    for seed, (temperature, scale, name) in enumerate(settings):
        chance = random.Random(seed)
        logits = [scale * chance.gauss(0, 1) for _ in range(5)]
        expected = (torch.tensor(logits, dtype=torch.float64) / temperature).softmax(dim=0)
        cases.append(Case(name, (logits, temperature), expected))
    return cases


SOFTMAX = Exercise(
    lesson=3, title="Temperature, computed so that it holds", difficulty=1, minutes=8,
    task="Write `softmax_with_temperature(logits, temperature)`: a list of V numbers and τ > 0; return the V "
         "probabilities $p_k \\propto \\exp(z_k/\\tau)$. Logits may be in the thousands: `exp(1000)` overflows, the "
         "probabilities do not. (A list, a tensor or an array: all are accepted.)",
    hints=("Divide first, then the softmax.",
           "A softmax does not change when the same number is taken from every logit. Which number makes the largest "
           "exponent 0?"),
    imports="import math",
    solution=softmax_with_temperature,
    wrong_answers=(
        WrongAnswer(_overflows, "exp of a large logit overflows. Take the largest logit away from all first: the "
                                "probabilities stay the same, and the largest exponent is 0."),
        WrongAnswer(_multiplied, "this multiplies by τ: a high temperature would sharpen. Hot means soft: divide."),
        WrongAnswer(_divided_afterwards, "the division comes after the softmax: these probabilities sum to 1/τ. τ "
                                         "belongs inside the exponent."),
        WrongAnswer(_forgotten, "the temperature is not used: this is the softmax at τ = 1."),
    ),
    cases=temperature_cases,
    insight="τ → 0 leaves the argmax alone, τ → ∞ makes all words equal; the order of the words never changes.",
)


def kl_from_truth(truth, model):
    """KL(truth ‖ model) = Σ_k truth_k ln(truth_k / model_k) in nats; two lists of V probabilities."""
    return sum(q * math.log(q / p) for q, p in zip(truth, model, strict=True) if q > 0)


def _other_direction(truth, model):
    return sum(p * math.log(p / q) for q, p in zip(truth, model, strict=True) if q > 0)


def _cross_entropy(truth, model):
    return -sum(q * math.log(p) for q, p in zip(truth, model, strict=True))


def _total_variation(truth, model):
    return sum(abs(q - p) for q, p in zip(truth, model, strict=True)) / 2


def _unweighted_ratio(truth, model):
    ratios = [math.log(q / p) for q, p in zip(truth, model, strict=True) if q > 0]
    return sum(ratios) / len(ratios)


def kl_cases() -> list[Case]:
    """Random distributions, two equal ones, and a truth that forbids words; by torch's kl_div(log p, q)."""
    cases, equal = [], [0.5, 0.3, 0.2]
    pairs = [("truth and model agree", equal, list(equal)),
             ("the truth forbids a word", [0.6, 0.4, 0.0], [0.3, 0.5, 0.2])]
    for seed in range(3):
        chance = random.Random(seed)
        weights = [[chance.random() ** 2 + 0.01 for _ in range(6)] for _ in range(2)]
        truth, model = ([w / sum(ws) for w in ws] for ws in weights)
        pairs.append((f"random distributions, {seed + 1} of 3", truth, model))
    for name, truth, model in pairs:
        q, p = torch.tensor(truth, dtype=torch.float64), torch.tensor(model, dtype=torch.float64)
        cases.append(Case(name, (truth, model), float(kl_div(p.log(), q, reduction="sum"))))
    return cases


KL = Exercise(
    lesson=3, title="How far the teacher is from the truth", difficulty=2, minutes=8,
    task="Write `kl_from_truth(truth, model)`: two lists of V probabilities for one position. Return "
         "KL(truth ‖ model) in nats: what a reader loses on average who believes the model, when the words come from "
         "the truth. The truth may give a word probability 0; the model never does.",
    hints=("The average is over the words that *come*: which of the two distributions are the weights?",
           "Each word adds q · ln(q / p), q from the truth; a word with q = 0 adds 0."),
    imports="import math",
    solution=kl_from_truth,
    wrong_answers=(
        WrongAnswer(_other_direction, "this is KL(model ‖ truth), weighted by the model. It punishes words that only "
                                      "the model writes; the training loss punishes those that the model forgets."),
        WrongAnswer(_cross_entropy, "this is the cross-entropy. It contains the truth's own entropy, which no model "
                                    "can lower; KL takes it away and is 0 when both agree."),
        WrongAnswer(_total_variation, "this is the total variation distance (half the absolute differences), which "
                                      "does not see how *relatively* wrong a rare word's probability is."),
        WrongAnswer(_unweighted_ratio, "all words count alike here; weight each ln(q / p) by the truth's q."),
    ),
    cases=kl_cases,
    insight="Cross-entropy = entropy of the truth + KL: the floor of a teacher's curve is the first part, what it "
            "can still learn the second.",
)

EXERCISES = (SOFTMAX, KL)
