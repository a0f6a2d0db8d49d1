"""The exercise of lesson 10 on which proposed words are accepted."""

from __future__ import annotations

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake
from seqkd_lab.lab.speculative.judging_exercises import (
    DISTRIBUTIONS,
    faulty_decisions,
    proposals,
    right_residual,
)


def accepted(p, q, r):
    """Return which proposed words are accepted: r below min(1, q / p), for probabilities p, q and
    random numbers r of one shape."""
    return r < torch.clamp(q / p, max=1.0)


def accepted_cases() -> list[Case]:
    """Return many words under each of DISTRIBUTIONS, then single words of which the answer is
    certain whatever r says."""
    cases = []
    for seed, (name, both) in enumerate(DISTRIBUTIONS.items()):
        p, q = map(torch.tensor, both)
        words, r = proposals(p, seed)
        drawn = zip(p[words].tolist(), q[words].tolist(), r.tolist(), strict=True)
        expected = [y >= x or s * x < y for x, y, s in drawn]
        fault = faulty_decisions(q, words, torch.tensor(right_residual(*both)), 10 + seed)
        cases.append(Case(name, (p[words], q[words], r), expected, fault))
    likes, never = ((0.1, 0.05, 0.3), (0.4, 0.9, 0.3)), ((0.5, 0.9), (0.0, 0.0))
    return [
        *cases,
        Case(
            "words that the target likes as much or more: they are accepted",
            (*map(torch.tensor, likes), torch.tensor((0.5, 0.99, 0.01))),
            [True] * 3,
        ),
        Case(
            "words that the target never writes: they are rejected",
            (*map(torch.tensor, never), torch.tensor((0.4, 0.6))),
            [False] * 2,
        ),
    ]


@mistake(
    "every word is accepted, so what comes out follows the draft. Where the draft gives a word "
    "more than the target does, some of its proposals must be rejected."
)
def _always(p, q, r):
    return torch.ones_like(p, dtype=torch.bool)


@mistake(
    "the ratio is turned round. A word is rejected because the draft gives it too much: divide the "
    "target's probability by the draft's."
)
def _inverted_ratio(p, q, r):
    return r < torch.clamp(p / q, max=1.0)


@mistake(
    "this accepts with probability q. The word has been proposed already, which happens with "
    "probability p: together that is p · q and not q. Divide by p."
)
def _below_target(p, q, r):
    return r < q


@mistake(
    "this uses no chance: a word to which the draft gives a little too much never comes through. "
    "It ought to, with q / p."
)
def _where_the_target_likes_it_more(p, q, r):
    return q >= p


@mistake("this is True where a word is rejected. The task asks where it is accepted.")
def _refused(p, q, r):
    return r >= torch.clamp(q / p, max=1.0)


@mistake("this is the probability to be accepted, not the decision: compare r with it.")
def _chance_alone(p, q, r):
    return torch.clamp(q / p, max=1.0)


@mistake("the target is not used: r is compared with the draft's probability alone.")
def _below_draft(p, q, r):
    return r < p


@mistake(
    "r is compared with the difference q − p. A word is accepted with q / p, also where the "
    "draft gives it a little too much."
)
def _below_difference(p, q, r):
    return r < q - p


@mistake(
    "r is compared with the product p · q. Being proposed has used up the probability p already: "
    "divide by it."
)
def _below_product(p, q, r):
    return r < p * q


@mistake(
    "r is compared with min(p, q), the probability that a word is proposed *and* accepted. These "
    "words have been proposed: divide by p."
)
def _below_minimum(p, q, r):
    return r < torch.minimum(p, q)


@mistake(
    "e^(q − p) is the ratio for logarithms of probabilities. p and q are probabilities: divide q "
    "by p."
)
def _as_for_logs(p, q, r):
    return r < torch.exp(q - p)


@mistake(
    "after the first rejected word none is accepted here. In a round that is so, but the "
    "task judges every word by itself."
)
def _until_the_first_refusal(p, q, r):
    return accepted(p, q, r).int().cumprod(dim=0).bool()


ACCEPTED = Exercise(
    lesson=10,
    title="Which words are accepted",
    difficulty=1,
    minutes=6,
    task="A draft has proposed words. Write `accepted(p, q, r)`: three torch tensors of one shape "
    "(N,). `p` holds the probability that the **draft** gave to each proposed word, `q` the one "
    "that the **target** gives to the same word, `r` random numbers, evenly spread over [0, 1). "
    "Return N truth values: True where the word is accepted. It must be accepted with the "
    "probability min(1, q / p).",
    hints=(
        "A random number r from [0, 1) lies below x with probability x, for every x from 0 to 1.",
        "`torch.clamp(q / p, max=1.0)` is min(1, q / p) for all words at once (Python's own `min` "
        "cannot do it); compare r with it.",
    ),
    imports="import torch",
    solution=accepted,
    wrong_answers=(
        _always,
        _inverted_ratio,
        _below_target,
        _where_the_target_likes_it_more,
        _refused,
        _chance_alone,
        _below_draft,
        _below_difference,
        _below_product,
        _below_minimum,
        _as_for_logs,
        _until_the_first_refusal,
    ),
    cases=accepted_cases,
    insight="Proposed with p and accepted with min(1, q / p), each word comes through with "
    "min(p, q), the part that both distributions share.",
)
