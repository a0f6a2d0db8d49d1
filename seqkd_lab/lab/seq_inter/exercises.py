"""Exercises of lesson 7, sequence-level interpolation: the choice among K candidates; beside it
stands what BLEU counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seqkd_lab.distillation.distilled import similarity as sentence_bleu
from seqkd_lab.lab.seq_inter.precision_exercise import PRECISION
from seqkd_lab.lab.shared.exercises.comparing import shown
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

Words = tuple[str, ...]


def seq_inter_choice(candidates, gold, similarity):
    """Return ỹ: of candidates [(words, log_prob)] the words most similar to gold; of equally
    similar ones the likelier."""
    return max(candidates, key=lambda candidate: (similarity(candidate[0], gold), candidate[1]))[0]


@mistake("this is the teacher's mode: Seq-KD. Seq-Inter lets gold choose among the K best.")
def _likeliest(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: candidate[1])[0]


@mistake("this is the candidate *least* similar to gold: sim is large for close ones.")
def _least_similar(candidates, gold, similarity):
    return min(candidates, key=lambda candidate: similarity(candidate[0], gold))[0]


@mistake(
    "of equally similar candidates it takes the first in the list; the likelier one is asked for "
    "(they come in any order)."
)
def _first_of_equals(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: similarity(candidate[0], gold))[0]


@mistake(
    "of equally similar candidates it takes the last in the list (as a loop with `>=` does); the "
    "likelier one is asked for."
)
def _last_of_equals(candidates, gold, similarity):
    return max(reversed(candidates), key=lambda candidate: similarity(candidate[0], gold))[0]


@mistake(
    "of equally similar candidates it takes the *least* likely one. A log_prob near 0 is a large "
    "probability."
)
def _least_likely_of_equals(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: (similarity(candidate[0], gold), -candidate[1]))[0]


@mistake(
    "of equally similar candidates it takes the last in the alphabet, since the words themselves "
    "are compared; the likelier one is asked for."
)
def _alphabet_of_equals(candidates, gold, similarity):
    return max((similarity(words, gold), words) for words, _ in candidates)[1]


@mistake(
    "probability and similarity are multiplied. In Seq-Inter the beam has done its part by "
    "choosing the K candidates; then similarity alone decides."
)
def _weighted(candidates, gold, similarity):
    return max(
        candidates, key=lambda candidate: similarity(candidate[0], gold) * np.exp(candidate[1])
    )[0]


@mistake(
    "similarity and log-probability are added. In Seq-Inter the beam has done its part by "
    "choosing the K candidates; then similarity alone decides."
)
def _added(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: similarity(candidate[0], gold) + candidate[1])[0]


@mistake(
    "this is gold itself, which the teacher may find impossible: the answer must be one of the "
    "candidates."
)
def _gold_itself(candidates, gold, similarity):
    return gold


@mistake(
    "the arguments of `similarity` are swapped: the candidate comes first, then gold. Sentence "
    "BLEU is not symmetric."
)
def _arguments_swapped(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: (similarity(gold, candidate[0]), candidate[1]))[0]


@mistake("this returns the pair (words, log_prob); only the words are asked for.")
def _with_log_prob(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: (similarity(candidate[0], gold), candidate[1]))


def shared_words(translation, gold):
    """Return the number of words shared with gold: a similarity with many ties."""
    return sum((Counter(translation) & Counter(gold)).values())


def minus_differences(translation, gold):
    """Return minus the number of positions at which the translation is not gold: a similarity that
    is never above 0."""
    return sum(a == b for a, b in zip(translation, gold, strict=False)) - max(
        len(translation), len(gold)
    )


def covered(translation, gold):
    """Return the share of gold's words that the translation has: a similarity that is not
    symmetric."""
    return shared_words(translation, gold) / len(gold)


Similarity = Callable[[Words, Words], float]
GOLD = tuple("das Auto war sehr alt und rot .".split())


def choice_case(
    name: str, candidates: Sequence[tuple[Words, float]], gold: Words, similarity: Similarity
) -> Case:
    """Make a case whose right answer is found by numpy's lexical sort; `fault` states what is
    wrong."""
    alike = [similarity(words, gold) for words, _ in candidates]
    best = candidates[np.lexsort(([log_prob for _, log_prob in candidates], alike))[-1]]

    def fault(answer: Any) -> str | None:
        """Return what is wrong with `answer`, or None."""
        if answer == list(best[0]):
            return None
        chosen = next((pair for pair in candidates if list(pair[0]) == answer), None)
        if chosen is None:
            return (
                f"your function returned {shown(answer)}. That is not the words of one of the "
                "candidates, as they stand in the list."
            )
        ours, theirs = similarity(best[0], gold), similarity(chosen[0], gold)
        choice = (
            f"your function chose “{' '.join(chosen[0])}” (similarity {theirs:.4g}, log_prob "
            f"{chosen[1]:.3g})."
        )
        other = f"“{' '.join(best[0])}” (log_prob {best[1]:.3g})"
        if ours == theirs:
            return f"{choice} {other} is just as similar to gold, and likelier."
        return f"{choice} {other} is more similar to gold: {ours:.4g}."

    return Case(name, (list(candidates), gold, similarity), best[0], fault)


def random_case(name: str, seed: int, n_candidates: int, similarity: Similarity) -> Case:
    """Draw candidates of several lengths that keep about half of gold's words, in any order."""
    chance = random.Random(seed)
    candidates: dict[Words, float] = {}
    while len(candidates) < n_candidates:
        kept = [
            word if chance.random() < 0.5 else chance.choice(("der", "Wagen", "ganz", "Auto"))
            for word in GOLD
        ]
        candidates[tuple(kept[: chance.randint(4, 8)])] = -chance.uniform(0.5, 9.0)
    return choice_case(name, list(candidates.items()), GOLD, similarity)


def tie_case(name: str, position: int, noun: str, lengths: Sequence[int]) -> Case:
    """Make a case of three equally similar candidates and two others; the likelier one, with
    `noun`, stands at `position` among the three."""
    nouns = [n for n in ("Karren", "Mofa") if n != noun]
    tied = [
        (("das", n, *["x"] * length), log_prob)
        for n, length, log_prob in zip(nouns, lengths[:2], (-6.0, -2.5), strict=True)
    ]
    tied.insert(position, (("das", noun, *["x"] * lengths[2]), -2.0))
    others = [(("ein", "Haus", "am", "See"), -0.3), (("x", "y"), -9.0)]
    return choice_case(name, [others[0], *tied, others[1]], ("das", "Auto"), shared_words)


def choice_cases() -> list[Case]:
    """Return random candidates by four similarities; ties in which the likelier one stands first,
    in the middle and last, is the first and the last in the alphabet, the longest and the shortest;
    and similarities that are 0 or below 0."""
    by_bleu = [
        random_case(f"{n} candidates, by sentence BLEU", seed, n, sentence_bleu)
        for seed, n in ((72, 8), (73, 8), (32, 35))
    ]
    by_words = [
        random_case(f"{n} candidates, by the number of shared words", seed, n, shared_words)
        for seed, n in ((38, 8), (16, 20))
    ]
    one_sided = [
        random_case("10 candidates, by the share of gold's words", 96, 10, covered),
        random_case("10 candidates, by a similarity below 0", 38, 10, minus_differences),
    ]
    ties = [
        tie_case("three equally similar, the likelier first", 0, "Automobil", (1, 3, 2)),
        tie_case("three equally similar, the likelier in the middle", 1, "Zug", (3, 1, 2)),
        tie_case("three equally similar, the likelier last", 2, "Lastwagen", (1, 2, 9)),
        tie_case("three equally similar, the likelier first and shortest", 0, "Wagen", (2, 3, 0)),
    ]
    none = [(("ein", "Hund"), -4.0), (("kein", "Hund", "da"), -1.0), (("nichts",), -2.0)]
    with_gold = [
        (("das", "Auto", "war", "alt"), -1.5),
        (GOLD, -8.5),
        (("der", "Wagen", "war", "alt"), -0.2),
    ]
    return [
        *by_bleu,
        *by_words,
        *one_sided,
        *ties,
        choice_case("nothing is similar", none, ("die", "Katze"), shared_words),
        choice_case("gold is among the candidates", with_gold, GOLD, sentence_bleu),
    ]


CHOICE = Exercise(
    lesson=7,
    title="The choice of Seq-Inter",
    difficulty=2,
    minutes=8,
    task="Write `seq_inter_choice(candidates, gold, similarity)`: `candidates` are the teacher's "
    "K best, a list of pairs (tuple of words, log_prob) **in any order**; `gold` is a tuple of "
    "words; `similarity(words, gold)` gives a number. Return the words of the candidate that is "
    "most similar to gold; among equally similar ones, of the likelier.",
    hints=(
        "`max` takes a `key`: what is best goes first.",
        "A key may be a pair: Python compares the second only where the first are equal.",
    ),
    solution=seq_inter_choice,
    wrong_answers=(
        _likeliest,
        _least_similar,
        _first_of_equals,
        _last_of_equals,
        _least_likely_of_equals,
        _alphabet_of_equals,
        _weighted,
        _added,
        _arguments_swapped,
        _with_log_prob,
        _gold_itself,
    ),
    cases=choice_cases,
    insight="With K = 1 candidate this is Seq-KD. The candidates come from the teacher, the "
    "similarity from the data.",
)


EXERCISES = (CHOICE, PRECISION)
