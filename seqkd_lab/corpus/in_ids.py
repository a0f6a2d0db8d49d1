"""Pairs that are in ids already, and whose words are made only when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast, overload

import torch

from seqkd_lab.corpus.batching import EncodedCorpus, Sentences, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, Vocabulary

AT_ONCE = 4_096
"""Sentences that are turned into words together where all are gone through."""
IDS_AT_ONCE, ROWS_AT_ONCE = 2**20, 2**16
Words = tuple[str, ...]


@dataclass(frozen=True)
class InWords(Sequence[Words]):
    """N sentences of ids as a sequence of tuples of words: without BOS and EOS, and a character
    that no subword spells is "<unk>"."""

    sentences: Sentences
    vocabulary: Vocabulary

    def __len__(self) -> int:
        """Return N."""
        return len(self.sentences.lengths)

    @overload
    def __getitem__(self, rows: int) -> Words: ...

    @overload
    def __getitem__(self, rows: slice) -> tuple[Words, ...]: ...

    def __getitem__(self, rows: int | slice) -> Words | tuple[Words, ...]:
        """Return one sentence, or those of a slice."""
        if isinstance(rows, slice):
            places = range(len(self))[rows]
            if places.step == 1 and len(places):
                self.sentences.announce(torch.arange(places.start, places.stop))
                return self._next_to_each_other(places.start, places.stop)
            return tuple(self[row] for row in places)
        row = range(len(self))[rows]
        return self._next_to_each_other(row, row + 1)[0]

    def _next_to_each_other(self, first: int, end: int) -> tuple[Words, ...]:
        tokens = self.vocabulary.tokens
        return tuple(tuple([tokens[number] for number in ids]) for ids in self.ids(first, end))

    def ids(self, first: int, end: int) -> Iterator[list[int]]:
        """Yield the ids of the sentences from `first` to `end` (exclusive), without BOS and EOS."""
        starts = self.sentences.starts[first:end].tolist()
        lengths = self.sentences.lengths[first:end].tolist()
        ids = self.sentences.ids[starts[0] : starts[-1] + lengths[-1]].tolist()
        for start, length in zip(starts, lengths, strict=True):
            first_id = start - starts[0]
            yield ids[first_id + (ids[first_id] == BOS) : first_id + length - 1]

    def __iter__(self) -> Iterator[Words]:
        """Yield all sentences."""
        for first in range(0, len(self), AT_ONCE):
            yield from self[first : first + AT_ONCE]


@dataclass(frozen=True)
class PairsInIds(ParallelCorpus):
    """A ParallelCorpus whose sides are `InWords`: as large as a disk, where the ids are mapped."""

    @classmethod
    def of(
        cls,
        name: str,
        encoded: EncodedCorpus,
        source_vocabulary: Vocabulary,
        target_vocabulary: Vocabulary,
    ) -> PairsInIds:
        """Return training pairs of the ids of these vocabularies."""
        sides = (
            InWords(encoded.source, source_vocabulary),
            InWords(encoded.target, target_vocabulary),
        )
        # a sequence, though no tuple: who needs a tuple has the memory for it
        return cls(name, "train", "unknown", *cast("tuple[tuple[Words, ...], ...]", sides))

    def __post_init__(self) -> None:
        """Leave the words as they are: those of a vocabulary hold no whitespace."""

    @property
    def sides(self) -> tuple[InWords, InWords]:
        """Return source and target."""
        return cast("tuple[InWords, InWords]", (self.source, self.target))

    @property
    def encoded(self) -> EncodedCorpus:
        """Return the ids."""
        return EncodedCorpus(*(side.sentences for side in self.sides))

    def __getitem__(self, rows: slice | Sequence[int]) -> ParallelCorpus:
        """Return pairs in memory: those of a slice, or of a list of places in this order."""
        places = range(len(self))[rows] if isinstance(rows, slice) else rows
        source, target = (tuple(side[row] for row in places) for side in self.sides)
        return ParallelCorpus(self.name, self.split, self.licence, source, target)

    def first(self, n: int | None) -> PairsInIds:
        """Return the first n pairs (None: all), in ids as all are."""
        source, target = (
            InWords(
                Sentences(
                    side.sentences.ids, side.sentences.starts[:n], side.sentences.lengths[:n]
                ),
                side.vocabulary,
            )
            for side in self.sides
        )
        return self.of(
            self.name,
            EncodedCorpus(source.sentences, target.sentences),
            source.vocabulary,
            target.vocabulary,
        )

    @property
    def source_lengths(self) -> Sequence[int]:
        """Of each source what sorts it by its tokens: its ids, EOS included."""
        return cast("Sequence[int]", self.encoded.source_lengths.numpy())

    @property
    def source_counts(self) -> Mapping[str, int]:
        """How often each word occurs in the sources."""
        sentences, tokens = self.encoded.source, self.sides[0].vocabulary.tokens
        counts = torch.zeros(len(tokens), dtype=torch.int64)
        for ids in sentences.ids[: int(sentences.lengths.sum())].split(IDS_AT_ONCE):
            counts += ids.bincount(minlength=len(tokens))
        counts[EOS] = 0
        return {token: n for token, n in zip(tokens, counts.tolist(), strict=True) if n}

    @property
    def tokens_per_source_token(self) -> float:
        """Target tokens per source token over all pairs, without BOS and EOS; 0 where there is
        none."""
        encoded, n = self.encoded, len(self)
        n_source = int(encoded.source.lengths.sum()) - n
        return (encoded.n_target_tokens - n) / n_source if n_source else 0.0

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of the ids of sources and targets, in order, and of the words that they
        stand for."""
        digest = hashlib.sha256()
        for side in self.sides:
            digest.update("\n".join(side.vocabulary.tokens).encode())
            digest.update(side.sentences.lengths.numpy().data)
            for first in range(0, len(side), ROWS_AT_ONCE):
                last = min(first + ROWS_AT_ONCE, len(side)) - 1
                side.sentences.announce(torch.arange(first, last + 1))
                end = side.sentences.starts[last] + side.sentences.lengths[last]
                ids = side.sentences.ids[int(side.sentences.starts[first]) : int(end)]
                digest.update(ids.numpy().data)
        return digest.hexdigest()


def encoded_for(
    corpus: ParallelCorpus, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary
) -> EncodedCorpus:
    """Return `corpus` in the ids of these vocabularies. Raise ValueError where it is in the ids of
    others already."""
    if not isinstance(corpus, PairsInIds):
        return encode(corpus, source_vocabulary, target_vocabulary)
    if tuple(side.vocabulary for side in corpus.sides) != (source_vocabulary, target_vocabulary):
        raise ValueError(
            "the corpus is in the ids of other vocabularies than the model's; encode its text with "
            "the model's own subwords"
        )
    return corpus.encoded
