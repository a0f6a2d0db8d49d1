"""Exercise of lesson 5: ranking translations with a length penalty."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np

from seqkd_lab.lab.shared.exercises.checking import call
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, Function, mistake

END = "</s>"
Pair = tuple[tuple[str, ...], float]


def rank_with_penalty(hypotheses, length_penalty):
    """Return translations by log_prob / length^length_penalty, best first; hypotheses are pairs
    (words with "</s>", log_prob)."""

    def score(hypothesis):
        words, log_prob = hypothesis
        return log_prob / len(words) ** length_penalty

    return [words for words, _ in sorted(hypotheses, key=score, reverse=True)]


def _ranked(
    hypotheses: Sequence[Pair], score: Callable[[float, tuple[str, ...]], float]
) -> list[tuple[str, ...]]:
    """Return the words by a score of log_prob and words, best first."""
    return [
        words
        for words, log_prob in sorted(hypotheses, key=lambda h: score(h[1], h[0]), reverse=True)
    ]


@mistake(
    "the penalty changes nothing here: this is the order of plain log-probabilities, as in the "
    "paper's own beam."
)
def _plain_ranking(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: log_prob)


@mistake("log_prob is multiplied by lengthᵖ: that punishes long translations twice. Divide.")
def _multiplied_by_length(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: log_prob * len(words) ** length_penalty)


@mistake("the worst stands first: the best score is the largest, nearest to 0.")
def _worst_in_front(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: -log_prob / len(words) ** length_penalty)


@mistake("this is always the mean per word (p = 1); length_penalty is an exponent.")
def _always_the_mean(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: log_prob / len(words))


@mistake("`</s>` is not counted in the length. The model had to predict it, too.")
def _end_not_counted(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: log_prob / (len(words) - 1) ** length_penalty
    )


@mistake("the length is counted in characters; it is the number of words.")
def _characters_counted(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: log_prob / len(" ".join(words)) ** length_penalty
    )


@mistake("the probability is divided by lengthᵖ; it is its logarithm that is divided.")
def _probability_divided(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: log_prob - length_penalty * math.log(len(words))
    )


@mistake(
    "p · length is subtracted: that punishes long translations once more. Divide log_prob by "
    "lengthᵖ."
)
def _length_subtracted(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: log_prob - length_penalty * len(words))


@mistake(
    "p · length is added. Such a reward for each word exists, but it is another formula: divide "
    "log_prob by lengthᵖ."
)
def _length_rewarded(hypotheses, length_penalty):
    return _ranked(hypotheses, lambda log_prob, words: log_prob + length_penalty * len(words))


@mistake("the penalty multiplies the length, which changes no order; it is an exponent.")
def _times_p(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: log_prob / len(words) if length_penalty else log_prob
    )


@mistake("whole pairs are returned; return the tuples of words alone.")
def _pairs_returned(hypotheses, length_penalty):
    return sorted(hypotheses, key=lambda h: h[1] / len(h[0]) ** length_penalty, reverse=True)


@mistake("the whole mean is raised to the power p; the exponent belongs to the length alone.")
def _power_of_the_mean(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: -((-log_prob / len(words)) ** length_penalty)
    )


@mistake(
    "this divides by ((5 + length) / 6)ᵖ, the penalty of Wu et al. (2016); here the task says "
    "lengthᵖ."
)
def _penalty_of_google(hypotheses, length_penalty):
    return _ranked(
        hypotheses, lambda log_prob, words: log_prob / ((5 + len(words)) / 6) ** length_penalty
    )


LENGTHS = (2, 9, 4, 13, 3, 6)
"""The lengths of the translations in a case, `</s>` counted."""
SHORT_AND_LONG = ("Ei", "Fahrkarte", "so", "Geschwindigkeit")
PENALTIES = (0.0, 1.0, 0.6, 2.0, 0.3, 1.5)


def ranking_cases() -> list[Case]:
    """Return cases with translations of 2 to 13 words, ranked by numpy.

    In the first cases their scores lie so close together that the exact exponent decides; in the
    last two their log-probabilities do, so that adding and dividing give different orders.
    """
    close = [
        (penalty, lambda length, step, p=penalty: -1.5 * length**p * (1.0 + 0.03 * step))
        for penalty in PENALTIES
    ]
    near = [(penalty, lambda length, step: -4.0 - 0.35 * step) for penalty in (1.0, 0.6)]
    return [
        _ranking_case(seed, penalty, log_prob)
        for seed, (penalty, log_prob) in enumerate(close + near)
    ]


def _ranking_case(seed: int, penalty: float, log_prob_of: Callable[[int, int], float]) -> Case:
    """Return a case whose log-probabilities are a function of the length and of a different
    whole number for each."""
    chance = random.Random(seed)
    lengths = chance.sample(LENGTHS, len(LENGTHS))
    steps = chance.sample(range(len(LENGTHS)), len(LENGTHS))
    log_probs = [log_prob_of(length, step) for length, step in zip(lengths, steps, strict=True)]
    translations = [_translation(length, chance) for length in lengths]
    order = np.argsort(-np.array(log_probs) / np.array(lengths, dtype=float) ** penalty)
    hypotheses = list(zip(translations, log_probs, strict=True))
    return Case(
        f"length penalty {penalty:g}", (hypotheses, penalty), [translations[i] for i in order]
    )


def _translation(length: int, chance: random.Random) -> tuple[str, ...]:
    """Return `length` words, the last one `</s>`; short and long ones, some of them twice."""
    return (*(chance.choice(SHORT_AND_LONG) for _ in range(length - 1)), END)


def _loses_an_equal_score(function: Function) -> str | None:
    """Return what is wrong when two translations have exactly the same score; they may stand in
    either order."""
    tied = [("so", "Ei", END), ("Ei", "so", END)]
    ranked = call(function, ([(tied[0], -3.0), (("Ei", END), -4.0), (tied[1], -3.0)], 1.0)).value
    if ranked in [[[*a], [*b], ["Ei", END]] for a, b in (tied, tied[::-1])]:
        return None
    return (
        "All cases are right. But where two translations have exactly the same score, one of them "
        "is lost. Is a score the key of a dictionary?"
    )


RANKING = Exercise(
    lesson=5,
    title="Does the short one win?",
    difficulty=1,
    minutes=6,
    task="Every word costs probability, so log-probabilities favour short translations. Write "
    "`rank_with_penalty(hypotheses, length_penalty)`: `hypotheses` is a list of pairs (tuple of "
    "words, log_prob), "
    '`"</s>"` included and counted. Return the tuples of words, ordered by log_prob / lengthᵖ, '
    "best first (p is "
    "the penalty).",
    hints=(
        "p = 0 must give the order of the log-probabilities, p = 1 that of the mean per word.",
        "Dividing a *negative* number by a larger length makes it larger: long translations gain.",
    ),
    solution=rank_with_penalty,
    wrong_answers=(
        _plain_ranking,
        _multiplied_by_length,
        _worst_in_front,
        _always_the_mean,
        _end_not_counted,
        _characters_counted,
        _probability_divided,
        _length_subtracted,
        _length_rewarded,
        _power_of_the_mean,
        _times_p,
        _pairs_returned,
        _penalty_of_google,
    ),
    cases=ranking_cases,
    further=_loses_an_equal_score,
    insight="A penalty re-ranks what the beam has kept; it does not bring back what was pruned on "
    "the way.",
)
