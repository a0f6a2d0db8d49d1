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


# remainder_kl(log_p, log_q, words): wrong


def left_of(log_p, words):
    return torch.tensor([word not in words.tolist() for word in range(len(log_p))])


def outcomes(log_p, log_q, words):
    p = log_p.exp()
    return torch.cat([p[words], p[left_of(log_p, words)].sum()[None]]), log_q.exp()


def kl(a, b):
    return (a * (a / b).log()).sum()


def rest_right(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(theirs, mine)


def rest_one_minus(log_p, log_q, words):
    same = log_p.exp()[words]
    return kl(log_q.exp(), torch.cat([same, (1 - same.sum())[None]]))


def rest_one_minus_clamped(log_p, log_q, words):
    same = log_p.exp()[words]
    return kl(log_q.exp(), torch.cat([same, (1 - same.sum()).clamp(min=1e-6)[None]]))


def rest_one_minus_by_log1p(log_p, log_q, words):
    same = log_p[words]
    rest = torch.log1p(-same.exp().sum())[None]
    return (log_q.exp() * (log_q - torch.cat([same, rest]))).sum()


def rest_missing(log_p, log_q, words):
    return kl(log_q.exp()[:-1], log_p.exp()[words])


def rest_missing_by_logs(log_p, log_q, words):
    return (log_q[:-1].exp() * (log_q[:-1] - log_p[words])).sum()


def rest_renormalised(log_p, log_q, words):
    p, q = log_p.exp()[words], log_q.exp()[:-1]
    return kl(q / q.sum(), p / p.sum())


def rest_only_teacher_renormalised(log_p, log_q, words):
    q = log_q.exp()[:-1]
    return kl(q / q.sum(), log_p.exp()[words])


def rest_alone(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(theirs[-1:], mine[-1:])


def rest_reverse(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(mine, theirs)


def rest_own_best(log_p, log_q, words):
    return rest_right(log_p, log_q, log_p.topk(len(words)).indices)


def rest_first_words(log_p, log_q, words):
    return rest_right(log_p, log_q, torch.arange(len(words)))


def rest_words_sorted(log_p, log_q, words):
    return rest_right(log_p, log_q, words.sort().values)


def rest_counted_from_one(log_p, log_q, words):
    return rest_right(log_p, log_q, words - 1)


def rest_cross_entropy(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return -(theirs * mine.log()).sum()


def rest_entropy(log_p, log_q, words):
    return -(log_q.exp() * log_q).sum()


def rest_bits(log_p, log_q, words):
    return rest_right(log_p, log_q, words) / math.log(2)


def rest_mean(log_p, log_q, words):
    return rest_right(log_p, log_q, words) / (len(words) + 1)


def rest_negative(log_p, log_q, words):
    return -rest_right(log_p, log_q, words)


def rest_of_all_the_student(log_p, log_q, words):
    return kl(log_q.exp(), torch.cat([log_p.exp()[words], log_p.exp().sum()[None]]))


def rest_not_weighted(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(theirs[:-1], mine[:-1]) + (theirs[-1] / mine[-1]).log()


def rest_weighted_by_student(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(theirs[:-1], mine[:-1]) + mine[-1] * (theirs[-1] / mine[-1]).log()


def rest_ratio_turned(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl(theirs[:-1], mine[:-1]) + theirs[-1] * (mine[-1] / theirs[-1]).log()


def rest_logs_added(log_p, log_q, words):
    rest = log_p[left_of(log_p, words)].sum()[None]
    return (log_q.exp() * (log_q - torch.cat([log_p[words], rest]))).sum()


def rest_largest(log_p, log_q, words):
    rest = log_p[left_of(log_p, words)].max()[None]
    return (log_q.exp() * (log_q - torch.cat([log_p[words], rest]))).sum()


def rest_mean_of_logs(log_p, log_q, words):
    rest = log_p[left_of(log_p, words)].mean()[None]
    return (log_q.exp() * (log_q - torch.cat([log_p[words], rest]))).sum()


def rest_mean_of_others(log_p, log_q, words):
    rest = log_p.exp()[left_of(log_p, words)].mean().log()[None]
    return (log_q.exp() * (log_q - torch.cat([log_p[words], rest]))).sum()


def rest_logs_as_probabilities(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return (theirs.log() * (theirs.log() - mine.log())).sum()


def rest_spread_evenly(log_p, log_q, words):
    q = log_q.exp()
    full = torch.full_like(log_p, float(q[-1]) / (len(log_p) - len(words)))
    full[words] = q[:-1]
    return kl(full, log_p.exp())


def rest_kl_div_turned(log_p, log_q, words):
    mine, _ = outcomes(log_p, log_q, words)
    return kl_div(log_q, mine, reduction="sum")


def rest_kl_div_mean(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return kl_div(mine.log(), theirs, reduction="mean")


def rest_not_added_up(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return theirs * (theirs / mine).log()


def rest_absolute(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return (theirs * (theirs / mine).log()).abs().sum()


def rest_squares(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return (mine - theirs).square().sum()


def rest_without_logarithm(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    return (theirs * (theirs - mine)).sum()


def rest_halves(log_p, log_q, words):
    mine, theirs = outcomes(log_p, log_q, words)
    m = (mine + theirs) / 2
    return (kl(mine, m) + kl(theirs, m)) / 2


def rest_probabilities_read_as_logits(log_p, log_q, words):
    return rest_right(log_p.exp().log_softmax(0), log_q, words)


def rest_last_word_only(log_p, log_q, words):
    return rest_right(log_p, log_q[[0, -1]], words[:1])


def rest_in_place(log_p, log_q, words):
    log_p.exp_()
    mine = torch.cat([log_p[words], log_p[left_of(log_p, words)].sum()[None]])
    return kl(log_q.exp(), mine)


def rest_not_returned(log_p, log_q, words):
    rest_right(log_p, log_q, words)


# right


def rest_by_kl_div(log_p, log_q, words):
    others = torch.ones_like(log_p)
    others[words] = 0
    mine = torch.cat((log_p.gather(0, words), log_p[others > 0].logsumexp(0)[None]))
    return kl_div(mine, log_q, reduction="sum", log_target=True)


def rest_by_masking(log_p, log_q, words):
    rest = log_p.index_fill(0, words, -math.inf).logsumexp(0)
    theirs = log_q.exp()
    return torch.dot(theirs[:-1], log_q[:-1] - log_p[words]) + theirs[-1] * (log_q[-1] - rest)


def rest_by_loop(log_p, log_q, words):
    sent, logs = words.tolist(), log_p.double().tolist()
    rest = math.fsum(math.exp(x) for word, x in enumerate(logs) if word not in sent)
    mine = [*(logs[word] for word in sent), math.log(rest)]
    return sum(math.exp(y) * (y - x) for x, y in zip(mine, log_q.tolist(), strict=True))


def rest_by_numpy(log_p, log_q, words):
    log_p, log_q, words = log_p.numpy(), log_q.numpy(), words.numpy()
    mine = np.append(log_p[words], np.logaddexp.reduce(np.delete(log_p, words)))
    return np.sum(np.exp(log_q) * (log_q - mine))


def rest_as_cross_entropy_minus_entropy(log_p, log_q, words):
    return rest_cross_entropy(log_p, log_q, words) - rest_entropy(log_p, log_q, words)


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
        rest_one_minus: "1 − the sum",
        rest_one_minus_clamped: None,
        rest_one_minus_by_log1p: "1 − the sum",
        rest_missing: "rest is missing",
        rest_missing_by_logs: "rest is missing",
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
        rest_of_all_the_student: None,
        rest_not_weighted: "no weight",
        rest_weighted_by_student: None,
        rest_ratio_turned: "upside down",
        rest_logs_added: "multiplies",
        rest_largest: "likeliest of the other",
        rest_mean_of_logs: None,
        rest_mean_of_others: None,
        rest_logs_as_probabilities: "weights are logarithms",
        rest_spread_evenly: "evenly",
        rest_kl_div_turned: "reverse KL",
        rest_kl_div_mean: "mean over",
        rest_not_added_up: "terms",
        rest_absolute: "absolute",
        rest_squares: None,
        rest_without_logarithm: None,
        rest_halves: None,
        rest_probabilities_read_as_logits: None,
        rest_last_word_only: None,
        rest_in_place: None,
        rest_not_returned: None,
    },
}
RIGHT = {
    "written_after": [after_by_rest, after_by_condition, after_by_walking, after_by_torch],
    "packed_mask": [mask_by_numbers, mask_by_numpy, mask_by_loop, mask_by_blocks, mask_by_product],
    "remainder_kl": [
        rest_by_kl_div,
        rest_by_masking,
        rest_by_loop,
        rest_by_numpy,
        rest_as_cross_entropy_minus_entropy,
    ],
}
