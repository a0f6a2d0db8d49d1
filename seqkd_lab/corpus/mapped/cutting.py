"""One part of a text in the subwords' numbers: what a worker makes of some 50,000 lines, whatever
stands around them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

import numpy as np

from seqkd_lab.corpus.cleaning import TRAINING, reason_by_lengths
from seqkd_lab.corpus.mapped.arrays import Numbers
from seqkd_lab.corpus.mapped.text import AlignedFiles, Part
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.files import write_atomically

ALONE = replace(TRAINING, max_ratio=None)
"""The rules that a pair satisfies or breaks by itself: which ratio is usual, all pairs decide."""
AT_ONCE = 1_000
"""Lines that are cut together, as lists of Python's numbers."""


@dataclass(frozen=True)
class CutPart:
    """The n lines of a part.

    source_characters, target_characters  (n,) int32  characters of each sentence
    identical                             (n,) bool   whether both sides are the same
    hashes                                (n,) uint64 of both sides; equal pairs have equal ones
    source_lengths, target_lengths        (n,) int32  subwords of each sentence; 0 for a pair that
                                                      is dropped, whatever stands around it
    source_ids, target_ids                int32       the subwords, as SubwordTokeniser.numbers
    """

    source_characters: Numbers
    target_characters: Numbers
    identical: Numbers
    hashes: Numbers
    source_lengths: Numbers
    target_lengths: Numbers
    source_ids: Numbers
    target_ids: Numbers

    def __len__(self) -> int:
        """Return n."""
        return len(self.hashes)


NAMES = tuple(f.name for f in fields(CutPart))


@lru_cache(maxsize=1)
def _tokeniser(path: Path) -> SubwordTokeniser:
    return SubwordTokeniser.load(path)


def cut_to_file(part: Part, files: AlignedFiles, subwords: Path, path: Path) -> int:
    """Cut a part by the model of the file `subwords` and write it to `path`, atomically; return its
    number of lines. Raise CorpusError, naming file and line, for a line that is no text."""
    cut = cut_part(part, files, _tokeniser(subwords))
    content = io.BytesIO()
    np.savez(content, **dict(zip(NAMES, astuple(cut), strict=True)))
    write_atomically(path, content.getvalue())
    return len(cut)


def read_part(path: Path, *names: str) -> list[Numbers]:
    """Return these arrays of a part's file. Raise CorpusError, naming it, where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as content:
            return [content[name] for name in names]
    except (ValueError, EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"{path}: a damaged part ({error}); delete it, and the same command makes it again"
        ) from error


def cut_part(part: Part, files: AlignedFiles, tokeniser: SubwordTokeniser) -> CutPart:
    """Return a part in numbers."""
    pairs = part.pairs(files)
    chunks = []
    while some := list(islice(pairs, AT_ONCE)):
        chunks.append(_cut(some, tokeniser))
    return CutPart(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, chunks), strict=True)))


def _arrays(cut: CutPart) -> list[Numbers]:
    return [getattr(cut, name) for name in NAMES]


def _cut(pairs: Sequence[tuple[str, str]], tokeniser: SubwordTokeniser) -> CutPart:
    """Return some pairs in numbers."""
    characters = np.array([(len(source), len(target)) for source, target in pairs], np.int32)
    identical = np.array([source == target for source, target in pairs])
    cut = [
        i
        for i, (n_source, n_target) in enumerate(characters.tolist())
        if reason_by_lengths(n_source, n_target, bool(identical[i]), ALONE, 1.0) is None
    ]
    sides = []
    for side in (0, 1):
        ids = tokeniser.numbers([pairs[i][side] for i in cut])
        lengths = np.zeros(len(pairs), np.int32)
        lengths[cut] = [len(sentence) for sentence in ids]
        sides.append((lengths, np.fromiter(chain.from_iterable(ids), np.int32)))
    (source_lengths, source_ids), (target_lengths, target_ids) = sides
    return CutPart(
        characters[:, 0],
        characters[:, 1],
        identical,
        np.array([hash_of(*pair) for pair in pairs], np.uint64),
        source_lengths,
        target_lengths,
        source_ids,
        target_ids,
    )


def hash_of(source: str, target: str) -> int:
    """Return 64 bits that equal pairs share. Of ten million different pairs, two share them with a
    probability of 3 in a million."""
    # a folded sentence has no line feed
    digest = hashlib.blake2b(f"{source}\n{target}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")
