"""Packing: several sentence pairs in one row, so that hardly any place of a batch holds padding.

A row is a source side and a target side of at most `length` tokens each. The sentences of a row
must not see each other: positions restart with each of them, and the masks are blocks along the
diagonal, in the encoder, in the decoder (causal within the block) and between the two. What comes
out is then what each sentence alone would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD

NOBODY = -1
"""Whose place it is where there is padding."""


@dataclass(frozen=True)
class PackedBatch:
    """N sentence pairs in R rows, int64 tensors.

    source           (R, S)  sentences one behind the other, PAD behind the last of a row
    source_sentence  (R, S)  which of the N sentences the place belongs to; NOBODY at padding
    source_place     (R, S)  the token's place in its sentence, from 0
    target_in, target_out, target_sentence, target_place   (R, T)  the same for what the decoder
    reads and writes length           the most tokens that a side of a row may hold
    """

    source: Tensor
    source_sentence: Tensor
    source_place: Tensor
    target_in: Tensor
    target_out: Tensor
    target_sentence: Tensor
    target_place: Tensor
    length: int

    @property
    def source_mask(self) -> Tensor:
        """(R, 1, S, S): True where a place of the source may look, within its own sentence."""
        return (self.source_sentence[:, :, None] == self.source_sentence[:, None, :])[:, None]

    @property
    def target_mask(self) -> Tensor:
        """(R, 1, T, T): the same on the target's side, and never ahead."""
        own = self.target_sentence[:, :, None] == self.target_sentence[:, None, :]
        return (own & torch.ones_like(own[0]).tril())[:, None]

    @property
    def cross_mask(self) -> Tensor:
        """(R, 1, T, S): a target looks at its own source. Padding looks anywhere: a place that may
        look nowhere would turn into NaN."""
        own = self.target_sentence[:, :, None] == self.source_sentence[:, None, :]
        return (own | (self.target_sentence == NOBODY)[:, :, None])[:, None]

    @property
    def n_tokens(self) -> int:
        """Real target tokens, EOS included."""
        return int((self.target_out != PAD).sum())

    @property
    def efficiency(self) -> float:
        """Real target tokens / (rows × length): 1 where no place is wasted."""
        return self.n_tokens / (len(self.target_out) * self.length)


def first_fit(sizes: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int, int]]:
    """Return where each pair of `sizes` (source and target tokens) goes: row, first source place,
    first target place.

    First-fit decreasing: the longest pair first, each into the first row in which both of its sides
    fit. Raise ValueError for a sentence that is longer than a row.
    """
    longest = max((max(pair) for pair in sizes), default=0)
    if longest > length:
        raise ValueError(
            f"a sentence of {longest} tokens does not fit into rows of {length}; take longer rows"
        )
    filled: list[list[int]] = []
    starts = [(0, 0, 0)] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: -max(sizes[i])):
        n_source, n_target = sizes[i]
        row = next(
            (
                r
                for r, (s, t) in enumerate(filled)
                if s + n_source <= length and t + n_target <= length
            ),
            None,
        )
        if row is None:
            row = len(filled)
            filled.append([0, 0])
        starts[i] = (row, filled[row][0], filled[row][1])
        filled[row][0] += n_source
        filled[row][1] += n_target
    return starts


def pack(batch: Batch, length: int) -> PackedBatch:
    """Return the pairs of `batch` in as few rows of at most `length` tokens a side as first_fit
    finds.

    Raise ValueError for a sentence that is longer than a row.
    """
    target_lengths = (batch.target_out != PAD).sum(dim=1)
    fits = first_fit(
        list(zip(batch.source_lengths.tolist(), target_lengths.tolist(), strict=True)), length
    )
    row, source_first, target_first = torch.tensor(fits, device=batch.source.device).T
    source_side = _Side(row, source_first, batch.source_lengths)
    target_side = _Side(row, target_first, target_lengths)
    return PackedBatch(
        source_side.laid(batch.source),
        source_side.sentence,
        source_side.position,
        target_side.laid(batch.target_in),
        target_side.laid(batch.target_out),
        target_side.sentence,
        target_side.position,
        length,
    )


class _Side:
    """One side of the rows: sentence i is `lengths[i]` tokens from place `first[i]` of `row[i]` on,
    all (N,)."""

    def __init__(self, row: Tensor, first: Tensor, lengths: Tensor) -> None:
        self._shape = int(row.max()) + 1, int((first + lengths).max())
        self._whose = torch.arange(len(row), device=row.device).repeat_interleave(lengths)
        before = lengths.cumsum(0) - lengths
        place = torch.arange(len(self._whose), device=row.device)  # (tokens,)
        self._where = place - before[self._whose]
        self._flat = row[self._whose] * self._shape[1] + first[self._whose] + self._where
        self.sentence, self.position = (
            self._spread(self._whose, NOBODY),
            self._spread(self._where, 0),
        )

    def laid(self, tokens: Tensor) -> Tensor:
        """Padded sentences (N, longest) in their places, (R, row's length)."""
        return self._spread(tokens[self._whose, self._where], PAD)

    def _spread(self, values: Tensor, elsewhere: int) -> Tensor:
        rows = values.new_full((self._shape[0] * self._shape[1],), elsewhere)
        rows[self._flat] = values
        return rows.view(self._shape)
