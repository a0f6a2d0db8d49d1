"""Exercises of lesson 13, token importance: the score of a token, and which tokens of an output are kept."""

from __future__ import annotations

import torch

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def soft_or(h, delta):
    """ĥ + δ̂ − ĥδ̂ for h and delta (N,), each scaled from its least (0) to its greatest (1)."""
    h = (h - h.min()) / (h.max() - h.min())
    delta = (delta - delta.min()) / (delta.max() - delta.min())
    return h + delta - h * delta


def soft_or_cases() -> list[Case]:
    """Tokens of each quadrant; numbers that are scaled already; and least values above 0."""
    by_hand = {
        "one token of each quadrant": ((0.9, 0.9, 0.1, 0.1), (8.0, 0.0, 8.0, 0.0), [1.0, 1.0, 1.0, 0.0]),
        "in between": ((0.0, 0.5, 1.0), (4.0, 1.0, 0.0), [1.0, 0.625, 1.0]),
        "where the least is not 0": ((0.25, 0.5, 0.75, 0.5), (1.0, 2.0, 1.0, 5.0), [0.0, 0.625, 1.0, 1.0]),
        "entropy that is the same as divergence": ((0.0, 0.2, 1.0), (0.0, 0.2, 1.0), [0.0, 0.36, 1.0]),
    }
    return [Case(name, (torch.tensor(h), torch.tensor(delta)), right) for name, (h, delta, right) in by_hand.items()]


def _sum(h, delta):
    h = (h - h.min()) / (h.max() - h.min())
    delta = (delta - delta.min()) / (delta.max() - delta.min())
    return h + delta


def _product(h, delta):
    h = (h - h.min()) / (h.max() - h.min())
    delta = (delta - delta.min()) / (delta.max() - delta.min())
    return h * delta


def _unscaled(h, delta):
    return h + delta - h * delta


def _over_the_greatest(h, delta):
    h, delta = h / h.max(), delta / delta.max()
    return h + delta - h * delta


def _greater(h, delta):
    h = (h - h.min()) / (h.max() - h.min())
    delta = (delta - delta.min()) / (delta.max() - delta.min())
    return torch.maximum(h, delta)


def _entropy_alone(h, delta):
    return (h - h.min()) / (h.max() - h.min())


SOFT_OR = Exercise(
    lesson=13, title="Soft-OR", difficulty=1, minutes=6,
    task="A student has written tokens. Write `soft_or(h, delta)`: two torch tensors (N,), the entropy `h` of the "
         "student at each token and its divergence `delta` from the teacher. Scale each so that its least value is 0 "
         "and its greatest 1 (they do differ), and return the N scores **ĥ + δ̂ − ĥδ̂**. (The library also cuts the "
         "largest h; leave that out.)",
    hints=("Min–max scaling: (x − least) / (greatest − least), with `x.min()` and `x.max()`.",
           "If ĥ and δ̂ were probabilities of two independent events, ĥ + δ̂ − ĥδ̂ would be that of the one *or* the "
           "other: 1 − (1 − ĥ)(1 − δ̂)."),
    imports="import torch",
    solution=soft_or,
    wrong_answers=(
        WrongAnswer(_sum, "the sum counts twice what is large in both: it can reach 2. Take ĥδ̂ off again."),
        WrongAnswer(_product, "the product is large only where *both* are. A student that is sure and wrong has "
                              "ĥ = 0: it would score 0."),
        WrongAnswer(_unscaled, "h and delta are not scaled: nats may be far above 1, and then ĥ + δ̂ − ĥδ̂ is no OR."),
        WrongAnswer(_over_the_greatest, "divided by the greatest alone, the least value does not become 0: subtract it "
                                        "first."),
        WrongAnswer(_greater, "this is the greater of the two. It does not see that a token has something of both."),
        WrongAnswer(_entropy_alone, "the divergence is not asked: whoever is sure scores 0, right or wrong."),
    ),
    cases=soft_or_cases,
    insight="It is 1 − (1 − ĥ)(1 − δ̂): a token with ĥ = 1 gets 1 whatever the teacher says of it. That is its "
            "strength, and what it costs when few tokens may be kept.",
)


def kept_tokens(scores, share):
    """The places of the ⌊ρm⌋ highest of m scores (a list), in their order in the sentence."""
    n = int(share * len(scores) + 1e-9)
    best = sorted(range(len(scores)), key=lambda place: -scores[place])[:n]
    return sorted(best)


def kept_cases() -> list[Case]:
    """Outputs of several lengths, one too short for its ρ."""
    return [
        Case("half of four tokens", ([0.1, 0.9, 0.3, 0.8], 0.5), [1, 3]),
        Case("⌊ρm⌋ rounds down", ([0.5, 0.4, 0.9, 0.1, 0.2], 0.75), [0, 1, 2]),
        Case("an output of fewer than 1/ρ tokens keeps none", ([0.9, 0.8, 0.7], 0.2), []),
        Case("all of them", ([0.2, 0.1], 1.0), [0, 1]),
        Case("equal scores: the earlier stays", ([0.5, 0.7, 0.7, 0.7], 0.5), [1, 2]),
        Case("a tenth of twenty", ([0.01 * place for place in range(20)], 0.1), [18, 19]),
    ]


def _rounded(scores, share):
    n = round(share * len(scores))
    return sorted(sorted(range(len(scores)), key=lambda place: -scores[place])[:n])


def _at_least_one(scores, share):
    n = max(1, int(share * len(scores)))
    return sorted(sorted(range(len(scores)), key=lambda place: -scores[place])[:n])


def _by_score(scores, share):
    n = int(share * len(scores))
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:n]


def _lowest(scores, share):
    n = int(share * len(scores))
    return sorted(sorted(range(len(scores)), key=lambda place: scores[place])[:n])


def _threshold(scores, share):
    return [place for place, score in enumerate(scores) if score >= 1.0 - share]


def _the_scores(scores, share):
    return sorted(scores, reverse=True)[: int(share * len(scores))]


KEPT_TOKENS = Exercise(
    lesson=13, title="Which tokens teach", difficulty=1, minutes=6,
    task="Write `kept_tokens(scores, share)`: `scores` is a list with the score of each of an output's m tokens, "
         "`share` is ρ in (0, 1]. Return the list of the places (from 0) of the **⌊ρm⌋** tokens with the highest "
         "scores, in their order in the sentence. Of equal scores the earlier token stays. Where ⌊ρm⌋ is 0, the list "
         "is empty.",
    hints=("`int(x)` rounds a positive number down.",
           "`sorted(range(m), key=lambda place: -scores[place])` are the places, best first; equal ones keep their "
           "order.",
           "Take the first ⌊ρm⌋ of them, and sort these."),
    solution=kept_tokens,
    wrong_answers=(
        WrongAnswer(_rounded, "⌊ρm⌋ rounds down, yours rounds to the nearest."),
        WrongAnswer(_at_least_one, "an output of fewer than 1/ρ tokens keeps none: ⌊ρm⌋ is 0 there. (To keep one at "
                                   "least would be another method.)"),
        WrongAnswer(_by_score, "these are the right tokens, the best first; asked is the order of the sentence."),
        WrongAnswer(_lowest, "these are the lowest scores: the arm called “bottom”."),
        WrongAnswer(_threshold, "this asks for a score above a fixed value. ρ is a share of the output's tokens, "
                                "whatever their scores are."),
        WrongAnswer(_the_scores, "these are scores; asked is where they stand."),
    ),
    cases=kept_cases,
    insight="The share really kept is below ρ: what is rounded off is lost, and short outputs teach nothing.",
)

EXERCISES = (SOFT_OR, KEPT_TOKENS)
