"""Answers to the exercises of lesson 4 that a learner may write, wrong and right."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional as F

from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.lab.word_kd.exercises import word_kd_loss as right_loss
from seqkd_lab.lab.word_kd.targets_exercises import mixed_target as right_target
from seqkd_lab.lab.word_kd.targets_exercises import word_gradient as right_gradient

# word_kd_loss: wrong values


def per_token(student_logits, teacher_logits, temperature):
    q = F.softmax(teacher_logits / temperature, -1)
    return -(q * F.log_softmax(student_logits / temperature, -1)).sum(-1)


def masked(values, target):
    return values[target != PAD].mean()


def sign(student_logits, teacher_logits, target, temperature):
    q = F.softmax(teacher_logits / temperature, -1)
    return temperature**2 * masked(
        (q * F.log_softmax(student_logits / temperature, -1)).sum(-1), target
    )


def no_factor(student_logits, teacher_logits, target, temperature):
    return masked(per_token(student_logits, teacher_logits, temperature), target)


def tau_for_tau_squared(student_logits, teacher_logits, target, temperature):
    return temperature * masked(per_token(student_logits, teacher_logits, temperature), target)


def divided_by_the_factor(student_logits, teacher_logits, target, temperature):
    return masked(per_token(student_logits, teacher_logits, temperature), target) / temperature**2


def factor_cubed(student_logits, teacher_logits, target, temperature):
    return temperature**3 * masked(per_token(student_logits, teacher_logits, temperature), target)


def factor_twice_tau(student_logits, teacher_logits, target, temperature):
    return 2 * temperature * masked(per_token(student_logits, teacher_logits, temperature), target)


def factor_only_above_one(student_logits, teacher_logits, target, temperature):
    return max(1.0, temperature) ** 2 * masked(
        per_token(student_logits, teacher_logits, temperature), target
    )


def logits_over_tau_squared(student_logits, teacher_logits, target, temperature):
    return temperature**2 * masked(
        per_token(student_logits, teacher_logits, temperature**2), target
    )


def half_masked(student_logits, teacher_logits, target, temperature):
    values = per_token(student_logits, teacher_logits, temperature) * (target != PAD)
    return temperature**2 * values.mean()


def half_masked_below(student_logits, teacher_logits, target, temperature):
    return (
        temperature**2
        * per_token(student_logits, teacher_logits, temperature).sum()
        / (target != PAD).sum()
    )


def no_mask(student_logits, teacher_logits, target, temperature):
    return temperature**2 * per_token(student_logits, teacher_logits, temperature).mean()


def mask_turned_round(student_logits, teacher_logits, target, temperature):
    values = per_token(student_logits, teacher_logits, temperature) * (target == PAD)
    return temperature**2 * values.sum() / (target != PAD).sum()


def end_masked_too(student_logits, teacher_logits, target, temperature):
    return (
        temperature**2 * per_token(student_logits, teacher_logits, temperature)[target > EOS].mean()
    )


def sum_for_mean(student_logits, teacher_logits, target, temperature):
    return (
        temperature**2 * per_token(student_logits, teacher_logits, temperature)[target != PAD].sum()
    )


def by_sentences(student_logits, teacher_logits, target, temperature):
    return sum_for_mean(student_logits, teacher_logits, target, temperature) / target.shape[0]


def by_positions(student_logits, teacher_logits, target, temperature):
    return sum_for_mean(student_logits, teacher_logits, target, temperature) / target.shape[1]


def one_token_too_few(student_logits, teacher_logits, target, temperature):
    return sum_for_mean(student_logits, teacher_logits, target, temperature) / (
        (target != PAD).sum() - 1
    )


def mean_of_means(student_logits, teacher_logits, target, temperature):
    values = per_token(student_logits, teacher_logits, temperature)
    means = [values[b][target[b] != PAD].mean() for b in range(len(target))]
    return temperature**2 * torch.stack(means).mean()


def mean_over_the_vocabulary(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(-1)
    values = -(q * (student_logits / temperature).log_softmax(-1)).mean(-1)
    return temperature**2 * masked(values, target)


def number_of_sentences_as_axis(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(0)
    return temperature**2 * masked(
        -(q * (student_logits / temperature).log_softmax(0)).sum(2), target
    )


def positions_as_axis(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(1)
    return temperature**2 * masked(
        -(q * (student_logits / temperature).log_softmax(1)).sum(2), target
    )


def teachers_axis_wrong(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(1)
    return temperature**2 * masked(
        -(q * (student_logits / temperature).log_softmax(2)).sum(2), target
    )


def teacher_not_softened(student_logits, teacher_logits, target, temperature):
    q = teacher_logits.softmax(2)
    return temperature**2 * masked(
        -(q * (student_logits / temperature).log_softmax(2)).sum(2), target
    )


def student_not_softened(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(2)
    return temperature**2 * masked(-(q * student_logits.log_softmax(2)).sum(2), target)


def sharpened(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits * temperature).softmax(2)
    return temperature**2 * masked(
        -(q * (student_logits * temperature).log_softmax(2)).sum(2), target
    )


def softened_after_the_softmax(student_logits, teacher_logits, target, temperature):
    q = teacher_logits.softmax(2) / temperature
    return temperature**2 * masked(
        -(q * (student_logits.log_softmax(2) / temperature)).sum(2), target
    )


def student_softened_after_the_softmax(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(2)
    return temperature**2 * masked(
        -(q * student_logits.log_softmax(2) / temperature).sum(2), target
    )


def swapped(student_logits, teacher_logits, target, temperature):
    return temperature**2 * masked(per_token(teacher_logits, student_logits, temperature), target)


def relative_entropy(student_logits, teacher_logits, target, temperature):
    log_p, log_q = ((z / temperature).log_softmax(2) for z in (student_logits, teacher_logits))
    return temperature**2 * masked((log_q.exp() * (log_q - log_p)).sum(2), target)


def reverse_relative_entropy(student_logits, teacher_logits, target, temperature):
    return relative_entropy(teacher_logits, student_logits, target, temperature)


def torchs_default_mean(student_logits, teacher_logits, target, temperature):
    log_p = (student_logits / temperature).log_softmax(2)
    return temperature**2 * F.kl_div(
        log_p, (teacher_logits / temperature).softmax(2), reduction="mean"
    )


def torchs_batch_mean(student_logits, teacher_logits, target, temperature):
    log_p = (student_logits / temperature).log_softmax(2)
    return temperature**2 * F.kl_div(
        log_p, (teacher_logits / temperature).softmax(2), reduction="batchmean"
    )


def teachers_entropy(student_logits, teacher_logits, target, temperature):
    return temperature**2 * masked(per_token(teacher_logits, teacher_logits, temperature), target)


def students_entropy(student_logits, teacher_logits, target, temperature):
    return temperature**2 * masked(per_token(student_logits, student_logits, temperature), target)


def probability_for_log(student_logits, teacher_logits, target, temperature):
    q, p = ((z / temperature).softmax(2) for z in (teacher_logits, student_logits))
    return -(temperature**2) * masked((q * p).sum(2), target)


def logit_for_log(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(2)
    return -(temperature**2) * masked((q * student_logits / temperature).sum(2), target)


def in_bits(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits, teacher_logits, target, temperature) / math.log(2)


def of_gold(student_logits, teacher_logits, target, temperature):
    return temperature**2 * F.cross_entropy(
        (student_logits / temperature).transpose(1, 2), target, ignore_index=PAD
    )


def of_gold_at_tau_one(student_logits, teacher_logits, target, temperature):
    return F.cross_entropy(student_logits.transpose(1, 2), target, ignore_index=PAD)


def of_the_teachers_best(student_logits, teacher_logits, target, temperature):
    best = teacher_logits.argmax(2).masked_fill(target == PAD, -100)
    return temperature**2 * F.cross_entropy((student_logits / temperature).transpose(1, 2), best)


def golds_term_only(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).softmax(2)
    terms = -q * (student_logits / temperature).log_softmax(2)
    return temperature**2 * masked(terms.gather(2, target[:, :, None]).squeeze(2), target)


def squared_difference(student_logits, teacher_logits, target, temperature):
    return masked((student_logits - teacher_logits).pow(2).mean(2), target)


def last_word_forgotten(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits[:, :, :-1], teacher_logits[:, :, :-1], target, temperature)


def padding_taken_from_the_vocabulary(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits[:, :, 1:], teacher_logits[:, :, 1:], target, temperature)


def one_position_late(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits[:, 1:], teacher_logits[:, :-1], target[:, 1:], temperature)


def first_position_left_out(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits[:, 1:], teacher_logits[:, 1:], target[:, 1:], temperature)


def first_sentence_only(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits[:1], teacher_logits[:1], target[:1], temperature)


def a_value_a_token(student_logits, teacher_logits, target, temperature):
    return temperature**2 * per_token(student_logits, teacher_logits, temperature) * (target != PAD)


def no_return(student_logits, teacher_logits, target, temperature):
    right_loss(student_logits, teacher_logits, target, temperature)


# word_kd_loss: right values through which nothing can be learned


def as_float(student_logits, teacher_logits, target, temperature):
    return float(right_loss(student_logits, teacher_logits, target, temperature))


def as_item(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits, teacher_logits, target, temperature).item()


def as_list(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits, teacher_logits, target, temperature).tolist()


def loss_detached(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits, teacher_logits, target, temperature).detach()


def student_detached(student_logits, teacher_logits, target, temperature):
    return right_loss(student_logits.detach(), teacher_logits, target, temperature)


def student_copied(student_logits, teacher_logits, target, temperature):
    copy = student_logits.clone().detach().requires_grad_()
    return right_loss(copy, teacher_logits, target, temperature)


def without_gradients(student_logits, teacher_logits, target, temperature):
    with torch.no_grad():
        return right_loss(student_logits, teacher_logits, target, temperature)


def a_new_tensor(student_logits, teacher_logits, target, temperature):
    return torch.tensor(
        as_float(student_logits, teacher_logits, target, temperature), requires_grad=True
    )


def a_new_tensor_and_nothing(student_logits, teacher_logits, target, temperature):
    return (
        loss_detached(student_logits, teacher_logits, target, temperature)
        + 0.0 * student_logits.sum()
    )


def normaliser_detached(student_logits, teacher_logits, target, temperature):
    z = student_logits / temperature
    log_p = z - z.detach().logsumexp(2, keepdim=True)
    return -(temperature**2) * masked(
        ((teacher_logits / temperature).softmax(2) * log_p).sum(2), target
    )


def by_numpy(student_logits, teacher_logits, target, temperature):
    def softmax(x):
        x = np.exp(x - x.max(-1, keepdims=True))
        return x / x.sum(-1, keepdims=True)

    q, p = (
        softmax(np.asarray(x).astype(float) / temperature) for x in (teacher_logits, student_logits)
    )
    return (-(q * np.log(p)).sum(-1))[np.asarray(target) != 0].mean() * temperature**2


def by_numpy_detached(student_logits, teacher_logits, target, temperature):
    return by_numpy(
        student_logits.detach().numpy(), teacher_logits.numpy(), target.numpy(), temperature
    )


# word_kd_loss: right


def kd_flat(student_logits, teacher_logits, target, temperature):
    real = target.ne(0)
    q = F.softmax(teacher_logits[real].div(temperature), dim=-1)
    return F.cross_entropy(student_logits[real] / temperature, q) * temperature * temperature


def kd_by_loops(student_logits, teacher_logits, target, temperature):
    total, n_tokens = 0.0, 0
    for student, teacher, words in zip(student_logits, teacher_logits, target, strict=True):
        for z, v, word in zip(student, teacher, words, strict=True):
            if word != PAD:
                q, p = torch.softmax(v / temperature, 0), torch.softmax(z / temperature, 0)
                total = total - sum(q[k] * torch.log(p[k]) for k in range(len(q)))
                n_tokens += 1
    return temperature**2 * total / n_tokens


def kd_by_matrices(student_logits, teacher_logits, target, temperature):
    q = (teacher_logits / temperature).exp()
    q = q / q.sum(dim=2, keepdim=True)
    z = student_logits / temperature
    log_p = z - z.logsumexp(dim=2, keepdim=True)
    values = -torch.einsum("btv,btv->bt", q, log_p)
    return (
        temperature**2
        * torch.where(target == 0, torch.zeros_like(values), values).sum()
        / torch.count_nonzero(target)
    )


def kd_from_divergence(student_logits, teacher_logits, target, temperature):
    log_p, log_q = ((z / temperature).log_softmax(2) for z in (student_logits, teacher_logits))
    divergence = F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(2)
    entropy = torch.special.entr(log_q.exp()).sum(2)
    real = (target != PAD).double()
    return (temperature**2 * ((divergence + entropy) * real).sum() / real.sum()).reshape(1)


# mixed_target


def mixed_swapped(gold, teacher_probabilities, alpha):
    return [(1 - alpha) * q + alpha * (k == gold) for k, q in enumerate(teacher_probabilities)]


def mixed_gold_added(gold, teacher_probabilities, alpha):
    target = [alpha * q for q in teacher_probabilities]
    target[gold] += 1
    return target


def mixed_gold_replaced(gold, teacher_probabilities, alpha):
    target = [alpha * q for q in teacher_probabilities]
    target[gold] = 1 - alpha
    return target


def mixed_gold_replaced_and_normalised(gold, teacher_probabilities, alpha):
    target = mixed_gold_replaced(gold, teacher_probabilities, alpha)
    return [t / sum(target) for t in target]


def mixed_gold_subtracted(gold, teacher_probabilities, alpha):
    return [alpha * q - (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]


def mixed_without_gold(gold, teacher_probabilities, alpha):
    return (alpha * np.array(teacher_probabilities)).tolist()


def mixed_teacher_in_full(gold, teacher_probabilities, alpha):
    target = list(teacher_probabilities)
    target[gold] += 1 - alpha
    return target


def mixed_teacher_in_full_and_normalised(gold, teacher_probabilities, alpha):
    target = mixed_teacher_in_full(gold, teacher_probabilities, alpha)
    return [t / sum(target) for t in target]


def mixed_teacher_alone(gold, teacher_probabilities, alpha):
    return list(teacher_probabilities)


def mixed_gold_alone(gold, teacher_probabilities, alpha):
    return [float(k == gold) for k in range(len(teacher_probabilities))]


def mixed_half_and_half(gold, teacher_probabilities, alpha):
    return right_target(gold, teacher_probabilities, 0.5)


def mixed_off_by_one(gold, teacher_probabilities, alpha):
    target = [alpha * q for q in teacher_probabilities]
    target[gold - 1] += 1 - alpha
    return target


def mixed_off_by_one_up(gold, teacher_probabilities, alpha):
    return right_target(gold + 1, teacher_probabilities, alpha)


def mixed_with_the_best(gold, teacher_probabilities, alpha):
    return right_target(int(np.argmax(teacher_probabilities)), teacher_probabilities, alpha)


def mixed_everywhere(gold, teacher_probabilities, alpha):
    return [alpha * q + (1 - alpha) for q in teacher_probabilities]


def mixed_with_even(gold, teacher_probabilities, alpha):
    return [alpha * q + (1 - alpha) / len(teacher_probabilities) for q in teacher_probabilities]


def mixed_label_smoothing(gold, teacher_probabilities, alpha):
    n = len(teacher_probabilities)
    return [(1 - alpha) * (k == gold) + alpha / n for k in range(n)]


def mixed_geometrically(gold, teacher_probabilities, alpha):
    weights = [
        q**alpha * (1.0 if k == gold else 1e-9) ** (1 - alpha)
        for k, q in enumerate(teacher_probabilities)
    ]
    return [w / sum(weights) for w in weights]


def mixed_larger(gold, teacher_probabilities, alpha):
    return [max(alpha * q, (1 - alpha) * (k == gold)) for k, q in enumerate(teacher_probabilities)]


def mixed_softmax(gold, teacher_probabilities, alpha):
    return torch.tensor(right_target(gold, teacher_probabilities, alpha)).softmax(0)


def mixed_logs(gold, teacher_probabilities, alpha):
    return [
        math.log(t) if t else -math.inf for t in right_target(gold, teacher_probabilities, alpha)
    ]


def mixed_golds_number_only(gold, teacher_probabilities, alpha):
    return right_target(gold, teacher_probabilities, alpha)[gold]


def mixed_by_number(gold, teacher_probabilities, alpha):
    return dict(enumerate(right_target(gold, teacher_probabilities, alpha)))


def mixed_in_percent(gold, teacher_probabilities, alpha):
    return [100 * t for t in right_target(gold, teacher_probabilities, alpha)]


def mixed_in_whole_numbers(gold, teacher_probabilities, alpha):
    return torch.tensor(right_target(gold, teacher_probabilities, alpha)).int()


def mixed_in_place(gold, teacher_probabilities, alpha):
    for k in range(len(teacher_probabilities)):
        teacher_probabilities[k] *= alpha
    teacher_probabilities[gold] += 1 - alpha
    return teacher_probabilities


def mixed_shorter(gold, teacher_probabilities, alpha):
    return right_target(gold, teacher_probabilities, alpha)[:-1]


def mixed_nothing(gold, teacher_probabilities, alpha):
    right_target(gold, teacher_probabilities, alpha)


def mixed_by_numpy(gold, teacher_probabilities, alpha):
    return (
        alpha * np.array(teacher_probabilities)
        + (1 - alpha) * np.eye(len(teacher_probabilities))[gold]
    )


def mixed_by_torch(gold, teacher_probabilities, alpha):
    hard = F.one_hot(torch.tensor(gold), len(teacher_probabilities))
    return torch.lerp(hard.float(), torch.tensor(teacher_probabilities), alpha)


def mixed_by_steps(gold, teacher_probabilities, alpha):
    return (
        q + (1 - alpha) * ((1.0 if k == gold else 0.0) - q)
        for k, q in enumerate(teacher_probabilities)
    )


def mixed_as_tuple(gold, teacher_probabilities, alpha):
    target = [alpha * q for q in teacher_probabilities]
    target[gold] += 1 - alpha
    return tuple(target)


# word_gradient


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def gradient_downhill(student_logits, teacher_probabilities, gold, alpha):
    return right_target(gold, teacher_probabilities, alpha) - softmax(student_logits)


def gradient_of_nll(student_logits, teacher_probabilities, gold, alpha):
    gradient = softmax(student_logits)
    gradient[gold] -= 1
    return gradient


def gradient_of_weighted_nll(student_logits, teacher_probabilities, gold, alpha):
    return (1 - alpha) * gradient_of_nll(student_logits, teacher_probabilities, gold, alpha)


def gradient_of_word_kd(student_logits, teacher_probabilities, gold, alpha):
    return softmax(student_logits) - np.array(teacher_probabilities)


def gradient_of_weighted_word_kd(student_logits, teacher_probabilities, gold, alpha):
    return alpha * (softmax(student_logits) - np.array(teacher_probabilities))


def gradient_swapped(student_logits, teacher_probabilities, gold, alpha):
    return right_gradient(student_logits, teacher_probabilities, gold, 1 - alpha)


def gradient_gold_in_full(student_logits, teacher_probabilities, gold, alpha):
    gradient = softmax(student_logits) - alpha * np.array(teacher_probabilities)
    gradient[gold] -= 1
    return gradient


def gradient_gold_without_the_teacher(student_logits, teacher_probabilities, gold, alpha):
    return softmax(student_logits) - mixed_gold_replaced(gold, teacher_probabilities, alpha)


def gradient_off_by_one(student_logits, teacher_probabilities, gold, alpha):
    return right_gradient(student_logits, teacher_probabilities, gold - 1, alpha)


def gradient_students_probability(student_logits, teacher_probabilities, gold, alpha):
    return softmax(student_logits)


def gradient_target(student_logits, teacher_probabilities, gold, alpha):
    return right_target(gold, teacher_probabilities, alpha)


def gradient_by_log_p(student_logits, teacher_probabilities, gold, alpha):
    return [-t for t in right_target(gold, teacher_probabilities, alpha)]


def gradient_by_p(student_logits, teacher_probabilities, gold, alpha):
    return -np.array(right_target(gold, teacher_probabilities, alpha)) / softmax(student_logits)


def gradient_with_logits(student_logits, teacher_probabilities, gold, alpha):
    return np.array(student_logits) - right_target(gold, teacher_probabilities, alpha)


def gradient_with_log_softmax(student_logits, teacher_probabilities, gold, alpha):
    return np.log(softmax(student_logits)) - right_target(gold, teacher_probabilities, alpha)


def gradient_not_normalised(student_logits, teacher_probabilities, gold, alpha):
    return np.exp(student_logits) - right_target(gold, teacher_probabilities, alpha)


def gradient_with_sigmoid(student_logits, teacher_probabilities, gold, alpha):
    return torch.tensor(student_logits).sigmoid() - torch.tensor(
        right_target(gold, teacher_probabilities, alpha)
    )


def gradient_mean(student_logits, teacher_probabilities, gold, alpha):
    return np.array(right_gradient(student_logits, teacher_probabilities, gold, alpha)) / len(
        student_logits
    )


def gradient_size(student_logits, teacher_probabilities, gold, alpha):
    return np.abs(right_gradient(student_logits, teacher_probabilities, gold, alpha))


def gradient_sum_of_sizes(student_logits, teacher_probabilities, gold, alpha):
    return np.abs(right_gradient(student_logits, teacher_probabilities, gold, alpha)).sum()


def gradient_of_gold_only(student_logits, teacher_probabilities, gold, alpha):
    return right_gradient(student_logits, teacher_probabilities, gold, alpha)[gold]


def gradient_of_gold_among_zeros(student_logits, teacher_probabilities, gold, alpha):
    return [
        (k == gold) * g
        for k, g in enumerate(right_gradient(student_logits, teacher_probabilities, gold, alpha))
    ]


def gradient_teacher_softmax_again(student_logits, teacher_probabilities, gold, alpha):
    return right_gradient(student_logits, softmax(teacher_probabilities).tolist(), gold, alpha)


def gradient_of_squares(student_logits, teacher_probabilities, gold, alpha):
    z = torch.tensor(student_logits, requires_grad=True)
    target = torch.tensor(right_target(gold, teacher_probabilities, alpha))
    return torch.autograd.grad((z.softmax(0) - target).pow(2).sum(), z)[0]


def gradient_of_relative_entropy_reversed(student_logits, teacher_probabilities, gold, alpha):
    z = torch.tensor(student_logits, requires_grad=True)
    log_q = torch.tensor(teacher_probabilities).log()
    p = z.softmax(0)
    return torch.autograd.grad((p * (p.log() - log_q)).sum(), z)[0]


def gradient_loss(student_logits, teacher_probabilities, gold, alpha):
    target = torch.tensor(right_target(gold, teacher_probabilities, alpha))
    return F.cross_entropy(torch.tensor(student_logits), target)


def gradient_twice(student_logits, teacher_probabilities, gold, alpha):
    return [2 * g for g in right_gradient(student_logits, teacher_probabilities, gold, alpha)]


def gradient_one_sided(student_logits, teacher_probabilities, gold, alpha):
    p = softmax(student_logits)
    return p * (1 - p) - p * right_target(gold, teacher_probabilities, alpha)


def gradient_nothing(student_logits, teacher_probabilities, gold, alpha):
    right_gradient(student_logits, teacher_probabilities, gold, alpha)


def gradient_by_autograd(student_logits, teacher_probabilities, gold, alpha):
    z = torch.tensor(student_logits, requires_grad=True)
    log_p = z.log_softmax(0)
    loss = -alpha * (torch.tensor(teacher_probabilities) * log_p).sum() - (1 - alpha) * log_p[gold]
    loss.backward()
    return z.grad


def gradient_by_numpy(student_logits, teacher_probabilities, gold, alpha):
    gradient = softmax(np.array(student_logits)) - alpha * np.array(teacher_probabilities)
    gradient[gold] -= 1 - alpha
    return gradient


def gradient_by_two_terms(student_logits, teacher_probabilities, gold, alpha):
    z = torch.tensor(student_logits, dtype=torch.float64)
    p, q = z.softmax(0), torch.tensor(teacher_probabilities, dtype=torch.float64)
    hard = F.one_hot(torch.tensor(gold), len(z))
    return tuple(alpha * (p - q) + (1 - alpha) * (p - hard))


def gradient_by_differences(student_logits, teacher_probabilities, gold, alpha):
    def loss(z):
        log_p = z - np.log(np.exp(z).sum())
        return -alpha * np.dot(teacher_probabilities, log_p) - (1 - alpha) * log_p[gold]

    z, steps = np.array(student_logits), 1e-6 * np.eye(len(student_logits))
    return ((loss(z + step) - loss(z - step)) / 2e-6 for step in steps)


WRONG = {
    "word_kd_loss": {
        sign: "the sign",
        no_factor: "τ² is missing",
        tau_for_tau_squared: "τ, not τ²",
        divided_by_the_factor: "divides by τ²",
        factor_cubed: None,
        factor_twice_tau: None,
        factor_only_above_one: None,
        logits_over_tau_squared: None,
        half_masked: "still counts in the number",
        half_masked_below: None,
        no_mask: "padding counts",
        mask_turned_round: None,
        end_masked_too: None,
        sum_for_mean: "sum over the batch",
        by_sentences: "number of sentences",
        by_positions: None,
        one_token_too_few: None,
        mean_of_means: "sentences' means",
        mean_over_the_vocabulary: "mean over the vocabulary",
        number_of_sentences_as_axis: None,
        positions_as_axis: "dim 1",
        teachers_axis_wrong: None,
        teacher_not_softened: "only the student is softened",
        student_not_softened: "only the teacher is softened",
        sharpened: "multiplied by τ",
        softened_after_the_softmax: None,
        student_softened_after_the_softmax: None,
        swapped: "changed places",
        relative_entropy: "KL(q ‖ p)",
        reverse_relative_entropy: None,
        torchs_default_mean: None,
        torchs_batch_mean: None,
        teachers_entropy: None,
        students_entropy: None,
        probability_for_log: "logarithm is missing",
        logit_for_log: None,
        in_bits: None,
        of_gold: "NLL of gold",
        of_gold_at_tau_one: None,
        of_the_teachers_best: "teacher's best word",
        golds_term_only: None,
        squared_difference: None,
        last_word_forgotten: None,
        padding_taken_from_the_vocabulary: None,
        one_position_late: None,
        first_position_left_out: None,
        first_sentence_only: None,
        a_value_a_token: None,
        no_return: None,
        as_float: None,
        as_item: None,
        as_list: None,
        loss_detached: None,
        student_detached: None,
        student_copied: None,
        without_gradients: None,
        a_new_tensor: None,
        a_new_tensor_and_nothing: None,
        normaliser_detached: None,
        by_numpy: None,
        by_numpy_detached: None,
    },
    "mixed_target": {
        mixed_swapped: "changed places",
        mixed_gold_added: "full weight",
        mixed_gold_replaced: "lost the teacher's share",
        mixed_gold_replaced_and_normalised: None,
        mixed_gold_subtracted: None,
        mixed_without_gold: "gold is missing",
        mixed_teacher_in_full: "counts in full",
        mixed_teacher_in_full_and_normalised: None,
        mixed_teacher_alone: None,
        mixed_gold_alone: None,
        mixed_half_and_half: None,
        mixed_off_by_one: None,
        mixed_off_by_one_up: None,
        mixed_with_the_best: "teacher's best word",
        mixed_everywhere: "every word",
        mixed_with_even: None,
        mixed_label_smoothing: "label smoothing",
        mixed_geometrically: None,
        mixed_larger: None,
        mixed_softmax: None,
        mixed_logs: None,
        mixed_golds_number_only: None,
        mixed_by_number: None,
        mixed_in_percent: None,
        mixed_in_whole_numbers: None,
        mixed_in_place: None,
        mixed_shorter: None,
        mixed_nothing: None,
    },
    "word_gradient": {
        gradient_downhill: "the sign",
        gradient_of_nll: "teacher is missing",
        gradient_of_weighted_nll: None,
        gradient_of_word_kd: "gold is missing",
        gradient_of_weighted_word_kd: None,
        gradient_swapped: "changed places",
        gradient_gold_in_full: "gold counts in full",
        gradient_gold_without_the_teacher: None,
        gradient_off_by_one: None,
        gradient_students_probability: None,
        gradient_target: None,
        gradient_by_log_p: "with respect to ln p",
        gradient_by_p: "with respect to p itself",
        gradient_with_logits: "no probabilities",
        gradient_with_log_softmax: None,
        gradient_not_normalised: "not yet p",
        gradient_with_sigmoid: None,
        gradient_mean: "V times too small",
        gradient_size: None,
        gradient_sum_of_sizes: None,
        gradient_of_gold_only: None,
        gradient_of_gold_among_zeros: None,
        gradient_teacher_softmax_again: "softmax again",
        gradient_of_squares: None,
        gradient_of_relative_entropy_reversed: None,
        gradient_loss: None,
        gradient_twice: None,
        gradient_one_sided: None,
        gradient_nothing: None,
    },
}
RIGHT = {
    "word_kd_loss": [kd_flat, kd_by_loops, kd_by_matrices, kd_from_divergence],
    "mixed_target": [mixed_by_numpy, mixed_by_torch, mixed_by_steps, mixed_as_tuple],
    "word_gradient": [
        gradient_by_autograd,
        gradient_by_numpy,
        gradient_by_two_terms,
        gradient_by_differences,
    ],
}
