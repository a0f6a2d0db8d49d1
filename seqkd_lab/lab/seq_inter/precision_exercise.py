"""Exercise of lesson 7: what BLEU counts, an n-gram precision with clipping."""

from __future__ import annotations

import random
from collections import Counter

from sacrebleu.metrics import BLEU

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def clipped_precision(hypothesis, gold, n):
    """Return the share of the hypothesis's n-grams that gold has too, each as often as gold has it;
    0 when there are none."""

    def ngrams(words):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    grams = ngrams(hypothesis)
    matched = sum((grams & ngrams(gold)).values())
    return matched / max(1, sum(grams.values()))


def _ngrams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


@mistake(
    "without clipping, “der der der der der” would be a perfect translation: each n-gram counts "
    "at most as often as gold has it."
)
def _not_clipped(hypothesis, gold, n):
    grams, right = _ngrams(hypothesis, n), set(_ngrams(gold, n))
    return sum(gram in right for gram in grams) / max(1, len(grams))


@mistake(
    "this divides by gold's n-grams: recall. BLEU is precision, with a brevity penalty for what "
    "is missing."
)
def _recall(hypothesis, gold, n):
    return clipped_precision(gold, hypothesis, n)


@mistake("sets forget how often an n-gram stands there: a second right “der” counts too.")
def _as_sets(hypothesis, gold, n):
    grams, right = set(_ngrams(hypothesis, n)), set(_ngrams(gold, n))
    return len(grams & right) / max(1, len(grams))


@mistake(
    "n-grams are compared place by place: a word inserted in front would spoil all of them. BLEU "
    "does not ask where an n-gram stands."
)
def _place_by_place(hypothesis, gold, n):
    pairs = zip(_ngrams(hypothesis, n), _ngrams(gold, n), strict=False)
    return sum(gram == right for gram, right in pairs) / max(1, len(_ngrams(hypothesis, n)))


@mistake("the count is divided by the number of words. T words have T − n + 1 n-grams.")
def _over_the_words(hypothesis, gold, n):
    matched = sum((Counter(_ngrams(hypothesis, n)) & Counter(_ngrams(gold, n))).values())
    return matched / max(1, len(hypothesis))


@mistake("the last n-gram is left out: T words have T − n + 1 n-grams.")
def _last_left_out(hypothesis, gold, n):
    grams, right = (
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n))
        for words in (hypothesis, gold)
    )
    return sum((grams & right).values()) / max(1, sum(grams.values()))


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
    """Divide sacreBLEU's own counts of matching n-grams by those of all."""
    bleu = BLEU(smooth_method="none", tokenize="none")
    score = bleu.corpus_score([" ".join(hypothesis)], [[" ".join(gold)]])
    return score.counts[n - 1] / max(1, score.totals[n - 1])


def precision_cases() -> list[Case]:
    """Return a repeated word, a shifted sentence, too short ones, words that differ little, and
    random words."""
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
    "return the share that gold has too, where each n-gram counts **at most as often as gold has "
    "it**. Without any n-gram: 0.",
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
