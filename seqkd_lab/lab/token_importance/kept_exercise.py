"""An exercise of lesson 13, token importance: which tokens of an output are kept."""

from __future__ import annotations

import math
import random

import numpy as np

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


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
