"""From the parts of a text to its corpus: which pairs are dropped, which words there are, and the
pairs that are kept, one behind the other.

Every step reads one part after the other. What it keeps of all of them is a byte for each line, on
disk, and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqkd_lab.corpus.cleaning import TRAINING, CleaningReport, median_ratio, reason_by_lengths
from seqkd_lab.corpus.mapped.arrays import ArrayWriter, Numbers
from seqkd_lab.corpus.mapped.cutting import read_part
from seqkd_lab.corpus.mapped.sentences import SentencesWriter, WrittenSentences
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.vocabulary import Vocabulary

CHARACTERS = ("source_characters", "target_characters", "identical")
BUCKET = 2**20
"""Lines whose hashes are compared in memory at once, about."""
DUPLICATE = "duplicate pair"
SIDES = ("source", "target")


def _kinds(path: Path) -> Numbers:
    """Return of each line of a part, in one number, all that the rules ask about it: characters of
    both sides and whether they are the same."""
    source, target, identical = (array.astype(np.int64) for array in read_part(path, *CHARACTERS))
    return source << 32 | target << 1 | identical


def _lengths_of(kind: int) -> tuple[int, int, bool]:
    return kind >> 32, kind >> 1 & (2**31 - 1), bool(kind & 1)


def usual_ratio_of(parts: Sequence[Path]) -> float:
    """Return what cleaning.usual_ratio gives for the pairs of all parts."""
    counts: Counter[tuple[int, int]] = Counter()
    for path in parts:
        kinds, numbers = np.unique(_kinds(path), return_counts=True)
        for kind, n in zip(kinds.tolist(), numbers.tolist(), strict=True):
            counts[_lengths_of(kind)[:2]] += n
    return median_ratio(counts)


@dataclass
class Reasons:
    """Why lines are dropped: a byte for each, in the file `path`: 0 for those that are kept, else
    a place in `names`. `counts` and `first` say of each how many there are, and the first line."""

    path: Path
    names: list[str]
    counts: list[int]
    first: list[int]

    def of(self, first: int, n: int) -> Numbers:
        """Return the bytes of n lines from `first` (counted from 0) on."""
        return np.load(self.path, mmap_mode="r")[first : first + n]

    def number(self, name: str, n: int, first: int) -> int:
        """Count n lines more that are dropped for this reason, the first of them at `first`; return
        its index in `names`."""
        if name not in self.names:
            self.names.append(name)
            self.counts.append(0)
            self.first.append(first)
        index = self.names.index(name)
        self.counts[index] += n
        self.first[index] = min(self.first[index], first)
        return index

    def report(self) -> CleaningReport:
        """Return the counts as `clean` does: by number, those that are equal as they came. Raise
        CorpusError when nothing is left."""
        n_lines = len(np.load(self.path, mmap_mode="r"))
        order = sorted(
            range(1, len(self.names)), key=lambda index: (-self.counts[index], self.first[index])
        )
        dropped = {self.names[index]: self.counts[index] for index in order}
        report = CleaningReport("train", n_lines, n_lines - sum(dropped.values()), dropped)
        if not report.kept:
            raise CorpusError(
                f"text {report}; nothing is left; check that both sides are the right text"
            )
        return report


def reasons_of(parts: Sequence[Path], path: Path) -> Reasons:
    """Write the file of reasons."""
    usual, reasons, n_before = usual_ratio_of(parts), Reasons(path, [""], [0], [0]), 0
    with ArrayWriter(path, "|u1") as writer:
        for part in parts:
            # many lines are of one kind
            kinds, first, kind_of_line, numbers = np.unique(
                _kinds(part), return_index=True, return_inverse=True, return_counts=True
            )
            places = np.zeros(len(kinds), np.uint8)
            for i, kind in enumerate(kinds.tolist()):
                name = reason_by_lengths(*_lengths_of(kind), TRAINING, usual)
                if name is not None:
                    places[i] = reasons.number(name, int(numbers[i]), n_before + int(first[i]))
            writer.append(places[kind_of_line])
            n_before += len(kind_of_line)
    _drop_duplicates(parts, reasons, n_before)
    return reasons


def _drop_duplicates(parts: Sequence[Path], reasons: Reasons, n_lines: int) -> None:
    """Let the file of reasons say of which kept lines the same pair stands further up. Hashes that
    begin alike are compared together, a share of all lines at a time."""
    n_buckets = -(-n_lines // BUCKET)
    why = np.load(reasons.path, mmap_mode="r+")
    for bucket in range(n_buckets):
        hashes, rows, n_before = [], [], 0
        for part in parts:
            (some,) = read_part(part, "hashes")
            # of their first 32 bits, as many values to each bucket
            own = (some >> np.uint64(32)) * np.uint64(n_buckets) >> np.uint64(32) == bucket
            chosen = own & (why[n_before : n_before + len(some)] == 0)
            hashes.append(some[chosen])
            rows.append(np.flatnonzero(chosen) + n_before)
            n_before += len(some)
        row = np.concatenate(rows)
        _, first = np.unique(np.concatenate(hashes), return_index=True)
        repeated = np.delete(row, first)
        if len(repeated):
            why[repeated] = reasons.number(DUPLICATE, len(repeated), int(repeated.min()))
    why.flush()


@dataclass(frozen=True)
class KeptPairs:
    """The pairs of all parts that are kept: goes through them one part at a time."""

    parts: Sequence[Path]
    reasons: Reasons

    def side(self, side: str) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield (ids, lengths) of one side of each part, in the subwords' numbers."""
        n_before = 0
        for path in self.parts:
            ids, lengths = read_part(path, f"{side}_ids", f"{side}_lengths")
            kept = self.reasons.of(n_before, len(lengths)) == 0
            yield ids[np.repeat(kept, lengths)], lengths[kept]
            n_before += len(lengths)

    def counts(self, side: str, n_subwords: int) -> Numbers:
        """Return how often each of the subwords occurs on one side, (n_subwords,)."""
        counts = np.zeros(n_subwords, np.int64)
        for ids, _ in self.side(side):
            counts += np.bincount(ids, minlength=n_subwords)
        return counts


def vocabulary_of(counts: Numbers, tokeniser: SubwordTokeniser) -> Vocabulary:
    """Return the subwords that occur, by falling frequency; characters that none spells are
    unknown."""
    occur = zip(tokeniser.spellings, counts.tolist(), strict=True)
    known = {spelling: n for spelling, n in occur if n and spelling in tokeniser.pieces}
    return Vocabulary.by_frequency(known)


def unknown_in_words(side: str, counts: Numbers, tokeniser: SubwordTokeniser) -> str:
    """Return in words how much of one side no subword spells, "" where nothing."""
    occur = zip(tokeniser.spellings, counts.tolist(), strict=True)
    n_unknown = sum(n for spelling, n in occur if spelling not in tokeniser.pieces)
    if not n_unknown:
        return ""
    return (
        f"subwords: {n_unknown:,} tokens of the train text's {side}, "
        f"{n_unknown / counts.sum():.2%} of it, are characters that no subword spells; they are "
        "read as unknown (--vocabulary and --character-coverage decide how many)"
    )


def write_side(
    folder: Path, pairs: KeptPairs, side: str, tokeniser: SubwordTokeniser, words: Vocabulary
) -> WrittenSentences:
    """Write one side of the kept pairs in the ids of its vocabulary."""
    known = [spelling if spelling in tokeniser.pieces else "" for spelling in tokeniser.spellings]
    id_of = np.array(words.ids(known), np.int32)
    with SentencesWriter(folder, f"train.{side}", begins=side == "target") as writer:
        for ids, lengths in pairs.side(side):
            writer.append(id_of[ids], lengths)
    return writer.written
