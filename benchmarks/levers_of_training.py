"""Levers of training: batches, objectives, encoder and optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from benchmarks import corpus as toy
from benchmarks.lever import Lever, Way
from seqkd_lab.corpus.batching import EncodedCorpus, Sentences, batch_rows, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.distillation.losses import cross_entropy, mixed_target, nll, word_kd
from seqkd_lab.distillation.teacher_memory import TeacherMemory
from seqkd_lab.models.dropout import Dropout
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec


def dropout() -> tuple[Way, Way]:
    """A float for each number against a byte for each number, forward and backward."""
    x, gradient = torch.randn(128, 14, 128, requires_grad=True), torch.randn(128, 14, 128)
    theirs, ours = nn.Dropout(0.1), Dropout(0.1)
    return lambda: theirs(x).backward(gradient), lambda: ours(x).backward(gradient)


def logits_of(V: int, B: int = 128, T: int = 14) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    logits = torch.randn(B, T, V, requires_grad=True)
    return logits, torch.randn(B, T, V), torch.randint(3, V, (B, T))


def mixed_objective() -> tuple[Way, Way]:
    """α Word-KD + (1 − α) NLL: two cross-entropies, or one with the mixed target."""
    logits, teacher, target = logits_of(540)

    def two() -> Tensor:
        return torch.autograd.grad(
            0.5 * word_kd(logits, teacher, target) + 0.5 * nll(logits, target), logits
        )[0]

    def one() -> Tensor:
        return torch.autograd.grad(
            cross_entropy(logits, mixed_target(teacher, target, 0.5), target), logits
        )[0]

    return two, one


class GradientByHand(torch.autograd.Function):
    """−log p[y], whose gradient by the logits is p − one-hot(y)."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        log_p = logits.log_softmax(dim=2)
        ctx.save_for_backward(log_p, target)
        return -log_p.gather(2, target[:, :, None]).squeeze(2)

    @staticmethod
    def backward(ctx: Any, weight: Tensor) -> tuple[Tensor, None]:
        log_p, target = ctx.saved_tensors
        p = log_p.exp()
        p.scatter_add_(2, target[:, :, None], torch.full((*target.shape, 1), -1.0))
        return p.mul_(weight[:, :, None]), None


def nll_gradient() -> tuple[Way, Way]:
    """torch's own gradient of the NLL against one written by hand."""
    logits, _, target = logits_of(540)
    by_hand = lambda: GradientByHand.apply(logits, target).mean()  # noqa: E731
    return (
        lambda: torch.autograd.grad(nll(logits, target), logits)[0],
        lambda: torch.autograd.grad(by_hand(), logits)[0],
    )


def padding() -> tuple[Way, Way]:
    """A tensor for each sentence, padded together, or all ids in one row and a table of places."""
    ids = [list(range(4, 5 + len(target))) for _, target in toy.load().train[:3200]]
    tensors, sentences, rows = (
        [torch.tensor(line) for line in ids],
        Sentences.of(ids),
        torch.arange(0, 3200, 25),
    )
    places = rows.tolist()
    return lambda: pad_sequence(
        [tensors[row] for row in places], batch_first=True
    ), lambda: sentences.padded(rows)


def pairs_and_models(width: int = 24) -> tuple[EncodedCorpus, LSTMSeq2Seq]:
    """3,200 pairs of the toy corpus, and a model with random weights for them."""
    corpus = toy.load()
    torch.manual_seed(0)
    model = LSTMSeq2Seq(LSTMSpec(width), *map(Vocabulary.build, zip(*corpus.train, strict=True)))
    source, target = zip(*corpus.train[:3200], strict=True)
    pairs = ParallelCorpus("toy", "train", "CC0-1.0", tuple(source), tuple(target))
    return encode(pairs, model.source_vocabulary, model.target_vocabulary), model


def token_batches() -> tuple[Way, Way]:
    """A student's epoch in batches of 64 sentences, or in as many batches of as many tokens
    each."""
    encoded, student = pairs_and_models()
    by_sentences = list(batch_rows(encoded, 64, shuffle_seed=1))
    order = encoded.target_lengths.argsort(stable=True)
    share = (
        encoded.target_lengths[order].cumsum(0)
        * len(by_sentences)
        // (int(encoded.target_lengths.sum()) + 1)
    )
    by_tokens = order.split(share.bincount().tolist())

    def epoch(rows_of_batches: Sequence[Tensor]) -> None:
        for rows in rows_of_batches:
            batch = make_batch(encoded, rows)
            student.zero_grad()
            nll(student(batch), batch.target_out).backward()

    return lambda: epoch(by_sentences), lambda: epoch(by_tokens)


def teacher_once() -> tuple[Way, Way]:
    """What the teacher says of a batch: asked for each time, or only its last layer, over what one
    pass left."""
    encoded, teacher = pairs_and_models(width=128)
    memory, batch = (
        TeacherMemory(teacher, encoded),
        make_batch(encoded, next(batch_rows(encoded, 128, shuffle_seed=1))),
    )
    real = (batch.target_out != PAD)[:, :, None]
    return lambda: teacher(batch).detach() * real, lambda: memory(batch) * real


def adam() -> tuple[Way, Way]:
    """torch's default Adam against its fused one: a teacher of real text."""

    def stepper(fused: bool) -> Way:
        torch.manual_seed(0)
        weights = [nn.Parameter(torch.randn(1000, 1000)) for _ in range(4)]
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        return torch.optim.Adam(weights, lr=1e-4, fused=fused).step

    return stepper(False), stepper(True)


def encoder() -> tuple[Way, Way]:
    """The student's encoder over packed sentences, or over padded ones (its end states are then
    those of padding)."""
    x, lengths = torch.randn(128, 13, 24), torch.randint(7, 14, (128,)).clamp(max=13)
    lengths[0] = 13
    lstm = nn.LSTM(24, 12, batch_first=True, bidirectional=True)

    def packed() -> None:
        states, _ = lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        pad_packed_sequence(states, batch_first=True)[0].sum().backward()

    return packed, lambda: lstm(x)[0].sum().backward()


def int8() -> tuple[Way, Way]:
    """The output layer in fp32 or with int8 weights, for a batch of a student's beams."""
    layer = nn.Sequential(nn.Linear(24, 540)).eval()
    quantised = torch.ao.quantization.quantize_dynamic(layer, {nn.Linear}, dtype=torch.qint8)
    x = torch.randn(640, 24)
    return lambda: layer(x).detach(), lambda: quantised(x).detach()


TRAINING = (
    Lever("dropout: a byte a number", "2–3×, a tenth of a teacher's update", dropout, exact=False),
    Lever(
        "Word-KD and NLL: one cross-entropy with the mixed target",
        "1.5× of the loss",
        mixed_objective,
    ),
    Lever(
        "batches: all ids in one row",
        "2–3×, small beside an update; a sixth of the memory",
        padding,
    ),
    Lever(
        "Word-KD: the teacher's vectors from one pass, for all epochs",
        "4×: of a forward pass the last layer stays",
        teacher_once,
    ),
    Lever("Adam fused", "2–4×, a few percent of an update", adam, exact=False),
    Lever(
        "batches of equal tokens, not of equal sentences",
        "1.0×: sorted by length, 1 target in 70 is padding",
        token_batches,
        kept=False,
        exact=False,
        why="what is padded is little; many short sentences and few long ones work the LSTMs less "
        "evenly",
    ),
    Lever(
        "NLL with its gradient by hand",
        "1.3× of the loss",
        nll_gradient,
        kept=False,
        why="a twentieth of an update does not pay for a second way to write the loss",
    ),
    Lever(
        "student's encoder without packing",
        "2×",
        encoder,
        kept=False,
        exact=False,
        why="the end states are then the padding's; made exact, with the biases as an input that "
        "is 0 there, it "
        "gained a few percent of an update for a page of code",
    ),
    Lever(
        "output layer in int8",
        "1.5×",
        int8,
        kept=False,
        exact=False,
        why="torch's int8 for LSTMs is its older quantisation, and a student's products are small",
    ),
)
