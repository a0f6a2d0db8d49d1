"""A folder of an encoded corpus, opened: training pairs that are mapped, held-out text that is
read."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import EncodedCorpus, Sentences
from seqkd_lab.corpus.mapped.arrays import Numbers
from seqkd_lab.corpus.mapped.description import (
    DESCRIPTION,
    REMEDY,
    SUBWORDS,
    Description,
    read_description,
)
from seqkd_lab.corpus.mapped.sentences import WrittenSentences, mapped_sentences
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.corpus.reading import read_aligned
from seqkd_lab.corpus.subwords import SubwordTokeniser, tokenise
from seqkd_lab.corpus.vocabulary import BOS, Vocabulary
from seqkd_lab.files import FileError, sha256_of

AT_ONCE = 4_096
"""Sentences that are turned into words together where all are gone through."""


@dataclass(frozen=True)
class StoredCorpus:
    """What `encode_text` wrote. train is mapped; valid and test are in memory, with their
    references. fingerprint: sha256 (hex) of all that is there."""

    folder: Path
    train: EncodedCorpus
    valid: ParallelCorpus
    test: ParallelCorpus
    subwords: SubwordTokeniser
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    cleaning: str
    fingerprint: str

    @property
    def sources(self) -> WordView:
        """Return the training sources in words."""
        return WordView(self.train.source, self.source_vocabulary)

    @property
    def targets(self) -> WordView:
        """Return the training targets in words."""
        return WordView(self.train.target, self.target_vocabulary)

    @property
    def tokens_per_source_token(self) -> float:
        """Return target tokens per source token of the training pairs, without BOS and EOS."""
        n = len(self.train)
        return (len(self.train.target.ids) - 2 * n) / max(1, len(self.train.source.ids) - n)


@dataclass(frozen=True)
class WordView(Sequence[tuple[str, ...]]):
    """N mapped sentences as a sequence of tuples of words, made when they are asked for: without
    BOS and EOS, and a character that no subword spells is "<unk>"."""

    sentences: Sentences
    words: Vocabulary

    def __len__(self) -> int:
        """Return N."""
        return len(self.sentences.lengths)

    @overload
    def __getitem__(self, rows: int) -> tuple[str, ...]: ...

    @overload
    def __getitem__(self, rows: slice) -> tuple[tuple[str, ...], ...]: ...

    def __getitem__(self, rows: int | slice) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
        """Return one sentence, or those of a slice."""
        if isinstance(rows, int):
            return self._sentence(range(len(self))[rows])
        return tuple(map(self._sentence, range(len(self))[rows]))

    def _sentence(self, row: int) -> tuple[str, ...]:
        ids = self.ids(row)
        return tuple(self.words.tokens[number] for number in ids)

    def ids(self, row: int) -> list[int]:
        """Return the ids of one sentence, without BOS and EOS."""
        start = int(self.sentences.starts[row])
        ids = self.sentences.ids[start : start + int(self.sentences.lengths[row])].tolist()
        return ids[ids[0] == BOS : -1]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """Yield all sentences."""
        for first in range(0, len(self), AT_ONCE):
            yield from self[first : first + AT_ONCE]

    @property
    def fingerprint(self) -> str:
        """Return the sha256 (hex) of the words, whatever their ids are."""
        digest = hashlib.sha256()
        for sentence in self:
            digest.update(" ".join(sentence).encode() + b"\n")
        return digest.hexdigest()


def open_corpus(folder: Path) -> StoredCorpus:
    """Open what `encode_text` wrote to `folder`, after one pass over all of it.

    Raise CorpusError, naming the file and what to do, for one that is missing, damaged or replaced.
    """
    try:
        description = read_description(folder)
        _check_files(folder, description)
        sides = {
            side: Vocabulary.load(folder / f"{side}.vocabulary.json")
            for side in ("source", "target")
        }
        source, target = (
            opened(folder, f"train.{side}", written, len(sides[side]), side == "target")
            for side, written in (
                ("source", description.train.source),
                ("target", description.train.target),
            )
        )
    except FileNotFoundError as error:
        raise CorpusError(f"{_missing(folder, error)}") from error
    except FileError as error:
        raise CorpusError(str(error)) from error
    subwords = SubwordTokeniser.load(folder / SUBWORDS)
    vocabularies = sides["source"], sides["target"]
    train = EncodedCorpus(source, target, vocabularies)
    if not len(source.lengths) == len(target.lengths) == description.pairs:
        raise CorpusError(f"{folder / DESCRIPTION}: numbers of pairs that differ; {REMEDY}")
    return StoredCorpus(
        folder,
        train,
        _held_out(folder, "valid", subwords),
        _held_out(folder, "test", subwords),
        subwords,
        *vocabularies,
        "\n".join(description.cleaning),
        sha256_of(folder / DESCRIPTION),
    )


def _missing(folder: Path, error: FileNotFoundError) -> str:
    if not folder.is_dir():
        return f"{folder}: no such folder; `seqkd-lab corpus encode --out {folder}` makes it"
    if Path(error.filename).name == DESCRIPTION:
        return (
            f"{folder}: not an encoded corpus (it has no {DESCRIPTION}); `seqkd-lab corpus encode` "
            "makes one"
        )
    return f"{error.filename}: no such file; {REMEDY}"


def _check_files(folder: Path, description: Description) -> None:
    """Raise FileError unless the small files are those that were written."""
    for name, sha256 in description.files.items():
        if Path(name).name != name:
            raise FileError(f"{folder / DESCRIPTION}: {name!r} is no name of a file; {REMEDY}")
        if sha256_of(folder / name, REMEDY) != sha256:
            raise FileError(
                f"{folder / name}: is not the file that was written (its sha256 differs): it was "
                f"damaged or replaced; {REMEDY}"
            )


def opened(
    folder: Path, name: str, written: WrittenSentences, n_words: int, begins: bool
) -> Sentences:
    """Return mapped sentences as tensors. Raise FileError as `mapped_sentences` does."""
    arrays = mapped_sentences(folder, name, written, n_words, begins, REMEDY)
    return Sentences(*map(as_tensor, arrays))


def as_tensor(array: Numbers) -> Tensor:
    """Return a mapped array as a tensor of the same memory, which nobody may write to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def _held_out(folder: Path, split: str, subwords: SubwordTokeniser) -> ParallelCorpus:
    """Return a held-out split in tokens."""
    pairs = read_aligned(folder / f"{split}.source", folder / f"{split}.target", split=split)
    return tokenise(pairs, subwords)
