"""Entropy and divergences of next-word distributions, in nats, over the last axis of
log-probabilities or logits (…, V)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def expected(p: Tensor, values: Tensor) -> Tensor:
    """Return Σ_k p(k) values(k), (…,), for two (…, V): a word of probability 0 adds 0, even where
    its value is infinite, and gets no gradient."""
    never = p == 0.0
    if never.any():
        values = values.masked_fill(never, 0.0)
    return (p * values).sum(dim=-1)


def entropy(log_p: Tensor) -> Tensor:
    """Return H(p) = −Σ_k p(k) log p(k), (…,): 0 where one word is certain."""
    return -expected(log_p.exp(), log_p)


def kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p‖q) = Σ_k p(k) (log p(k) − log q(k)), (…,): infinite where a word is
    possible under p alone."""
    return expected(log_p.exp(), log_p - log_q)


def log_mixture(log_p: Tensor, log_q: Tensor, beta: float) -> Tensor:
    """Return log(β p + (1 − β) q), (…, V), for β between 0 and 1. Where neither allows a word it is
    the lowest number instead of −∞, whose gradient would be NaN."""
    lowest = torch.finfo(log_p.dtype).min
    log_p, log_q = (x.clamp_min(lowest) for x in (log_p, log_q))
    return torch.logaddexp(log_p + math.log(beta), log_q + math.log(1.0 - beta))


def divergence(logits: Tensor, teacher_logits: Tensor, beta: float) -> Tensor:
    """Return how far the student's next word is from the teacher's, (…,), from two (…, V) of
    logits.

    β = 0: KL(p_T‖p_S), forward. β = 1: KL(p_S‖p_T), reverse. Between them JSD_β = β KL(p_T‖m) + (1
    − β) KL(p_S‖m) with m = β p_T + (1 − β) p_S (GKD: Agarwal et al. 2024, arXiv 2306.13649, section
    2), which goes to 0 at both ends: there the scale jumps. The teacher's logits get no gradient.
    """
    student, teacher = logits.log_softmax(dim=-1), teacher_logits.detach().log_softmax(dim=-1)
    if beta == 0.0:
        return kl(teacher, student)
    if beta == 1.0:
        return kl(student, teacher)
    mixture = log_mixture(teacher, student, beta)
    return beta * kl(teacher, mixture) + (1.0 - beta) * kl(student, mixture)
