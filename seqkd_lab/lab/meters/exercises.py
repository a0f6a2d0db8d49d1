"""Exercises of lesson 15, meters: how much a student must remember; and which corpus is simpler."""

from __future__ import annotations

import math
import random
from collections import Counter

from seqkd_lab.lab.meters.entropy_exercise import CONDITIONAL, conditional_entropy, entropy_of
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def history_dependence(triples):
    """Return H(word | source) − H(word | source, earlier choice) in nats, over triples (source,
    earlier, word)."""

    def conditional(conditions, words):
        pairs = list(zip(conditions, words, strict=True))
        of_pair, of_condition = Counter(pairs), Counter(conditions)
        return -sum(n * math.log(n / of_condition[c]) for (c, _), n in of_pair.items()) / len(pairs)

    words = [word for _, _, word in triples]
    from_source = conditional([source for source, _, _ in triples], words)
    from_both = conditional([(source, earlier) for source, earlier, _ in triples], words)
    return from_source - from_both


@mistake(
    "this is all of the uncertainty that the source leaves. Part of it is free choice, which no "
    "memory would lessen: take away H(word | source, earlier)."
)
def _source_only(triples):
    return conditional_entropy([(source, word) for source, _, word in triples])


@mistake(
    "this is what stays uncertain even for a student that remembers everything; asked is what "
    "remembering *saves*."
)
def _left_over(triples):
    return conditional_entropy([((source, earlier), word) for source, earlier, word in triples])


@mistake(
    "the source is left out: a word and an earlier word go together already because both come "
    "from one source. Condition both entropies on it."
)
def _without_the_source(triples):
    words = [word for _, _, word in triples]
    return entropy_of(words) - conditional_entropy(
        [(earlier, word) for _, earlier, word in triples]
    )


@mistake(
    "the difference is turned round: to know more never raises an entropy, so the answer is at "
    "least 0."
)
def _turned_round(triples):
    return -history_dependence(triples)


@mistake("this is in bits, by logarithms to base 2; the lab's entropies are in nats.")
def _dependence_in_bits(triples):
    return history_dependence(triples) / math.log(2)


@mistake("this is a sum over the triples; the entropies are means over them.")
def _dependence_summed(triples):
    return len(triples) * history_dependence(triples)


@mistake(
    "the second entropy is conditioned on the earlier choice *alone*; its condition is source and "
    "earlier choice together."
)
def _earlier_instead_of_both(triples):
    return _source_only(triples) - conditional_entropy(
        [(earlier, word) for _, earlier, word in triples]
    )


@mistake(
    "source and earlier choice are swapped: this is what the source still tells once the earlier "
    "choice is known."
)
def _what_the_source_saves(triples):
    return conditional_entropy([(earlier, word) for _, earlier, word in triples]) - _left_over(
        triples
    )


def history_cases() -> list[Case]:
    """Return cases of gold, a mode, free synonyms and chance; by H(W, S) + H(E, S) − H(W, E, S) −
    H(S)."""
    gold = [
        ("car", "das", "es"),
        ("car", "der", "er"),
        ("car", "der", "er"),
        ("box", "die", "sie"),
    ] * 3
    mode = [("car", "das", "es"), ("box", "die", "sie"), ("car", "das", "es")]
    free = [("car", first, last) for first in ("das", "der") for last in ("schnell", "rasch")]
    settings = [
        ("gold: a pronoun that agrees with the chosen noun", gold),
        ("the mode: one choice a source", mode),
        ("free synonyms without agreement", free),
        ("a single triple", gold[:1]),
        (
            "words that begin alike",
            [("a", "bc", "x"), ("ab", "c", "y"), ("a", "c", "y"), ("ab", "bc", "x")],
        ),
    ]
    sizes = ((3, 3, 3, 80), (2, 4, 3, 50), (5, 2, 4, 90))
    for seed, (n_sources, n_choices, n_words, n_triples) in enumerate(sizes, start=4):
        chance = random.Random(seed)
        drawn = []
        for _ in range(n_triples):
            source, earlier = (
                int(n_sources * chance.random() ** 2),
                int(n_choices * chance.random()),
            )
            follows = chance.random() < 0.5
            word = (source + earlier) % n_words if follows else int(n_words * chance.random() ** 2)
            drawn.append((f"s{source}", f"e{earlier}", f"w{word}"))
        settings.append((f"{n_triples} random triples", drawn))
    cases = []
    for name, triples in settings:
        with_word, with_earlier = [(s, w) for s, _, w in triples], [(s, e) for s, e, _ in triples]
        expected = entropy_of(with_word) + entropy_of(with_earlier) - entropy_of(triples)
        cases.append(Case(name, (triples,), expected - entropy_of(s for s, _, _ in triples)))
    return cases


HISTORY = Exercise(
    lesson=15,
    title="How much must the student remember?",
    difficulty=3,
    minutes=15,
    task="Write `history_dependence(triples)`: a list of (source word, the translator's own "
    "earlier choice, target "
    'word), such as `("car", "der", "er")`. Return, in nats, how much the earlier choice still '
    "tells of the "
    "word once the source is known: H(word | source) − H(word | source, earlier). Of two corpora, "
    "a student with "
    "little memory learns the one with less of it more easily.",
    hints=(
        "Both terms are conditional entropies, as in the exercise before. The condition may be a "
        "pair (source, earlier).",
        "Two conditional entropies and a difference. For free synonyms without agreement it is 0: "
        "remembering would not help.",
    ),
    imports="import math\nfrom collections import Counter",
    solution=history_dependence,
    wrong_answers=(
        _source_only,
        _left_over,
        _without_the_source,
        _turned_round,
        _dependence_in_bits,
        _dependence_summed,
        _earlier_instead_of_both,
        _what_the_source_saves,
    ),
    cases=history_cases,
    insight="It is 0 where the source decides every choice. The notebook measures it for gold and "
    "for the teacher's "
    "mode.",
)

EXERCISES = (CONDITIONAL, HISTORY)
