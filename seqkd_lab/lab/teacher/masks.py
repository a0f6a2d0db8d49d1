"""Masks and token normalisation in lesson 02, right and broken on purpose: the same sentences, more
padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.losses import Objective, check_shapes, nll
from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class PaddingCounted(Objective):
    """An objective with a mistake: padding counts as words to predict, in the sum and in the
    number."""

    needs_teacher = False

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        return surprise(logits, batch.target_out)

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        return padding_counted(logits, batch.target_out)


def surprise(logits: Tensor, target: Tensor) -> Tensor:
    """Return −ln p of each target token (B, T), padding among them: logits (B, T, V), target (B,
    T)."""
    check_shapes(logits, target)
    return -logits.log_softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)


def padding_counted(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean over all positions, padding too: without any mask."""
    return surprise(logits, target).mean()


def divided_by_all(logits: Tensor, target: Tensor) -> Tensor:
    """Return the sum over real tokens divided by all positions."""
    return surprise(logits, target).masked_fill(target == PAD, 0.0).sum() / target.numel()


MASKED = "masked: sum over real tokens / their number"
NO_MASK = "no mask: padding counts as words"
HALF_MASKED = "half a mask: divided by all positions"
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    MASKED: nll,
    NO_MASK: padding_counted,
    HALF_MASKED: divided_by_all,
}


def longer_target(batch: Batch, n: int) -> Batch:
    """Return the same sentences with `n` more positions of padding after each target, as beside a
    longer neighbour."""
    return replace(
        batch, target_in=pad(batch.target_in, (0, n)), target_out=pad(batch.target_out, (0, n))
    )


def longer_source(batch: Batch, n: int) -> Batch:
    """Return the same sentences with `n` more positions of padding after each source."""
    return replace(batch, source=pad(batch.source, (0, n)))


@torch.inference_mode()
def losses_over_padding(
    model: Seq2Seq, batch: Batch, numbers: Sequence[int]
) -> dict[str, list[float]]:
    """Return each of LOSSES (nats a token) of the same sentences, with each of `numbers` of padding
    after the targets."""
    model.eval()
    longer = [longer_target(batch, n) for n in numbers]
    logits = [model(batch) for batch in longer]
    return {
        name: [float(loss(z, b.target_out)) for z, b in zip(logits, longer, strict=True)]
        for name, loss in LOSSES.items()
    }


READINGS = (
    "masked: a sentence's own words only",
    "attention sees padding",
    "encoder and attention read padding",
)


@torch.inference_mode()
def readings_over_padding(
    model: LSTMSeq2Seq, batch: Batch, numbers: Sequence[int]
) -> dict[str, list[float]]:
    """Return the NLL of gold (nats a token) with `numbers` of padding after the sources, for each
    of READINGS.

    The weights are the same throughout: only the masks are taken away.
    """
    model.eval()
    losses: dict[str, list[float]] = {name: [] for name in READINGS}
    for n in numbers:
        longer = longer_source(batch, n)
        right = model.start(longer.source, longer.source_lengths)
        seen = replace(
            right, padding=torch.zeros_like(right.padding)
        )  # −inf after the words is the attention's mask
        read = model.start(
            longer.source, torch.full_like(longer.source_lengths, longer.source.shape[1])
        )
        for name, state in zip(READINGS, (right, seen, read), strict=True):
            logits, _ = model.step(longer.target_in, state)
            losses[name].append(float(nll(logits, longer.target_out)))
    return losses


@torch.inference_mode()
def means_over_batches(
    model: Seq2Seq, corpus: ParallelCorpus, batch_sizes: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Return the loss of a corpus (nats a token) read in batches of each size: sum / number of
    tokens, and mean of means."""
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    model.eval()
    right, of_means = [], []
    for batch_size in batch_sizes:
        losses, numbers = _batch_losses(model, encoded, batch_size)
        right.append(
            math.fsum(loss * n for loss, n in zip(losses, numbers, strict=True)) / sum(numbers)
        )
        of_means.append(math.fsum(losses) / len(losses))
    return right, of_means


def _batch_losses(
    model: Seq2Seq, encoded: EncodedCorpus, batch_size: int
) -> tuple[list[float], list[int]]:
    """Return the NLL (nats a token) and the number of tokens of each batch."""
    read = list(batches(encoded, batch_size, shuffle_seed=None))
    losses = [float(nll(model(batch), batch.target_out)) for batch in read]
    return losses, [batch.n_tokens for batch in read]
