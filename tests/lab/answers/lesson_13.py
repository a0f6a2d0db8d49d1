"""Answers to the exercises of lesson 13: the Soft-OR score of a token, and which tokens are
kept."""

from __future__ import annotations

import heapq
import math

import numpy as np
import torch


def scaled(x):
    return (x - x.min()) / (x.max() - x.min())


# soft_or(h, delta): wrong


def or_sum(h, delta):
    return scaled(h) + scaled(delta)


def or_sum_cut(h, delta):
    return (scaled(h) + scaled(delta)).clamp(max=1.0)


def or_mean(h, delta):
    return (scaled(h) + scaled(delta)) / 2


def or_product(h, delta):
    return scaled(h) * scaled(delta)


def or_unscaled(h, delta):
    return h + delta - h * delta


def or_over_the_greatest(h, delta):
    return or_unscaled(h / h.max(), delta / delta.max())


def or_over_the_sum(h, delta):
    return or_unscaled(h / h.sum(), delta / delta.sum())


def or_least_taken_off(h, delta):
    return or_unscaled(h - h.min(), delta - delta.min())


def or_divided_by_the_greatest(h, delta):
    return or_unscaled((h - h.min()) / h.max(), (delta - delta.min()) / delta.max())


def or_not_shifted(h, delta):
    return or_unscaled(h / (h.max() - h.min()), delta / (delta.max() - delta.min()))


def or_common_scale(h, delta):
    least, greatest = torch.minimum(h.min(), delta.min()), torch.maximum(h.max(), delta.max())
    return or_unscaled((h - least) / (greatest - least), (delta - least) / (greatest - least))


def or_standardised(h, delta):
    return or_unscaled((h - h.mean()) / h.std(), (delta - delta.mean()) / delta.std())


def or_sigmoid(h, delta):
    return or_unscaled(h.sigmoid(), delta.sigmoid())


def or_softmax(h, delta):
    return or_unscaled(h.softmax(0), delta.softmax(0))


def or_ranks(h, delta):
    return or_unscaled(
        scaled(h.argsort().argsort().float()), scaled(delta.argsort().argsort().float())
    )


def or_clamped(h, delta):
    return or_unscaled(h.clamp(0, 1), delta.clamp(0, 1))


def or_only_entropy_scaled(h, delta):
    return or_unscaled(scaled(h), delta)


def or_only_divergence_scaled(h, delta):
    return or_unscaled(h, scaled(delta))


def or_greater(h, delta):
    return torch.maximum(scaled(h), scaled(delta))


def or_smaller(h, delta):
    return torch.minimum(scaled(h), scaled(delta))


def or_entropy_alone(h, delta):
    return scaled(h)


def or_divergence_alone(h, delta):
    return scaled(delta)


def or_exclusive(h, delta):
    return scaled(h) + scaled(delta) - 2 * scaled(h) * scaled(delta)


def or_sure_and_far(h, delta):
    return (1 - scaled(h)) * scaled(delta)


def or_neither(h, delta):
    return (1 - scaled(h)) * (1 - scaled(delta))


def or_product_added(h, delta):
    return scaled(h) + scaled(delta) + scaled(h) * scaled(delta)


def or_scaled_last(h, delta):
    return scaled(h + delta - h * delta)


def or_scaled_again(h, delta):
    return scaled(or_unscaled(scaled(h), scaled(delta)))


def or_length(h, delta):
    return torch.sqrt(scaled(h) ** 2 + scaled(delta) ** 2)


def or_hard(h, delta):
    return ((scaled(h) > 0.5) | (scaled(delta) > 0.5)).float()


def or_clipped(h, delta):
    return or_unscaled(scaled(h.clamp(max=float(h.quantile(0.98)))), scaled(delta))


def or_in_place(h, delta):
    h -= h.min()
    delta -= delta.min()
    return or_unscaled(h / h.max(), delta / delta.max())


def or_total(h, delta):
    return or_unscaled(scaled(h), scaled(delta)).sum()


def or_not_returned(h, delta):
    or_unscaled(scaled(h), scaled(delta))


# right


def or_by_chances(h, delta):
    return 1 - (1 - scaled(h)) * (1 - scaled(delta))


def or_by_numpy(h, delta):
    x, y = ((v - v.min()) / np.ptp(v) for v in (h.numpy(), delta.numpy()))
    return x + y - x * y


def or_by_loop(h, delta):
    x, y = (
        [(v - min(all_)) / (max(all_) - min(all_)) for v in all_]
        for all_ in (h.tolist(), delta.tolist())
    )
    return [a + b - a * b for a, b in zip(x, y, strict=True)]


def or_by_amounts(h, delta):
    h, delta = (
        torch.stack([h, delta]).double() - torch.stack([h.min(), delta.min()])[:, None]
    ).unbind()
    h, delta = h / h.amax(), delta / delta.amax()
    return torch.lerp(delta, torch.ones_like(delta), h)


# kept_tokens(scores, share): wrong


def best(scores, n):
    return sorted(sorted(range(len(scores)), key=lambda place: -scores[place])[:n])


def kept_rounded(scores, share):
    return best(scores, round(share * len(scores)))


def kept_rounded_up(scores, share):
    return best(scores, math.ceil(share * len(scores)))


def kept_at_least_one(scores, share):
    return best(scores, max(1, int(share * len(scores))))


def kept_one_more(scores, share):
    return best(scores, int(share * len(scores)) + 1)


def kept_all_but(scores, share):
    return best(scores, len(scores) - int((1 - share) * len(scores)))


def kept_dropped_share(scores, share):
    return best(scores, len(scores) - int(share * len(scores)))


def kept_by_score(scores, share):
    return sorted(range(len(scores)), key=lambda place: -scores[place])[: int(share * len(scores))]


def kept_lowest(scores, share):
    return best([-score for score in scores], int(share * len(scores)))


def kept_last_first(scores, share):
    return best(scores, int(share * len(scores)))[::-1]


def kept_above_fixed(scores, share):
    return [place for place, score in enumerate(scores) if score >= 1 - share]


def kept_above_share(scores, share):
    return [place for place, score in enumerate(scores) if score > share]


def kept_above_part_of_the_greatest(scores, share):
    return [place for place, score in enumerate(scores) if score >= (1 - share) * max(scores)]


def kept_above_mean(scores, share):
    return [place for place, score in enumerate(scores) if score >= sum(scores) / len(scores)]


def kept_above_quantile(scores, share):
    edge = np.quantile(scores, 1 - share)
    return [place for place, score in enumerate(scores) if score >= edge]


def kept_all_equals(scores, share):
    n = int(share * len(scores))
    edge = sorted(scores, reverse=True)[n - 1] if n else math.inf
    return [place for place, score in enumerate(scores) if score >= edge]


def kept_no_equals(scores, share):
    edge = (
        sorted(scores, reverse=True)[int(share * len(scores))]
        if int(share * len(scores)) < len(scores)
        else -1e9
    )
    return [place for place, score in enumerate(scores) if score > edge]


def kept_later_equals(scores, share):
    places = sorted(range(len(scores)), key=lambda place: (scores[place], place), reverse=True)
    return sorted(places[: int(share * len(scores))])


def kept_last_of_argsort(scores, share):
    n = int(share * len(scores))
    return sorted(np.argsort(scores, kind="stable")[len(scores) - n :].tolist())


def kept_by_index(scores, share):
    return sorted(
        scores.index(score) for score in sorted(scores, reverse=True)[: int(share * len(scores))]
    )


def kept_distinct_scores(scores, share):
    values = sorted(set(scores), reverse=True)[: int(share * len(scores))]
    return sorted(scores.index(value) for value in values)


def kept_the_scores(scores, share):
    return sorted(scores, reverse=True)[: int(share * len(scores))]


def kept_scores_in_order(scores, share):
    return [scores[place] for place in best(scores, int(share * len(scores)))]


def kept_from_one(scores, share):
    return [place + 1 for place in best(scores, int(share * len(scores)))]


def kept_mask(scores, share):
    kept = best(scores, int(share * len(scores)))
    return [place in kept for place in range(len(scores))]


def kept_number(scores, share):
    return int(share * len(scores))


def kept_first(scores, share):
    return list(range(int(share * len(scores))))


def kept_last(scores, share):
    return list(range(len(scores)))[len(scores) - int(share * len(scores)) :]


def kept_absolute(scores, share):
    return best([abs(score) for score in scores], int(share * len(scores)))


def kept_without_zeros(scores, share):
    return [place for place in best(scores, int(share * len(scores))) if scores[place]]


def kept_by_sum_of_scores(scores, share):
    kept, total = [], 0.0
    for place in sorted(range(len(scores)), key=lambda place: -scores[place]):
        if total >= share * sum(scores):
            break
        kept.append(place)
        total += scores[place]
    return sorted(kept)


def kept_sorted_in_place(scores, share):
    edge = int(share * len(scores))
    kept = best(scores, edge)
    scores.sort()
    return kept


def kept_none_is_none(scores, share):
    return best(scores, int(share * len(scores))) or None


def kept_per_cent(scores, share):
    return best(scores, int(share / 100 * len(scores)))


def kept_not_returned(scores, share):
    best(scores, int(share * len(scores)))


# right


def kept_by_heap(scores, share):
    return sorted(
        heapq.nlargest(int(share * len(scores)), range(len(scores)), key=scores.__getitem__)
    )


def kept_by_numpy(scores, share):
    order = np.argsort(-np.array(scores), kind="stable")
    return np.sort(order[: math.floor(share * len(scores))])


def kept_by_counting(scores, share):
    n = int(share * len(scores))
    return [
        place
        for place, score in enumerate(scores)
        if sum(other > score for other in scores) + scores[:place].count(score) < n
    ]


def kept_by_striking(scores, share):
    left = list(range(len(scores)))
    while len(left) > share * len(scores):
        left.remove(min(left, key=lambda place: (scores[place], -place)))
    return left


def kept_as_tensor(scores, share):
    order = torch.tensor(scores, dtype=torch.float64).sort(descending=True, stable=True).indices
    return order[: int(share * len(scores))].sort().values


def kept_by_pairs(scores, share):
    pairs = sorted(((score, -place) for place, score in enumerate(scores)), reverse=True)
    return sorted(-place for _, place in pairs[: int(len(scores) * share)])


WRONG = {
    "soft_or": {
        or_sum: "counts twice",
        or_sum_cut: "cut off at 1",
        or_mean: "mean of",
        or_product: "*both*",
        or_unscaled: "not scaled",
        or_over_the_greatest: "greatest alone",
        or_over_the_sum: None,
        or_least_taken_off: "only shifted",
        or_divided_by_the_greatest: None,
        or_not_shifted: None,
        or_common_scale: "common",
        or_standardised: "standard deviation",
        or_sigmoid: None,
        or_softmax: None,
        or_ranks: None,
        or_clamped: None,
        or_only_entropy_scaled: "delta is not scaled",
        or_only_divergence_scaled: "h is not scaled",
        or_greater: "greater of the two",
        or_smaller: "smaller",
        or_entropy_alone: "divergence is not",
        or_divergence_alone: "entropy is not",
        or_exclusive: "*either*",
        or_sure_and_far: "sure and far",
        or_neither: "neither",
        or_product_added: "is added",
        or_scaled_last: "Scale first",
        or_scaled_again: None,
        or_length: None,
        or_hard: None,
        or_clipped: None,
        or_in_place: None,
        or_total: None,
        or_not_returned: None,
    },
    "kept_tokens": {
        kept_rounded: "nearest",
        kept_rounded_up: "rounds up",
        kept_at_least_one: "keeps none",
        kept_one_more: None,
        kept_all_but: "rounds up",
        kept_dropped_share: None,
        kept_by_score: "best first",
        kept_lowest: "lowest",
        kept_last_first: None,
        kept_above_fixed: "fixed",
        kept_above_share: None,
        kept_above_part_of_the_greatest: None,
        kept_above_mean: None,
        kept_above_quantile: "quantile",
        kept_all_equals: "too many",
        kept_no_equals: None,
        kept_later_equals: "the later",
        kept_last_of_argsort: "the later",
        kept_by_index: "index",
        kept_distinct_scores: None,
        kept_the_scores: "where they stand",
        kept_scores_in_order: None,
        kept_from_one: "from 1",
        kept_mask: "truth values",
        kept_number: None,
        kept_first: None,
        kept_last: None,
        kept_absolute: None,
        kept_without_zeros: None,
        kept_by_sum_of_scores: None,
        kept_sorted_in_place: None,
        kept_none_is_none: None,
        kept_per_cent: None,
        kept_not_returned: None,
    },
}
RIGHT = {
    "soft_or": [or_by_chances, or_by_numpy, or_by_loop, or_by_amounts],
    "kept_tokens": [
        kept_by_heap,
        kept_by_numpy,
        kept_by_counting,
        kept_by_striking,
        kept_as_tensor,
        kept_by_pairs,
    ],
}
