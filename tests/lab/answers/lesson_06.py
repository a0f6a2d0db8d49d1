"""Answers to the exercises of lesson 6 that a learner may write, wrong and right."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import torch

from seqkd_lab.lab.seq_kd import exercises as lesson_06
from seqkd_lab.lab.seq_kd.exercises import length_ratio as right_ratio
from seqkd_lab.lab.seq_kd.exercises import mode_mass as right_mass

# mode_mass: wrong


def mean_of_logs_negated(log_probs):
    return -sum(log_probs) / len(log_probs)


def negated(log_probs):
    return -right_mass(log_probs)


def exp_of_minus(log_probs):
    return sum(math.exp(-x) for x in log_probs) / len(log_probs)


def one_minus(log_probs):
    return 1.0 - right_mass(log_probs)


def product(log_probs):
    return math.exp(sum(log_probs))


def best_only(log_probs):
    return math.exp(max(log_probs))


def worst_only(log_probs):
    return math.exp(min(log_probs))


def first_only(log_probs):
    return math.exp(log_probs[0])


def last_only(log_probs):
    for log_prob in log_probs:
        p = math.exp(log_prob)
    return p


def returns_in_the_loop(log_probs):
    total = 0.0
    for log_prob in log_probs:
        total += math.exp(log_prob)
        return total / len(log_probs)


def one_too_few(log_probs):
    return sum(map(math.exp, log_probs)) / max(1, len(log_probs) - 1)


def one_too_many(log_probs):
    return sum(map(math.exp, log_probs)) / (len(log_probs) + 1)


def without_the_last(log_probs):
    return right_mass(log_probs[:-1] or log_probs)


def harmonic(log_probs):
    return statistics.harmonic_mean([math.exp(x) for x in log_probs])


def powers_of_ten(log_probs):
    return sum(10.0**x for x in log_probs) / len(log_probs)


def exp_twice(log_probs):
    return sum(math.exp(math.exp(x)) for x in log_probs) / len(log_probs)


def log_again(log_probs):
    return math.log(right_mass(log_probs))


def probabilities_weighted_by_themselves(log_probs):
    p = [math.exp(x) for x in log_probs]
    return sum(x * x for x in p) / sum(p)


def softmax_best(log_probs):
    return float(torch.tensor(log_probs).softmax(0).max())


def softmax_mean(log_probs):
    return float(torch.tensor(log_probs).softmax(0).mean())


def expm1(log_probs):
    return sum(map(math.expm1, log_probs)) / len(log_probs)


def share_above_half(log_probs):
    return sum(math.exp(x) > 0.5 for x in log_probs) / len(log_probs)


def entropy_like(log_probs):
    return -sum(math.exp(x) * x for x in log_probs) / len(log_probs)


def distinct_ones(log_probs):
    return sum(map(math.exp, set(log_probs))) / len(set(log_probs))


def distinct_below(log_probs):
    return sum(map(math.exp, log_probs)) / len(set(log_probs))


def rounded(log_probs):
    return round(right_mass(log_probs), 2)


def whole_numbers(log_probs):
    return sum(map(math.exp, log_probs)) // len(log_probs)


def a_value_a_sentence(log_probs):
    return [math.exp(x) for x in log_probs]


def prints_it(log_probs):
    print(right_mass(log_probs))


# mode_mass: right


def by_numpy(log_probs):
    return np.exp(np.array(log_probs)).mean()


def by_torch(log_probs):
    return torch.tensor(log_probs, dtype=torch.float64).exp().mean()


def by_logsumexp(log_probs):
    return math.exp(torch.tensor(log_probs).logsumexp(0).item() - math.log(len(log_probs)))


def by_statistics(log_probs):
    return statistics.fmean(map(math.exp, log_probs))


def by_a_loop(log_probs):
    mean = 0.0
    for n, log_prob in enumerate(log_probs, start=1):
        mean += (math.e**log_prob - mean) / n
    return mean


# length_ratio: wrong


def first_sentence(distilled, gold):
    return len(distilled[0]) / len(gold[0])


def last_sentence(distilled, gold):
    return len(distilled[-1]) / len(gold[-1])


def with_the_end(distilled, gold):
    return sum(len(s) + 1 for s in distilled) / sum(len(s) + 1 for s in gold)


def without_the_full_stop(distilled, gold):
    return sum(max(0, len(s) - 1) for s in distilled) / max(1, sum(len(s) - 1 for s in gold))


def median_ratio(distilled, gold):
    return statistics.median(len(d) / len(g) for d, g in zip(distilled, gold, strict=True))


def ratio_of_medians(distilled, gold):
    return statistics.median(map(len, distilled)) / statistics.median(map(len, gold))


def ratio_of_the_longest(distilled, gold):
    return max(map(len, distilled)) / max(map(len, gold))


def at_most_one(distilled, gold):
    return min(1.0, right_ratio(distilled, gold))


def logarithm(distilled, gold):
    return math.log(right_ratio(distilled, gold))


def brevity_penalty(distilled, gold):
    ratio = right_ratio(distilled, gold)
    return 1.0 if ratio >= 1.0 else math.exp(1.0 - 1.0 / ratio)


def of_both(distilled, gold):
    n, m = sum(map(len, distilled)), sum(map(len, gold))
    return n / (n + m)


def relative_difference(distilled, gold):
    return right_ratio(distilled, gold) - 1.0


def mean_difference(distilled, gold):
    return sum(len(d) - len(g) for d, g in zip(distilled, gold, strict=True)) / len(gold)


def weighted_by_the_translation(distilled, gold):
    pairs = list(zip(distilled, gold, strict=True))
    return sum(len(d) * len(d) / len(g) for d, g in pairs) / max(1, sum(len(d) for d, _ in pairs))


def geometric_mean(distilled, gold):
    return math.exp(
        statistics.fmean(
            math.log(max(len(d), 1) / len(g)) for d, g in zip(distilled, gold, strict=True)
        )
    )


def empty_ones_left_out(distilled, gold):
    pairs = [(d, g) for d, g in zip(distilled, gold, strict=True) if d]
    return sum(len(d) for d, _ in pairs) / sum(len(g) for _, g in pairs)


def words_of_gold_kept(distilled, gold):
    kept = sum(word in g for d, g in zip(distilled, gold, strict=True) for word in d)
    return kept / sum(map(len, gold))


def only_letters(distilled, gold):
    def count(corpus):
        return sum(word.isalpha() for sentence in corpus for word in sentence)

    return count(distilled) / count(gold)


def words_per_sentence(distilled, gold):
    return sum(map(len, distilled)) / len(gold)


def sentences_that_changed(distilled, gold):
    pairs = [(d, g) for d, g in zip(distilled, gold, strict=True) if d != g] or [((), gold[0])]
    return sum(len(d) for d, _ in pairs) / sum(len(g) for _, g in pairs)


def a_ratio_a_sentence(distilled, gold):
    return [len(d) / len(g) for d, g in zip(distilled, gold, strict=True)]


def shorter_side_only(distilled, gold):
    return sum(min(len(d), len(g)) for d, g in zip(distilled, gold, strict=True)) / sum(
        map(len, gold)
    )


def ratio_returned_as_text(distilled, gold):
    return f"{right_ratio(distilled, gold):.6f}"


def ratio_rounded(distilled, gold):
    return round(right_ratio(distilled, gold), 1)


def no_return(distilled, gold):
    right_ratio(distilled, gold)


# length_ratio: right


def ratio_by_numpy(distilled, gold):
    return np.sum([len(s) for s in distilled]) / np.sum([len(s) for s in gold])


def ratio_by_chain(distilled, gold):
    n, m = (len(list(itertools.chain.from_iterable(corpus))) for corpus in (distilled, gold))
    return n / m


def ratio_by_torch(distilled, gold):
    n, m = (torch.tensor([len(s) for s in corpus]).sum() for corpus in (distilled, gold))
    return n / m


def ratio_of_mean_lengths(distilled, gold):
    return statistics.fmean(map(len, distilled)) / statistics.fmean(map(len, gold))


def ratio_by_loops(distilled, gold):
    n = m = 0
    for d, g in zip(distilled, gold, strict=True):
        for _ in d:
            n += 1
        for _ in g:
            m += 1
    return n / m


WRONG = {
    "mode_mass": {
        lesson_06._exp_of_mean: "geometric mean",
        lesson_06._summed: "a sum over the sentences",
        lesson_06._left_logarithmic: "still log-probabilities",
        lesson_06._perplexity: "a perplexity",
        lesson_06._powers_of_two: "powers of 2",
        lesson_06._in_percent: "in percent",
        lesson_06._median: "median",
        **dict.fromkeys(
            (
                mean_of_logs_negated,
                negated,
                exp_of_minus,
                one_minus,
                product,
                best_only,
                worst_only,
                first_only,
                last_only,
                returns_in_the_loop,
                one_too_few,
                one_too_many,
                without_the_last,
                harmonic,
                powers_of_ten,
                exp_twice,
                log_again,
                probabilities_weighted_by_themselves,
                softmax_best,
                softmax_mean,
                expm1,
                share_above_half,
                entropy_like,
                distinct_ones,
                distinct_below,
                rounded,
                whole_numbers,
                a_value_a_sentence,
                prints_it,
            )
        ),
    },
    "length_ratio": {
        lesson_06._mean_of_ratios: "mean of the sentences' ratios",
        lesson_06._upside_down: "upside down",
        lesson_06._sentences_counted: "counts sentences",
        lesson_06._characters: "with the blanks",
        lesson_06._letters: "letters of the words",
        lesson_06._difference: "a difference",
        lesson_06._distinct_words: "different words",
        lesson_06._in_percent_of_gold: "in percent",
        lesson_06._whole_number: "whole number",
        **dict.fromkeys(
            (
                first_sentence,
                last_sentence,
                with_the_end,
                without_the_full_stop,
                median_ratio,
                ratio_of_medians,
                ratio_of_the_longest,
                at_most_one,
                logarithm,
                brevity_penalty,
                of_both,
                relative_difference,
                mean_difference,
                weighted_by_the_translation,
                geometric_mean,
                empty_ones_left_out,
                words_of_gold_kept,
                only_letters,
                words_per_sentence,
                sentences_that_changed,
                a_ratio_a_sentence,
                shorter_side_only,
                ratio_returned_as_text,
                ratio_rounded,
                no_return,
            )
        ),
    },
}
RIGHT = {
    "mode_mass": [right_mass, by_numpy, by_torch, by_logsumexp, by_statistics, by_a_loop],
    "length_ratio": [
        right_ratio,
        ratio_by_numpy,
        ratio_by_chain,
        ratio_by_torch,
        ratio_of_mean_lengths,
        ratio_by_loops,
    ],
}
