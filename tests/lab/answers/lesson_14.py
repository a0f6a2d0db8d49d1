"""Answers to the exercises of lesson 14: whose weights wrote a sentence, the packed mask, k words
and the rest."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn.functional import kl_div

# written_after(update, interval): wrong


def after_own_window(update, interval):
    return update // interval * interval


def after_one_interval(update, interval):
    return max(0, update - interval)


def after_two_intervals(update, interval):
    return max(0, update - 2 * interval)


def after_number_of_window(update, interval):
    return max(0, update // interval - 1)


def after_own_number(update, interval):
    return update // interval


def after_below_nought(update, interval):
    return update // interval * interval - interval


def after_absolute(update, interval):
    return abs(update // interval - 1) * interval


def after_two_windows(update, interval):
    return max(0, update // interval - 2) * interval


def after_age(update, interval):
    return update - max(0, update // interval - 1) * interval


def after_next_window(update, interval):
    return (update // interval + 1) * interval


def after_rest(update, interval):
    return update % interval


def after_nearest(update, interval):
    return max(0, round(update / interval) - 1) * interval


def after_rounded_up(update, interval):
    return max(0, math.ceil(update / interval) - 1) * interval


def after_true_division(update, interval):
    return max(0, update / interval - 1) * interval


def after_one_late(update, interval):
    return max(0, (update + 1) // interval - 1) * interval


def after_one_early(update, interval):
    return max(0, (update - 1) // interval - 1) * interval


def after_end_of_window_before(update, interval):
    return max(0, update // interval * interval - 1)


def after_update_before(update, interval):
    return max(0, update - 1)


def after_itself(update, interval):
    return update


def after_first_window_counts(update, interval):
    return max(1, update // interval - 1) * interval


def after_never_zero(update, interval):
    return max(interval, (update // interval - 1) * interval)


def after_zero_alone(update, interval):
    return 0 if update < interval else update // interval * interval


def after_none_before(update, interval):
    return (update // interval - 1) * interval if update >= interval else None


def after_swapped(update, interval):
    return max(0, interval // max(update, 1) - 1) * update


def after_middle(update, interval):
    return max(0, update // interval * interval - interval // 2)


def after_pair(update, interval):
    return update // interval, max(0, update // interval - 1) * interval


def after_not_returned(update, interval):
    max(0, update // interval - 1) * interval  # noqa: B018


# right


def after_by_rest(update, interval):
    return max(0, update - update % interval - interval)


def after_by_condition(update, interval):
    return 0 if update < 2 * interval else (update // interval - 1) * interval


def after_by_walking(update, interval):
    sent, before = 0, 0
    for done in range(1, update + 1):
        if done % interval == 0:
            sent, before = done, sent
    return before


def after_by_torch(update, interval):
    window = torch.div(torch.tensor(update), interval, rounding_mode="floor")
    return torch.relu(window - 1) * interval


# packed_mask(sentence): wrong


def own(sentence):
    return sentence[:, None] == sentence[None, :]


def lower(sentence, diagonal=0):
    return torch.ones(len(sentence), len(sentence), dtype=torch.bool).tril(diagonal)


def mask_causal(sentence):
    return lower(sentence)


def mask_blocks(sentence):
    return own(sentence)


def mask_not_itself(sentence):
    return own(sentence) & lower(sentence, -1)


def mask_one_ahead(sentence):
    return own(sentence) & lower(sentence, 1)


def mask_ahead(sentence):
    return own(sentence) & lower(sentence).T


def mask_turned(sentence):
    return (own(sentence) & lower(sentence)).T


def mask_forbidden(sentence):
    return ~(own(sentence) & lower(sentence))


def mask_either(sentence):
    return own(sentence) | lower(sentence)


def mask_exclusive(sentence):
    return own(sentence) ^ lower(sentence)


def mask_strangers(sentence):
    return ~own(sentence) & lower(sentence)


def mask_without_padding(sentence):
    return own(sentence) & lower(sentence) & (sentence >= 0)[None, :]


def mask_padding_sees_nothing(sentence):
    return own(sentence) & lower(sentence) & (sentence >= 0)[:, None]


def mask_padding_seen_by_all(sentence):
    return (own(sentence) | (sentence < 0)[None, :]) & lower(sentence)


def mask_padding_sees_all(sentence):
    return (own(sentence) | (sentence < 0)[:, None]) & lower(sentence)


def mask_padding_sees_itself(sentence):
    eye = torch.eye(len(sentence), dtype=torch.bool)
    return own(sentence) & lower(sentence) & (sentence >= 0)[:, None] | eye


def mask_earlier_sentences(sentence):
    return (sentence[:, None] >= sentence[None, :]) & lower(sentence)


def mask_later_sentences(sentence):
    return (sentence[:, None] <= sentence[None, :]) & lower(sentence)


def mask_diagonal(sentence):
    return torch.eye(len(sentence), dtype=torch.bool)


def mask_itself_and_before(sentence):
    return own(sentence) & lower(sentence) & ~lower(sentence, -2)


def mask_first_sentence(sentence):
    return own(sentence) & lower(sentence) & (sentence == sentence[0])[None, :]


def mask_everything(sentence):
    return torch.ones(len(sentence), len(sentence), dtype=torch.bool)


def mask_compared_with_itself(sentence):
    return (sentence == sentence.view(-1)) & lower(sentence)


def mask_additive(sentence):
    return torch.where(own(sentence) & lower(sentence), 0.0, -math.inf)


def mask_distances(sentence):
    t = torch.arange(len(sentence))
    return (own(sentence) & lower(sentence)) * (t[:, None] - t[None, :])


def mask_one_row(sentence):
    return (own(sentence) & lower(sentence))[-1]


def mask_places(sentence):
    return torch.nonzero(own(sentence) & lower(sentence))


def mask_batched(sentence):
    return (own(sentence) & lower(sentence))[None]


def mask_in_place(sentence):
    sentence[sentence < 0] = sentence.max() + 1
    return own(sentence) & lower(sentence)


def mask_not_returned(sentence):
    own(sentence) & lower(sentence)  # noqa: B018


# right


def mask_by_numbers(sentence):
    t = torch.arange(len(sentence))
    return (t[:, None] >= t[None, :]) & (sentence.unsqueeze(1) == sentence.unsqueeze(0))


def mask_by_numpy(sentence):
    sentence = sentence.numpy()
    return np.tril(sentence[:, None] == sentence)


def mask_by_loop(sentence):
    ids = sentence.tolist()
    return [[u <= t and ids[u] == ids[t] for u in range(len(ids))] for t in range(len(ids))]


def mask_by_blocks(sentence):
    _, sizes = torch.unique_consecutive(sentence, return_counts=True)
    return torch.block_diag(*(torch.ones(n, n).tril() for n in sizes.tolist()))


def mask_by_product(sentence):
    return own(sentence).int() * torch.tril(torch.ones(len(sentence), len(sentence))).int()


# remainder_kl(p, q, words): wrong


def outcomes(p, q, words):
    return torch.cat([p[words], (1 - p[words].sum())[None]]), torch.cat([q, (1 - q.sum())[None]])


def kl(a, b):
    return (a * (a / b).log()).sum()


def rest_right(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return kl(theirs, mine)


def rest_missing(p, q, words):
    return kl(q, p[words])


def rest_renormalised(p, q, words):
    return kl(q / q.sum(), p[words] / p[words].sum())


def rest_only_teacher_renormalised(p, q, words):
    return kl(q / q.sum(), p[words])


def rest_alone(p, q, words):
    return (1 - q.sum()) * ((1 - q.sum()) / (1 - p[words].sum())).log()


def rest_reverse(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return kl(mine, theirs)


def rest_own_best(p, q, words):
    return rest_right(p, q, p.topk(len(words)).indices)


def rest_first_words(p, q, words):
    return rest_right(p, q, torch.arange(len(words)))


def rest_words_sorted(p, q, words):
    return rest_right(p, q, words.sort().values)


def rest_counted_from_one(p, q, words):
    return rest_right(p, q, words - 1)


def rest_cross_entropy(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return -(theirs * mine.log()).sum()


def rest_entropy(p, q, words):
    _, theirs = outcomes(p, q, words)
    return -(theirs * theirs.log()).sum()


def rest_bits(p, q, words):
    return rest_right(p, q, words) / math.log(2)


def rest_mean(p, q, words):
    return rest_right(p, q, words) / (len(words) + 1)


def rest_negative(p, q, words):
    return -rest_right(p, q, words)


def rest_of_student_from_teacher(p, q, words):
    rest = 1 - q.sum()
    return kl(q, p[words]) + rest * (rest / (1 - q.sum())).log()


def rest_of_all_the_student(p, q, words):
    rest = 1 - q.sum()
    return kl(q, p[words]) + rest * (rest / p.sum()).log()


def rest_not_weighted(p, q, words):
    return kl(q, p[words]) + ((1 - q.sum()) / (1 - p[words].sum())).log()


def rest_weighted_by_student(p, q, words):
    rest_p, rest_q = 1 - p[words].sum(), 1 - q.sum()
    return kl(q, p[words]) + rest_p * (rest_q / rest_p).log()


def rest_ratio_turned(p, q, words):
    rest_p, rest_q = 1 - p[words].sum(), 1 - q.sum()
    return kl(q, p[words]) + rest_q * (rest_p / rest_q).log()


def rest_subtracted(p, q, words):
    rest_p, rest_q = 1 - p[words].sum(), 1 - q.sum()
    return kl(q, p[words]) - rest_q * (rest_q / rest_p).log()


def rest_as_difference(p, q, words):
    return kl(q, p[words]) + (p[words].sum() - q.sum())


def rest_spread_evenly(p, q, words):
    full = torch.full_like(p, float(1 - q.sum()) / (len(p) - len(words)))
    full[words] = q
    return kl(full, p)


def rest_by_word(p, q, words):
    left = torch.ones_like(p, dtype=torch.bool)
    left[words] = False
    rest = 1 - q.sum()
    return kl(q, p[words]) + (rest * (rest / p[left]).log()).sum()


def rest_as_mean_of_words(p, q, words):
    left = torch.ones_like(p, dtype=torch.bool)
    left[words] = False
    rest = 1 - q.sum()
    return kl(q, p[words]) + rest * (rest / p[left].mean()).log()


def rest_kl_div_turned(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return kl_div(theirs.log(), mine, reduction="sum")


def rest_not_added_up(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return theirs * (theirs / mine).log()


def rest_absolute(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return (theirs * (theirs / mine).log()).abs().sum()


def rest_squares(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return (mine - theirs).square().sum()


def rest_without_logarithm(p, q, words):
    mine, theirs = outcomes(p, q, words)
    return (theirs * (theirs - mine)).sum()


def rest_halves(p, q, words):
    mine, theirs = outcomes(p, q, words)
    m = (mine + theirs) / 2
    return (kl(mine, m) + kl(theirs, m)) / 2


def rest_softmax(p, q, words):
    mine, theirs = outcomes(p.softmax(0), q, words)
    return kl(theirs, mine)


def rest_last_word_only(p, q, words):
    return rest_right(p, q[:1], words[:1])


def rest_in_place(p, q, words):
    p[words] /= 1.0
    q.div_(q.sum())
    return kl(q, p[words])


def rest_not_returned(p, q, words):
    rest_right(p, q, words)


# right


def rest_by_cat(p, q, words):
    mine = torch.cat((p.gather(0, words), 1 - p.gather(0, words).sum(0, keepdim=True)))
    theirs = torch.cat((q, 1 - q.sum(0, keepdim=True)))
    return kl_div(mine.log(), theirs, reduction="sum")


def rest_by_logs(p, q, words):
    same = p[words]
    rest_p, rest_q = 1 - same.sum(), 1 - q.sum()
    return torch.dot(q, q.log() - same.log()) + rest_q * (rest_q.log() - rest_p.log())


def rest_by_loop(p, q, words):
    total, rest_p, rest_q = 0.0, 1.0, 1.0
    for word, y in zip(words.tolist(), q.tolist(), strict=True):
        x = float(p[word])
        total += y * math.log(y / x)
        rest_p, rest_q = rest_p - x, rest_q - y
    return total + rest_q * math.log(rest_q / rest_p)


def rest_by_numpy(p, q, words):
    p, q, words = p.numpy(), q.numpy(), words.numpy()
    mine, theirs = np.append(p[words], np.delete(p, words).sum()), np.append(q, 1 - q.sum())
    return np.sum(theirs * np.log(theirs / mine))


def rest_as_cross_entropy_minus_entropy(p, q, words):
    return rest_cross_entropy(p, q, words) - rest_entropy(p, q, words)


WRONG = {
    "written_after": {
        after_own_window: "*own* window",
        after_one_interval: "one interval old",
        after_two_intervals: "two intervals",
        after_number_of_window: "counts windows",
        after_own_number: "number of the window",
        after_below_nought: "before the first window",
        after_absolute: None,
        after_two_windows: "two windows before",
        after_age: "age",
        after_next_window: None,
        after_rest: None,
        after_nearest: "nearest",
        after_rounded_up: "rounds up",
        after_true_division: "one interval old",
        after_one_late: "one update too early",
        after_one_early: None,
        after_end_of_window_before: None,
        after_update_before: None,
        after_itself: None,
        after_first_window_counts: None,
        after_never_zero: None,
        after_zero_alone: "*own* window",
        after_none_before: None,
        after_swapped: None,
        after_middle: None,
        after_pair: None,
        after_not_returned: None,
    },
    "packed_mask": {
        mask_causal: "those before it",
        mask_blocks: "after it",
        mask_not_itself: "see itself",
        mask_one_ahead: "next place",
        mask_ahead: "looks ahead",
        mask_turned: "looks ahead",
        mask_forbidden: "opposite",
        mask_either: "one of the two",
        mask_exclusive: None,
        mask_strangers: None,
        mask_without_padding: "padding",
        mask_padding_sees_nothing: "padding",
        mask_padding_seen_by_all: None,
        mask_padding_sees_all: None,
        mask_padding_sees_itself: None,
        mask_earlier_sentences: None,
        mask_later_sentences: None,
        mask_diagonal: "itself alone",
        mask_itself_and_before: None,
        mask_first_sentence: None,
        mask_everything: None,
        mask_compared_with_itself: "those before it",
        mask_additive: None,
        mask_distances: None,
        mask_one_row: None,
        mask_places: None,
        mask_batched: None,
        mask_in_place: None,
        mask_not_returned: None,
    },
    "remainder_kl": {
        rest_missing: "rest is missing",
        rest_renormalised: "scaled to sum to 1",
        rest_only_teacher_renormalised: None,
        rest_alone: "bucket alone",
        rest_reverse: "reverse KL",
        rest_own_best: "own likeliest",
        rest_first_words: "first k words",
        rest_words_sorted: None,
        rest_counted_from_one: None,
        rest_cross_entropy: "cross-entropy",
        rest_entropy: None,
        rest_bits: "bits",
        rest_mean: "mean over",
        rest_negative: "sign",
        rest_of_student_from_teacher: "rest is missing",
        rest_of_all_the_student: None,
        rest_not_weighted: "no weight",
        rest_weighted_by_student: None,
        rest_ratio_turned: "upside down",
        rest_subtracted: "upside down",
        rest_as_difference: None,
        rest_spread_evenly: "evenly",
        rest_by_word: None,
        rest_as_mean_of_words: None,
        rest_kl_div_turned: "reverse KL",
        rest_not_added_up: "terms",
        rest_absolute: "absolute",
        rest_squares: None,
        rest_without_logarithm: None,
        rest_halves: None,
        rest_softmax: None,
        rest_last_word_only: None,
        rest_in_place: None,
        rest_not_returned: None,
    },
}
RIGHT = {
    "written_after": [after_by_rest, after_by_condition, after_by_walking, after_by_torch],
    "packed_mask": [mask_by_numbers, mask_by_numpy, mask_by_loop, mask_by_blocks, mask_by_product],
    "remainder_kl": [
        rest_by_cat,
        rest_by_logs,
        rest_by_loop,
        rest_by_numpy,
        rest_as_cross_entropy_minus_entropy,
    ],
}
