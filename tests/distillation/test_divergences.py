"""Divergences and losses against plain Python's, with words of probability 0: exact, infinite where
they are, never NaN."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.distillation.divergences import divergence, entropy, expected, kl
from seqkd_lab.distillation.losses import cross_entropy_per_token, word_kd_per_token

NEVER = -math.inf
LOGIT = st.one_of(st.floats(-8.0, 8.0), st.just(NEVER))
LOGITS = st.integers(2, 6).flatmap(
    lambda n: st.tuples(
        *[
            st.lists(LOGIT, min_size=n, max_size=n).filter(lambda zs: max(zs) > NEVER)
            for _ in range(2)
        ]
    )
)


def probabilities(logits):
    of_all = [math.exp(z - max(logits)) for z in logits]
    return [p / math.fsum(of_all) for p in of_all]


def kl_by_hand(p, q):
    if any(a > 0.0 and b == 0.0 for a, b in zip(p, q, strict=True)):
        return math.inf
    return math.fsum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0.0)


def tensors(*lists):
    return [torch.tensor(zs, dtype=torch.float64, requires_grad=True) for zs in lists]


@given(LOGITS)
def test_kl_and_entropy_are_pythons(pair):
    (p, q), (log_p, log_q) = map(probabilities, pair), (z.log_softmax(0) for z in tensors(*pair))
    assert kl(log_p, log_q).item() == pytest.approx(kl_by_hand(p, q), abs=1e-9)
    surprise = math.fsum(-a * math.log(a) for a in p if a > 0.0)
    assert entropy(log_p).item() == pytest.approx(surprise, abs=1e-9)


@given(LOGITS, st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
def test_divergence_is_pythons_and_so_is_its_gradient(pair, beta):
    student, teacher = tensors(*pair)
    p, q = map(probabilities, pair)
    mixture = [beta * t + (1.0 - beta) * s for s, t in zip(p, q, strict=True)]
    if beta in (0.0, 1.0):
        exact = kl_by_hand(q, p) if beta == 0.0 else kl_by_hand(p, q)
    else:
        exact = beta * kl_by_hand(q, mixture) + (1.0 - beta) * kl_by_hand(p, mixture)
    found = divergence(student, teacher, beta)
    assert found.item() == pytest.approx(exact, abs=1e-9)
    if math.isfinite(exact):
        found.backward()
        assert student.grad.isfinite().all() and teacher.grad is None
        assert (student.grad[student == NEVER] == 0.0).all()


@given(LOGITS, st.sampled_from([0.5, 1.0, 4.0]))
def test_word_kd_is_pythons(pair, temperature):
    student, teacher = tensors(*pair)
    p, q = (probabilities([z / temperature for z in zs]) for zs in pair)
    if any(b > 0.0 and a == 0.0 for a, b in zip(p, q, strict=True)):
        exact = math.inf
    else:
        exact = -math.fsum(b * math.log(a) for a, b in zip(p, q, strict=True) if b > 0.0)
    found = word_kd_per_token(student[None, None], teacher[None, None], temperature)
    assert found.item() == pytest.approx(temperature**2 * exact, abs=1e-9)
    if math.isfinite(exact):
        found.sum().backward()
        assert student.grad.isfinite().all()


def test_what_is_possible_counts_as_before():
    """No number changes where no probability is 0: gradients are the same, bit for bit."""
    torch.manual_seed(0)
    logits, p = torch.randn(4, 3, 50, requires_grad=True), torch.randn(4, 3, 50).softmax(2)
    plain = -(p * logits.log_softmax(dim=2)).sum(dim=2)
    found = cross_entropy_per_token(logits, p)
    assert torch.equal(found, plain)
    of_found, of_plain = (torch.autograd.grad(x.sum(), logits)[0] for x in (found, plain))
    assert torch.equal(of_found, of_plain)


def test_nan_stays_nan():
    assert expected(torch.tensor([0.5, math.nan]), torch.ones(2)).isnan()
    assert expected(torch.tensor([0.5, 0.5]), torch.tensor([1.0, math.nan])).isnan()
