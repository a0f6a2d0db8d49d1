"""Objectives and the Transformer on torch's own "meta" device, which has shapes and no numbers:
what falls back to the CPU on the way fails, since no number can be brought there."""

from __future__ import annotations

import pytest
import torch

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import OBJECTIVES
from seqkd_lab.models import transformer
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec

B, S, T = 3, 5, 4
META = torch.device("meta")
WORDS = Vocabulary.build([tuple("abcde")])


def batch() -> Batch:
    """Return a batch of shapes."""
    source, target = (torch.empty(B, n, dtype=torch.int64, device=META) for n in (S, T))
    numbers = torch.empty(B, dtype=torch.int64, device=META)
    return Batch(source, numbers, target, target, numbers)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_stay_where_the_logits_are(monkeypatch, name):
    monkeypatch.setattr(torch.Tensor, "__bool__", lambda tensor: True)  # a branch reads a number
    logits = torch.empty(B, T, len(WORDS), device=META, requires_grad=True)
    objective = OBJECTIVES[name]()
    loss = objective(logits, batch(), logits.detach() if objective.needs_teacher else None)
    assert loss.device == META and loss.shape == ()
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.device == META and gradient.shape == logits.shape


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("memory", [None, 2])
def test_the_transformer_reads_and_steps_without_the_cpu(monkeypatch, tied, memory):
    monkeypatch.setattr(transformer, "check_source", lambda *_: None)  # it reads numbers
    with META:
        spec = TransformerSpec(8, 2, 2, 8, tied=tied, memory=memory)
        model = TransformerSeq2Seq(spec, WORDS, WORDS)
    assert model(batch()).shape == (B, T, len(WORDS))
    state = model.start(batch().source, batch().source_lengths)
    for _ in range(3):
        logits, state = model.step(torch.empty(B, 1, dtype=torch.int64, device=META), state)
    assert logits.device == META and state.length == 3
    assert all(keys.device == META for keys, _ in state.past)
