"""Answers to the exercises of lesson 15 that a learner may write, wrong and right."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pandas
from scipy.stats import entropy

from seqkd_lab.lab.meters import entropy_exercise
from seqkd_lab.lab.meters import exercises as lesson_15
from seqkd_lab.lab.meters.entropy_exercise import conditional_entropy as right_entropy
from seqkd_lab.lab.meters.exercises import history_dependence as right_history


def entropy_of(items):
    return float(entropy(list(Counter(items).values())))


# conditional_entropy: wrong


def of_sources(pairs):
    return entropy_of(source for source, _ in pairs)


def decimal(pairs):
    return right_entropy(pairs) / math.log(10)


def perplexity(pairs):
    return math.exp(right_entropy(pairs))


def probability_for_log(pairs):
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    return sum(n * of_pair[s, t] / of_source[s] for (s, t), n in of_pair.items()) / len(pairs)


def p_log_p_summed_over_sources(pairs):
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    return -sum(n / of_source[s] * math.log(n / of_source[s]) for (s, _), n in of_pair.items())


def by_the_number_of_sources(pairs):
    return right_entropy(pairs) * len(pairs) / len({s for s, _ in pairs})


def by_the_number_of_targets(pairs):
    return right_entropy(pairs) * len(pairs) / len({t for _, t in pairs})


def joint_probability(pairs):
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    n = len(pairs)
    return -sum(count / n * math.log(count / n / of_source[s]) for (s, _), count in of_pair.items())


def divided_by_the_target(pairs):
    of_target, of_pair = Counter(t for _, t in pairs), Counter(pairs)
    return -sum(n * math.log(min(1.0, n / of_target[t])) for (_, t), n in of_pair.items()) / len(
        pairs
    )


def best_only(pairs):
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    best = {s: max(n for (other, _), n in of_pair.items() if other == s) for s in of_source}
    return -sum(of_source[s] * math.log(best[s] / of_source[s]) for s in of_source) / len(pairs)


def smoothed(pairs):
    of_source, of_pair, n_targets = (
        Counter(s for s, _ in pairs),
        Counter(pairs),
        len({t for _, t in pairs}),
    )
    return -sum(
        n * math.log((n + 1) / (of_source[s] + n_targets)) for (s, _), n in of_pair.items()
    ) / len(pairs)


def number_of_translations(pairs):
    by_source = defaultdict(set)
    for s, t in pairs:
        by_source[s].add(t)
    return sum(math.log(len(by_source[s])) for s, _ in pairs) / len(pairs)


def normalised(pairs):
    most = math.log(max(2, len({t for _, t in pairs})))
    return right_entropy(pairs) / most


def corrected_for_few(pairs):
    return right_entropy(pairs) + (len(set(pairs)) - len({s for s, _ in pairs})) / (2 * len(pairs))


def first_source_only(pairs):
    return right_entropy([pair for pair in pairs if pair[0] == pairs[0][0]])


def last_source_only(pairs):
    return right_entropy([pair for pair in pairs if pair[0] == pairs[-1][0]])


def rare_pairs_left_out(pairs):
    counts = Counter(pairs)
    return right_entropy([pair for pair in pairs if counts[pair] > 1] or pairs)


def last_pair_left_out(pairs):
    return right_entropy(pairs[:-1] or pairs)


def one_pair_too_few(pairs):
    return right_entropy(pairs) * len(pairs) / max(1, len(pairs) - 1)


def gini(pairs):
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    return sum(n * (1 - n / of_source[s]) for (s, _), n in of_pair.items()) / len(pairs)


def not_finished(pairs):
    total = 0.0
    of_source, of_pair = Counter(s for s, _ in pairs), Counter(pairs)
    for (s, _), n in of_pair.items():
        total -= n * math.log(n / of_source[s])
        return total / len(pairs)


def by_source_word(pairs):
    return {s: right_entropy([pair for pair in pairs if pair[0] == s]) for s, _ in pairs}


def entropy_without_return(pairs):
    right_entropy(pairs)


# conditional_entropy: right


def by_the_chain_rule(pairs):
    return entropy_of(pairs) - entropy_of(s for s, _ in pairs)


def pair_by_pair(pairs):
    surprises = []
    for s, t in pairs:
        same = [other for source, other in pairs if source == s]
        surprises.append(-math.log(same.count(t) / len(same)))
    return sum(surprises) / len(surprises)


def by_pandas(pairs):
    frame = pandas.DataFrame(pairs, columns=["s", "t"])
    sizes, both = frame.groupby("s").size(), frame.groupby(["s", "t"]).size()
    p = both / sizes.reindex(both.index.get_level_values("s")).to_numpy()
    return -(both * np.log(p)).sum() / len(frame)


def by_a_table(pairs):
    sources, targets = (sorted({pair[i] for pair in pairs}) for i in (0, 1))
    counts = np.zeros((len(sources), len(targets)))
    for s, t in pairs:
        counts[sources.index(s), targets.index(t)] += 1
    weights = counts.sum(1) / counts.sum()
    return weights @ np.array([entropy(row) for row in counts])


# history_dependence: wrong


def words_given(triples, condition):
    return right_entropy([(condition(s, e), w) for s, e, w in triples])


def ratio(triples):
    open_before = words_given(triples, lambda s, e: s)
    return right_history(triples) / open_before if open_before else 0.0


def share_left(triples):
    open_before = words_given(triples, lambda s, e: s)
    return words_given(triples, lambda s, e: (s, e)) / open_before if open_before else 1.0


def added(triples):
    return words_given(triples, lambda s, e: s) + words_given(triples, lambda s, e: (s, e))


def word_alone(triples):
    return entropy_of(w for _, _, w in triples)


def all_that_the_two_tell(triples):
    return word_alone(triples) - words_given(triples, lambda s, e: (s, e))


def what_the_source_tells(triples):
    return word_alone(triples) - words_given(triples, lambda s, e: s)


def choice_given_the_source(triples):
    return right_entropy([(s, e) for s, e, _ in triples])


def choice_given_source_and_word(triples):
    return right_entropy([((s, w), e) for s, e, w in triples])


def word_and_source_swapped(triples):
    return right_history([(w, e, s) for s, e, w in triples])


def joint_of_choice_and_word(triples):
    return right_entropy([(s, (e, w)) for s, e, w in triples])


def condition_and_word_swapped(triples):
    return right_entropy([(w, s) for s, _, w in triples]) - right_entropy(
        [(w, (s, e)) for s, e, w in triples]
    )


def types_alike(triples):
    sources = {s for s, _, _ in triples}
    return sum(right_history([t for t in triples if t[0] == s]) for s in sources) / len(sources)


def each_triple_once(triples):
    return right_history(sorted(set(triples)))


def joined_without_a_blank(triples):
    return words_given(triples, lambda s, e: s) - words_given(triples, lambda s, e: s + e)


def without_the_chance(triples):
    return max(0.0, right_history(triples) - 0.01)


def decimal_logarithm(triples):
    return right_history(triples) / math.log(10)


def exponential(triples):
    return math.exp(right_history(triples))


def one_triple_too_few(triples):
    return right_history(triples) * len(triples) / max(1, len(triples) - 1)


def of_the_first_source(triples):
    return right_history([t for t in triples if t[0] == triples[0][0]])


def share_of_words_that_repeat(triples):
    return sum(e == w for _, e, w in triples) / len(triples)


def both_terms(triples):
    return words_given(triples, lambda s, e: s), words_given(triples, lambda s, e: (s, e))


def always_zero(triples):
    return 0.0


def history_without_return(triples):
    right_history(triples)


# history_dependence: right


def by_symmetry(triples):
    return choice_given_the_source(triples) - choice_given_source_and_word(triples)


def by_joint_entropies(triples):
    return (
        entropy_of((s, w) for s, _, w in triples)
        + entropy_of((s, e) for s, e, _ in triples)
        - entropy_of(triples)
        - entropy_of(s for s, _, _ in triples)
    )


def never_below_zero(triples):
    return max(0.0, by_joint_entropies(triples))


def as_a_divergence(triples):
    n = Counter(triples)
    with_choice, with_word = (Counter((t[0], t[i]) for t in triples) for i in (1, 2))
    of_source = Counter(t[0] for t in triples)
    return sum(
        c * math.log(c * of_source[s] / (with_choice[s, e] * with_word[s, w]))
        for (s, e, w), c in n.items()
    ) / len(triples)


def source_by_source(triples):
    total = 0.0
    for source in {s for s, _, _ in triples}:
        here = [(e, w) for s, e, w in triples if s == source]
        total += len(here) * (entropy_of(w for _, w in here) - by_the_chain_rule(here))
    return np.float64(total / len(triples))


WRONG = {
    "conditional_entropy": {
        entropy_exercise._of_targets_alone: "H(target)",
        entropy_exercise._joint: "joint entropy",
        entropy_exercise._reversed_condition: "condition is turned round",
        entropy_exercise._types_alike: "word type",
        entropy_exercise._sign: "sign is lost",
        entropy_exercise._in_bits: "in bits",
        entropy_exercise._summed: "a sum over the pairs",
        entropy_exercise._each_pair_once: "counts once here",
        entropy_exercise._over_distinct_pairs: "*different* pairs",
        entropy_exercise._mutual_information: "stays open",
        **dict.fromkeys(
            (
                of_sources,
                decimal,
                perplexity,
                probability_for_log,
                p_log_p_summed_over_sources,
                by_the_number_of_sources,
                by_the_number_of_targets,
                joint_probability,
                divided_by_the_target,
                best_only,
                smoothed,
                number_of_translations,
                normalised,
                corrected_for_few,
                first_source_only,
                last_source_only,
                rare_pairs_left_out,
                last_pair_left_out,
                one_pair_too_few,
                gini,
                not_finished,
                by_source_word,
                entropy_without_return,
            )
        ),
        divided_by_the_target: "condition is turned round",
    },
    "history_dependence": {
        lesson_15._source_only: "all of the uncertainty",
        lesson_15._left_over: "what stays uncertain",
        lesson_15._without_the_source: "source is left out",
        lesson_15._turned_round: "difference is turned round",
        lesson_15._dependence_in_bits: "in bits",
        lesson_15._dependence_summed: "a sum over the triples",
        lesson_15._earlier_instead_of_both: "*alone*",
        lesson_15._what_the_source_saves: "are swapped",
        **dict.fromkeys(
            (
                ratio,
                share_left,
                added,
                word_alone,
                all_that_the_two_tell,
                what_the_source_tells,
                choice_given_the_source,
                choice_given_source_and_word,
                word_and_source_swapped,
                joint_of_choice_and_word,
                condition_and_word_swapped,
                types_alike,
                each_triple_once,
                joined_without_a_blank,
                without_the_chance,
                decimal_logarithm,
                exponential,
                one_triple_too_few,
                of_the_first_source,
                share_of_words_that_repeat,
                both_terms,
                always_zero,
                history_without_return,
            )
        ),
    },
}
RIGHT = {
    "conditional_entropy": [right_entropy, by_the_chain_rule, pair_by_pair, by_pandas, by_a_table],
    "history_dependence": [
        right_history,
        by_symmetry,
        by_joint_entropies,
        never_below_zero,
        as_a_divergence,
        source_by_source,
    ],
}
