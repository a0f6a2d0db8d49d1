"""Rollouts: drawn from the model's own distribution, scored by the teacher token by token, and
filtered."""

from __future__ import annotations

import pytest
import torch
from small_rollouts import ENCODED, make_student, make_teacher, rollouts_of

from seqkd_lab.corpus.batching import make_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.distillation.delta_ifd import keep_middle
from seqkd_lab.distillation.generation import (
    DELTA_IFD,
    RANDOM,
    RolloutConfig,
    draw_translations,
    next_words,
)


def test_words_follow_the_distribution():
    logits = torch.tensor([0.3, 2.0, -1.0, 0.5, 1.5, 0.0])
    n, generator = 60_000, torch.Generator().manual_seed(1)
    for temperature in (1.0, 0.5):
        p = logits.clone()
        p[[PAD, BOS]] = float("-inf")
        p = (p / temperature).softmax(0)
        distribution = SamplingDistribution(temperature)(logits.expand(n, -1))
        frequency = torch.bincount(next_words(distribution, generator), minlength=6) / n
        assert (frequency - p).abs().max() < 5 * (0.25 / n) ** 0.5
        assert frequency[PAD] == frequency[BOS] == 0
    assert next_words(SamplingDistribution(0.0)(logits[None]), generator).item() == 4


def test_sentences_end_once_and_greedy_ones_do_not_depend_on_the_batch():
    student, batch = make_student(3), make_batch(ENCODED, range(12))
    drawn = draw_translations(student, batch, 1.0, torch.Generator().manual_seed(4))
    for row in drawn.tolist():
        end = row.index(EOS)
        assert row.count(EOS) == 1 and set(row[end + 1 :]) <= {PAD} and PAD not in row[:end]
    greedy = draw_translations(student, batch, 0.0, torch.Generator().manual_seed(4))
    for i in range(12):
        alone = draw_translations(student, make_batch(ENCODED, [i]), 0.0, torch.Generator())[0]
        assert alone[alone != PAD].tolist() == greedy[i][greedy[i] != PAD].tolist()


@pytest.mark.parametrize("k", [3, None])
def test_the_teachers_words_stand_at_their_token(k):
    rollouts = rollouts_of(30, RolloutConfig(top_k=k))[torch.tensor([7, 2, 19])]
    with torch.no_grad():
        real = rollouts.batch.target_out != PAD
        log_q = make_teacher()(rollouts.batch).log_softmax(2)[real]
    expected = log_q
    if k is not None:
        likeliest = log_q.topk(k).values
        rest = (1.0 - likeliest.exp().sum(1, keepdim=True)).log()
        expected = torch.cat([likeliest, rest], dim=1)
    assert torch.allclose(rollouts.teacher.log_probs, expected, atol=1e-5)
    if k is not None:
        found = log_q.gather(1, rollouts.teacher.words)
        assert torch.allclose(found, expected[:, :k], atol=1e-5)


@pytest.mark.parametrize(("filter", "n"), [("", 40), (RANDOM, 36), (DELTA_IFD, 36)])
def test_filters_keep_their_share(filter, n):
    rollouts = rollouts_of(40, RolloutConfig(filter=filter, top_k=2))
    assert int(rollouts.kept.sum()) == n
    parts = rollouts.parts(4)
    assert [len(part) for part in parts] == [n // 4] * 4
    rows = torch.cat([part.batch.rows for part in parts])
    assert torch.equal(rows, rollouts.batch.rows[rollouts.kept])
    if filter == DELTA_IFD:
        assert torch.equal(rollouts.kept, keep_middle(rollouts.delta, 0.9))


def test_wrong_settings_are_refused():
    for wrong in ({"filter": "best"}, {"temperature": -1.0}, {"share": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RolloutConfig(**wrong)
