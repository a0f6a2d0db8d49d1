"""Micro-batches: a batch in parts whose gradients are added up before the update.

The gradient of a batch's loss is the mean over its tokens, hence the sum over its micro-batches of
their own gradients, each times its share of the tokens. So one process that works through eight
micro-batches follows the curve of eight processes with one each. Draws (dropout, rollouts) belong
to the micro-batch, not to the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import nn

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, make_batch
from seqkd_lab.processes import Job


@dataclass(frozen=True)
class MicroBatch:
    """A part of a batch, and the seed of what is drawn for it. A process to which no sentence falls
    takes part with one that is a filler: it counts for nothing."""

    batch: Batch
    seed: int
    is_filler: bool = False

    @property
    def n_tokens(self) -> int:
        """Return the number of target tokens that count."""
        return 0 if self.is_filler else self.batch.n_tokens

    def placed(self, device: torch.device, transform: Callable[[Batch, int], Batch]) -> MicroBatch:
        """Return it on `device`, with what `transform` makes of the batch and the seed."""
        return replace(self, batch=transform(self.batch.to(device), self.seed))


def own_micro_batches(
    job: Job, encoded: EncodedCorpus, batch: Batch, number: int, seed: int
) -> list[MicroBatch]:
    """Divide `batch`, whose sentences are sorted by length, into `number` micro-batches of similar
    lengths; return those of this process."""
    micro_batches = []
    for place in job.share(range(number)):
        rows = batch.rows[place::number]
        is_filler = not len(rows)
        pairs = make_batch(encoded, batch.rows[:1] if is_filler else rows)
        micro_batches.append(MicroBatch(pairs, seed + place, is_filler))
    return micro_batches


def add_gradients(
    job: Job,
    replica: nn.Module,
    micro_batches: Sequence[MicroBatch],
    add_gradient: Callable[[Batch, float], float],
) -> tuple[float, int]:
    """Add up the gradients of the micro-batches of all processes; return the loss of the whole
    batch, in nats a token, and its tokens.

    `add_gradient` adds a batch's gradient times a weight, and returns its loss times the weight.
    The processes meet in the last backward pass, where the replica takes the mean of their
    gradients: `job.size` in the weight makes a sum of it.
    """
    n_tokens = int(job.total(sum(micro_batch.n_tokens for micro_batch in micro_batches)))
    loss = 0.0
    for micro_batch in micro_batches:
        torch.manual_seed(micro_batch.seed)
        weight = job.size * micro_batch.n_tokens / n_tokens
        is_last = micro_batch is micro_batches[-1]
        with nullcontext() if is_last else job.own_gradient(replica):
            loss += add_gradient(micro_batch.batch, weight)
    return job.total(loss) / job.size, n_tokens
