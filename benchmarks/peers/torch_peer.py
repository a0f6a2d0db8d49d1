"""What the peers written in PyTorch share: their training loop, over the peer's own model, loss and
optimiser step.

Batches are made here, of like lengths, for every peer alike, so that each is measured at its
model's and its search's best and not at its file reader's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.corpus import (
    EOS,
    PAD,
    Corpus,
    Pair,
    Sentence,
    batches,
    ids,
    index_of,
    padded,
    words,
)
from benchmarks.tool import BATCH_SIZE, CLIP_NORM, Size, one_cycle

WEIGHTS = "weights.pt"


class TorchPeer:
    """A Tool whose `model` is a torch module. A subclass builds it, and says what a batch's loss
    and search are."""

    model: torch.nn.Module
    rate_index = 0  # of Size.rates: 0 for LSTMs, 1 for Transformers
    fused = False  # whether the peer's own training loop takes torch's fused Adam

    def __init__(self, size: Size, corpus: Corpus, folder: Path | None) -> None:
        torch.manual_seed(1)
        self.size, self.corpus = size, corpus
        self.build()
        if folder is not None:
            self.model.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
        self.model.eval()

    def build(self) -> None:
        """Makes self.model."""
        raise NotImplementedError

    def loss(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Summed NLL of a batch: source (B, S) and its lengths (B,), EOS included; target (B, T+1)
        from BOS to EOS."""
        raise NotImplementedError

    def search(self, source: Tensor, lengths: Tensor, beam_size: int) -> list[list[int]]:
        """The ids of each source's best translation."""
        raise NotImplementedError

    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def train(
        self, pairs: Sequence[Pair], epochs: int, seen: Callable[[int], None] | None = None
    ) -> None:
        encoded = self.corpus.encoded(pairs)
        n_updates = epochs * math.ceil(len(encoded) / BATCH_SIZE)
        optimiser = torch.optim.Adam(
            self.model.parameters(), lr=self.size.rates[self.rate_index], fused=self.fused
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda update: one_cycle(update / n_updates)
        )
        for epoch in range(epochs):
            self.model.train()
            for batch in batches(encoded, BATCH_SIZE, seed=epoch):
                optimiser.zero_grad()
                source, lengths, target = tensors(batch)
                n_tokens = int((target != PAD).sum()) - len(target)
                (self.loss(source, lengths, target) / n_tokens).backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
                optimiser.step()
                schedule.step()
            self.model.eval()
            if seen is not None:
                seen(epoch + 1)

    @torch.no_grad()
    def validation_loss(self, pairs: Sequence[Pair]) -> float:
        self.model.eval()
        encoded = self.corpus.encoded(pairs)
        total = sum(self.loss(*tensors(batch)).item() for batch in batches(encoded, 128, seed=None))
        return total / sum(len(target) - 1 for _, target in encoded)

    @torch.no_grad()
    def translate(
        self, sources: Sequence[Sentence], beam_size: int, batch_size: int
    ) -> list[list[str]]:
        index, results = index_of(self.corpus.source_vocabulary), [[] for _ in sources]
        encoded = [[*ids(source, index), EOS] for source in sources]
        order = sorted(range(len(sources)), key=lambda i: -len(encoded[i]))
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            source = torch.tensor(padded([encoded[i] for i in rows]))
            found = self.search(source, torch.tensor([len(encoded[i]) for i in rows]), beam_size)
            for i, numbers in zip(rows, found, strict=True):
                results[i] = words(numbers, self.corpus.target_vocabulary)
        return results

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.model.state_dict(), folder / WEIGHTS)


def tensors(batch: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """source (B, S), its lengths (B,) and target (B, T+1), longest source first (joeynmt packs
    sorted batches)."""
    batch = sorted(batch, key=lambda pair: -len(pair[0]))
    source = torch.tensor(padded([x for x, _ in batch]))
    return (
        source,
        torch.tensor([len(x) for x, _ in batch]),
        torch.tensor(padded([y for _, y in batch])),
    )


def longest_output(lengths: Tensor) -> int:
    """The bound on output tokens that every tool gets for a batch: twice the longest source, and
    10."""
    return 2 * int(lengths.max()) + 10
