"""A share of n things is the nearest whole number, whatever floating point makes of the product."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.shares import rounded_share
from seqkd_lab.distillation.delta_ifd import keep_middle
from seqkd_lab.runs.data import beginning_of

HUNDREDTHS = st.integers(0, 100)


def nearest(share: Fraction, n: int) -> int:
    """In whole numbers: the half goes up."""
    return (2 * share.numerator * n + share.denominator) // (2 * share.denominator)


@given(HUNDREDTHS, st.integers(0, 5_000))
def test_it_is_the_nearest_by_exact_arithmetic(hundredths, n):
    assert rounded_share(hundredths / 100, n) == nearest(Fraction(hundredths, 100), n)


@pytest.mark.parametrize(
    ("share", "n", "expected"), [(0.1, 5, 1), (0.5, 1, 1), (0.5, 5, 3), (0.29, 50, 15), (0.1, 4, 0)]
)
def test_halves_go_up(share, n, expected):
    assert rounded_share(share, n) == expected


@given(HUNDREDTHS.filter(bool), st.integers(1, 400))
def test_the_middle_loses_as_much_at_either_end_and_never_all(hundredths, n):
    values = torch.randperm(n, generator=torch.Generator().manual_seed(n)).double()
    kept = sorted(values[keep_middle(values, hundredths / 100)].tolist())
    dropped = min(nearest(Fraction(100 - hundredths, 200), n), (n - 1) // 2)
    assert kept == list(range(dropped, n - dropped)) and kept


def test_a_beginning_has_at_least_one_pair():
    corpus = ParallelCorpus("", "", "", (("a",),) * 5, (("b",),) * 5)
    assert [len(beginning_of(corpus, share)) for share in (0.01, 0.1, 0.5, 1.0)] == [1, 1, 3, 5]
