"""A folder of an encoded corpus, opened: training pairs that are mapped, held-out text that is
read."""

from __future__ import annotations

import mmap
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seqkd_lab import system
from seqkd_lab.corpus.batching import EncodedCorpus, Sentences
from seqkd_lab.corpus.in_ids import PairsInIds
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
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.files import FileError, sha256_of


@dataclass(frozen=True)
class MappedSentences(Sentences):
    """Sentences in mapped arrays (ids, starts, lengths), of which the system reads what is
    announced or touched."""

    arrays: tuple[Numbers, Numbers, Numbers]

    @classmethod
    def mapping(cls, arrays: tuple[Numbers, Numbers, Numbers]) -> MappedSentences:
        """Return the sentences of mapped arrays."""
        for array in arrays:
            system.reads_only_what_is_asked(_mapping_of(array))
        ids, starts, lengths = map(as_tensor, arrays)
        return cls(ids, starts, lengths, arrays)

    def announce(self, rows: Tensor) -> None:
        """Let the system begin to read the sentences at `rows`, each run of consecutive ones at
        once."""
        ends = torch.cat([(rows.diff() != 1).nonzero().flatten(), torch.tensor([len(rows) - 1])])
        lasts = rows[ends].tolist()
        firsts = rows[torch.cat([torch.tensor([0]), ends[:-1] + 1])].tolist()
        ids, starts, lengths = self.arrays
        for first, last in zip(firsts, lasts, strict=True):
            _announce(starts, first, last + 1)
            _announce(lengths, first, last + 1)
        for first, last in zip(firsts, lasts, strict=True):
            _announce(ids, int(starts[first]), int(starts[last] + lengths[last]))


def _mapping_of(array: Numbers) -> mmap.mmap:
    """Return the mapped file that an array is a view of."""
    base = array.base
    assert isinstance(base, mmap.mmap), "arrays.mapped gives mapped arrays"
    return base


def _announce(array: Numbers, first: int, end: int) -> None:
    """Let the system begin to read some numbers of a mapped array."""
    head = int(array.offset)  # type: ignore[attr-defined]
    places = head + first * array.itemsize, head + end * array.itemsize
    system.announce_pages(_mapping_of(array), *places)


@dataclass(frozen=True)
class StoredCorpus:
    """What `encode_text` wrote. train is mapped; valid and test are in memory, with their
    references."""

    train: PairsInIds
    valid: ParallelCorpus
    test: ParallelCorpus
    subwords: SubwordTokeniser
    cleaning: str


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
    if not len(source.lengths) == len(target.lengths) == description.pairs:
        raise CorpusError(f"{folder / DESCRIPTION}: numbers of pairs that differ; {REMEDY}")
    subwords = SubwordTokeniser.load(folder / SUBWORDS)
    return StoredCorpus(
        PairsInIds.of(folder.name, EncodedCorpus(source, target), sides["source"], sides["target"]),
        _held_out(folder, "valid", subwords),
        _held_out(folder, "test", subwords),
        subwords,
        "\n".join(description.cleaning),
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
    folder: Path,
    name: str,
    written: WrittenSentences,
    n_words: int,
    begins: bool,
    remedy: str = REMEDY,
) -> Sentences:
    """Return mapped sentences as tensors. Raise FileError as `mapped_sentences` does."""
    arrays = mapped_sentences(folder, name, written, n_words, begins, remedy)
    return MappedSentences.mapping(arrays)


def as_tensor(array: Numbers) -> Tensor:
    """Return a mapped array as a tensor of the same memory, which nobody may write to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def _held_out(folder: Path, split: str, subwords: SubwordTokeniser) -> ParallelCorpus:
    """Return a held-out split in tokens."""
    pairs = read_aligned(folder / f"{split}.source", folder / f"{split}.target", split=split)
    return tokenise(pairs, subwords)
