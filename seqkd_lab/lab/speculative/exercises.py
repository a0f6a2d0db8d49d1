"""Exercises of lesson 10, speculative sampling: which proposed words are accepted, what replaces
the first rejected one, and what a draft brings."""

from __future__ import annotations

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake
from seqkd_lab.lab.speculative.accepted_exercise import ACCEPTED
from seqkd_lab.lab.speculative.formula_exercise import PAY_OFF
from seqkd_lab.lab.speculative.judging_exercises import (
    DISTRIBUTIONS,
    faulty_residual,
    proposals,
    right_residual,
)


def residual(p, q):
    """Return (q − p)₊ / Σ(q − p)₊ for distributions p and q (V,); q itself where nothing is
    left."""
    more = (q - p).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else q


def residual_cases() -> list[Case]:
    """Return what comes out under each of DISTRIBUTIONS; then two words, an absent draft, and equal
    distributions."""
    cases = []
    for seed, (name, both) in enumerate(DISTRIBUTIONS.items()):
        p, q = map(torch.tensor, both)
        fault = faulty_residual(p, q, *proposals(p, seed), 20 + seed)
        cases.append(Case(name, (p, q), right_residual(*both), fault))
    by_hand = {
        "two words": ((0.7, 0.3), (0.4, 0.6), [0.0, 1.0]),
        "no proposal at all: p is 0 everywhere": ((0.0,) * 3, (0.5, 0.3, 0.2), [0.5, 0.3, 0.2]),
        "equal distributions: nothing is left": ((0.25, 0.75), (0.25, 0.75), [0.25, 0.75]),
    }
    return cases + [
        Case(name, tuple(map(torch.tensor, both)), right)
        for name, (*both, right) in by_hand.items()
    ]


@mistake(
    "this draws from q again. Words that are probable under both have come through by being "
    "accepted; drawn once more from q they get too much."
)
def _target_again(p, q):
    return q


@mistake("the numbers are right in proportion but do not sum to 1: divide by their sum.")
def _not_normalised(p, q):
    return (q - p).clamp(min=0.0)


@mistake(
    "words of which the draft has too *much* are in it as well: |q − p| counts both sides. Only "
    "what is missing belongs here."
)
def _absolute(p, q):
    return (q - p).abs() / (q - p).abs().sum() if (q != p).any() else q


@mistake("this is what the draft has too much of. Draw what is missing: q − p.")
def _other_way(p, q):
    more = (p - q).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else q


@mistake("negative differences are not cut off, so all together sum to 0: cut first, then divide.")
def _not_cut(p, q):
    return (q - p) / (q - p).sum()


@mistake("a softmax gives every word something, also those that the draft has brought already.")
def _softmax(p, q):
    return (q - p).softmax(dim=0)


@mistake("where p = q the sum is 0, and 0 / 0 is not a number.")
def _without_equal(p, q):
    more = (q - p).clamp(min=0.0)
    return more / more.sum()


@mistake(
    "the word that is missing most is always taken. Others are missing, too: return a "
    "distribution, from which a word is drawn."
)
def _most_missing(p, q):
    return torch.nn.functional.one_hot((q - p).argmax(), len(q)).float() if (q - p).max() > 0 else q


@mistake(
    "where the target gives a word more, all of q is kept. Accepted proposals have brought the "
    "part p of it already; only q − p is missing."
)
def _all_of_the_target(p, q):
    kept = torch.where(q > p, q, 0.0)
    return kept / kept.sum() if kept.sum() > 0 else q


@mistake(
    "where the target gives a word more, all of q is kept, though only q − p is missing. And "
    "where p = q this divides 0 by 0."
)
def _all_of_the_target_unguarded(p, q):
    kept = torch.where(q > p, q, 0.0)
    return kept / kept.sum()


@mistake("the case p = q is right. Elsewhere the numbers are not divided by their sum.")
def _not_normalised_but_guarded(p, q):
    more = (q - p).clamp(min=0.0)
    return more if more.sum() > 0 else q


@mistake(
    "this draws from the draft's own distribution again. The words that it gives too little are "
    "the ones that are missing."
)
def _draft_again(p, q):
    return p / p.sum() if p.sum() > 0 else q


@mistake(
    "this draws evenly among the words of which something is missing. Of some words more is "
    "missing than of others: q − p."
)
def _evenly(p, q):
    missing = (q > p).float()
    return missing / missing.sum() if missing.any() else q


@mistake(
    "this is min(p, q), the part that both share. It has come out already; the rest of q is "
    "missing."
)
def _shared(p, q):
    shared = torch.minimum(p, q)
    return shared / shared.sum() if shared.any() else q


@mistake("this is the mean of both distributions. Only what the draft gives too little is missing.")
def _mean(p, q):
    return (p + q) / (p + q).sum()


RESIDUAL = Exercise(
    lesson=10,
    title="What replaces a rejected word",
    difficulty=2,
    minutes=7,
    task="At the place of a rejected word we know two distributions: `p` and `q`, torch tensors "
    "(V,) with the probability of every word by draft and target. Accepted proposals bring each "
    "word with probability min(p, q). Write `residual(p, q)`: the distribution (V,) from which the "
    "word in place of the rejected one is drawn, such that both ways together give q. It sums to "
    "1. Where p = q nothing is missing: return q then.",
    hints=(
        "What is missing of each word? q − min(p, q), which is q − p where that is positive, and "
        "0 elsewhere.",
        "`.clamp(min=0.0)` cuts off what is negative. Then divide by the sum.",
        "When the sum is 0 there is nothing to divide by: look at it first.",
    ),
    imports="import torch",
    solution=residual,
    wrong_answers=(
        _target_again,
        _not_normalised,
        _absolute,
        _other_way,
        _not_cut,
        _softmax,
        _without_equal,
        _most_missing,
        _all_of_the_target,
        _all_of_the_target_unguarded,
        _not_normalised_but_guarded,
        _draft_again,
        _evenly,
        _shared,
        _mean,
    ),
    cases=residual_cases,
    insight="min(p, q) + (q − p)₊ = q: accepted words and words drawn again together follow the "
    "target exactly, whatever the draft was.",
)

EXERCISES = (ACCEPTED, RESIDUAL, PAY_OFF)
