"""Answers to the exercises of lesson 7 that a learner may write, wrong and right."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter

import numpy as np

from seqkd_lab.distillation.distilled import similarity as sentence_bleu
from seqkd_lab.lab.seq_inter import exercises as choice
from seqkd_lab.lab.seq_inter import precision_exercise as precision
from seqkd_lab.lab.seq_inter.exercises import seq_inter_choice as right_choice
from seqkd_lab.lab.seq_inter.precision_exercise import clipped_precision as right_precision

# seq_inter_choice: wrong


def best_of(candidates, key):
    return max(candidates, key=key)[0]


def loop_with_equals(candidates, gold, similarity):
    best, words = -math.inf, None
    for candidate, _ in candidates:
        if similarity(candidate, gold) >= best:
            best, words = similarity(candidate, gold), candidate
    return words


def loop_from_zero(candidates, gold, similarity):
    best, log_p, words = 0, -math.inf, None
    for candidate, log_prob in candidates:
        if (
            similarity(candidate, gold) > best
            or similarity(candidate, gold) == best > 0
            and log_prob > log_p
        ):
            best, log_p, words = similarity(candidate, gold), log_prob, candidate
    return words


def first_in_the_alphabet_of_equals(candidates, gold, similarity):
    return min((-similarity(words, gold), words) for words, _ in candidates)[1]


def shortest_of_equals(candidates, gold, similarity):
    return best_of(candidates, lambda c: (similarity(c[0], gold), -len(c[0]), c[1]))


def longest_of_equals(candidates, gold, similarity):
    return best_of(candidates, lambda c: (similarity(c[0], gold), len(c[0]), c[1]))


def likelier_a_word_of_equals(candidates, gold, similarity):
    return best_of(candidates, lambda c: (similarity(c[0], gold), c[1] / len(c[0])))


def likelihood_first(candidates, gold, similarity):
    return best_of(candidates, lambda c: (c[1], similarity(c[0], gold)))


def least_likely(candidates, gold, similarity):
    return min(candidates, key=lambda c: c[1])[0]


def first_candidate(candidates, gold, similarity):
    return candidates[0][0]


def last_candidate(candidates, gold, similarity):
    return candidates[-1][0]


def five_candidates(candidates, gold, similarity):
    return right_choice(candidates[:5], gold, similarity)


def five_likeliest(candidates, gold, similarity):
    return right_choice(sorted(candidates, key=lambda c: -c[1])[:5], gold, similarity)


def half_of_the_likeliest(candidates, gold, similarity):
    return right_choice(
        sorted(candidates, key=lambda c: -c[1])[: len(candidates) // 2 + 1], gold, similarity
    )


def without_the_mode(candidates, gold, similarity):
    return right_choice(sorted(candidates, key=lambda c: -c[1])[1:], gold, similarity)


def never_gold(candidates, gold, similarity):
    return right_choice([c for c in candidates if c[0] != gold], gold, similarity)


def to_the_mode(candidates, gold, similarity):
    mode = max(candidates, key=lambda c: c[1])[0]
    return right_choice(candidates, mode, similarity)


def mean_with_alpha(candidates, gold, similarity):
    return best_of(candidates, lambda c: 0.5 * similarity(c[0], gold) + 0.5 * c[1])


def normalised_mixture(candidates, gold, similarity):
    alike = np.array([similarity(words, gold) for words, _ in candidates], float)
    p = np.exp([log_prob for _, log_prob in candidates])
    return candidates[int(np.argmax(alike / max(abs(alike).max(), 1e-9) + p / p.sum()))][0]


def times_log_prob(candidates, gold, similarity):
    return best_of(candidates, lambda c: similarity(c[0], gold) * c[1])


def a_word_of_similarity(candidates, gold, similarity):
    return best_of(candidates, lambda c: (similarity(c[0], gold) / len(c[0]), c[1]))


def whole_numbers(candidates, gold, similarity):
    return best_of(candidates, lambda c: (int(similarity(c[0], gold)), c[1]))


def rounded_to_tens(candidates, gold, similarity):
    return best_of(candidates, lambda c: (round(similarity(c[0], gold), -1), c[1]))


def bleu_whatever_is_given(candidates, gold, similarity):
    return best_of(candidates, lambda c: (sentence_bleu(c[0], gold), c[1]))


def shared_words_whatever_is_given(candidates, gold, similarity):
    return best_of(candidates, lambda c: (choice.shared_words(c[0], gold), c[1]))


def absolute(candidates, gold, similarity):
    return best_of(candidates, lambda c: (abs(similarity(c[0], gold)), c[1]))


def nearest_in_length(candidates, gold, similarity):
    return best_of(
        candidates, lambda c: (-abs(len(c[0]) - len(gold)), similarity(c[0], gold), c[1])
    )


def gold_if_there(candidates, gold, similarity):
    words = [c[0] for c in candidates]
    return gold if gold in words else max(candidates, key=lambda c: c[1])[0]


def sorted_upwards(candidates, gold, similarity):
    return sorted(candidates, key=lambda c: (similarity(c[0], gold), c[1]))[0][0]


def sorted_with_the_wrong_sign(candidates, gold, similarity):
    return sorted(candidates, key=lambda c: (-similarity(c[0], gold), c[1]))[0][0]


def similarity_itself(candidates, gold, similarity):
    return max(similarity(words, gold) for words, _ in candidates)


def its_place(candidates, gold, similarity):
    return candidates.index(max(candidates, key=lambda c: (similarity(c[0], gold), c[1])))


def all_of_them(candidates, gold, similarity):
    return [c[0] for c in sorted(candidates, key=lambda c: (-similarity(c[0], gold), -c[1]))]


def as_text(candidates, gold, similarity):
    return " ".join(right_choice(candidates, gold, similarity))


def sorts_in_place(candidates, gold, similarity):
    candidates.sort(key=lambda c: (similarity(c[0], gold), c[1]))
    return candidates[-1][0]


def empties_the_list(candidates, gold, similarity):
    best = candidates.pop()
    while candidates:
        best = max(best, candidates.pop(), key=lambda c: (similarity(c[0], gold), c[1]))
    return best[0]


def choice_without_return(candidates, gold, similarity):
    right_choice(candidates, gold, similarity)


def pair_given_to_similarity(candidates, gold, similarity):
    return max(candidates, key=lambda candidate: similarity(candidate, gold))[0]


# seq_inter_choice: right


def by_sorting(candidates, gold, similarity):
    return sorted(candidates, key=lambda c: (similarity(c[0], gold), c[1]), reverse=True)[0][0]


def by_a_stable_sort(candidates, gold, similarity):
    return max(sorted(candidates, key=lambda c: -c[1]), key=lambda c: similarity(c[0], gold))[0]


def by_a_loop(candidates, gold, similarity):
    best = None
    for words, log_prob in candidates:
        alike = similarity(words, gold)
        if best is None or alike > best[0] or (alike == best[0] and log_prob > best[1]):
            best = (alike, log_prob, words)
    return best[2]


def in_two_steps(candidates, gold, similarity):
    most = max(similarity(words, gold) for words, _ in candidates)
    equal = [c for c in candidates if similarity(c[0], gold) == most]
    return list(max(equal, key=lambda c: c[1])[0])


def by_numpy(candidates, gold, similarity):
    words, log_probs = zip(*candidates, strict=True)
    alike = np.array([similarity(w, gold) for w in words])
    return words[int(np.where(alike == alike.max(), log_probs, -np.inf).argmax())]


def by_reduce(candidates, gold, similarity):
    def better(one, other):
        return max(one, other, key=lambda c: (similarity(c[0], gold), math.exp(c[1])))

    return functools.reduce(better, candidates)[0]


# clipped_precision: wrong


def ngrams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def matched(hypothesis, gold, n):
    return sum((ngrams(hypothesis, n) & ngrams(gold, n)).values())


def f1(hypothesis, gold, n):
    both = ngrams(hypothesis, n).total() + ngrams(gold, n).total()
    return 2 * matched(hypothesis, gold, n) / max(1, both)


def jaccard(hypothesis, gold, n):
    return matched(hypothesis, gold, n) / max(1, (ngrams(hypothesis, n) | ngrams(gold, n)).total())


def over_the_longer(hypothesis, gold, n):
    return matched(hypothesis, gold, n) / max(
        1, ngrams(hypothesis, n).total(), ngrams(gold, n).total()
    )


def over_distinct(hypothesis, gold, n):
    return matched(hypothesis, gold, n) / max(1, len(ngrams(hypothesis, n)))


def one_ngram_too_many_below(hypothesis, gold, n):
    return matched(hypothesis, gold, n) / max(1, len(hypothesis) - n + 2)


def one_when_there_are_none(hypothesis, gold, n):
    return right_precision(hypothesis, gold, n) if len(hypothesis) >= n else 1.0


def divides_by_zero(hypothesis, gold, n):
    return matched(hypothesis, gold, n) / ngrams(hypothesis, n).total()


def nan_when_there_are_none(hypothesis, gold, n):
    return right_precision(hypothesis, gold, n) if len(hypothesis) >= n else math.nan


def shorter_ngrams(hypothesis, gold, n):
    return (
        right_precision(hypothesis, gold, n - 1) if n > 1 else right_precision(hypothesis, gold, 2)
    )


def longer_ngrams(hypothesis, gold, n):
    return right_precision(hypothesis, gold, n + 1)


def up_to_n(hypothesis, gold, n):
    return sum(right_precision(hypothesis, gold, k) for k in range(1, n + 1)) / n


def geometric_up_to_n(hypothesis, gold, n):
    return math.prod(right_precision(hypothesis, gold, k) for k in range(1, n + 1)) ** (1 / n)


def cut_into_pieces(hypothesis, gold, n):
    found, right = (
        Counter(tuple(w[i : i + n]) for i in range(0, len(w) - n + 1, n))
        for w in (hypothesis, gold)
    )
    return sum((found & right).values()) / max(1, found.total())


def with_shorter_ends(hypothesis, gold, n):
    found, right = (Counter(tuple(w[i : i + n]) for i in range(len(w))) for w in (hypothesis, gold))
    return sum((found & right).values()) / max(1, found.total())


def as_bags(hypothesis, gold, n):
    found, right = (
        Counter(tuple(sorted(w[i : i + n])) for i in range(len(w) - n + 1))
        for w in (hypothesis, gold)
    )
    return sum((found & right).values()) / max(1, found.total())


def joined(hypothesis, gold, n):
    found, right = (
        Counter("".join(w[i : i + n]) for i in range(len(w) - n + 1)) for w in (hypothesis, gold)
    )
    return sum((found & right).values()) / max(1, found.total())


def in_small_letters(hypothesis, gold, n):
    return right_precision([w.lower() for w in hypothesis], [w.lower() for w in gold], n)


def of_letters(hypothesis, gold, n):
    return right_precision(" ".join(hypothesis), " ".join(gold), n)


def any_subsequence(hypothesis, gold, n):
    found, right = (Counter(itertools.combinations(w, n)) for w in (hypothesis[:14], gold[:14]))
    return sum((found & right).values()) / max(1, found.total())


def clipped_at_one(hypothesis, gold, n):
    return sum(g in ngrams(gold, n) for g in ngrams(hypothesis, n)) / max(
        1, ngrams(hypothesis, n).total()
    )


def clipped_by_the_hypothesis(hypothesis, gold, n):
    found, right = ngrams(hypothesis, n), ngrams(gold, n)
    return sum(found[g] for g in found if g in right) / max(1, found.total())


def gold_counts(hypothesis, gold, n):
    found, right = ngrams(hypothesis, n), ngrams(gold, n)
    return sum(right[g] for g in found) / max(1, found.total())


def missing_share(hypothesis, gold, n):
    return 1.0 - right_precision(hypothesis, gold, n)


def smoothed(hypothesis, gold, n):
    return (matched(hypothesis, gold, n) + 1) / (ngrams(hypothesis, n).total() + 1)


def with_brevity_penalty(hypothesis, gold, n):
    if not hypothesis:
        return 0.0
    return right_precision(hypothesis, gold, n) * math.exp(
        min(0.0, 1.0 - len(gold) / len(hypothesis))
    )


def whole_division(hypothesis, gold, n):
    return matched(hypothesis, gold, n) // max(1, ngrams(hypothesis, n).total())


def with_padding(hypothesis, gold, n):
    def padded(words):
        return ("<s>",) * (n - 1) + tuple(words)

    return right_precision(padded(hypothesis), padded(gold), n)


def two_numbers(hypothesis, gold, n):
    return matched(hypothesis, gold, n), ngrams(hypothesis, n).total()


def precision_without_return(hypothesis, gold, n):
    right_precision(hypothesis, gold, n)


# clipped_precision: right


def by_taking_away(hypothesis, gold, n):
    rest = [tuple(gold[i : i + n]) for i in range(len(gold) - n + 1)]
    own = [tuple(hypothesis[i : i + n]) for i in range(len(hypothesis) - n + 1)]
    hits = 0
    for gram in own:
        if gram in rest:
            rest.remove(gram)
            hits += 1
    return hits / len(own) if own else 0


def by_zip(hypothesis, gold, n):
    own, right = (
        Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in (hypothesis, gold)
    )
    return sum(min(count, right[gram]) for gram, count in own.items()) / (sum(own.values()) or 1)


def by_text(hypothesis, gold, n):
    own, right = (
        [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
        for words in (hypothesis, gold)
    )
    return np.float64(
        sum(min(own.count(gram), right.count(gram)) for gram in set(own)) / max(1, len(own))
    )


def by_what_is_too_much(hypothesis, gold, n):
    own = ngrams(hypothesis, n)
    return 1.0 - (own - ngrams(gold, n)).total() / own.total() if own else 0.0


WRONG = {
    "seq_inter_choice": {
        choice._likeliest: "the teacher's mode",
        choice._least_similar: "*least* similar",
        choice._first_of_equals: "takes the first in the list",
        choice._last_of_equals: "takes the last in the list",
        loop_with_equals: "takes the last in the list",
        choice._least_likely_of_equals: "*least* likely",
        sorted_with_the_wrong_sign: "*least* likely",
        choice._alphabet_of_equals: "last in the alphabet",
        choice._weighted: "multiplied",
        choice._added: "are added",
        mean_with_alpha: "are added",
        choice._arguments_swapped: "arguments of `similarity` are swapped",
        choice._with_log_prob: "the pair",
        choice._gold_itself: "gold itself",
        likelihood_first: "the teacher's mode",
        to_the_mode: "the teacher's mode",
        **dict.fromkeys(
            (
                loop_from_zero,
                first_in_the_alphabet_of_equals,
                shortest_of_equals,
                longest_of_equals,
                likelier_a_word_of_equals,
                least_likely,
                first_candidate,
                last_candidate,
                five_candidates,
                five_likeliest,
                half_of_the_likeliest,
                without_the_mode,
                never_gold,
                normalised_mixture,
                times_log_prob,
                a_word_of_similarity,
                whole_numbers,
                rounded_to_tens,
                bleu_whatever_is_given,
                shared_words_whatever_is_given,
                absolute,
                nearest_in_length,
                gold_if_there,
                sorted_upwards,
                similarity_itself,
                its_place,
                all_of_them,
                as_text,
                sorts_in_place,
                empties_the_list,
                choice_without_return,
                pair_given_to_similarity,
            )
        ),
    },
    "clipped_precision": {
        precision._not_clipped: "without clipping",
        clipped_by_the_hypothesis: "without clipping",
        precision._recall: "recall",
        precision._as_sets: "sets forget",
        precision._place_by_place: "place by place",
        precision._over_the_words: "number of words",
        precision._last_left_out: "last n-gram",
        precision._words_only: "single words",
        precision._count_only: "number of matching",
        precision._in_percent: "in percent",
        **dict.fromkeys(
            (
                f1,
                jaccard,
                over_the_longer,
                over_distinct,
                one_ngram_too_many_below,
                one_when_there_are_none,
                divides_by_zero,
                nan_when_there_are_none,
                shorter_ngrams,
                longer_ngrams,
                up_to_n,
                geometric_up_to_n,
                cut_into_pieces,
                with_shorter_ends,
                as_bags,
                joined,
                in_small_letters,
                of_letters,
                any_subsequence,
                clipped_at_one,
                gold_counts,
                missing_share,
                smoothed,
                with_brevity_penalty,
                whole_division,
                with_padding,
                two_numbers,
                precision_without_return,
            )
        ),
    },
}
RIGHT = {
    "seq_inter_choice": [
        right_choice,
        by_sorting,
        by_a_stable_sort,
        by_a_loop,
        in_two_steps,
        by_numpy,
        by_reduce,
    ],
    "clipped_precision": [right_precision, by_taking_away, by_zip, by_text, by_what_is_too_much],
}
