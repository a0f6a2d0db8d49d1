"""Answers to the exercises of lesson 2 that a learner may write, wrong and right."""

from __future__ import annotations

import math
import statistics

import numpy as np
import torch
from scipy.special import log_softmax as scipy_log_softmax
from torch.nn import functional as F

from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.lab.teacher.exercises import masked_nll as right_loss
from seqkd_lab.lab.teacher.perplexity_exercise import perplexity as right_perplexity

# masked_nll: wrong values


def surprise(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, reduction="none")  # (B, T)


def padding_counted(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target)


def half_masked(logits, target):
    return surprise(logits, target).masked_fill(target == PAD, 0).sum() / target.numel()


def summed(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, ignore_index=PAD, reduction="sum")


def all_places_over_real_ones(logits, target):
    return surprise(logits, target).sum() / (target != PAD).sum()


def by_sentences(logits, target):
    return summed(logits, target) / target.shape[0]


def by_the_longest(logits, target):
    return summed(logits, target) / target.shape[1]


def by_the_vocabulary(logits, target):
    return summed(logits, target) / logits.shape[2]


def mean_of_sentences(logits, target):
    losses = [F.cross_entropy(z, y, ignore_index=PAD) for z, y in zip(logits, target, strict=True)]
    return torch.stack(losses).mean()


def mean_of_positions(logits, target):
    losses = [
        F.cross_entropy(logits[:, t], target[:, t], ignore_index=PAD)
        for t in range(target.shape[1])
    ]
    return torch.stack(losses).mean()


def sum_of_sentence_means(logits, target):
    return mean_of_sentences(logits, target) * len(target)


def first_sentence(logits, target):
    return right_loss(logits[:1], target[:1])


def last_sentence(logits, target):
    for b in range(len(target)):
        loss = right_loss(logits[b : b + 1], target[b : b + 1])
    return loss


def first_position(logits, target):
    return right_loss(logits[:, :1], target[:, :1])


def flipped(logits, target):
    return -right_loss(logits, target)


def in_bits(logits, target):
    return right_loss(logits, target) / math.log(2)


def to_base_10(logits, target):
    return right_loss(logits, target) / math.log(10)


def softmax_over_positions(logits, target):
    return -logits.log_softmax(1).gather(2, target.unsqueeze(2)).squeeze(2)[target != PAD].mean()


def softmax_over_sentences(logits, target):
    return -logits.log_softmax(0).gather(2, target.unsqueeze(2)).squeeze(2)[target != PAD].mean()


def softmax_over_real_words(logits, target):
    """Leaves the padding symbol out of the vocabulary."""
    hidden = logits.clone()
    hidden[..., PAD] = -torch.inf
    return right_loss(hidden, target)


def probability(logits, target):
    return -logits.softmax(2).gather(2, target.unsqueeze(2)).squeeze(2)[target != PAD].mean()


def one_minus_probability(logits, target):
    return 1 + probability(logits, target)


def log_of_the_mean(logits, target):
    return -(-probability(logits, target)).log()


def raw_logits(logits, target):
    return -logits.gather(2, target.unsqueeze(2)).squeeze(2)[target != PAD].mean()


def log_softmax_twice(logits, target):
    return F.cross_entropy(logits.softmax(2).transpose(1, 2), target, ignore_index=PAD)


def sigmoid(logits, target):
    return -F.logsigmoid(logits).gather(2, target.unsqueeze(2)).squeeze(2)[target != PAD].mean()


def all_words(logits, target):
    return -logits.log_softmax(2)[target != PAD].mean()


def all_words_summed(logits, target):
    return -logits.log_softmax(2)[target != PAD].sum(-1).mean()


def own_best(logits, target):
    return -logits.log_softmax(2).max(2).values[target != PAD].mean()


def entropy_of_the_model(logits, target):
    p = logits.softmax(2)
    return -(p * p.log()).sum(2)[target != PAD].mean()


def without_the_end(logits, target):
    return surprise(logits, target)[target > EOS].mean()


def the_end_ignored(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, ignore_index=EOS)


def begin_ignored(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, ignore_index=BOS)


def only_padding(logits, target):
    return surprise(logits, target)[target == PAD].mean()


def mask_turned_round(logits, target):
    padding = target == PAD
    return (surprise(logits, target) * padding).sum() / padding.sum()


def sum_right_number_of_padding(logits, target):
    return summed(logits, target) / (target == PAD).sum()


def one_too_many(logits, target):
    return summed(logits, target) / ((target != PAD).sum() + 1)


def shifted(logits, target):
    return right_loss(logits[:, :-1], target[:, 1:])


def shifted_back(logits, target):
    return right_loss(logits[:, 1:], target[:, :-1])


def smoothed(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, ignore_index=PAD, label_smoothing=0.1)


def as_perplexity(logits, target):
    return right_loss(logits, target).exp()


def squared(logits, target):
    return (surprise(logits, target)[target != PAD] ** 2).mean()


def median(logits, target):
    return surprise(logits, target)[target != PAD].median()


def per_token_list(logits, target):
    return surprise(logits, target)[target != PAD]


def reshaped_without_transpose(logits, target):
    B, T, V = logits.shape
    return F.cross_entropy(logits.reshape(B, V, T), target, ignore_index=PAD)


def default_ignore_index(logits, target):
    return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100)


def printed(logits, target):
    print(right_loss(logits, target))


def in_place(logits, target):
    logits[target == PAD] = 0.0
    return right_loss(logits, target)


# masked_nll: right values that nothing can be learned from


def as_item(logits, target):
    return right_loss(logits, target).item()


def as_float(logits, target):
    return float(right_loss(logits, target))


def as_list(logits, target):
    return right_loss(logits, target).tolist()


def detached(logits, target):
    return right_loss(logits.detach(), target)


def loss_detached(logits, target):
    return right_loss(logits, target).detach()


def loss_data(logits, target):
    return right_loss(logits, target).data


def without_gradients(logits, target):
    with torch.no_grad():
        return right_loss(logits, target)


def made_again(logits, target):
    return torch.tensor(right_loss(logits, target).item(), requires_grad=True)


def graph_of_nothing(logits, target):
    return right_loss(logits.detach(), target) + 0.0 * logits.sum()


def normaliser_detached(logits, target):
    chosen = logits.gather(2, target.unsqueeze(2)).squeeze(2)
    return (logits.logsumexp(2).detach() - chosen)[target != PAD].mean()


def by_numpy(logits, target):
    y = target.numpy()
    log_p = np.take_along_axis(scipy_log_softmax(logits.numpy(), 2), y[:, :, None], 2)[:, :, 0]
    return -log_p[y != 0].mean()


def by_numpy_detached(logits, target):
    return torch.tensor(by_numpy(logits.detach(), target))


def items_in_a_loop(logits, target):
    log_p = logits.log_softmax(2)
    values = [
        log_p[b, t, y].item()
        for b, row in enumerate(target.tolist())
        for t, y in enumerate(row)
        if y
    ]
    return -sum(values) / len(values)


# masked_nll: right


def nll_with_mask(logits, target):
    real = (target != PAD).to(logits.dtype)
    return (surprise(logits, target) * real).sum() / real.sum()


def nll_by_ignore_index(logits, target):
    return F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), target.reshape(-1), ignore_index=PAD
    )


def nll_by_selection(logits, target):
    real = target.ne(0)
    return F.nll_loss(logits[real].log_softmax(-1), target[real])


def nll_by_one_hot(logits, target):
    one_hot = F.one_hot(target, logits.shape[2]) * (target != PAD)[:, :, None]
    return -(one_hot * F.log_softmax(logits, -1)).sum() / (target != PAD).sum()


def nll_by_logsumexp(logits, target):
    log_p = logits.gather(2, target.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)
    log_p[target == PAD] = 0
    return -log_p.sum() / target.count_nonzero()


def nll_by_double_softmax(logits, target):
    p = torch.softmax(logits.double(), dim=-1)
    return -torch.log(p[target != 0].gather(1, target[target != 0][:, None])).mean()


def nll_by_loops(logits, target):
    total, n = 0, 0
    for z, row in zip(logits, target, strict=True):
        for scores, y in zip(z, row, strict=True):
            if y != PAD:
                total = total - scores.log_softmax(0)[y]
                n += 1
    return total / n


def nll_by_weights(logits, target):
    """Each sentence's mean, weighted by its number of tokens."""
    real = target != PAD
    n = real.sum(1)
    means = (surprise(logits, target) * real).sum(1) / n
    return (means * n / n.sum()).sum()


def nll_of_shape_one(logits, target):
    return right_loss(logits, target).reshape(1)


# perplexity: wrong


def mean_of_perplexities(log_probs, n_tokens):
    return np.mean(np.exp(-np.array(log_probs) / np.array(n_tokens)))


def weighted_mean_of_perplexities(log_probs, n_tokens):
    return np.average(np.exp(-np.array(log_probs) / np.array(n_tokens)), weights=n_tokens)


def mean_of_means(log_probs, n_tokens):
    return np.exp(np.mean(-np.array(log_probs) / np.array(n_tokens)))


def sum_of_means(log_probs, n_tokens):
    return np.exp(np.sum(-np.array(log_probs) / np.array(n_tokens)))


def per_sentence(log_probs, n_tokens):
    return np.exp(-np.mean(log_probs))


def wrong_sign(log_probs, n_tokens):
    return np.exp(np.sum(log_probs) / np.sum(n_tokens))


def power_of_two(log_probs, n_tokens):
    return 2 ** (-np.sum(log_probs) / np.sum(n_tokens))


def power_of_ten(log_probs, n_tokens):
    return 10 ** (-sum(log_probs) / sum(n_tokens))


def surprise_per_token(log_probs, n_tokens):
    return -np.sum(log_probs) / np.sum(n_tokens)


def surprise_in_bits(log_probs, n_tokens):
    return surprise_per_token(log_probs, n_tokens) / math.log(2)


def of_the_whole(log_probs, n_tokens):
    with np.errstate(over="ignore"):
        return np.exp(-np.sum(log_probs))


def of_the_first(log_probs, n_tokens):
    return math.exp(-log_probs[0] / n_tokens[0])


def of_the_last(log_probs, n_tokens):
    for log_prob, n in zip(log_probs, n_tokens, strict=True):
        value = math.exp(-log_prob / n)
    return value


def end_added(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / (sum(n_tokens) + len(n_tokens)))


def end_taken_away(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / max(1, sum(n_tokens) - len(n_tokens)))


def one_less(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / (sum(n_tokens) - 1))


def whole_numbers(log_probs, n_tokens):
    return math.exp(-sum(log_probs) // sum(n_tokens))


def rounded(log_probs, n_tokens):
    return round(right_perplexity(log_probs, n_tokens), 2)


def as_integer(log_probs, n_tokens):
    return int(right_perplexity(log_probs, n_tokens))


def turned_round(log_probs, n_tokens):
    return math.exp(-sum(n_tokens) / sum(log_probs)) if sum(log_probs) else 1.0


def swapped(log_probs, n_tokens):
    return right_perplexity(n_tokens, log_probs)


def arithmetic_mean_of_p(log_probs, n_tokens):
    return 1 / np.mean(np.exp(np.array(log_probs) / np.array(n_tokens)))


def median_sentence(log_probs, n_tokens):
    return statistics.median(math.exp(-p / n) for p, n in zip(log_probs, n_tokens, strict=True))


def exp_minus_one(log_probs, n_tokens):
    return math.expm1(-sum(log_probs) / sum(n_tokens))


def product(log_probs, n_tokens):
    return math.prod(math.exp(p) for p in log_probs) ** (-1 / sum(n_tokens))


def product_of_torch(log_probs, n_tokens):
    return torch.tensor(log_probs).exp().prod() ** (-1 / sum(n_tokens))


def square_root(log_probs, n_tokens):
    return math.sqrt(right_perplexity(log_probs, n_tokens))


def largest(log_probs, n_tokens):
    return max(math.exp(-p / n) for p, n in zip(log_probs, n_tokens, strict=True))


def nothing_returned(log_probs, n_tokens):
    right_perplexity(log_probs, n_tokens)


def eats_its_arguments(log_probs, n_tokens):
    total = n = 0
    while log_probs:
        total, n = total - log_probs.pop(), n + n_tokens.pop()
    return math.exp(total / n)


# perplexity: right


def perplexity_by_bits(log_probs, n_tokens):
    return 2 ** (-sum(log_probs) / math.log(2) / sum(n_tokens))


def perplexity_by_torch(log_probs, n_tokens):
    return (-torch.tensor(log_probs).sum() / torch.tensor(n_tokens).sum()).exp()


def perplexity_by_weights(log_probs, n_tokens):
    per_token = np.array(log_probs) / np.array(n_tokens)
    return float(np.exp(-np.average(per_token, weights=n_tokens)))


def perplexity_by_geometric_mean(log_probs, n_tokens):
    return 1 / np.exp(sum(p for p in log_probs) / sum(n for n in n_tokens))


def perplexity_by_product_of_sentences(log_probs, n_tokens):
    """Each sentence's share of the whole, as a factor."""
    return math.prod(math.exp(-p / sum(n_tokens)) for p in log_probs)


def perplexity_by_loop(log_probs, n_tokens):
    total, n = 0.0, 0
    for i in range(len(log_probs)):
        total += log_probs[i]
        n += n_tokens[i]
    return math.e ** (-total / n)


WRONG = {
    "masked_nll": {
        padding_counted: "learns to write padding",
        default_ignore_index: "learns to write padding",
        half_masked: "out of the sum but",
        summed: "sum over the batch",
        all_places_over_real_ones: None,
        by_sentences: "number of sentences",
        by_the_longest: None,
        by_the_vocabulary: None,
        mean_of_sentences: "sentences' means",
        mean_of_positions: "positions' means",
        sum_of_sentence_means: None,
        first_sentence: None,
        last_sentence: None,
        first_position: None,
        flipped: "sign",
        in_bits: "in bits",
        to_base_10: None,
        softmax_over_positions: "dim 1",
        softmax_over_sentences: None,
        softmax_over_real_words: None,
        probability: "logarithm is missing",
        one_minus_probability: None,
        log_of_the_mean: None,
        raw_logits: "logits are not log-probabilities",
        log_softmax_twice: None,
        sigmoid: None,
        all_words: "all words of the vocabulary",
        all_words_summed: None,
        own_best: "most probable",
        entropy_of_the_model: None,
        without_the_end: "end of the sentence",
        the_end_ignored: None,
        begin_ignored: "learns to write padding",
        only_padding: None,
        mask_turned_round: None,
        sum_right_number_of_padding: None,
        one_too_many: None,
        shifted: "already shifted",
        shifted_back: None,
        smoothed: None,
        as_perplexity: None,
        squared: None,
        median: None,
        per_token_list: None,
        reshaped_without_transpose: None,
        printed: None,
        in_place: None,
        as_item: None,
        as_float: None,
        as_list: None,
        detached: None,
        loss_detached: None,
        loss_data: None,
        without_gradients: None,
        made_again: None,
        graph_of_nothing: None,
        normaliser_detached: None,
        by_numpy: None,
        by_numpy_detached: None,
        items_in_a_loop: None,
    },
    "perplexity": {
        mean_of_perplexities: "sentences' perplexities",
        weighted_mean_of_perplexities: None,
        mean_of_means: "sentences' means",
        sum_of_means: None,
        per_sentence: "number of sentences",
        wrong_sign: "sign",
        power_of_two: "inverse",
        power_of_ten: None,
        surprise_per_token: "mean surprise in nats",
        surprise_in_bits: None,
        of_the_whole: "1 / p of the whole corpus",
        of_the_first: None,
        of_the_last: None,
        end_added: None,
        end_taken_away: None,
        one_less: None,
        whole_numbers: None,
        rounded: None,
        as_integer: None,
        turned_round: None,
        swapped: None,
        arithmetic_mean_of_p: None,
        median_sentence: None,
        exp_minus_one: None,
        product: "product of the probabilities",
        product_of_torch: None,
        square_root: None,
        largest: None,
        nothing_returned: None,
        eats_its_arguments: None,
    },
}
RIGHT = {
    "masked_nll": (
        nll_with_mask,
        nll_by_ignore_index,
        nll_by_selection,
        nll_by_one_hot,
        nll_by_logsumexp,
        nll_by_double_softmax,
        nll_by_loops,
        nll_by_weights,
        nll_of_shape_one,
    ),
    "perplexity": (
        perplexity_by_bits,
        perplexity_by_torch,
        perplexity_by_weights,
        perplexity_by_geometric_mean,
        perplexity_by_product_of_sentences,
        perplexity_by_loop,
    ),
}
