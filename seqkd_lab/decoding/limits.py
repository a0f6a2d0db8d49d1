"""What bounds a search: the length of sources and translations, and the size of a batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

LONGEST_SOURCE = 1_000
"""Tokens of a source that are read. The time of a search grows faster than the length, and no model
has learnt from sentences of this length: training pairs are limited by `corpus.cleaning`."""


MOST_SOURCE_TOKENS = 8_192
"""Of a batch, padding included: so many long sentences as fit share it, and memory has a limit
whatever the text."""


def shortened(sources: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return `sources` of at most LONGEST_SOURCE tokens each: of a longer one the beginning, with a
    UserWarning that names the first (counted from 1) and says how many there are."""
    too_long = [
        number for number, source in enumerate(sources, start=1) if len(source) > LONGEST_SOURCE
    ]
    if not too_long:
        return sources
    warnings.warn(
        shortening_notice(too_long[0], len(sources[too_long[0] - 1]), len(too_long)), stacklevel=2
    )
    return [source[:LONGEST_SOURCE] for source in sources]


def shortening_notice(first: int, n_tokens: int, number: int, unit: str = "sentence") -> str:
    """Say that sources were shortened: the number of the first, its tokens, and how many there
    are."""
    others = f" {number:,} {unit}s are too long." if number > 1 else ""
    return (
        f"{unit} {first:,} has {n_tokens:,} tokens, and only the first {LONGEST_SOURCE:,} are "
        f"read.{others} Split long {unit}s into several"
    )


def longest_allowed(source_lengths: Tensor, max_length: int | None = None) -> Tensor:
    """(B,) the most tokens, EOS included, of each translation: `max_length`, or twice its source's
    length + 10.

    Raise ValueError for a max_length below 1: a translation has at least its EOS.
    """
    if max_length is not None and max_length < 1:
        raise ValueError(f"max_length counts EOS and must be at least 1; got {max_length}")
    return (
        2 * source_lengths + 10
        if max_length is None
        else torch.full_like(source_lengths, max_length)
    )


def rows_by_length(sources: Sequence[Sequence[str]], batch_size: int) -> Iterator[list[int]]:
    """Yield the places of `sources`, shortest first, in batches of at most `batch_size` sentences,
    or fewer where they would hold more than MOST_SOURCE_TOKENS."""
    rows: list[int] = []
    for i in sorted(range(len(sources)), key=lambda i: len(sources[i])):
        if (
            len(rows) == batch_size
            or rows
            and (len(rows) + 1) * len(sources[i]) > MOST_SOURCE_TOKENS
        ):
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows
