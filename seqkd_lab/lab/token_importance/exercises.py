"""Exercises of lesson 13, token importance: the score of a token; which ones are kept is in
kept_exercise.py."""

from __future__ import annotations

import numpy as np
import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake
from seqkd_lab.lab.token_importance.kept_exercise import KEPT_TOKENS


def soft_or(h, delta):
    """ĥ + δ̂ − ĥδ̂ for h and delta (N,), each scaled from its least (0) to its greatest (1)."""
    h = (h - h.min()) / (h.max() - h.min())
    delta = (delta - delta.min()) / (delta.max() - delta.min())
    return h + delta - h * delta


def soft_or_cases() -> list[Case]:
    """Tokens of each quadrant, numbers that are scaled already, least values above 0, and random
    ones of unequal range: expected by numpy's interpolation, as the probability of the one event or
    the other."""
    by_hand = {
        "one token of each quadrant": (
            (0.9, 0.9, 0.1, 0.1),
            (8.0, 0.0, 8.0, 0.0),
            [1.0, 1.0, 1.0, 0.0],
        ),
        "in between": ((0.0, 0.5, 1.0), (4.0, 1.0, 0.0), [1.0, 0.625, 1.0]),
        "where the least is not 0": (
            (0.25, 0.5, 0.75, 0.5),
            (1.0, 2.0, 1.0, 5.0),
            [0.0, 0.625, 1.0, 1.0],
        ),
        "entropy that is the same as divergence": (
            (0.0, 0.2, 1.0),
            (0.0, 0.2, 1.0),
            [0.0, 0.36, 1.0],
        ),
    }
    cases = [
        Case(name, (torch.tensor(h), torch.tensor(delta)), right)
        for name, (h, delta, right) in by_hand.items()
    ]
    for seed, n in ((1, 7), (2, 40)):
        generator = np.random.default_rng(seed)
        values = generator.uniform(0.1, 2.5, n), 0.3 + generator.exponential(4.0, n)
        h, delta = (np.interp(x, (x.min(), x.max()), (0.0, 1.0)) for x in values)
        arguments = tuple(torch.tensor(x, dtype=torch.float32) for x in values)
        cases.append(Case(f"{n} random tokens", arguments, 1.0 - (1.0 - h) * (1.0 - delta)))
    return cases


def _scaled(x):
    return (x - x.min()) / (x.max() - x.min())


@mistake("the sum counts twice what is large in both: it can reach 2. Take ĥδ̂ off once.")
def _sum(h, delta):
    return _scaled(h) + _scaled(delta)


@mistake(
    "this is the sum, cut off at 1. Take ĥδ̂ off instead: the score then stays below 1 unless one "
    "of the two is 1."
)
def _sum_cut(h, delta):
    return _sum(h, delta).clamp(max=1.0)


@mistake(
    "this is the mean of the two: a token that is large in one alone scores 1/2. An OR gives 1."
)
def _mean(h, delta):
    return _sum(h, delta) / 2


@mistake(
    "the product is large only where *both* are. A student that is sure and wrong has ĥ = 0: it "
    "would score 0."
)
def _product(h, delta):
    return _scaled(h) * _scaled(delta)


@mistake("h and delta are not scaled: nats may be far above 1, and then ĥ + δ̂ − ĥδ̂ is no OR.")
def _unscaled(h, delta):
    return h + delta - h * delta


@mistake("divided by the greatest alone, the least value does not become 0: subtract it first.")
def _over_the_greatest(h, delta):
    return _unscaled(h / h.max(), delta / delta.max())


@mistake("h and delta are only shifted: divide by greatest − least, too.")
def _shifted(h, delta):
    return _unscaled(h - h.min(), delta - delta.min())


@mistake("both are scaled by one common least and greatest value. Scale each by its own.")
def _common_scale(h, delta):
    return _unscaled(*_scaled(torch.stack([h, delta])))


@mistake(
    "this takes off the mean and divides by the standard deviation. Scale from the least value "
    "(0) to the greatest (1)."
)
def _standardised(h, delta):
    return _unscaled((h - h.mean()) / h.std(), (delta - delta.mean()) / delta.std())


@mistake("delta is not scaled: its values may be far above 1.")
def _only_entropy_scaled(h, delta):
    return _unscaled(_scaled(h), delta)


@mistake("h is not scaled: its values may be above 1, and the least is not 0.")
def _only_divergence_scaled(h, delta):
    return _unscaled(h, _scaled(delta))


@mistake("this is the greater of the two. It does not see that a token has something of both.")
def _greater(h, delta):
    return torch.maximum(_scaled(h), _scaled(delta))


@mistake("this is the smaller of the two: it is large only where both are.")
def _smaller(h, delta):
    return torch.minimum(_scaled(h), _scaled(delta))


@mistake("the divergence is not used: where the student is sure, the score is 0, right or wrong.")
def _entropy_alone(h, delta):
    return _scaled(h)


@mistake("the entropy is not used: this is δ̂ alone.")
def _divergence_alone(h, delta):
    return _scaled(delta)


@mistake(
    "2ĥδ̂ is taken off: that is *either* the one *or* the other, and a token that is large in "
    "both scores 0. Take ĥδ̂ off once."
)
def _exclusive(h, delta):
    return _sum(h, delta) - 2 * _product(h, delta)


@mistake("this is (1 − ĥ)δ̂: large only where the student is sure and far from its teacher.")
def _sure_and_far(h, delta):
    return (1 - _scaled(h)) * _scaled(delta)


@mistake("this is (1 − ĥ)(1 − δ̂): large where neither is. The score is 1 minus that.")
def _neither(h, delta):
    return 1 - soft_or(h, delta)


@mistake("ĥδ̂ is added. It is contained in the sum twice, so take it off once.")
def _product_added(h, delta):
    return _sum(h, delta) + _product(h, delta)


@mistake("the scaling comes after the formula. Scale first: nats may be far above 1.")
def _scaled_last(h, delta):
    return _scaled(_unscaled(h, delta))


SOFT_OR = Exercise(
    lesson=13,
    title="Soft-OR",
    difficulty=1,
    minutes=6,
    task="A student has written tokens. Write `soft_or(h, delta)`: two torch tensors (N,), the "
    "entropy `h` of the "
    "student at each token and its divergence `delta` from the teacher. Scale each so that its "
    "least value is 0 "
    "and its greatest 1 (they do differ), and return the N scores **ĥ + δ̂ − ĥδ̂**. (The library "
    "also cuts the "
    "largest h; leave that out.)",
    hints=(
        "Min–max scaling: (x − least) / (greatest − least), with `x.min()` and `x.max()`.",
        "If ĥ and δ̂ were probabilities of two independent events, ĥ + δ̂ − ĥδ̂ would be that of "
        "the one *or* the other: 1 − (1 − ĥ)(1 − δ̂).",
    ),
    imports="import torch",
    solution=soft_or,
    wrong_answers=(
        _sum,
        _product,
        _unscaled,
        _over_the_greatest,
        _greater,
        _entropy_alone,
        _divergence_alone,
        _sum_cut,
        _mean,
        _shifted,
        _common_scale,
        _standardised,
        _only_entropy_scaled,
        _only_divergence_scaled,
        _smaller,
        _exclusive,
        _sure_and_far,
        _neither,
        _product_added,
        _scaled_last,
    ),
    cases=soft_or_cases,
    insight="It is 1 − (1 − ĥ)(1 − δ̂): a token with ĥ = 1 gets 1 whatever the teacher says of it. "
    "That is its "
    "strength, and what it costs when few tokens may be kept.",
)


EXERCISES = (SOFT_OR, KEPT_TOKENS)
