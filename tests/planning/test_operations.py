"""Counts of operations against PyTorch's own counter, which looks at the products that a real model
makes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from seqkd_lab.corpus.batching import Batch, source_batch
from seqkd_lab.corpus.vocabulary import SPECIALS, Vocabulary
from seqkd_lab.decoding.search import search_batch
from seqkd_lab.distillation.losses import nll
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.planning.operations import (
    Shape,
    forward_operations,
    lstm_decoder,
    lstm_encoder,
    parts,
    training_operations,
)

SHAPE = Shape(
    width=8, layers=2, n_source_words=20, n_target_words=30, source_length=5, target_length=7
)
WORDS = Vocabulary((*SPECIALS, *(f"w{number}" for number in range(300))))
B, S, T = 4, 6, 9
SPECS = (
    LSTMSpec(width=48, layers=1),
    LSTMSpec(width=64, layers=3),
    TransformerSpec(width=48, layers=2, heads=4, hidden=128, dropout=0.0),
)


def counted(work) -> int:
    """Operations of `work()` as PyTorch counts them; without mkldnn an LSTM is made of products
    that it can see."""
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def encoder_pass(batch: int, gradient: bool = False) -> None:
    """The encoder's equations for `batch` sentences of SHAPE, keys included."""
    D, S = SHAPE.width, int(SHAPE.source_length)
    inputs = torch.randn(batch, S, D, requires_grad=gradient)
    start = tuple(torch.randn(2, 2 * SHAPE.layers, batch, D // 2, requires_grad=gradient))
    states, _ = nn.LSTM(D, D // 2, SHAPE.layers, batch_first=True, bidirectional=True)(
        inputs, start
    )
    keys = nn.Linear(D, D, bias=False)(states)
    if gradient:
        keys.sum().backward()


def decoder_pass(batch: int, gradient: bool = False) -> None:
    """The decoder's equations for `batch` targets of SHAPE, given keys and values."""
    D, S, T = SHAPE.width, int(SHAPE.source_length), int(SHAPE.target_length)
    inputs = torch.randn(batch, T, D, requires_grad=gradient)
    keys, values = torch.randn(2, batch, S, D, requires_grad=gradient)
    start = tuple(torch.randn(2, SHAPE.layers, batch, D, requires_grad=gradient))
    outputs, _ = nn.LSTM(D, D, SHAPE.layers, batch_first=True)(inputs, start)
    context = (outputs @ keys.transpose(1, 2)).softmax(dim=2) @ values
    attended = nn.Linear(2 * D, D, bias=False)(torch.cat([context, outputs], dim=2)).tanh()
    logits = nn.Linear(D, SHAPE.n_target_words)(attended)
    if gradient:
        logits.sum().backward()


def test_operations_of_a_forward_pass_are_those_that_pytorch_counts() -> None:
    batch = 3
    source_tokens, target_tokens = batch * SHAPE.source_length, batch * SHAPE.target_length
    assert counted(lambda: encoder_pass(batch)) == lstm_encoder(SHAPE) * source_tokens
    assert counted(lambda: decoder_pass(batch)) == lstm_decoder(SHAPE) * target_tokens


def test_training_is_three_forward_passes() -> None:
    found = counted(lambda: encoder_pass(2, gradient=True)) + counted(
        lambda: decoder_pass(2, gradient=True)
    )
    assert found == pytest.approx(training_operations(SHAPE) * 2 * SHAPE.target_length)


def test_a_beam_repeats_the_decoder_and_not_the_encoder() -> None:
    one, five = (forward_operations(SHAPE, beam_size) for beam_size in (1, 5))
    assert five - one == pytest.approx(4 * lstm_decoder(SHAPE))


def shape_of(spec: Spec) -> Shape:
    return Shape.of(spec, (len(WORDS), len(WORDS)), (S, T))


def random_batch() -> Batch:
    """B pairs of S source and T target tokens, without padding."""
    chance = torch.Generator().manual_seed(1)
    draw = lambda length: torch.randint(4, len(WORDS), (B, length), generator=chance)  # noqa: E731
    return Batch(draw(S), torch.full((B,), S), draw(T), draw(T), torch.arange(B))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_real_model_takes_the_operations_that_are_counted(spec: Spec) -> None:
    """Within 8%: the Transformer's own attention sees all places in a batch, half of them masked;
    our LSTM applies the combination's half for the context to source words."""
    model, batch = build(spec, WORDS, WORDS).train(), random_batch()
    with torch.no_grad():
        forward = counted(lambda: model(batch))
    assert forward == pytest.approx(forward_operations(shape_of(spec)) * B * T, rel=0.08)
    both = counted(lambda: nll(model(batch), batch.target_out).backward())
    assert both == pytest.approx(training_operations(shape_of(spec)) * B * T, rel=0.08)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("beam_size", [5, 20])
def test_a_real_search_takes_the_operations_that_are_counted(spec: Spec, beam_size: int) -> None:
    """From the second step on, where the beam is full: the first has one hypothesis, and is left
    out by the difference of two searches. A table of gates spares the first input product."""
    torch.manual_seed(1)
    model = build(spec, WORDS, WORDS).eval()
    with torch.no_grad():
        model.output.bias[2] = -1e4  # no early end
    source, lengths = source_batch([["w1"] * (S - 1)] * B, WORDS)
    search = lambda length: search_batch(  # noqa: E731
        model, source, lengths, torch.full((B,), length), beam_size
    )
    search(2)
    steps = counted(lambda: search(T + 1)) - counted(lambda: search(1))
    _, decoder = parts(shape_of(spec))
    spared = 2.0 * 4 * spec.width**2 if isinstance(spec, LSTMSpec) else 0.0
    assert steps == pytest.approx((decoder - spared) * beam_size * B * T, rel=0.08)
