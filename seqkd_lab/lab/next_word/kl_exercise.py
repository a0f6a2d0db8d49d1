"""Exercise of lesson 3: KL from the truth, and what it is confused with."""

from __future__ import annotations

import math
import random

import torch
from torch.nn.functional import kl_div

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def kl_from_truth(truth, model):
    """Return KL(truth ‖ model) = Σ_k truth_k ln(truth_k / model_k) in nats, for two lists of V
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
    """Return random distributions of several V, equal ones, a certain truth, one that forbids
    words; by torch's kl_div."""
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
