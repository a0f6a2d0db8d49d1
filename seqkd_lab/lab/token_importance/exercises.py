"""Exercises of lesson 13, token importance: the score of a token, and which tokens of an output are
kept."""

from __future__ import annotations

import math
import random

import numpy as np
import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


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


def kept_tokens(scores, share):
    """The places of the ⌊ρm⌋ highest of m scores (a list), in their order in the sentence."""
    n = int(share * len(scores) + 1e-9)
    best = sorted(range(len(scores)), key=lambda place: -scores[place])[:n]
    return sorted(best)


def kept_cases() -> list[Case]:
    """Outputs of several lengths, one too short for its ρ; equal scores in several places, scores
    of 0 and below."""
    cases = [
        Case("half of four tokens", ([0.1, 0.9, 0.3, 0.8], 0.5), [1, 3]),
        Case("⌊ρm⌋ rounds down", ([0.5, 0.4, 0.9, 0.1, 0.2], 0.75), [0, 1, 2]),
        Case("an output of fewer than 1/ρ tokens keeps none", ([0.9, 0.8, 0.7], 0.2), []),
        Case("all of them", ([0.2, 0.1], 1.0), [0, 1]),
        Case("equal scores: the earlier stays", ([0.5, 0.7, 0.7, 0.7], 0.5), [1, 2]),
        Case("a tenth of twenty", ([0.01 * place for place in range(20)], 0.1), [18, 19]),
        Case("⌊2.25⌋ is 2", ([0.2, 0.6, 0.3, 0.3, 0.1, 0.6, 0.6, 0.2, 0.5], 0.25), [1, 5]),
        Case("all scores are equal", ([0.4] * 6, 0.5), [0, 1, 2]),
        Case("scores of 0 and below", ([-2.0, 0.0, -0.5, -3.0, 0.0], 0.625), [1, 2, 4]),
    ]
    for m, share in ((13, 0.4), (30, 0.2)):
        scores = [random.Random(m + place).randrange(8) / 8 for place in range(m)]
        kept = np.argsort(-np.array(scores), kind="stable")[: math.floor(share * m)]
        cases.append(Case(f"{m} tokens, many equal scores", (scores, share), sorted(kept.tolist())))
    return cases


def _best(scores, n):
    return sorted(sorted(range(len(scores)), key=lambda place: -scores[place])[:n])


@mistake("⌊ρm⌋ rounds down; this rounds to the nearest.")
def _rounded(scores, share):
    return _best(scores, round(share * len(scores)))


@mistake(
    "an output of fewer than 1/ρ tokens keeps none: ⌊ρm⌋ is 0 there. (To keep one at least would "
    "be another method.)"
)
def _at_least_one(scores, share):
    return _best(scores, max(1, int(share * len(scores))))


@mistake("these are the right tokens, the best first. Return them in the order of the sentence.")
def _by_score(scores, share):
    n = int(share * len(scores))
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:n]


@mistake("these are the lowest scores: the arm called “bottom”.")
def _lowest(scores, share):
    return _best([-score for score in scores], int(share * len(scores)))


@mistake(
    "this asks for a score above a fixed value. ρ is a share of the output's tokens, whatever "
    "their scores are."
)
def _threshold(scores, share):
    return [place for place, score in enumerate(scores) if score >= 1.0 - share]


@mistake("these are scores. Return where they stand.")
def _the_scores(scores, share):
    return sorted(scores, reverse=True)[: int(share * len(scores))]


@mistake("this rounds up. ⌊ρm⌋ rounds down: `int`.")
def _rounded_up(scores, share):
    return _best(scores, math.ceil(share * len(scores)))


@mistake(
    "a quantile of the scores need not keep ⌊ρm⌋ tokens: it may lie between two scores, and all "
    "equal scores pass it."
)
def _quantile(scores, share):
    edge = np.quantile(scores, 1 - share)
    return [place for place, score in enumerate(scores) if score >= edge]


@mistake(
    "all tokens with the score of the last one are kept, which may be too many. Of equal scores "
    "the earlier tokens stay, up to ⌊ρm⌋."
)
def _all_equals(scores, share):
    n = int(share * len(scores))
    return [
        place
        for place, score in enumerate(scores)
        if n and score >= sorted(scores, reverse=True)[n - 1]
    ]


@mistake("of equal scores the later token stays here. The earlier one should.")
def _later_equals(scores, share):
    places = sorted(range(len(scores)), key=lambda place: (scores[place], place), reverse=True)
    return sorted(places[: int(share * len(scores))])


@mistake(
    "`index` finds the first token with a score: of two equal scores it gives the same place "
    "twice. Sort the places, not the scores."
)
def _first_index(scores, share):
    return sorted(scores.index(score) for score in _the_scores(scores, share))


@mistake("the places are counted from 1. Count from 0, as Python does.")
def _from_one(scores, share):
    return [place + 1 for place in kept_tokens(scores, share)]


@mistake("these are truth values, one for each token. Return the list of the places that are kept.")
def _as_mask(scores, share):
    return [place in kept_tokens(scores, share) for place in range(len(scores))]


KEPT_TOKENS = Exercise(
    lesson=13,
    title="Which tokens teach",
    difficulty=1,
    minutes=6,
    task="Write `kept_tokens(scores, share)`: `scores` is a list with the score of each of an "
    "output's m tokens, "
    "`share` is ρ in (0, 1]. Return the list of the places (from 0) of the **⌊ρm⌋** tokens with "
    "the highest "
    "scores, in their order in the sentence. Of equal scores the earlier token stays. Where ⌊ρm⌋ "
    "is 0, the list "
    "is empty.",
    hints=(
        "`int(x)` rounds a positive number down.",
        "`sorted(range(m), key=lambda place: -scores[place])` are the places, best first; equal "
        "ones keep their order.",
        "Take the first ⌊ρm⌋ of them, and sort these.",
    ),
    solution=kept_tokens,
    wrong_answers=(
        _rounded,
        _at_least_one,
        _by_score,
        _lowest,
        _threshold,
        _the_scores,
        _rounded_up,
        _quantile,
        _all_equals,
        _later_equals,
        _first_index,
        _from_one,
        _as_mask,
    ),
    cases=kept_cases,
    insight="The share really kept is below ρ: what is rounded off is lost, and short outputs "
    "teach nothing.",
)

EXERCISES = (SOFT_OR, KEPT_TOKENS)
