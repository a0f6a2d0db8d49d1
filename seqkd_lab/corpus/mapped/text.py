"""Two aligned files as a stream of parts, and a sample of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest

from seqkd_lab.corpus.opening import open_text
from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold
from seqkd_lab.corpus.reading import check_numbers_of_lines, decoded, raw_lines

PART_LINES, PART_BYTES = 50_000, 2**24
"""Lines of a part, or fewer where they have more bytes on both sides together."""
MOST_SAMPLED = 2**18
"""Pairs from which subwords are learnt."""


@dataclass(frozen=True)
class AlignedFiles:
    """Two files, line i of one the translation of line i of the other; of a longer text only the
    first `most` lines count (None: all)."""

    source: str
    target: str
    most: int | None = None


@dataclass(frozen=True)
class Part:
    """Consecutive lines of both files as they stand there, from line `first` (from 1 on) on."""

    number: int
    first: int
    source: tuple[bytes, ...]
    target: tuple[bytes, ...]

    def pairs(self, files: AlignedFiles, step: int = 1) -> Iterator[tuple[str, str]]:
        """Yield the pairs of sentences, folded; with a step those whose line number minus 1 is a
        multiple of it. Raise CorpusError, naming file and line, for a line that is no text."""
        for i in range(-(self.first - 1) % step, len(self.source), step):
            yield (
                fold(decoded(files.source, self.first + i, self.source[i])),
                fold(decoded(files.target, self.first + i, self.target[i])),
            )


@contextmanager
def _lines(path: str) -> Iterator[Iterator[bytes]]:
    """Open a file; give its lines. Raise CorpusError, naming it, where it cannot be read."""
    try:
        with open_text(path) as file:
            yield raw_lines(file, path)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def parts_of(files: AlignedFiles) -> Iterator[Part]:
    """Yield the lines that count, in parts that depend on the text alone.

    Both files are read to where the lines that count end: a line without a partner further down is
    not seen. Raise CorpusError as `read_aligned` does for one among them.
    """
    with _lines(files.source) as sources, _lines(files.target) as targets:
        pairs = zip_longest(sources, targets)
        number, first, n_bytes = 0, 1, 0
        lines: list[tuple[bytes, bytes]] = []
        for line, (source, target) in enumerate(islice(pairs, files.most), start=1):
            if source is None or target is None:
                _raise_unequal(files)
            n_bytes += len(source) + len(target)
            lines.append((source, target))
            if len(lines) == PART_LINES or n_bytes >= PART_BYTES:
                yield Part(number, first, *zip(*lines, strict=True))
                number, first, n_bytes, lines = number + 1, line + 1, 0, []
        if lines:
            yield Part(number, first, *zip(*lines, strict=True))


def check_aligned(files: AlignedFiles) -> int:
    """Return how many lines count. Raise CorpusError, naming file and line, where both files do not
    have equally many, or one of them has no text."""
    numbers = []
    for path in (files.source, files.target):
        n, has_text = 0, False
        with _lines(path) as lines:
            for line in lines:
                n, has_text = n + 1, has_text or bool(line.strip())
        if not has_text:
            what = f"all {n:,} lines are empty" if n > 1 else "the file is empty"
            raise CorpusError(f"{path}:1: {what}; it must hold one sentence per line")
        numbers.append(n)
    check_numbers_of_lines(files.source, numbers[0], files.target, numbers[1])
    return numbers[0] if files.most is None else min(files.most, numbers[0])


def _raise_unequal(files: AlignedFiles) -> None:
    check_aligned(files)
    raise CorpusError(f"{files.source} or {files.target} changed while they were read")


def sample_of(files: AlignedFiles, most: int = MOST_SAMPLED) -> RawPairs:
    """Return at most `most` pairs, as `read_aligned` gives them: every pair of a text that has so
    few; of a longer one every second, fourth, … pair, so that all of it is represented and equal
    texts have equal samples."""
    step = 1
    sampled: list[tuple[str, str]] = []
    for part in parts_of(files):
        sampled += part.pairs(files, step)
        while len(sampled) > most:
            step, sampled = 2 * step, sampled[::2]
    sources, targets = zip(*sampled, strict=True)
    return RawPairs("text", "train", "unknown", sources, targets)
