"""Answers to the exercises of lesson 10: which proposed words are accepted, what replaces a
rejected word, and what a draft brings."""

from __future__ import annotations

import numpy as np
import torch

# accepted(p, q, r): wrong


def stands_always(p, q, r):
    return [True] * len(p)


def stands_never(p, q, r):
    return torch.zeros(len(p), dtype=torch.bool)


def stands_by_inverted_ratio(p, q, r):
    return r < torch.clamp(p / q, max=1.0)


def stands_below_target(p, q, r):
    return r < q


def stands_below_draft(p, q, r):
    return r < p


def stands_where_target_likes_it_more(p, q, r):
    return q >= p


def stands_where_target_likes_it_strictly_more(p, q, r):
    return q > p


def stands_refused(p, q, r):
    return r > torch.clamp(q / p, max=1.0)


def stands_as_chance(p, q, r):
    return torch.clamp(q / p, max=1.0)


def stands_below_difference(p, q, r):
    return r < q - p


def stands_below_sum(p, q, r):
    return r < p + q


def stands_below_product(p, q, r):
    return r < p * q


def stands_below_minimum(p, q, r):
    return r < torch.minimum(p, q)


def stands_with_clamped_below(p, q, r):
    return r < torch.clamp(q / p, min=1.0)


def stands_by_half(p, q, r):
    return q / p > 0.5


def stands_by_share(p, q, r):
    return r < q / (p + q)


def stands_by_root(p, q, r):
    return r < (q / p).sqrt()


def stands_by_square(p, q, r):
    return r < (q / p) ** 2


def stands_as_for_logs(p, q, r):
    return r < torch.exp(q - p)


def stands_with_log_ratio(p, q, r):
    return torch.log(r) < q / p


def stands_until_the_first_refusal(p, q, r):
    return (r < q / p).int().cumprod(dim=0).bool()


def stands_by_mean_ratio(p, q, r):
    return r < (q / p).mean().clamp(max=1.0)


def stands_by_first_r(p, q, r):
    return r[0] < q / p


def stands_by_sorted_r(p, q, r):
    return r.sort().values < q / p


def stands_all_or_none(p, q, r):
    return (r < q / p).all()


def stands_whole_ratio(p, q, r):
    return r < q // p


def stands_by_own_chance(p, q, r):
    return torch.rand(len(p)) < q / p


def stands_nearly(p, q, r):
    return r < 0.9 * torch.clamp(q / p, max=1.0)


def stands_places(p, q, r):
    return torch.nonzero(r < q / p).flatten()


def stands_not_returned(p, q, r):
    r < q / p  # noqa: B015


# right


def stands_without_clamp(p, q, r):
    return r < q / p


def stands_by_product(p, q, r):
    return r * p < q


def stands_by_loop(p, q, r):
    return [s < min(1.0, y / x) for x, y, s in zip(p.tolist(), q.tolist(), r.tolist(), strict=True)]


def stands_by_numpy(p, q, r):
    return r.numpy() < np.minimum(1.0, q.numpy() / p.numpy())


def stands_by_logs(p, q, r):
    return r.log() < (q.log() - p.log()).clamp(max=0.0)


def stands_by_where(p, q, r):
    return torch.where(q >= p, torch.ones_like(p), (r < q / p).float())


# residual(p, q): wrong


def residual_where_the_target_likes_it_more(p, q):
    kept = torch.where(q > p, q, 0)
    return kept / kept.sum()


def residual_where_the_target_likes_it_more_guarded(p, q):
    kept = torch.where(q > p, q, 0)
    return kept / kept.sum() if kept.sum() > 0 else q


def residual_target_again(p, q):
    return q


def residual_draft_again(p, q):
    return p / p.sum() if p.sum() > 0 else q


def residual_not_normalised(p, q):
    return (q - p).clamp(min=0.0)


def residual_not_normalised_but_equal(p, q):
    more = (q - p).clamp(min=0.0)
    return more if more.sum() > 0 else q


def residual_absolute(p, q):
    gap = (q - p).abs()
    return gap / gap.sum() if gap.sum() > 0 else q


def residual_other_way(p, q):
    more = (p - q).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else q


def residual_not_cut(p, q):
    return (q - p) / (q - p).sum()


def residual_divided_by_uncut_sum(p, q):
    return (q - p).clamp(min=0.0) / (q - p).sum()


def residual_softmax(p, q):
    return torch.softmax(q - p, dim=0)


def residual_softmax_of_cut(p, q):
    return (q - p).clamp(min=0.0).softmax(dim=0)


def residual_without_equal(p, q):
    more = torch.relu(q - p)
    return more / more.sum()


def residual_zero_for_equal(p, q):
    more = torch.relu(q - p)
    return more / more.sum().clamp(min=1e-9)


def residual_evenly_for_equal(p, q):
    more = torch.relu(q - p)
    return more / more.sum() if more.sum() > 0 else torch.full_like(q, 1 / len(q))


def residual_most_missing(p, q):
    if not (q > p).any():
        return q
    distribution = torch.zeros_like(q)
    distribution[(q - p).argmax()] = 1.0
    return distribution


def residual_evenly_among_missing(p, q):
    missing = (q > p).float()
    return missing / missing.sum() if missing.any() else q


def residual_squared(p, q):
    more = (q - p).clamp(min=0.0) ** 2
    return more / more.sum() if more.any() else q


def residual_root(p, q):
    more = (q - p).clamp(min=0.0).sqrt()
    return more / more.sum() if more.any() else q


def residual_ratio(p, q):
    more = (q / p - 1).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 and p.sum() > 0 else q


def residual_ratio_times_target(p, q):
    more = (q - p).clamp(min=0.0) * q
    return more / more.sum() if more.any() and p.any() else q


def residual_of_relative_gaps(p, q):
    more = (q - p).clamp(min=0.0) / q.clamp(min=1e-9)
    return more / more.sum() if more.any() and p.any() else q


def residual_shared_part(p, q):
    shared = torch.minimum(p, q)
    return shared / shared.sum() if shared.any() else q


def residual_greater_part(p, q):
    greater = torch.maximum(p, q)
    return greater / greater.sum()


def residual_mean(p, q):
    return (p + q) / (p + q).sum()


def residual_target_times_rest(p, q):
    rest = q * (1 - p)
    return rest / rest.sum()


def residual_without_the_drafts_best(p, q):
    if not p.any() or torch.equal(p, q):
        return q
    rest = q.clone()
    rest[p.argmax()] = 0.0
    return rest / rest.sum()


def residual_in_place(p, q):
    q -= p
    more = q.clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else p


def residual_drawn_word(p, q):
    more = (q - p).clamp(min=0.0)
    return int((more if more.any() else q).multinomial(1))


def residual_not_returned(p, q):
    (q - p).clamp(min=0.0)


# right


def residual_by_minimum(p, q):
    left = q - torch.minimum(p, q)
    total = left.sum()
    return left / total if total > 0 else q


def residual_by_numpy(p, q):
    more = np.maximum(q.numpy() - p.numpy(), 0.0)
    return more / more.sum() if more.sum() > 0 else q.numpy()


def residual_by_where(p, q):
    if torch.equal(p, q):
        return q
    more = torch.where(q > p, q - p, torch.zeros(()))
    return torch.nn.functional.normalize(more, p=1, dim=0)


def residual_by_loop(p, q):
    more = [max(0.0, y - x) for x, y in zip(p.tolist(), q.tolist(), strict=True)]
    return [part / sum(more) for part in more] if sum(more) else q.tolist()


def residual_from_refusals(p, q):
    """q − min(p, q) over the probability that a proposal is refused, or that none was made."""
    shared = torch.minimum(p, q)
    refused = 1.0 - shared.double().sum()
    return (q - shared) / refused if refused > 1e-6 else q


# pay_off(alpha, K, c): wrong


def pay_off_without_targets_word(alpha, K, c):
    tokens = sum(alpha ** (k + 1) for k in range(K))
    return tokens, tokens / (K * c + 1)


def pay_off_one_term_too_few(alpha, K, c):
    tokens = sum(alpha**k for k in range(K))
    return tokens, tokens / (1 + c * K)


def pay_off_judged_alone(alpha, K, c):
    return 1 + K * alpha, (1 + K * alpha) / (1 + K * c)


def pay_off_all_or_nothing(alpha, K, c):
    tokens = 1 + K * alpha**K
    return tokens, tokens / (K * c + 1)


def pay_off_closed(alpha, K, c):
    tokens = (1 - alpha ** (K + 1)) / (1 - alpha)
    return tokens, tokens / (K * c + 1)


def pay_off_closed_by_numpy(alpha, K, c):
    with np.errstate(all="ignore"):
        tokens = np.divide(1 - np.float64(alpha) ** (K + 1), 1 - np.float64(alpha))
    return tokens, tokens / (K * c + 1)


def pay_off_closed_with_k(alpha, K, c):
    tokens = (1 - alpha**K) / (1 - alpha)
    return tokens, tokens / (K * c + 1)


def pay_off_geometric_mean_length(alpha, K, c):
    tokens = 1 / (1 - alpha)
    return tokens, tokens / (K * c + 1)


def pay_off_capped_geometric(alpha, K, c):
    tokens = min(K + 1, 1 / (1 - alpha)) if alpha < 1 else K + 1
    return tokens, tokens / (K * c + 1)


def pay_off_without_check(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (K * c)


def pay_off_one_draft_step(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (1 + c)


def pay_off_check_of_each(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (K * c + K)


def pay_off_check_of_each_and_one(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (K * c + K + 1)


def pay_off_draft_of_one_more(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / ((K + 1) * c + 1)


def pay_off_draft_paid_by_token(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens / (tokens * c + 1)


def pay_off_inverse(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, (K * c + 1) / tokens


def pay_off_by_target_steps(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, (K + 1) / (K * c + 1)


def pay_off_free_draft(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens


def pay_off_difference(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens, tokens - (K * c + 1)


def pay_off_reversed(alpha, K, c):
    tokens = sum(alpha**k for k in range(K + 1))
    return tokens / (K * c + 1), tokens


def pay_off_only_speed(alpha, K, c):
    return sum(alpha**k for k in range(K + 1)) / (K * c + 1)


def pay_off_only_tokens(alpha, K, c):
    return sum(alpha**k for k in range(K + 1))


def pay_off_rejections(alpha, K, c):
    tokens = sum((1 - alpha) ** k for k in range(K + 1))
    return tokens, tokens / (K * c + 1)


def pay_off_unaccepted_power(alpha, K, c):
    tokens = sum(alpha * k for k in range(K + 1))
    return tokens, tokens / (K * c + 1)


def pay_off_whole_tokens(alpha, K, c):
    tokens = round(sum(alpha**k for k in range(K + 1)))
    return tokens, tokens / (K * c + 1)


def pay_off_not_returned(alpha, K, c):
    sum(alpha**k for k in range(K + 1)) / (K * c + 1)  # noqa: B018


# right


def pay_off_by_closed_form(alpha, K, c):
    tokens = K + 1 if alpha == 1 else (1 - alpha ** (K + 1)) / (1 - alpha)
    return tokens, tokens / (K * c + 1)


def pay_off_by_numpy(alpha, K, c):
    tokens = np.power(alpha, np.arange(K + 1)).sum()
    return np.array([tokens, tokens / (K * c + 1)])


def pay_off_by_tensor(alpha, K, c):
    tokens = (torch.tensor(alpha, dtype=torch.float64) ** torch.arange(K + 1)).sum()
    return [tokens, tokens / (K * c + 1)]


def pay_off_by_horner(alpha, K, c):
    tokens = 1.0
    for _ in range(K):
        tokens = 1.0 + alpha * tokens
    return tokens, tokens / (1.0 + c * K)


def pay_off_by_listing_ends(alpha, K, c):
    tokens = (K + 1) * alpha**K + sum((k + 1) * alpha**k * (1 - alpha) for k in range(K))
    return tokens, tokens / (K * c + 1)


WRONG = {
    "pay_off": {
        pay_off_without_targets_word: "word that the target adds",
        pay_off_one_term_too_few: "last proposal is missing",
        pay_off_judged_alone: "judged by itself",
        pay_off_all_or_nothing: None,
        pay_off_closed: "0 / 0",
        pay_off_closed_by_numpy: "0 / 0",
        pay_off_closed_with_k: "exponent",
        pay_off_geometric_mean_length: "without an end",
        pay_off_capped_geometric: None,
        pay_off_without_check: "target's own call",
        pay_off_one_draft_step: "only one of the K",
        pay_off_check_of_each: "K times",
        pay_off_check_of_each_and_one: None,
        pay_off_draft_of_one_more: "K + 1 words",
        pay_off_draft_paid_by_token: None,
        pay_off_inverse: "inverse",
        pay_off_by_target_steps: None,
        pay_off_free_draft: "draft's time is not counted",
        pay_off_difference: None,
        pay_off_reversed: "other order",
        pay_off_only_speed: "speed-up alone",
        pay_off_only_tokens: "tokens per call alone",
        pay_off_rejections: None,
        pay_off_unaccepted_power: None,
        pay_off_whole_tokens: None,
        pay_off_not_returned: None,
    },
    "accepted": {
        stands_always: "every word is accepted",
        stands_never: None,
        stands_by_inverted_ratio: "turned round",
        stands_below_target: "with probability q",
        stands_below_draft: "draft's probability",
        stands_where_target_likes_it_more: "no chance",
        stands_where_target_likes_it_strictly_more: None,
        stands_refused: "rejected",
        stands_as_chance: "not the decision",
        stands_below_difference: "difference",
        stands_below_sum: None,
        stands_below_product: "product",
        stands_below_minimum: "min(p, q)",
        stands_with_clamped_below: "every word is accepted",
        stands_by_half: None,
        stands_by_share: None,
        stands_by_root: None,
        stands_by_square: None,
        stands_as_for_logs: "logarithms",
        stands_with_log_ratio: "every word is accepted",
        stands_until_the_first_refusal: "first rejected",
        stands_by_mean_ratio: None,
        stands_by_first_r: None,
        stands_by_sorted_r: None,
        stands_all_or_none: None,
        stands_whole_ratio: "no chance",
        stands_by_own_chance: None,
        stands_nearly: None,
        stands_places: None,
        stands_not_returned: None,
    },
    "residual": {
        residual_where_the_target_likes_it_more: "0 by 0",
        residual_target_again: "from q again",
        residual_where_the_target_likes_it_more_guarded: "only q − p",
        residual_draft_again: "draft's own",
        residual_not_normalised: "do not sum to 1",
        residual_not_normalised_but_equal: "not divided by",
        residual_absolute: "counts both sides",
        residual_other_way: "too much of",
        residual_not_cut: "not cut off",
        residual_divided_by_uncut_sum: None,
        residual_softmax: "softmax",
        residual_softmax_of_cut: None,
        residual_without_equal: "0 / 0",
        residual_zero_for_equal: None,
        residual_evenly_for_equal: None,
        residual_most_missing: "always taken",
        residual_evenly_among_missing: "evenly",
        residual_squared: None,
        residual_root: None,
        residual_ratio: None,
        residual_ratio_times_target: None,
        residual_of_relative_gaps: None,
        residual_shared_part: "both share",
        residual_greater_part: None,
        residual_mean: "mean of both",
        residual_target_times_rest: None,
        residual_without_the_drafts_best: None,
        residual_in_place: None,
        residual_drawn_word: None,
        residual_not_returned: None,
    },
}
RIGHT = {
    "pay_off": [
        pay_off_by_closed_form,
        pay_off_by_numpy,
        pay_off_by_tensor,
        pay_off_by_horner,
        pay_off_by_listing_ends,
    ],
    "accepted": [
        stands_without_clamp,
        stands_by_product,
        stands_by_loop,
        stands_by_numpy,
        stands_by_logs,
        stands_by_where,
    ],
    "residual": [
        residual_by_minimum,
        residual_by_numpy,
        residual_by_where,
        residual_by_loop,
        residual_from_refusals,
    ],
}
