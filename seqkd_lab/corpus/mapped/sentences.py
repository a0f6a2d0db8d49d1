"""Sentences of ids in three arrays on disk: all ids one behind the other, and where each sentence
starts and how long it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np

from seqkd_lab.corpus.mapped.arrays import (
    ArrayWriter,
    Numbers,
    Written,
    check_unchanged,
    mapped,
    pieces_of,
)
from seqkd_lab.corpus.vocabulary import BOS, EOS
from seqkd_lab.files import FileError

IDS, PLACES = "<i4", "<i8"


class WrittenSentences(msgspec.Struct, frozen=True):
    """The three arrays of N sentences, and the length of the longest."""

    ids: Written
    starts: Written
    lengths: Written
    longest: int


class SentencesWriter:
    """Writes sentences to `folder`/`name`.ids.npy, .starts.npy and .lengths.npy, as a context
    manager: each with EOS at its end and, with `begins`, BOS in front."""

    def __init__(self, folder: Path, name: str, begins: bool) -> None:
        self._begins, self._n_ids, self._longest = begins, 0, 0
        self._open = ExitStack()
        self._ids, self._starts, self._lengths = (
            self._open.enter_context(ArrayWriter(folder / f"{name}.{part}.npy", kind))
            for part, kind in (("ids", IDS), ("starts", PLACES), ("lengths", PLACES))
        )

    def append(self, ids: Numbers, lengths: Numbers) -> None:
        """Write sentences of `lengths` ids each, which stand in `ids` one behind the other."""
        if not len(lengths):
            return
        n_specials = 1 + self._begins
        whole = lengths.astype(np.int64) + n_specials
        ends = whole.cumsum()
        out, is_word = np.full(int(ends[-1]), EOS, np.int32), np.ones(int(ends[-1]), bool)
        is_word[ends - 1] = False
        if self._begins:
            out[ends - whole], is_word[ends - whole] = BOS, False
        out[is_word] = ids
        self._ids.append(out)
        self._starts.append(ends - whole + self._n_ids)
        self._lengths.append(whole)
        self._n_ids += len(out)
        self._longest = max(self._longest, int(whole.max()))

    def append_lists(self, sentences: Sequence[Sequence[int]]) -> None:
        """Write sentences that are given as lists of ids."""
        flat = [number for sentence in sentences for number in sentence]
        self.append(np.array(flat, np.int32), np.array([len(ids) for ids in sentences], np.int64))

    @property
    def written(self) -> WrittenSentences:
        """Return what a reader compares with what it finds."""
        parts = (self._ids.written, self._starts.written, self._lengths.written)
        return WrittenSentences(*parts, self._longest)

    def __enter__(self) -> SentencesWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Finish the three files."""
        self._open.__exit__(kind, error, at)


def mapped_sentences(
    folder: Path, name: str, written: WrittenSentences, n_words: int, begins: bool, remedy: str
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the mapped ids, starts and lengths that a SentencesWriter wrote, after one pass over
    them.

    Raise FileError, naming the file and the `remedy`, where one is missing, cut short, has changed,
    or holds what fits neither a vocabulary of `n_words` nor the other two.
    """
    paths = [folder / f"{name}.{part}.npy" for part in ("ids", "starts", "lengths")]
    parts = (written.ids, written.starts, written.lengths)
    kinds = (IDS, PLACES, PLACES)
    arrays = [
        mapped(path, kind, part.n, remedy)
        for path, kind, part in zip(paths, kinds, parts, strict=True)
    ]
    for path, array, part in zip(paths, arrays, parts, strict=True):
        check_unchanged(path, array, part, remedy)
    ids, starts, lengths = arrays
    for piece in pieces_of(ids):
        if piece.min() < 0 or piece.max() >= n_words:
            raise FileError(
                f"{paths[0]}: holds the id {piece.max() if piece.min() >= 0 else piece.min()}, and "
                f"the vocabulary has {n_words:,} words; {remedy}"
            )
    _check_places(paths, len(ids), starts, lengths, 1 + begins, written.longest, remedy)
    return ids, starts, lengths


def _check_places(
    paths: Sequence[Path],
    n_ids: int,
    starts: Numbers,
    lengths: Numbers,
    shortest: int,
    longest: int,
    remedy: str,
) -> None:
    """Raise FileError unless the sentences lie one behind the other and fill the ids."""
    end = 0
    for some_starts, some in zip(pieces_of(starts), pieces_of(lengths), strict=True):
        if len(some_starts) != len(some) or some.min() < shortest or some.max() > longest:
            raise FileError(f"{paths[2]}: holds lengths that no sentence here has; {remedy}")
        ends = some.cumsum() + end
        if (some_starts != ends - some).any():
            raise FileError(f"{paths[1]}: does not fit {paths[2].name}; {remedy}")
        end = int(ends[-1])
    if end != n_ids:
        raise FileError(f"{paths[0]}: does not fit {paths[2].name}; {remedy}")
