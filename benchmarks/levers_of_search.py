"""Levers of search: what a step costs, and what a sentence costs."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from sacrebleu.metrics import BLEU
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks import corpus as toy
from benchmarks.lever import Lever, Way
from benchmarks.levers_of_training import pairs_and_models
from seqkd_lab.corpus.batching import make_batch
from seqkd_lab.decoding.greedy import greedy_batch
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.search import search_batch
from seqkd_lab.distillation.distilled import similarities
from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.models.lstm_step import StepWeights, lstm_step


def similarity() -> tuple[Way, Way]:
    """sacreBLEU's sentence_score for each of 35 hypotheses, or the n-grams of gold counted once."""
    pairs = toy.load().train[:36]
    gold, hypotheses = pairs[0][1], [target for _, target in pairs[1:]]
    bleu = BLEU(smooth_method="exp", effective_order=True, tokenize="none")
    texts, reference = [" ".join(hypothesis) for hypothesis in hypotheses], [" ".join(gold)]
    return (
        lambda: torch.tensor([bleu.sentence_score(text, reference).score for text in texts]),
        lambda: torch.tensor(similarities(hypotheses, gold)),
    )


def gate_table() -> tuple[Way, Way]:
    """The input's part of the LSTM's gates as a product for each word, or looked up: K = 35, 32
    sentences."""
    embedding, gates = nn.Embedding(540, 128), nn.Linear(128, 512)
    words = torch.randint(0, 540, (1120,))
    with torch.no_grad():
        table = gates(embedding.weight).detach()
    return lambda: gates(embedding(words)).detach(), lambda: F.embedding(words, table)


def combine() -> tuple[Way, Way]:
    """W·[context; output] in each step, or W's left half applied to the memory once a sentence."""
    B, K, S, D = 32, 35, 13, 128
    weights, memory = torch.rand(B, K, S).softmax(dim=2), torch.randn(B, S, D)
    output, layer = torch.randn(B, K, D), nn.Linear(2 * D, D, bias=False)
    left, right = layer.weight.detach().chunk(2, dim=1)
    values = F.linear(memory, left)
    return (
        lambda: layer(torch.cat([weights @ memory, output], dim=2)).detach(),
        lambda: torch.baddbmm(F.linear(output, right), weights, values),
    )


def best_candidates() -> tuple[Way, Way]:
    """The whole sort of 5·V candidates, or the best five alone."""
    score = torch.randn(128, 5 * 540)
    return lambda: score.sort(dim=1, descending=True).values[
        :, :5
    ], lambda: score.topk(5, dim=1).values


def one_sentence(width: int = 128) -> tuple[LSTMSeq2Seq, Tensor, Tensor]:
    """A model with random weights, and one source of 13 words (1, 13)."""
    encoded, model = pairs_and_models(width)
    rows = (encoded.source_lengths == 13).nonzero()[:1, 0]
    batch = make_batch(encoded, rows)
    return model.eval(), batch.source, batch.source_lengths


def greedy_loop() -> tuple[Way, Way]:
    """One sentence by beam search with K = 1, or by greedy search's own loop: its log p."""
    model, source, lengths = one_sentence()
    most = longest_allowed(lengths)
    return (
        lambda: search_batch(model, source, lengths, most, 1)[0].log_prob.view(()),
        lambda: greedy_batch(model, source, lengths, most)[0][1],
    )


@torch.no_grad()
def unpacked_once() -> tuple[Way, Way]:
    """20 steps of one sentence's LSTM, whose weights are asked of the module in each, or once."""
    model, source, lengths = one_sentence()
    state, gates = model.start(source, lengths), torch.randn(1, 512)
    lstm, output = model.decoder, state.weights.output

    def steps(weights: Callable[[], StepWeights]) -> Tensor:
        h, c = state.h, state.c
        for _ in range(20):
            h, c = lstm_step(weights(), gates, h, c, model.dropout)
        return h[0].detach()

    return lambda: steps(lambda: StepWeights.of(lstm, output)), lambda: steps(lambda: state.weights)


def encoder_of_one() -> tuple[Way, Way]:
    """The teacher's encoder over one sentence, packed, or as it is."""
    x, lengths = torch.randn(1, 13, 128), torch.tensor([13])
    lstm = nn.LSTM(128, 64, batch_first=True, bidirectional=True)

    @torch.no_grad()
    def packed() -> Tensor:
        states, _ = lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return pad_packed_sequence(states, batch_first=True)[0]

    @torch.no_grad()
    def plain() -> Tensor:
        return lstm(x)[0]

    return packed, plain


SEARCH = (
    Lever("greedy search in its own loop (one sentence)", "1.3×: a third fewer calls", greedy_loop),
    Lever("an LSTM step's weights unpacked once a sentence", "1.1× of the step", unpacked_once),
    Lever(
        "encoder of one sentence without packing", "1.5×, a fiftieth of a search", encoder_of_one
    ),
    Lever(
        "similarity: n-grams of gold counted once",
        "1.3×: half of the work is the hypothesis'",
        similarity,
    ),
    Lever("input gates looked up in a table (K = 35)", "2×, half of the LSTM's step", gate_table),
    Lever("combine applied to the memory once a sentence (K = 35)", "1.5×", combine),
    Lever("top-k without sorting the vocabulary (K = 5)", "5×", best_candidates),
)
