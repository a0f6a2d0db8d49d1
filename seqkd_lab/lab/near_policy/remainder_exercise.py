"""An exercise of lesson 14, near-policy distillation: the KL over k words and the rest."""

from __future__ import annotations

import math
import random

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def remainder_kl(p, q, words):
    """KL over k words and the rest, in nats: the teacher's q (k,) at `words` (k,), the student's p
    (V,) at all."""
    same, rest_p, rest_q = p[words], 1.0 - p[words].sum(), 1.0 - q.sum()
    return (q * (q / same).log()).sum() + rest_q * (rest_q / rest_p).log()


def remainder_kl_cases() -> list[Case]:
    """Draw random distributions, and a student that agrees; expected by Python's own numbers over
    the merged outcomes."""
    cases = []
    for seed, (V, k) in enumerate([(4, 1), (6, 2), (12, 3), (5, 4), (9, 5), (7, 3)]):
        rng = random.Random(seed)
        weights = [[rng.expovariate(1.0) for _ in range(V)] for _ in range(2)]
        p, full = ([value / sum(values) for value in values] for values in weights)
        words, name = sorted(range(V), key=lambda word: -full[word])[:k], f"V = {V}, k = {k}"
        if seed == 4:
            words, name = sorted(words), f"{name}, in the order of the vocabulary"
        elif seed == 5:
            p, name = full, f"{name}, a student that agrees"
        outcomes = [(full[word], p[word]) for word in words]
        outcomes.append(
            (sum(full) - sum(full[w] for w in words), sum(p) - sum(p[w] for w in words))
        )
        expected = math.fsum(x * math.log(x / y) for x, y in outcomes)
        arguments = (
            torch.tensor(p, dtype=torch.float64),
            torch.tensor([full[w] for w in words], dtype=torch.float64),
            torch.tensor(words),
        )
        cases.append(Case(name, arguments, expected))
    return cases


@mistake(
    "the rest is missing. A sum over some of the outcomes is no divergence. It can fall below 0, "
    "and the student lowers it by giving these words too much probability."
)
def _without_rest(p, q, words):
    return (q * (q / p[words]).log()).sum()


@mistake(
    "both are scaled to sum to 1 over the k words. The number then does not depend on how much "
    "the student gives to all others."
)
def _renormalised(p, q, words):
    same, own = p[words] / p[words].sum(), q / q.sum()
    return (own * (own / same).log()).sum()


@mistake(
    "this is the reverse KL: the student's distribution gives the weights. The teacher's should."
)
def _reverse(p, q, words):
    same, rest_p, rest_q = p[words], 1.0 - p[words].sum(), 1.0 - q.sum()
    return (same * (same / q).log()).sum() + rest_p * (rest_p / rest_q).log()


@mistake("these are the student's own likeliest words; `q` belongs to the teacher's.")
def _own_best(p, q, words):
    return remainder_kl(p, q, p.topk(len(words)).indices)


@mistake(
    "this is the cross-entropy: the teacher's own entropy is still in it. The gradient is the "
    "same, but the number is not 0 where both agree."
)
def _cross_entropy(p, q, words):
    return -(q * p[words].log()).sum() - (1.0 - q.sum()) * (1.0 - p[words].sum()).log()


@mistake("this is the bucket alone. The terms of the k words are missing.")
def _rest(p, q, words):
    """Return the bucket's term."""
    return remainder_kl(p, q, words) - _without_rest(p, q, words)


@mistake(
    "the bucket's ratio is upside down, or its term is subtracted. It has the same form as the "
    "others: teacher · ln(teacher / student)."
)
def _bucket_upside_down(p, q, words):
    return _without_rest(p, q, words) - _rest(p, q, words)


@mistake("the bucket's logarithm has no weight before it: the teacher's 1 − Σ q.")
def _bucket_without_weight(p, q, words):
    return _without_rest(p, q, words) + ((1.0 - q.sum()) / (1.0 - p[words].sum())).log()


@mistake(
    "these are the first k words of the vocabulary. `words` says which k words the teacher sent: "
    "`p[words]`."
)
def _first_words(p, q, words):
    return remainder_kl(p, q, torch.arange(len(words)))


@mistake("these are bits. Nats take the natural logarithm: `.log()`, not `.log2()`.")
def _bits(p, q, words):
    return remainder_kl(p, q, words) / math.log(2)


@mistake("this is the mean over the k + 1 outcomes. A KL is a sum: its weights sum to 1 already.")
def _mean(p, q, words):
    return remainder_kl(p, q, words) / (len(words) + 1)


@mistake("the sign: a KL is never below 0.")
def _negative(p, q, words):
    return -remainder_kl(p, q, words)


@mistake(
    "the teacher's rest is spread evenly over all other words. What it gave to each of them is "
    "not known: compare the two buckets."
)
def _spread_evenly(p, q, words):
    full = torch.full_like(p, float(1.0 - q.sum()) / (len(p) - len(words)))
    full[words] = q
    return (full * (full / p).log()).sum()


@mistake("these are the terms of the single outcomes. Add them up.")
def _terms(p, q, words):
    return torch.cat([q * (q / p[words]).log(), _rest(p, q, words)[None]])


@mistake("absolute values of the terms are added. Some terms of a KL are below 0; leave them so.")
def _absolute(p, q, words):
    return _terms(p, q, words).abs().sum()


REMAINDER_KL = Exercise(
    lesson=14,
    title="What k words say",
    difficulty=2,
    minutes=7,
    task="For one place the teacher sends only its k likeliest words: `words` (k,), their numbers "
    "in the vocabulary, "
    "and their probabilities `q` (k,). The student's distribution is `p` (V,). Put all other words "
    "into one "
    "bucket, for the teacher and for the student; it holds some probability of both. Write "
    "`remainder_kl(p, q, words)`: the forward KL(q‖p) over these k + 1 outcomes, as one number in "
    "nats. All "
    "arguments are torch tensors.",
    hints=(
        "`p[words]` are the student's probabilities of the words that the teacher sent.",
        "What is left for the bucket is 1 − the sum, on either side; it adds one more term of the "
        "same form.",
    ),
    imports="import torch",
    solution=remainder_kl,
    wrong_answers=(
        _without_rest,
        _renormalised,
        _reverse,
        _own_best,
        _cross_entropy,
        _rest,
        _bucket_upside_down,
        _bucket_without_weight,
        _first_words,
        _bits,
        _mean,
        _negative,
        _spread_evenly,
        _terms,
        _absolute,
    ),
    cases=remainder_kl_cases,
    insight="Putting outcomes together can only hide differences, so this is never above the KL "
    "over all words, and "
    "grows to it with k.",
)
