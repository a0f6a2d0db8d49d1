"""Entropy and divergences of next-word distributions, in nats, over the last axis of
log-probabilities or logits (…, V)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def entropy(log_p: Tensor) -> Tensor:
    """Return H(p) = −Σ_k p(k) log p(k), (…,): 0 where one word is certain."""
    return -(log_p.exp() * log_p).sum(dim=-1)


def kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p‖q) = Σ_k p(k) (log p(k) − log q(k)), (…,)."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=-1)


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
    mixture = torch.logaddexp(teacher + math.log(beta), student + math.log(1.0 - beta))
    return beta * kl(teacher, mixture) + (1.0 - beta) * kl(student, mixture)
