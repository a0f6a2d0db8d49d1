"""Exercises of lesson 7, sequence-level interpolation: the choice among K candidates, and how closeness is measured."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from sacrebleu.metrics import BLEU

from seqkd_lab.distillation.sequence_level import similarity as sentence_bleu
from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def seq_inter_choice(candidates, gold, similarity):
    """ỹ: of candidates [(words, log_prob)] the words most similar to gold; of equally similar ones the likelier."""
    return max(candidates, key=lambda candidate: (similarity(candidate[0], gold), candidate[1]))[0]


def _likeliest(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: candidate[1])[0]


def _least_similar(candidates, gold, similarity):
    return min(candidates, key=lambda candidate: similarity(candidate[0], gold))[0]


def _first_of_equals(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: similarity(candidate[0], gold))[0]


def _weighted(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: similarity(candidate[0], gold) * np.exp(candidate[1]))[0]


def _gold_itself(candidates, gold, similarity):
    return gold


def shared_words(translation, gold):
    """A similarity that is easily equal for two translations: the number of words they share with gold."""
    return sum((Counter(translation) & Counter(gold)).values())


def choice_cases() -> list[Case]:
    """Random candidates under sentence BLEU, ties under shared words; by numpy's lexical sort."""
    words, cases = "das Auto war sehr alt und rot .".split(), []
    for seed, similarity in enumerate((sentence_bleu, sentence_bleu, shared_words, shared_words, shared_words)):
        chance = random.Random(10 + seed)
        gold = tuple(words)
        candidates = []
        for _ in range(8):
            words_kept = [word if chance.random() < 0.6 else chance.choice(("der", "Wagen", "ganz")) for word in words]
            candidates.append((tuple(words_kept[: chance.randint(4, 8)]), -chance.uniform(0.5, 9.0)))
        alike = [similarity(candidate, gold) for candidate, _ in candidates]
        best = np.lexsort(([log_prob for _, log_prob in candidates], alike))[-1]
        given = (candidates, gold, similarity)
        cases.append(Case(f"8 candidates by {similarity.__name__}", given, candidates[best][0]))
    equal = [(("der", "Wagen"), -2.0), (("das", "Haus"), -3.0), (("ein", "Auto"), -1.0), (("x", "y"), -0.1)]
    tie = (equal, ("das", "Auto"), shared_words)
    return [*cases, Case("two candidates that are equally similar", tie, ("ein", "Auto"))]


CHOICE = Exercise(
    lesson=7, title="The choice of Seq-Inter", difficulty=2, minutes=8,
    task="Write `seq_inter_choice(candidates, gold, similarity)`: `candidates` are the teacher's K best, a list of "
         "pairs (tuple of words, log_prob) **in any order**; `gold` is a tuple of words; `similarity(words, gold)` "
         "gives a number. Return the words of the candidate that is most similar to gold; among equally similar ones, "
         "of the likelier.",
    hints=("`max` takes a `key`: what is best goes first.",
           "A key may be a pair: Python compares the second only where the first are equal."),
    solution=seq_inter_choice,
    wrong_answers=(
        WrongAnswer(_likeliest, "this is the teacher's mode: Seq-KD. Seq-Inter lets gold choose among the K best."),
        WrongAnswer(_least_similar, "this is the candidate *least* similar to gold: sim is large for close ones."),
        WrongAnswer(_first_of_equals, "of equally similar candidates it takes the first in the list; the likelier one "
                                      "is asked for (they come in any order)."),
        WrongAnswer(_weighted, "probability and similarity are multiplied. In Seq-Inter the beam has done its part by "
                               "choosing the K; then similarity alone decides."),
        WrongAnswer(_gold_itself, "this is gold itself, which the teacher may find impossible: the answer must be one "
                                  "of the candidates."),
    ),
    cases=choice_cases,
    insight="K = 1 is Seq-KD; K → ∞ ends at gold. The beam stands for the teacher, the similarity for the data.",
)


def clipped_precision(hypothesis, gold, n):
    """Share of the hypothesis's n-grams that gold has too, each as often as gold has it; 0 when there are none."""

    def ngrams(words):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    found = ngrams(hypothesis)
    matched = sum((found & ngrams(gold)).values())
    return matched / max(1, sum(found.values()))


def _ngrams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _not_clipped(hypothesis, gold, n):
    found, right = _ngrams(hypothesis, n), set(_ngrams(gold, n))
    return sum(gram in right for gram in found) / max(1, len(found))


def _recall(hypothesis, gold, n):
    return clipped_precision(gold, hypothesis, n)


def _as_sets(hypothesis, gold, n):
    found, right = set(_ngrams(hypothesis, n)), set(_ngrams(gold, n))
    return len(found & right) / max(1, len(found))


def _place_by_place(hypothesis, gold, n):
    pairs = zip(_ngrams(hypothesis, n), _ngrams(gold, n), strict=False)
    return sum(one == other for one, other in pairs) / max(1, len(_ngrams(hypothesis, n)))


def precision_by_sacrebleu(hypothesis, gold, n) -> float:
    """sacreBLEU's own counts of matching and of all n-grams."""
    bleu = BLEU(smooth_method="none", tokenize="none")
    score = bleu.corpus_score([" ".join(hypothesis)], [[" ".join(gold)]])
    return score.counts[n - 1] / max(1, score.totals[n - 1])


def precision_cases() -> list[Case]:
    """A repeated word, a shifted sentence, one that is too short for its n, and chance."""
    gold = tuple("der Mann verkaufte den alten Wagen , weil der Wagen alt war .".split())
    settings = [("a word repeated too often", ("der",) * 5, gold, 1), ("gold itself", gold, gold, 3),
                ("shifted by one word", ("gestern", *gold[:-1]), gold, 2), ("shorter than n", gold[:2], gold, 4)]
    for seed in (1, 2, 3):
        chance = random.Random(seed)
        drawn = tuple(chance.choice((*gold[:4], "die", "Frau")) for _ in range(15))
        settings.append((f"random words, n = {1 + seed % 2}", drawn, gold, 1 + seed % 2))
    return [Case(name, tuple(given), precision_by_sacrebleu(*given)) for name, *given in settings]


PRECISION = Exercise(
    lesson=7, title="What sim counts: clipped n-grams", difficulty=2, minutes=10,
    task="The paper's similarity is sentence BLEU, and at its core stands one number. Write "
         "`clipped_precision(hypothesis, gold, n)`: two tuples of words. Of the hypothesis's n-grams, return the share "
         "that gold has too, where each n-gram counts **at most as often as gold has it**. Without any n-gram: 0.",
    hints=("Count n-grams with a `Counter` of tuples; `words[i:i + n]` for each i that leaves n words.",
           "`Counter & Counter` takes the smaller count of each: that is the clipping."),
    imports="from collections import Counter",
    solution=clipped_precision,
    wrong_answers=(
        WrongAnswer(_not_clipped, "without clipping, “der der der der der” would be a perfect translation: each n-gram "
                                  "counts at most as often as gold has it."),
        WrongAnswer(_recall, "this divides by gold's n-grams: recall. BLEU is precision, with a brevity penalty for "
                             "what is missing."),
        WrongAnswer(_as_sets, "sets forget how often an n-gram stands there: a second right “der” counts too."),
        WrongAnswer(_place_by_place, "n-grams are compared place by place: a word inserted in front would spoil all of "
                                     "them. BLEU does not ask where an n-gram stands."),
    ),
    cases=precision_cases,
    insight="sim(t, y) is the geometric mean of this for n = 1 … 4, smoothed, times the brevity penalty.",
)

EXERCISES = (CHOICE, PRECISION)
