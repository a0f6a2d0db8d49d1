"""Exercises of lesson 7, sequence-level interpolation: the choice among K candidates, and how
closeness is measured."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU

from seqkd_lab.distillation.sequence_level import similarity as sentence_bleu
from seqkd_lab.lab.shared.exercises.comparing import shown
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake

Words = tuple[str, ...]


def seq_inter_choice(candidates, gold, similarity):
    """ỹ: of candidates [(words, log_prob)] the words most similar to gold; of equally similar ones
    the likelier."""
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
    """A similarity that is easily equal for two translations: the number of words they share with
    gold."""
    return sum((Counter(translation) & Counter(gold)).values())


def minus_differences(translation, gold):
    """A similarity that is never above 0: minus the number of places at which the translation is
    not gold."""
    return sum(a == b for a, b in zip(translation, gold, strict=False)) - max(
        len(translation), len(gold)
    )


def covered(translation, gold):
    """A similarity that is not symmetric: the share of gold's words that the translation has."""
    return shared_words(translation, gold) / len(gold)


Similarity = Callable[[Words, Words], float]
GOLD = tuple("das Auto war sehr alt und rot .".split())


def choice_case(
    name: str, candidates: Sequence[tuple[Words, float]], gold: Words, similarity: Similarity
) -> Case:
    """A case whose right answer is found by numpy's lexical sort; `fault` says in words what is
    wrong."""
    alike = [similarity(words, gold) for words, _ in candidates]
    best = candidates[np.lexsort(([log_prob for _, log_prob in candidates], alike))[-1]]

    def fault(answer: Any) -> str | None:
        """Says what is wrong with `answer`, or None."""
        if answer == list(best[0]):
            return None
        chosen = next((pair for pair in candidates if list(pair[0]) == answer), None)
        if chosen is None:
            return (
                f"your function returned {shown(answer)}. That is not the words of one of the "
                "candidates, as they stand in the list."
            )
        ours, theirs = similarity(best[0], gold), similarity(chosen[0], gold)
        said = (
            f"your function chose “{' '.join(chosen[0])}” (similarity {theirs:.4g}, log_prob "
            f"{chosen[1]:.3g})."
        )
        other = f"“{' '.join(best[0])}” (log_prob {best[1]:.3g})"
        if ours == theirs:
            return f"{said} {other} is just as similar to gold, and likelier."
        return f"{said} {other} is more similar to gold: {ours:.4g}."

    return Case(name, (list(candidates), gold, similarity), best[0], fault)


def random_case(name: str, seed: int, n_candidates: int, similarity: Similarity) -> Case:
    """Candidates of several lengths that keep about half of gold's words, in any order."""
    chance, candidates = random.Random(seed), {}
    while len(candidates) < n_candidates:
        kept = [
            word if chance.random() < 0.5 else chance.choice(("der", "Wagen", "ganz", "Auto"))
            for word in GOLD
        ]
        candidates[tuple(kept[: chance.randint(4, 8)])] = -chance.uniform(0.5, 9.0)
    return choice_case(name, list(candidates.items()), GOLD, similarity)


def tie_case(name: str, place: int, noun: str, lengths: Sequence[int]) -> Case:
    """Three equally similar candidates and two others; the likelier one, with `noun`, at `place`
    among the three."""
    nouns = [n for n in ("Karren", "Mofa") if n != noun]
    tied = [
        (("das", n, *["x"] * length), log_prob)
        for n, length, log_prob in zip(nouns, lengths[:2], (-6.0, -2.5), strict=True)
    ]
    tied.insert(place, (("das", noun, *["x"] * lengths[2]), -2.0))
    others = [(("ein", "Haus", "am", "See"), -0.3), (("x", "y"), -9.0)]
    return choice_case(name, [others[0], *tied, others[1]], ("das", "Auto"), shared_words)


def choice_cases() -> list[Case]:
    """Random candidates by four similarities; ties in which the likelier one stands first, in the
    middle and last, is the first and the last in the alphabet, the longest and the shortest; and
    similarities that are 0 or below 0."""
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
    task="Write `seq_inter_choice(candidates, gold, similarity)`: `candidates` are the teacher's K "
    "best, a list of "
    "pairs (tuple of words, log_prob) **in any order**; `gold` is a tuple of words; "
    "`similarity(words, gold)` "
    "gives a number. Return the words of the candidate that is most similar to gold; among equally "
    "similar ones, "
    "of the likelier.",
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


def clipped_precision(hypothesis, gold, n):
    """Share of the hypothesis's n-grams that gold has too, each as often as gold has it; 0 when
    there are none."""

    def ngrams(words):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    found = ngrams(hypothesis)
    matched = sum((found & ngrams(gold)).values())
    return matched / max(1, sum(found.values()))


def _ngrams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


@mistake(
    "without clipping, “der der der der der” would be a perfect translation: each n-gram counts "
    "at most as often as gold has it."
)
def _not_clipped(hypothesis, gold, n):
    found, right = _ngrams(hypothesis, n), set(_ngrams(gold, n))
    return sum(gram in right for gram in found) / max(1, len(found))


@mistake(
    "this divides by gold's n-grams: recall. BLEU is precision, with a brevity penalty for what "
    "is missing."
)
def _recall(hypothesis, gold, n):
    return clipped_precision(gold, hypothesis, n)


@mistake("sets forget how often an n-gram stands there: a second right “der” counts too.")
def _as_sets(hypothesis, gold, n):
    found, right = set(_ngrams(hypothesis, n)), set(_ngrams(gold, n))
    return len(found & right) / max(1, len(found))


@mistake(
    "n-grams are compared place by place: a word inserted in front would spoil all of them. BLEU "
    "does not ask where an n-gram stands."
)
def _place_by_place(hypothesis, gold, n):
    pairs = zip(_ngrams(hypothesis, n), _ngrams(gold, n), strict=False)
    return sum(one == other for one, other in pairs) / max(1, len(_ngrams(hypothesis, n)))


@mistake("the count is divided by the number of words. T words have T − n + 1 n-grams.")
def _over_the_words(hypothesis, gold, n):
    matched = sum((Counter(_ngrams(hypothesis, n)) & Counter(_ngrams(gold, n))).values())
    return matched / max(1, len(hypothesis))


@mistake("the last n-gram is left out: T words have T − n + 1 n-grams.")
def _last_left_out(hypothesis, gold, n):
    found, right = (
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n))
        for words in (hypothesis, gold)
    )
    return sum((found & right).values()) / max(1, sum(found.values()))


@mistake("single words are counted whatever n is: an n-gram is a run of n words.")
def _words_only(hypothesis, gold, n):
    return clipped_precision(hypothesis, gold, 1)


@mistake("this is the number of matching n-grams; divide it by the number of all.")
def _count_only(hypothesis, gold, n):
    return sum((Counter(_ngrams(hypothesis, n)) & Counter(_ngrams(gold, n))).values())


@mistake("this is in percent; a share between 0 and 1 is asked for.")
def _in_percent(hypothesis, gold, n):
    return 100.0 * clipped_precision(hypothesis, gold, n)


def precision_by_sacrebleu(hypothesis, gold, n) -> float:
    """sacreBLEU's own counts of matching and of all n-grams."""
    bleu = BLEU(smooth_method="none", tokenize="none")
    score = bleu.corpus_score([" ".join(hypothesis)], [[" ".join(gold)]])
    return score.counts[n - 1] / max(1, score.totals[n - 1])


def precision_cases() -> list[Case]:
    """A repeated word, a shifted sentence, too short ones, words that differ little, and chance."""
    gold = tuple("der Mann verkaufte den alten Wagen , weil der Wagen alt war .".split())
    settings = [
        ("a word repeated too often", ("der",) * 5, gold, 1),
        ("gold itself", gold, gold, 3),
        ("shifted by one word", ("gestern", *gold[:-1]), gold, 2),
        ("shorter than n", gold[:2], gold, 4),
        ("gold is shorter than n", gold, gold[:2], 3),
        ("as long as n", gold[:4], gold, 4),
        ("no words", (), gold, 1),
        ("turned round", gold[::-1], gold, 2),
        (
            "capital letters",
            ("Der", "alte", "Mann", "kannte", "Sie"),
            ("der", "Alte", "kannte", "sie"),
            1,
        ),
        ("words cut elsewhere", ("der", "Ho", "fhund", "kam"), ("der", "Hof", "hund", "kam"), 2),
    ]
    for seed, n in ((1, 1), (2, 2), (3, 2), (4, 3)):
        chance = random.Random(seed)
        drawn = tuple(chance.choice((*gold[:4], "die", "Frau")) for _ in range(12 + seed))
        other = tuple(chance.choice((*gold[:4], "die")) for _ in range(10 + 3 * (seed % 2)))
        settings.append((f"random words, n = {n}", drawn, other, n))
    return [Case(name, tuple(given), precision_by_sacrebleu(*given)) for name, *given in settings]


PRECISION = Exercise(
    lesson=7,
    title="What BLEU counts: clipped n-grams",
    difficulty=2,
    minutes=10,
    task="The paper's similarity is sentence BLEU, and at its core stands one number. Write "
    "`clipped_precision(hypothesis, gold, n)`: two tuples of words. Of the hypothesis's n-grams, "
    "return the share "
    "that gold has too, where each n-gram counts **at most as often as gold has it**. Without any "
    "n-gram: 0.",
    hints=(
        "Count n-grams with a `Counter` of tuples: `words[i:i + n]` for each i that leaves n "
        "words.",
        "`Counter & Counter` takes the smaller count of each: that is the clipping.",
    ),
    imports="from collections import Counter",
    solution=clipped_precision,
    wrong_answers=(
        _not_clipped,
        _recall,
        _as_sets,
        _place_by_place,
        _over_the_words,
        _last_left_out,
        _words_only,
        _count_only,
        _in_percent,
    ),
    cases=precision_cases,
    insight="Sentence BLEU is the geometric mean of this for n = 1 to 4, smoothed, times the "
    "brevity penalty.",
)

EXERCISES = (CHOICE, PRECISION)
