"""The exercise of lesson 2 about perplexity, exp of the mean surprise per token."""

from __future__ import annotations

import math
import random
from statistics import geometric_mean

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def perplexity(log_probs, n_tokens):
    """exp of the mean surprise per token; log_probs (nats) and n_tokens of each sentence."""
    return math.exp(-sum(log_probs) / sum(n_tokens))


@mistake(
    "this averages the sentences' perplexities: one short, hard sentence dominates the mean. "
    "Average the surprise over all tokens first."
)
def _mean_of_perplexities(log_probs, n_tokens):
    return sum(math.exp(-p / n) for p, n in zip(log_probs, n_tokens, strict=True)) / len(log_probs)


@mistake(
    "this averages the sentences' means: a token of a short sentence weighs more than a token of "
    "a long one."
)
def _of_the_mean_of_means(log_probs, n_tokens):
    return math.exp(-sum(p / n for p, n in zip(log_probs, n_tokens, strict=True)) / len(log_probs))


@mistake(
    "this divides by the number of sentences, so long sentences look worse: perplexity is per "
    "token."
)
def _by_sentences(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / len(log_probs))


@mistake(
    "the sign: log-probabilities are negative, surprises positive; a perplexity is at least 1."
)
def _without_minus(log_probs, n_tokens):
    return math.exp(sum(log_probs) / sum(n_tokens))


@mistake(
    "the log-probabilities are in nats, so `exp` is their inverse. A power of 2 belongs to bits."
)
def _base_two(log_probs, n_tokens):
    return 2.0 ** (-sum(log_probs) / sum(n_tokens))


@mistake("this is the mean surprise in nats. The perplexity is `exp` of it.")
def _without_exp(log_probs, n_tokens):
    return -sum(log_probs) / sum(n_tokens)


@mistake(
    "this is 1 / p of the whole corpus: divide the surprise by the number of tokens before you "
    "take `exp`."
)
def _not_divided_by_tokens(log_probs, n_tokens):
    try:
        return math.exp(-sum(log_probs))
    except OverflowError:
        return math.inf


@mistake(
    "the product of the probabilities of a long corpus is too small for a floating-point number "
    "and becomes 0. Add log-probabilities instead."
)
def _product_of_probabilities(log_probs, n_tokens):
    return math.prod(map(math.exp, log_probs)) ** (-1.0 / sum(n_tokens))


def perplexity_cases() -> list[Case]:
    """Return a model that is certain, one that guesses among V words, and random corpora, one long.

    The expected perplexity is the geometric mean of 1/p over all tokens.
    """
    cases = [Case("a model that is certain of every word, and right", ([0.0, 0.0], [3, 5]), 1.0)]
    lengths = [2, 7, 4]
    cases.append(
        Case(
            "a model that guesses among 50 words",
            ([-n * math.log(50) for n in lengths], lengths),
            50.0,
        )
    )
    for seed, n_sentences in ((1, 4), (2, 5), (3, 1), (4, 300)):
        cases.append(_random_corpus(seed, n_sentences))
    return cases


def _random_corpus(seed: int, n_sentences: int) -> Case:
    """Draw sentences of 1 to 12 tokens of random probabilities."""
    chance = random.Random(seed)
    sentences = [
        [chance.uniform(0.05, 1.0) for _ in range(chance.randint(1, 12))]
        for _ in range(n_sentences)
    ]
    log_probs = [math.log(math.prod(sentence)) for sentence in sentences]
    expected = geometric_mean(1.0 / p for sentence in sentences for p in sentence)
    name = f"{n_sentences} sentence{'s' * (n_sentences > 1)} of random length"
    return Case(name, (log_probs, [len(sentence) for sentence in sentences]), expected)


PERPLEXITY = Exercise(
    lesson=2,
    title="Perplexity of a corpus",
    difficulty=1,
    minutes=5,
    task="Write `perplexity(log_probs, n_tokens)`. Both are lists with one entry for each "
    "sentence: "
    "$\\ln p(y \\mid x)$ of the whole translation in nats, and the number of its tokens. Return "
    "the perplexity of "
    "the corpus: `exp` of the mean surprise **per token**.",
    hints=(
        "The mean is over all tokens of the corpus, not over sentences.",
        "Sum the log-probabilities, divide by the sum of the tokens, mind the sign, then "
        "`math.exp`.",
    ),
    imports="import math",
    solution=perplexity,
    wrong_answers=(
        _mean_of_perplexities,
        _of_the_mean_of_means,
        _by_sentences,
        _without_minus,
        _base_two,
        _without_exp,
        _not_divided_by_tokens,
        _product_of_probabilities,
    ),
    cases=perplexity_cases,
    insight="A model that guesses among 50 equally probable words has a perplexity of 50. In "
    "lesson 06 a student's "
    "perplexity gets worse while its translations get better.",
)
