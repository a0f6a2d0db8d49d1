"""An exercise of lesson 14, near-policy distillation: the KL over k words and the rest."""

from __future__ import annotations

import math
import random

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

SIZES = ((4, 1), (6, 2), (12, 3), (5, 4), (9, 5), (7, 3))
"""V and k of the random cases."""


def remainder_kl(log_p, log_q, words):
    """KL over k words and the rest, in nats: the teacher's log_q (k + 1,) at `words` (k,) and of
    the rest, the student's log_p (V,) at all."""
    left = torch.ones(len(log_p), dtype=torch.bool)
    left[words] = False
    student = torch.cat([log_p[words], log_p[left].logsumexp(0, keepdim=True)])
    return (log_q.exp() * (log_q - student)).sum()


def merged(log_p, words):
    """The student's log-probabilities of the words, and of all others together: (k + 1,)."""
    return torch.cat([log_p[words], others(log_p, words).logsumexp(0, keepdim=True)])


def others(log_p, words):
    """The student's log-probabilities of the words that were not sent."""
    left = torch.ones(len(log_p), dtype=torch.bool)
    left[words] = False
    return log_p[left]


def case_of(name: str, p: list[float], q: list[float], words: list[int], dtype: torch.dtype):
    """The case of two distributions over V words; expected by Python's own numbers over the merged
    outcomes."""
    log_p = torch.tensor(p, dtype=torch.float64).log()
    left = sorted(set(range(len(p))) - set(words))
    outcomes = [(q[word], p[word]) for word in words]
    rest_q, rest_p = (math.fsum(side[word] for word in left) for side in (q, p))
    outcomes.append((rest_q, rest_p))
    log_q = torch.tensor([x for x, _ in outcomes], dtype=torch.float64).log()
    expected = math.fsum(x * math.log(x / y) for x, y in outcomes)
    return Case(name, (log_p.to(dtype), log_q.to(dtype), torch.tensor(words)), expected)


def remainder_kl_cases() -> list[Case]:
    """Draw random distributions, and a student that agrees; then a student that gives the rest next
    to nothing, in float32."""
    cases = []
    for seed, (V, k) in enumerate(SIZES):
        rng = random.Random(seed)
        weights = [[rng.expovariate(1.0) for _ in range(V)] for _ in range(2)]
        p, q = ([value / sum(values) for value in values] for values in weights)
        words, name = sorted(range(V), key=lambda word: -q[word])[:k], f"V = {V}, k = {k}"
        if seed == 4:
            words, name = sorted(words), f"{name}, in the order of the vocabulary"
        elif seed == 5:
            p, name = q, f"{name}, a student that agrees"
        cases.append(case_of(name, p, q, words, torch.float64))
    p = [0.25e-10, 0.4, 0.25e-10, 0.6 - 1e-10, 0.25e-10, 0.25e-10]
    q = [0.05, 0.5, 0.05, 0.3, 0.05, 0.05]
    name = "V = 6, k = 2, the student gives the rest next to nothing"
    return [*cases, case_of(name, p, q, [1, 3], torch.float32)]


@mistake(
    "1 − the sum of the words is not the rest where the rest is tiny: with some seven digits it "
    "comes out as 0 or as a rounding error. Add up the other words instead."
)
def _one_minus(log_p, log_q, words):
    same = log_p[words]
    rest = (1.0 - same.exp().sum()).log()[None]
    return (log_q.exp() * (log_q - torch.cat([same, rest]))).sum()


@mistake(
    "the rest is missing. A sum over some of the outcomes is no divergence. It can fall below 0, "
    "and the student lowers it by giving these words too much probability."
)
def _without_rest(log_p, log_q, words):
    return (log_q.exp() * (log_q - merged(log_p, words)))[:-1].sum()


@mistake(
    "both are scaled to sum to 1 over the k words. The number then does not depend on how much "
    "the student gives to all others."
)
def _renormalised(log_p, log_q, words):
    same, own = log_p[words].log_softmax(0), log_q[:-1].log_softmax(0)
    return (own.exp() * (own - same)).sum()


@mistake(
    "this is the reverse KL: the student's distribution gives the weights. The teacher's should."
)
def _reverse(log_p, log_q, words):
    student = merged(log_p, words)
    return (student.exp() * (student - log_q)).sum()


@mistake("these are the student's own likeliest words; `log_q` belongs to the teacher's.")
def _own_best(log_p, log_q, words):
    return remainder_kl(log_p, log_q, log_p.topk(len(words)).indices)


@mistake(
    "this is the cross-entropy: the teacher's own entropy is still in it. The gradient is the "
    "same, but the number is not 0 where both agree."
)
def _cross_entropy(log_p, log_q, words):
    return -(log_q.exp() * merged(log_p, words)).sum()


@mistake("this is the bucket alone. The terms of the k words are missing.")
def _rest(log_p, log_q, words):
    """Return the bucket's term."""
    return remainder_kl(log_p, log_q, words) - _without_rest(log_p, log_q, words)


@mistake(
    "the bucket's ratio is upside down, or its term is subtracted. It has the same form as the "
    "others: teacher · ln(teacher / student)."
)
def _bucket_upside_down(log_p, log_q, words):
    return _without_rest(log_p, log_q, words) - _rest(log_p, log_q, words)


@mistake("the bucket's logarithm has no weight before it: the teacher's probability of the rest.")
def _bucket_without_weight(log_p, log_q, words):
    return _without_rest(log_p, log_q, words) + log_q[-1] - merged(log_p, words)[-1]


@mistake(
    "these are the first k words of the vocabulary. `words` says which k words the teacher sent: "
    "`log_p[words]`."
)
def _first_words(log_p, log_q, words):
    return remainder_kl(log_p, log_q, torch.arange(len(words)))


@mistake(
    "the logarithms of the other words are added. That multiplies their probabilities; the bucket "
    "needs the sum of the probabilities: `logsumexp`."
)
def _sum_of_logarithms(log_p, log_q, words):
    student = torch.cat([log_p[words], others(log_p, words).sum(0, keepdim=True)])
    return (log_q.exp() * (log_q - student)).sum()


@mistake("the bucket holds the likeliest of the other words only. It needs all of them: a sum.")
def _largest_of_the_others(log_p, log_q, words):
    student = torch.cat([log_p[words], others(log_p, words).amax(0, keepdim=True)])
    return (log_q.exp() * (log_q - student)).sum()


@mistake(
    "the weights are logarithms. A KL weights by probabilities: `log_q.exp()` before the bracket."
)
def _logarithms_as_weights(log_p, log_q, words):
    return (log_q * (log_q - merged(log_p, words))).sum()


@mistake("these are bits. Nats take the natural logarithm, which `log_p` and `log_q` are already.")
def _bits(log_p, log_q, words):
    return remainder_kl(log_p, log_q, words) / math.log(2)


@mistake("this is the mean over the k + 1 outcomes. A KL is a sum: its weights sum to 1 already.")
def _mean(log_p, log_q, words):
    return remainder_kl(log_p, log_q, words) / (len(words) + 1)


@mistake("the sign: a KL is never below 0.")
def _negative(log_p, log_q, words):
    return -remainder_kl(log_p, log_q, words)


@mistake(
    "the teacher's rest is spread evenly over all other words. What it gave to each of them is "
    "not known: compare the two buckets."
)
def _spread_evenly(log_p, log_q, words):
    full = torch.full_like(log_p, float(log_q[-1]) - math.log(len(log_p) - len(words)))
    full[words] = log_q[:-1]
    return (full.exp() * (full - log_p)).sum()


@mistake("these are the terms of the single outcomes. Add them up.")
def _terms(log_p, log_q, words):
    return log_q.exp() * (log_q - merged(log_p, words))


@mistake("absolute values of the terms are added. Some terms of a KL are below 0; leave them so.")
def _absolute(log_p, log_q, words):
    return _terms(log_p, log_q, words).abs().sum()


REMAINDER_KL = Exercise(
    lesson=14,
    title="What k words say",
    difficulty=2,
    minutes=8,
    task="For one place the teacher sends its k likeliest words: `words` (k,), their numbers in "
    "the vocabulary, and `log_q` (k + 1,): the log-probabilities of these words, and last the one "
    "of all other words together. The student's log-probabilities of all words are `log_p` (V,). "
    "Put the other words into one bucket for the student, too. Write "
    "`remainder_kl(log_p, log_q, words)`: the forward KL(q‖p) over these k + 1 outcomes, as one "
    "number in nats. It must be right even where the student's bucket is tiny. All arguments are "
    "torch tensors.",
    hints=(
        "`log_p[words]` are the student's log-probabilities of the words that the teacher sent. A "
        "mask of ones that is 0 at `words` finds the others.",
        "The log of a sum of probabilities, from their logs, is `torch.logsumexp(logs, 0)`. "
        "KL(q‖p) = Σ q (ln q − ln p), with k + 1 terms.",
    ),
    imports="import torch",
    solution=remainder_kl,
    wrong_answers=(
        _one_minus,
        _without_rest,
        _renormalised,
        _reverse,
        _own_best,
        _cross_entropy,
        _rest,
        _bucket_upside_down,
        _bucket_without_weight,
        _first_words,
        _sum_of_logarithms,
        _largest_of_the_others,
        _logarithms_as_weights,
        _bits,
        _mean,
        _negative,
        _spread_evenly,
        _terms,
        _absolute,
    ),
    cases=remainder_kl_cases,
    insight="Putting outcomes together can only hide differences, so this is never above the KL "
    "over all words, and grows to it with k.",
)
