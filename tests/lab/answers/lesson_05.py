"""Answers to lesson 5's exercises that a learner may write: wrong ones with the mistake that is
named, right ones."""

from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
import torch

from seqkd_lab.lab.beam.exercises import beam_step as right_step
from seqkd_lab.lab.beam.ranking_exercise import rank_with_penalty as right_ranking

END = "</s>"


def finished(words):
    return len(words) > 0 and words[-1] == END


def grown(hypotheses, next_log_probs):
    """All candidates in no order."""
    for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True):
        if finished(words):
            yield words, log_prob
        else:
            yield from ((words + (word,), log_prob + more) for word, more in after.items())


def best(candidates, n, key=lambda candidate: candidate[1]):
    return sorted(candidates, key=key, reverse=True)[:n]


# beam_step, wrong


def step_by_mean_per_word(hypotheses, next_log_probs, beam_size):
    return best(grown(hypotheses, next_log_probs), beam_size, lambda c: c[1] / len(c[0]))


def step_by_mean_without_end(hypotheses, next_log_probs, beam_size):
    return best(
        grown(hypotheses, next_log_probs),
        beam_size,
        lambda c: c[1] / max(1, len(c[0]) - finished(c[0])),
    )


def step_by_square_root_of_length(hypotheses, next_log_probs, beam_size):
    return best(grown(hypotheses, next_log_probs), beam_size, lambda c: c[1] / len(c[0]) ** 0.5)


def step_each_its_best(hypotheses, next_log_probs, beam_size):
    kept = [
        max(grown([h], [after]), key=lambda c: c[1])
        for h, after in zip(hypotheses, next_log_probs, strict=True)
    ]
    return best(kept, beam_size)


def step_k_of_each(hypotheses, next_log_probs, beam_size):
    pairs = zip(hypotheses, next_log_probs, strict=True)
    return [candidate for h, after in pairs for candidate in best(grown([h], [after]), beam_size)]


def step_last_word_only(hypotheses, next_log_probs, beam_size):
    candidates = []
    for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True):
        candidates += (
            [(words, log_prob)] if finished(words) else [((*words, w), p) for w, p in after.items()]
        )
    return best(candidates, beam_size)


def step_ranked_by_the_last_word(hypotheses, next_log_probs, beam_size):
    """The right numbers, the wrong order: sorted by the word's own log-probability."""
    candidates = []
    for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True):
        stays = [(log_prob, (words, log_prob))]
        candidates += (
            stays
            if finished(words)
            else [(p, ((*words, w), log_prob + p)) for w, p in after.items()]
        )
    return [candidate for _, candidate in best(candidates, beam_size, lambda c: c[0])]


def step_ends_grow(hypotheses, next_log_probs, beam_size):
    pairs = zip(hypotheses, next_log_probs, strict=True)
    return best(
        [((*words, w), p + q) for (words, p), after in pairs for w, q in after.items()], beam_size
    )


def step_ends_lost(hypotheses, next_log_probs, beam_size):
    return best(
        [c for c in grown(hypotheses, next_log_probs) if c[0] not in [h[0] for h in hypotheses]],
        beam_size,
    )


def step_new_ends_lost(hypotheses, next_log_probs, beam_size):
    old = [words for words, _ in hypotheses]
    return best(
        [c for c in grown(hypotheses, next_log_probs) if not finished(c[0]) or c[0] in old],
        beam_size,
    )


def step_ends_guaranteed(hypotheses, next_log_probs, beam_size):
    ends = [h for h in hypotheses if finished(h[0])]
    others = [c for c in grown(hypotheses, next_log_probs) if c not in ends]
    return best(ends + best(others, max(0, beam_size - len(ends))), len(hypotheses) + beam_size)


def step_ends_in_front(hypotheses, next_log_probs, beam_size):
    ends = [h for h in hypotheses if finished(h[0])]
    return (
        ends + best([c for c in grown(hypotheses, next_log_probs) if c not in ends], beam_size)
    )[:beam_size]


def step_ends_take_no_place(hypotheses, next_log_probs, beam_size):
    ends = [h for h in hypotheses if finished(h[0])]
    return best(
        ends + best([c for c in grown(hypotheses, next_log_probs) if c not in ends], beam_size), 99
    )


def step_ends_end_again(hypotheses, next_log_probs, beam_size):
    """A finished hypothesis pays for </s> once more."""
    candidates = []
    for (words, p), after in zip(hypotheses, next_log_probs, strict=True):
        candidates += (
            [(words, p + after[END])] if finished(words) else list(grown([(words, p)], [after]))
        )
    return best(candidates, beam_size)


def step_ends_get_a_second_end(hypotheses, next_log_probs, beam_size):
    kept = best(grown(hypotheses, next_log_probs), beam_size)
    return [
        ((*words, END), p) if words in [h[0] for h in hypotheses] else (words, p)
        for words, p in kept
    ]


def step_logs_multiplied(hypotheses, next_log_probs, beam_size):
    candidates = []
    for (words, p), after in zip(hypotheses, next_log_probs, strict=True):
        candidates += (
            [(words, p)] if finished(words) else [((*words, w), p * q) for w, q in after.items()]
        )
    return best(candidates, beam_size)


def step_gives_probabilities(hypotheses, next_log_probs, beam_size):
    return [(words, math.exp(p)) for words, p in right_step(hypotheses, next_log_probs, beam_size)]


def step_adds_probabilities(hypotheses, next_log_probs, beam_size):
    candidates = []
    for (words, p), after in zip(hypotheses, next_log_probs, strict=True):
        more = [((*words, w), math.log(math.exp(p) + math.exp(q))) for w, q in after.items()]
        candidates += [(words, p)] if finished(words) else more
    return best(candidates, beam_size)


def step_adds_p_to_log_p(hypotheses, next_log_probs, beam_size):
    candidates = []
    for (words, p), after in zip(hypotheses, next_log_probs, strict=True):
        more = [((*words, w), p + math.exp(q)) for w, q in after.items()]
        candidates += [(words, p)] if finished(words) else more
    return best(candidates, beam_size)


def step_words_only(hypotheses, next_log_probs, beam_size):
    return [words for words, _ in right_step(hypotheses, next_log_probs, beam_size)]


def step_log_prob_first(hypotheses, next_log_probs, beam_size):
    return [(p, words) for words, p in right_step(hypotheses, next_log_probs, beam_size)]


def step_last_words(hypotheses, next_log_probs, beam_size):
    return [(words[-1:], p) for words, p in right_step(hypotheses, next_log_probs, beam_size)]


def step_prepends(hypotheses, next_log_probs, beam_size):
    old = [h[0] for h in hypotheses]
    kept = right_step(hypotheses, next_log_probs, beam_size)
    return [(words, p) if words in old else ((words[-1], *words[:-1]), p) for words, p in kept]


def step_best_last(hypotheses, next_log_probs, beam_size):
    return sorted(grown(hypotheses, next_log_probs), key=lambda c: c[1])[-beam_size:]


def step_worst(hypotheses, next_log_probs, beam_size):
    return sorted(grown(hypotheses, next_log_probs), key=lambda c: c[1])[:beam_size]


def step_unsorted(hypotheses, next_log_probs, beam_size):
    kept = best(grown(hypotheses, next_log_probs), beam_size)
    return [candidate for candidate in grown(hypotheses, next_log_probs) if candidate in kept]


def step_all(hypotheses, next_log_probs, beam_size):
    return best(grown(hypotheses, next_log_probs), 99)


def step_one_too_few(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses, next_log_probs, beam_size)[: beam_size - 1]


def step_one_too_many(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses, next_log_probs, beam_size + 1)


def step_as_many_as_before(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses, next_log_probs, len(hypotheses))


def step_first_only(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses[:1], next_log_probs[:1], beam_size)


def step_one_dictionary_for_all(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses, [next_log_probs[0]] * len(hypotheses), beam_size)


def step_by_last_word_in_a_dictionary(hypotheses, next_log_probs, beam_size):
    """Candidates kept by their last word: two beginnings with one last word become one."""
    by_word = {}
    for words, p in grown(hypotheses, next_log_probs):
        if words[-1] not in by_word or p > by_word[words[-1]][1]:
            by_word[words[-1]] = (words, p)
    return best(by_word.values(), beam_size)


def step_by_log_prob_in_a_dictionary(hypotheses, next_log_probs, beam_size):
    """Candidates kept by their log_prob: of two equal ones the first is lost."""
    words_of = {p: words for words, p in grown(hypotheses, next_log_probs)}
    return [(words_of[p], p) for p in sorted(words_of, reverse=True)[:beam_size]]


def step_no_word_twice(hypotheses, next_log_probs, beam_size):
    fresh = [c for c in grown(hypotheses, next_log_probs) if len(set(c[0])) == len(c[0])]
    return best(fresh, beam_size)


def step_renormalised(hypotheses, next_log_probs, beam_size):
    kept = right_step(hypotheses, next_log_probs, beam_size)
    total = math.log(sum(math.exp(p) for _, p in kept))
    return [(words, p - total) for words, p in kept]


def step_greedy(hypotheses, next_log_probs, beam_size):
    return right_step(hypotheses, next_log_probs, 1)


def step_stops_at_the_first_end(hypotheses, next_log_probs, beam_size):
    return (
        hypotheses[:beam_size]
        if any(finished(h[0]) for h in hypotheses)
        else right_step(hypotheses, next_log_probs, beam_size)
    )


def step_in_bits(hypotheses, next_log_probs, beam_size):
    return [
        (words, p / math.log(2)) for words, p in right_step(hypotheses, next_log_probs, beam_size)
    ]


def step_cuts_the_end_off(hypotheses, next_log_probs, beam_size):
    kept = right_step(hypotheses, next_log_probs, beam_size)
    return [(words[:-1] if finished(words) else words, p) for words, p in kept]


def step_shares_the_places(hypotheses, next_log_probs, beam_size):
    share = max(1, beam_size // len(hypotheses))
    pairs = zip(hypotheses, next_log_probs, strict=True)
    return best([c for h, after in pairs for c in best(grown([h], [after]), share)], beam_size)


def step_prints(hypotheses, next_log_probs, beam_size):
    right_step(hypotheses, next_log_probs, beam_size)


# beam_step, right


def step_by_heap(hypotheses, next_log_probs, beam_size):
    return heapq.nlargest(beam_size, grown(hypotheses, next_log_probs), key=lambda c: c[1])


def step_by_the_best_k_of_each(hypotheses, next_log_probs, beam_size):
    """More than K children of one parent cannot survive."""
    return best(step_k_of_each(hypotheses, next_log_probs, beam_size), beam_size)


def step_by_topk(hypotheses, next_log_probs, beam_size):
    vocabulary = list(next_log_probs[0])
    rows = torch.tensor(
        [[after[word] for word in vocabulary] for after in next_log_probs], dtype=torch.float64
    )
    scores = rows + torch.tensor([p for _, p in hypotheses], dtype=torch.float64)[:, None]
    alive = torch.tensor([not finished(words) for words, _ in hypotheses])
    stay = torch.tensor([p for _, p in hypotheses], dtype=torch.float64).masked_fill(
        alive, -math.inf
    )
    scores = torch.cat([scores.masked_fill(~alive[:, None], -math.inf), stay[:, None]], dim=1)
    values, places = scores.flatten().topk(min(beam_size, int(scores.isfinite().sum())))
    beam = []
    for value, place in zip(values, places.tolist(), strict=True):
        k, w = divmod(place, len(vocabulary) + 1)
        beam.append((hypotheses[k][0] + tuple(vocabulary[w : w + 1]), value))
    return beam


def step_by_numpy(hypotheses, next_log_probs, beam_size):
    candidates = list(grown(hypotheses, next_log_probs))
    order = np.argsort([-p for _, p in candidates], kind="stable")[:beam_size]
    return [[list(candidates[i][0]), np.float32(candidates[i][1])] for i in order]


def step_as_a_generator(hypotheses, next_log_probs, beam_size):
    yield from best(grown(hypotheses, next_log_probs), beam_size)


def step_by_inserting(hypotheses, next_log_probs, beam_size):
    beam = []
    for words, p in grown(hypotheses, next_log_probs):
        place = 0
        while place < len(beam) and beam[place][1] >= p:
            place += 1
        beam.insert(place, (words, p))
        if len(beam) > beam_size:
            beam.pop()
    return tuple(beam)


def step_by_products(hypotheses, next_log_probs, beam_size):
    kept = []
    for (words, p), after in zip(hypotheses, next_log_probs, strict=True):
        more = {(): 1.0} if finished(words) else {(w,): math.exp(q) for w, q in after.items()}
        kept += [((*words, *w), math.exp(p) * q) for w, q in more.items()]
    return [(words, math.log(p)) for words, p in best(kept, beam_size)]


# rank_with_penalty, wrong


def by(score):
    return lambda hypotheses: [words for words, _ in sorted(hypotheses, key=score, reverse=True)]


def rank_plain(hypotheses, length_penalty):
    return by(lambda h: h[1])(hypotheses)


def rank_multiplied(hypotheses, length_penalty):
    return by(lambda h: h[1] * len(h[0]) ** length_penalty)(hypotheses)


def rank_worst_first(hypotheses, length_penalty):
    return right_ranking(hypotheses, length_penalty)[::-1]


def rank_by_the_mean(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(h[0]))(hypotheses)


def rank_by_p_times_length(hypotheses, length_penalty):
    return by(lambda h: h[1] / (len(h[0]) * length_penalty))(hypotheses)


def rank_by_p_times_length_but_for_0(hypotheses, length_penalty):
    return (
        by(lambda h: h[1] / max(1e-9, len(h[0]) * length_penalty))(hypotheses)
        if length_penalty
        else rank_plain(hypotheses, length_penalty)
    )


def rank_by_1_plus_p_times_length(hypotheses, length_penalty):
    return by(lambda h: h[1] / (1 + length_penalty * len(h[0])))(hypotheses)


def rank_length_subtracted(hypotheses, length_penalty):
    return by(lambda h: h[1] - length_penalty * len(h[0]))(hypotheses)


def rank_length_added(hypotheses, length_penalty):
    return by(lambda h: h[1] + length_penalty * len(h[0]))(hypotheses)


def rank_power_added(hypotheses, length_penalty):
    return by(lambda h: h[1] + len(h[0]) ** length_penalty)(hypotheses)


def rank_power_subtracted(hypotheses, length_penalty):
    return by(lambda h: h[1] - len(h[0]) ** length_penalty)(hypotheses)


def rank_probability_divided(hypotheses, length_penalty):
    return by(lambda h: math.exp(h[1]) / len(h[0]) ** length_penalty)(hypotheses)


def rank_end_not_counted(hypotheses, length_penalty):
    return by(lambda h: h[1] / (len(h[0]) - 1) ** length_penalty)(hypotheses)


def rank_length_plus_1(hypotheses, length_penalty):
    return by(lambda h: h[1] / (len(h[0]) + 1) ** length_penalty)(hypotheses)


def rank_by_google(hypotheses, length_penalty):
    return by(lambda h: h[1] / ((5 + len(h[0])) / 6) ** length_penalty)(hypotheses)


def rank_by_characters(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(" ".join(h[0])) ** length_penalty)(hypotheses)


def rank_by_letters(hypotheses, length_penalty):
    return by(lambda h: h[1] / sum(map(len, h[0])) ** length_penalty)(hypotheses)


def rank_by_different_words(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(set(h[0])) ** length_penalty)(hypotheses)


def rank_by_the_root(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(h[0]) ** (length_penalty / 2))(hypotheses)


def rank_by_whole_exponents(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(h[0]) ** int(length_penalty))(hypotheses)


def rank_by_the_other_exponent(hypotheses, length_penalty):
    return by(lambda h: h[1] / len(h[0]) ** (1 - length_penalty))(hypotheses)


def rank_base_and_exponent_swapped(hypotheses, length_penalty):
    return by(lambda h: h[1] / max(1e-9, length_penalty) ** len(h[0]))(hypotheses)


def rank_mean_to_the_power(hypotheses, length_penalty):
    return by(lambda h: -(abs(h[1] / len(h[0])) ** length_penalty))(hypotheses)


def rank_by_size_of_score(hypotheses, length_penalty):
    """The sign forgotten: the largest |score| first."""
    return by(lambda h: abs(h[1]) / len(h[0]) ** length_penalty)(hypotheses)


def rank_by_log_length(hypotheses, length_penalty):
    return by(lambda h: h[1] / math.log(1 + len(h[0])) ** length_penalty)(hypotheses)


def rank_shortest_first(hypotheses, length_penalty):
    return by(lambda h: -len(h[0]))(hypotheses)


def rank_longest_first(hypotheses, length_penalty):
    return by(lambda h: len(h[0]))(hypotheses)


def rank_unsorted(hypotheses, length_penalty):
    return [words for words, _ in hypotheses]


def rank_with_scores(hypotheses, length_penalty):
    ranked = right_ranking(hypotheses, length_penalty)
    return [
        (words, p / len(words) ** length_penalty)
        for words in ranked
        for other, p in hypotheses
        if other == words
    ]


def rank_pairs(hypotheses, length_penalty):
    return sorted(hypotheses, key=lambda h: h[1] / len(h[0]) ** length_penalty, reverse=True)


def rank_best_only(hypotheses, length_penalty):
    return right_ranking(hypotheses, length_penalty)[0]


def rank_scores(hypotheses, length_penalty):
    return sorted((p / len(words) ** length_penalty for words, p in hypotheses), reverse=True)


def rank_places(hypotheses, length_penalty):
    scores = [p / len(words) ** length_penalty for words, p in hypotheses]
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def rank_without_end(hypotheses, length_penalty):
    return [words[:-1] for words in right_ranking(hypotheses, length_penalty)]


def rank_by_a_dictionary(hypotheses, length_penalty):
    """Of two equal scores one is lost."""
    words_of = {p / len(words) ** length_penalty: words for words, p in hypotheses}
    return [words_of[score] for score in sorted(words_of, reverse=True)]


# rank_with_penalty, right


def rank_by_numpy(hypotheses, length_penalty):
    scores = [p / np.power(float(len(words)), length_penalty) for words, p in hypotheses]
    return [list(hypotheses[i][0]) for i in np.argsort(scores)[::-1]]


def rank_by_torch(hypotheses, length_penalty):
    p = torch.tensor([p for _, p in hypotheses])
    length = torch.tensor([len(words) for words, _ in hypotheses])
    return tuple(
        hypotheses[i][0] for i in (p / length**length_penalty).argsort(descending=True).tolist()
    )


def rank_by_perplexity(hypotheses, length_penalty):
    """Smallest exp(−log_prob / lengthᵖ) first: the same order."""
    return (
        w
        for w, _ in sorted(hypotheses, key=lambda h: math.exp(-h[1] / len(h[0]) ** length_penalty))
    )


def rank_by_heap(hypotheses, length_penalty):
    heap = [(-p * len(words) ** -length_penalty, i) for i, (words, p) in enumerate(hypotheses)]
    heapq.heapify(heap)
    return [hypotheses[heapq.heappop(heap)[1]][0] for _ in range(len(heap))]


def rank_by_bubbles(hypotheses, length_penalty):
    ranked = list(hypotheses)
    for _, i in itertools.product(range(len(ranked)), range(len(ranked) - 1)):
        (a, p), (b, q) = ranked[i : i + 2]
        if p * len(b) ** length_penalty < q * len(a) ** length_penalty:
            ranked[i : i + 2] = ranked[i + 1], ranked[i]
    return [words for words, _ in ranked]


WRONG = {
    "beam_step": {
        step_by_mean_per_word: "mean log_prob per word",
        step_by_mean_without_end: None,
        step_by_square_root_of_length: None,
        step_each_its_best: "side by side",
        step_k_of_each: "its own K best words",
        step_last_word_only: "last word alone",
        step_ranked_by_the_last_word: None,
        step_ends_grow: "grows on after </s>",
        step_ends_lost: "finished hypotheses are lost",
        step_new_ends_lost: None,
        step_ends_guaranteed: "keep their places whatever comes",
        step_ends_in_front: None,
        step_ends_take_no_place: None,
        step_ends_end_again: None,
        step_ends_get_a_second_end: None,
        step_logs_multiplied: "are multiplied",
        step_gives_probabilities: "probabilities are returned",
        step_adds_probabilities: None,
        step_adds_p_to_log_p: None,
        step_words_only: None,
        step_log_prob_first: None,
        step_last_words: None,
        step_prepends: None,
        step_best_last: "in the wrong order",
        step_worst: "the order is turned round",
        step_unsorted: None,
        step_all: "beam_size is not used",
        step_one_too_few: None,
        step_one_too_many: None,
        step_as_many_as_before: None,
        step_first_only: None,
        step_one_dictionary_for_all: None,
        step_by_last_word_in_a_dictionary: None,
        step_by_log_prob_in_a_dictionary: None,
        step_no_word_twice: None,
        step_renormalised: None,
        step_greedy: None,
        step_stops_at_the_first_end: None,
        step_in_bits: None,
        step_cuts_the_end_off: None,
        step_shares_the_places: None,
        step_prints: None,
    },
    "rank_with_penalty": {
        rank_plain: "changes nothing here",
        rank_multiplied: "multiplied by lengthᵖ",
        rank_worst_first: "the worst stands first",
        rank_by_size_of_score: "the worst stands first",
        rank_by_the_mean: "always the mean per word",
        rank_by_p_times_length: None,
        rank_by_p_times_length_but_for_0: "multiplies the length",
        rank_by_1_plus_p_times_length: None,
        rank_length_subtracted: "p · length is subtracted",
        rank_length_added: "p · length is added",
        rank_power_added: None,
        rank_power_subtracted: None,
        rank_probability_divided: "the probability is divided",
        rank_end_not_counted: "`</s>` is not counted",
        rank_length_plus_1: None,
        rank_by_google: "Wu et al.",
        rank_by_characters: "in characters",
        rank_by_letters: None,
        rank_by_different_words: None,
        rank_by_the_root: None,
        rank_by_whole_exponents: None,
        rank_by_the_other_exponent: None,
        rank_base_and_exponent_swapped: None,
        rank_mean_to_the_power: "raised to the power",
        rank_by_log_length: None,
        rank_shortest_first: None,
        rank_longest_first: None,
        rank_unsorted: None,
        rank_with_scores: None,
        rank_pairs: "pairs are returned",
        rank_best_only: None,
        rank_scores: None,
        rank_places: None,
        rank_without_end: None,
        rank_by_a_dictionary: None,
    },
}
RIGHT = {
    "beam_step": [
        right_step,
        step_by_heap,
        step_by_the_best_k_of_each,
        step_by_topk,
        step_by_numpy,
        step_as_a_generator,
        step_by_inserting,
        step_by_products,
    ],
    "rank_with_penalty": [
        right_ranking,
        rank_by_numpy,
        rank_by_torch,
        rank_by_perplexity,
        rank_by_heap,
        rank_by_bubbles,
    ],
}
