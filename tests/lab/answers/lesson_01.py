"""Answers to lesson 1's exercises that a learner may write: wrong ones with the mistake that is
named, right ones."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import torch
from scipy.special import entr
from scipy.stats import entropy as scipy_entropy

from seqkd_lab.lab.language.exercises import entropy_of_translations as right_entropy
from seqkd_lab.lab.language.next_word_exercise import next_word_distribution as right_next

END = "</s>"


def ps(probability_of):
    return [p for p in probability_of.values() if p > 0]


# entropy_of_translations, wrong


def entropy_without_minus(probability_of):
    return sum(p * math.log(p) for p in ps(probability_of))


def entropy_in_bits(probability_of):
    return -sum(p * math.log2(p) for p in ps(probability_of))


def entropy_to_base_10(probability_of):
    return -sum(p * math.log10(p) for p in ps(probability_of))


def entropy_unweighted(probability_of):
    return sum(-math.log(p) for p in ps(probability_of)) / len(ps(probability_of))


def entropy_summed(probability_of):
    return -np.log(ps(probability_of)).sum()


def entropy_mean_of_p_log_p(probability_of):
    return -sum(p * math.log(p) for p in ps(probability_of)) / len(probability_of)


def entropy_mean_without_zeros(probability_of):
    return -sum(p * math.log(p) for p in ps(probability_of)) / len(ps(probability_of))


def entropy_of_the_number(probability_of):
    return math.log(len(probability_of))


def entropy_of_the_mode(probability_of):
    return -math.log(max(probability_of.values()))


def entropy_of_the_rarest(probability_of):
    return -math.log(min(ps(probability_of)))


def entropy_one_term(probability_of):
    for p in ps(probability_of):
        return -p * math.log(p)


def entropy_last_term(probability_of):
    total = 0
    for p in ps(probability_of):
        total = -p * math.log(p)
    return total


def entropy_as_exp(probability_of):
    return math.exp(right_entropy(probability_of))


def entropy_of_squares(probability_of):
    """Rényi's of order 2."""
    return -math.log(sum(p * p for p in ps(probability_of)))


def entropy_gini(probability_of):
    return 1 - sum(p * p for p in ps(probability_of))


def entropy_normalised(probability_of):
    n = len(ps(probability_of))
    return right_entropy(probability_of) / math.log(n) if n > 1 else 0.0


def entropy_binary(probability_of):
    return -sum(p * math.log(p) + (1 - p) * math.log(1 - p) for p in ps(probability_of) if p < 1)


def entropy_of_one_minus_p(probability_of):
    return -sum(p * math.log(1 - p) for p in ps(probability_of) if p < 1)


def entropy_log1p(probability_of):
    return sum(p * math.log1p(p) for p in ps(probability_of))


def entropy_with_zeros(probability_of):
    return -sum(p * math.log(p) for p in probability_of.values())


def entropy_with_nan(probability_of):
    p = np.array(list(probability_of.values()))
    with np.errstate(all="ignore"):
        return -(p * np.log(p)).sum()


def entropy_with_a_crumb(probability_of):
    return -sum(p * math.log(p + 0.01) for p in probability_of.values())


def entropy_rounded(probability_of):
    return round(right_entropy(probability_of), 2)


def entropy_over_the_words(probability_of):
    words = Counter(word for translation in probability_of for word in translation)
    return float(scipy_entropy(list(words.values())))


def entropy_per_word(probability_of):
    return right_entropy(probability_of) / max(map(len, probability_of))


def entropy_square_root(probability_of):
    return math.sqrt(right_entropy(probability_of))


def entropy_without_the_mode(probability_of):
    return -sum(p * math.log(p) for p in sorted(ps(probability_of))[:-1])


def entropy_p_to_the_p(probability_of):
    return math.prod(p**-p for p in ps(probability_of))


def entropy_prints(probability_of):
    right_entropy(probability_of)


# entropy_of_translations, right


def entropy_by_fsum(probability_of):
    return math.fsum(p * math.log(1 / p) for p in probability_of.values() if p)


def entropy_by_scipy(probability_of):
    return entr(list(probability_of.values())).sum()


def entropy_by_torch(probability_of):
    return torch.distributions.Categorical(
        torch.tensor(ps(probability_of), dtype=torch.float64)
    ).entropy()


def entropy_by_loop(probability_of):
    surprise = 0
    for translation in probability_of:
        if probability_of[translation] != 0:
            surprise -= probability_of[translation] * np.log(probability_of[translation])
    return surprise


def entropy_from_bits(probability_of):
    return np.array([-sum(p * math.log2(p) for p in ps(probability_of)) * math.log(2)])


def entropy_by_products(probability_of):
    """ln Π p^−p."""
    return math.log(math.prod(p**-p for p in probability_of.values()))


# next_word_distribution, wrong


def mass(pairs):
    found = defaultdict(float)
    for word, p in pairs:
        found[word] += p
    return dict(found)


def shares(found):
    total = sum(found.values())
    return {word: p / total for word, p in found.items()}


def going_on(probability_of, prefix):
    for t, p in probability_of.items():
        if t[: len(prefix)] == prefix:
            yield (t[len(prefix)] if len(t) > len(prefix) else END), p


def next_joint(probability_of, prefix):
    return mass(going_on(probability_of, prefix))


def next_counts(probability_of, prefix):
    return shares(mass((word, 1) for word, _ in going_on(probability_of, prefix)))


def next_any_prefix(probability_of, prefix):
    n = len(prefix)
    return shares(mass(((*t, END)[n], p) for t, p in probability_of.items() if len(t) >= n))


def next_by_one_word(probability_of, prefix):
    n = len(prefix)
    return shares(
        mass(
            ((*t, END)[n], p)
            for t, p in probability_of.items()
            if len(t) >= n and t[:n][-1:] == prefix[-1:]
        )
    )


def next_after_the_last_word_anywhere(probability_of, prefix):
    if not prefix:
        return right_next(probability_of, prefix)
    return shares(
        mass(
            (after, p)
            for t, p in probability_of.items()
            for before, after in zip(t, (*t[1:], END), strict=True)
            if before == prefix[-1]
        )
    )


def next_by_the_first_word(probability_of, prefix):
    n = len(prefix)
    return shares(
        mass(
            ((*t, END)[n], p)
            for t, p in probability_of.items()
            if len(t) >= n and t[:1] == prefix[:1]
        )
    )


def next_same_words_in_any_order(probability_of, prefix):
    n = len(prefix)
    return shares(
        mass(
            ((*t, END)[n], p) for t, p in probability_of.items() if sorted(t[:n]) == sorted(prefix)
        )
    )


def next_overwritten(probability_of, prefix):
    return shares({word: p for word, p in going_on(probability_of, prefix)})


def next_first_of_each(probability_of, prefix):
    found = {}
    for word, p in going_on(probability_of, prefix):
        found.setdefault(word, p)
    return shares(found)


def next_largest_of_each(probability_of, prefix):
    found = {}
    for word, p in going_on(probability_of, prefix):
        found[word] = max(p, found.get(word, 0))
    return shares(found)


def next_averaged(probability_of, prefix):
    pairs = list(going_on(probability_of, prefix))
    return {w: np.mean([p for v, p in pairs if v == w]) for w, _ in pairs}


def next_averaged_and_normalised(probability_of, prefix):
    return shares(next_averaged(probability_of, prefix))


def next_divided_by_the_number(probability_of, prefix):
    pairs = list(going_on(probability_of, prefix))
    return {word: p / len(pairs) for word, p in mass(pairs).items()}


def next_off_by_one(probability_of, prefix):
    n = len(prefix) + 1
    return shares(
        mass(((*t, END, END)[n], p) for t, p in probability_of.items() if t[: n - 1] == prefix)
    )


def next_last_of_the_prefix(probability_of, prefix):
    return right_next(probability_of, prefix[:-1])


def next_without_the_end(probability_of, prefix):
    return shares(
        mass((w, p) for w, p in going_on(probability_of, prefix) if w != END) or {END: 1.0}
    )


def next_end_dropped(probability_of, prefix):
    found = right_next(probability_of, prefix)
    return {word: p for word, p in found.items() if word != END}


def next_end_is_empty(probability_of, prefix):
    return {
        "" if word == END else word: p for word, p in right_next(probability_of, prefix).items()
    }


def next_end_is_none(probability_of, prefix):
    return {
        None if word == END else word: p for word, p in right_next(probability_of, prefix).items()
    }


def next_end_breaks(probability_of, prefix):
    found = defaultdict(float)
    for t, p in probability_of.items():
        if t[: len(prefix)] == prefix:
            found[t[len(prefix)]] += p
    return shares(found)


def next_end_on_top(probability_of, prefix):
    return {END: 0.1, **{w: p for w, p in right_next(probability_of, prefix).items() if w != END}}


def next_all_later_words(probability_of, prefix):
    n = len(prefix)
    return shares(
        mass(
            (word, p)
            for t, p in probability_of.items()
            if t[:n] == prefix
            for word in t[n:] or (END,)
        )
    )


def next_logs(probability_of, prefix):
    return {
        w: math.log(p) if p else -math.inf for w, p in right_next(probability_of, prefix).items()
    }


def next_percent(probability_of, prefix):
    return {w: 100 * p for w, p in right_next(probability_of, prefix).items()}


def next_best_only(probability_of, prefix):
    found = right_next(probability_of, prefix)
    return {max(found, key=found.get): 1.0}


def next_best_word(probability_of, prefix):
    found = right_next(probability_of, prefix)
    return max(found, key=found.get)


def next_uniform(probability_of, prefix):
    found = [w for w, p in right_next(probability_of, prefix).items() if p > 0]
    return dict.fromkeys(found, 1 / len(found))


def next_softmax(probability_of, prefix):
    found = {w: math.exp(p) for w, p in next_joint(probability_of, prefix).items()}
    return shares(found)


def next_squared(probability_of, prefix):
    return shares({w: p * p for w, p in right_next(probability_of, prefix).items()})


def next_pairs(probability_of, prefix):
    return list(right_next(probability_of, prefix).items())


def next_rounded(probability_of, prefix):
    return {w: round(p, 1) for w, p in right_next(probability_of, prefix).items()}


def next_whole_rests(probability_of, prefix):
    n = len(prefix)
    return shares({t[n:] or (END,): p for t, p in probability_of.items() if t[:n] == prefix})


def next_by_a_text(probability_of, prefix):
    """The beginning as letters: “a” begins “ab”, too."""
    start = " ".join(prefix)
    alive = {t: p for t, p in probability_of.items() if " ".join(t).startswith(start)}
    return shares(
        mass(
            ((*t, END)[min(len(t), len(prefix))], p)
            for t, p in alive.items()
            if len(t) > len(prefix)
        )
    )


def next_too_short_ones_end(probability_of, prefix):
    n = len(prefix)
    return shares(
        mass(
            ((*t, END)[min(n, len(t))], p)
            for t, p in probability_of.items()
            if t == prefix[: len(t)] or t[:n] == prefix
        )
    )


def next_shrinks(probability_of, prefix):
    """The total is taken over all translations of the same length or longer."""
    total = sum(p for t, p in probability_of.items() if len(t) >= len(prefix))
    return {w: p / total for w, p in next_joint(probability_of, prefix).items()}


# next_word_distribution, right


def next_with_every_word(probability_of, prefix):
    """Words that cannot come next have 0.0."""
    vocabulary = {word for t in probability_of for word in t} | {END}
    return dict.fromkeys(sorted(vocabulary), 0.0) | right_next(probability_of, prefix)


def next_by_counter(probability_of, prefix):
    counts = Counter()
    for t, p in probability_of.items():
        if list(t[: len(prefix)]) == list(prefix):
            counts[(*t, END)[len(prefix)]] += p
    total = counts.total()
    return Counter({w: p / total for w, p in counts.items()})


def next_by_numpy(probability_of, prefix):
    alive = [(t, p) for t, p in probability_of.items() if t[: len(prefix)] == prefix and p > 0]
    words, inverse = np.unique([(*t, END)[len(prefix)] for t, _ in alive], return_inverse=True)
    weights = np.bincount(inverse, [p for _, p in alive])
    return {
        str(word): np.float32(p) for word, p in zip(words, weights / weights.sum(), strict=True)
    }


def next_by_tensors(probability_of, prefix):
    found = next_joint(probability_of, prefix)
    p = torch.tensor(list(found.values()))
    return dict(zip(found, p / p.sum(), strict=True))


def next_step_by_step(probability_of, prefix):
    """Conditions on one word of the prefix after the other."""

    def kept(alive, step):
        place, word = step
        return {t: p for t, p in alive.items() if t[place : place + 1] == (word,)}

    alive = functools.reduce(kept, enumerate(prefix), dict(probability_of))
    total = sum(alive.values())
    found = defaultdict(lambda: 0)
    for t, p in alive.items():
        found[t[len(prefix)] if t[len(prefix) :] else END] += p / total
    return found


def next_by_fractions(probability_of, prefix):
    exact = {w: Fraction(p) for w, p in next_joint(probability_of, prefix).items()}
    return {w: float(p / sum(exact.values())) for w, p in exact.items()}


WRONG = {
    "entropy_of_translations": {
        entropy_without_minus: "the sign is wrong",
        entropy_in_bits: "in bits",
        entropy_to_base_10: "base 10",
        entropy_unweighted: "counts alike",
        entropy_summed: "without weights",
        entropy_mean_of_p_log_p: "divided by the number",
        entropy_mean_without_zeros: None,
        entropy_of_the_number: "logarithm of the number",
        entropy_of_the_mode: "most probable translation alone",
        entropy_of_the_rarest: None,
        entropy_one_term: None,
        entropy_last_term: None,
        entropy_as_exp: "this is exp(H)",
        entropy_of_squares: None,
        entropy_gini: None,
        entropy_normalised: None,
        entropy_binary: None,
        entropy_of_one_minus_p: None,
        entropy_log1p: None,
        entropy_with_zeros: "0 · ln 0",
        entropy_with_nan: "0 · ln 0",
        entropy_with_a_crumb: None,
        entropy_rounded: None,
        entropy_over_the_words: None,
        entropy_per_word: None,
        entropy_square_root: None,
        entropy_without_the_mode: None,
        entropy_p_to_the_p: "this is exp(H)",
        entropy_prints: None,
    },
    "next_word_distribution": {
        next_joint: "joint probabilities",
        next_counts: "counts alike",
        next_any_prefix: "begin otherwise",
        next_by_one_word: "only the last word of the prefix",
        next_after_the_last_word_anywhere: None,
        next_by_the_first_word: None,
        next_same_words_in_any_order: None,
        next_overwritten: "one translation only",
        next_first_of_each: None,
        next_largest_of_each: None,
        next_averaged: "are averaged",
        next_averaged_and_normalised: None,
        next_divided_by_the_number: None,
        next_off_by_one: None,
        next_last_of_the_prefix: None,
        next_without_the_end: None,
        next_end_dropped: "missing from the others",
        next_end_is_empty: None,
        next_end_is_none: None,
        next_end_breaks: None,
        next_end_on_top: None,
        next_all_later_words: "every later word",
        next_logs: "log-probabilities",
        next_percent: None,
        next_best_only: None,
        next_best_word: None,
        next_uniform: None,
        next_softmax: None,
        next_squared: None,
        next_pairs: None,
        next_rounded: None,
        next_whole_rests: None,
        next_by_a_text: None,
        next_too_short_ones_end: None,
        next_shrinks: None,
    },
}
RIGHT = {
    "entropy_of_translations": [
        right_entropy,
        entropy_by_fsum,
        entropy_by_scipy,
        entropy_by_torch,
        entropy_by_loop,
        entropy_from_bits,
        entropy_by_products,
    ],
    "next_word_distribution": [
        right_next,
        next_with_every_word,
        next_by_counter,
        next_by_numpy,
        next_by_tensors,
        next_step_by_step,
        next_by_fractions,
    ],
}
