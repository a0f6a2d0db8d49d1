"""Batches of random sentences, on which a learner's loss is checked."""

from __future__ import annotations

import torch

from seqkd_lab.corpus.vocabulary import EOS, PAD


def padded_targets(seed: int, lengths: tuple[int, ...], n_words: int) -> torch.Tensor:
    """Draw sentences (B, T) of these lengths, EOS included, padded: ids from 0 to n_words − 1."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.full((len(lengths), max(lengths)), PAD)
    for b, length in enumerate(lengths):
        target[b, : length - 1] = torch.randint(
            EOS + 1, n_words, (length - 1,), generator=generator
        )
        target[b, length - 1] = EOS
    return target
