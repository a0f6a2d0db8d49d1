"""Looks at a parallel text before anybody waits for a training: how long, how doubled, how well
aligned it is."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seqkd_lab.corpus.cleaning import (
    TRAINING,
    CleaningReport,
    length_ratio,
    reason_to_drop,
    usual_ratio,
)
from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold
from seqkd_lab.corpus.reading import check_numbers_of_lines, read_lines
from seqkd_lab.corpus.scripts import ScriptCounter
from seqkd_lab.corpus.shift import Shift, find_shift

N_ODDEST = 5
ODD_RATIO = 2.0
"""A target this many times longer or shorter than usual is odd; cleaning drops it at
TRAINING.max_ratio."""
DIGIT, NUMBER = re.compile(r"\d"), re.compile(r"\d(?:[\d.,:]*\d)?")
MOST_NUMBERS = 4
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'()\[\]]+")
DAMAGED = re.compile("\ufffd|Ã[\u0080-\u00bf]|â€|Ð[\u0080-\u00bf]Ñ")
"""The replacement character, and UTF-8 that was read as Latin-1 and written again."""


@dataclass(frozen=True)
class Lengths:
    """Median, 95th percentile and longest of N lines, and the number of the longest line (from
    1)."""

    median: int
    percentile_95: int
    longest: int
    longest_line: int

    @classmethod
    def of(cls, lengths: np.ndarray) -> Lengths:
        """Of lengths (N,), N ≥ 1."""
        median, percentile = np.percentile(lengths, [50, 95], method="lower")
        return cls(int(median), int(percentile), int(lengths.max()), int(lengths.argmax()) + 1)


@dataclass(frozen=True)
class Side:
    """One file: its lengths, its empty lines, its main script and the lines in another (numbers
    from 1)."""

    path: str
    characters: Lengths
    words: Lengths
    empty: tuple[int, ...]
    script: str | None
    other_script: dict[int, str] = field(repr=False)


@dataclass(frozen=True)
class OddPair:
    """A pair that looks wrong, by its line number (from 1): the more reasons, the higher the
    score."""

    line: int
    score: float
    source: str
    target: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class CorpusCheck:
    """What was seen of N pairs. The counts are of pairs; usual_ratio is target characters per
    source character."""

    n_pairs: int
    source: Side
    target: Side
    usual_ratio: float
    n_duplicates: int
    n_several_targets: int
    n_identical: int
    n_unequal_length: int
    n_numbers_differ: int
    n_addresses_differ: int
    n_damaged: int
    shift: Shift | None
    cleaning: CleaningReport
    oddest: tuple[OddPair, ...]


def check_files(source_path: Path | str, target_path: Path | str) -> CorpusCheck:
    """Check two aligned files, plain or gzip.

    Raise CorpusError as read_aligned does; where the numbers of lines differ, it says where they
    seem to part.
    """
    source, target = (
        [fold(line) for line in read_lines(path)] for path in (source_path, target_path)
    )
    try:
        check_numbers_of_lines(source_path, len(source), target_path, len(target))
    except CorpusError as error:
        shift = find_shift(_lengths(source), _lengths(target))
        if shift is None:
            raise
        raise CorpusError(
            f"{error}. By the lengths of the lines, they part near line {shift.first:,}"
        ) from error
    pairs = RawPairs("text", "train", "unknown", tuple(source), tuple(target))
    return check_pairs(pairs, str(source_path), str(target_path))


def _lengths(lines: Sequence[str]) -> np.ndarray:
    return np.fromiter(map(len, lines), dtype=np.int32, count=len(lines))


def check_pairs(
    pairs: RawPairs, source_path: str = "source", target_path: str = "target"
) -> CorpusCheck:
    """Check N ≥ 1 folded pairs; the paths are for the report only."""
    sides = _side(source_path, pairs.source), _side(target_path, pairs.target)
    usual = usual_ratio(pairs)
    signs: Counter[str] = Counter()
    oddest = heapq.nlargest(
        N_ODDEST, _odd_pairs(pairs, sides, usual, signs), key=lambda pair: (pair.score, -pair.line)
    )
    n_duplicates, n_several, cleaning = _repeated_and_dropped(pairs, usual)
    shift = find_shift(_lengths(pairs.source), _lengths(pairs.target))
    return CorpusCheck(
        len(pairs),
        *sides,
        usual,
        n_duplicates,
        n_several,
        signs["identical"],
        signs["length"],
        signs["numbers"],
        signs["addresses"],
        signs["damaged"],
        shift,
        cleaning,
        tuple(oddest),
    )


def _side(path: str, lines: Sequence[str]) -> Side:
    scripts = ScriptCounter()
    of_line = [scripts.add(line) for line in lines]
    other = {
        number: script
        for number, script in enumerate(of_line, start=1)
        if script not in (None, scripts.main)
    }
    words = np.fromiter(
        (line.count(" ") + bool(line) for line in lines), dtype=np.int32, count=len(lines)
    )
    empty = tuple(number for number, line in enumerate(lines, start=1) if not line)
    return Side(path, Lengths.of(_lengths(lines)), Lengths.of(words), empty, scripts.main, other)


def _odd_pairs(pairs: RawPairs, sides: tuple[Side, Side], usual: float, signs: Counter[str]):
    """Yield the pairs with something odd about them, and count each kind of sign in `signs`."""
    for line, (source, target) in enumerate(zip(pairs.source, pairs.target, strict=True), start=1):
        if not source or not target:
            continue  # counted as empty
        seen = list(_signs(source, target, usual))
        seen += [
            ("script", 3.0, f"{name} in {side.other_script[line]} letters")
            for name, side in zip(("source", "target"), sides, strict=True)
            if line in side.other_script
        ]
        signs.update(kind for kind, _, _ in seen)
        if seen:
            score = sum(weight for _, weight, _ in seen)
            yield OddPair(line, score, source, target, tuple(reason for _, _, reason in seen))


def _signs(source: str, target: str, usual: float):
    """Yield (kind, weight, reason) for each sign that two sides do not belong together, or are
    damaged."""
    ratio = length_ratio(len(source), len(target), usual)
    if ratio > ODD_RATIO:
        longer = "longer" if (len(target) + 10) > usual * (len(source) + 10) else "shorter"
        yield "length", 2.0 * math.log2(ratio), f"target {ratio:.1f} times {longer} than usual"
    if source == target:
        yield "identical", 1.0 + len(source) / (len(source) + 20), "both sides are the same"
    ours, theirs = Counter(_digits(source)), Counter(_digits(target))
    if ours != theirs:
        difference = (ours - theirs).total() + (theirs - ours).total()
        yield (
            "numbers",
            0.25 * min(difference, 8),
            f"numbers differ ({_numbers(source)} and {_numbers(target)})",
        )
    if _addresses(source) != _addresses(target):
        yield "addresses", 1.5, "web addresses differ"
    for side, text in (("source", source), ("target", target)):
        if not text.isascii() and DAMAGED.search(text):
            yield "damaged", 2.0, f"{side} with damaged letters"


def _digits(text: str) -> list[str]:
    """Return all digits, in Western form: dates change their order between languages, and numbers
    their separators."""
    return [digit if digit.isascii() else str(int(digit)) for digit in DIGIT.findall(text)]


def _numbers(text: str) -> str:
    numbers = NUMBER.findall(text)
    return ", ".join(numbers[:MOST_NUMBERS]) + ", …" * (len(numbers) > MOST_NUMBERS) or "none"


def _addresses(text: str) -> set[str]:
    if "://" not in text and "www." not in text:
        return set()
    return {address.rstrip(".,;:!?") for address in ADDRESS.findall(text)}


def _repeated_and_dropped(pairs: RawPairs, usual: float) -> tuple[int, int, CleaningReport]:
    """Return the pairs that stand there before, the sources with several targets, and what cleaning
    would drop."""
    dropped: Counter[str] = Counter()
    seen: set[int] = set()  # hashes: a number a pair takes less memory than the pair
    first_target: dict[int, int] = {}
    several: set[int] = set()
    n_duplicates = 0
    for source, target in zip(pairs.source, pairs.target, strict=True):
        of_source, of_target, of_pair = hash(source), hash(target), hash((source, target))
        is_duplicate = of_pair in seen and bool(source and target)
        n_duplicates += is_duplicate
        seen.add(of_pair)
        if source and target and first_target.setdefault(of_source, of_target) != of_target:
            several.add(of_source)
        reason = reason_to_drop(source, target, TRAINING, usual) or (
            "duplicate pair" if is_duplicate else None
        )
        if reason is not None:
            dropped[reason] += 1
    report = CleaningReport(
        pairs.split, len(pairs), len(pairs) - dropped.total(), dict(dropped.most_common())
    )
    return n_duplicates, len(several), report
