"""Read aligned sentences from files: one sentence per line, or pairs in columns."""

from __future__ import annotations

import codecs
import gzip
import os
import stat
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from itertools import groupby
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.corpus.opening import open_text
from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold, group_by_source

LONGEST_BYTES = 2**20
"""Of a line: 1 MiB without a line end is no sentence."""
LINE_BYTES = sys.getsizeof("") + 8
"""What a line takes in memory beside its characters: its own head, and a place in a list."""
MOST_MARKS = 1_000
"""Accents and vowel signs on one letter. Unicode's normal form takes time with the square of their
number, and no writing has more than a few."""
PACKED_TEXT, PACKED_RATIO = 2**26, 200
"""Bytes in memory, and times the packed size: a text beyond both is the same few lines again and
again. A natural text takes about ten times its packed size."""


GZIP_START = b"\x1f\x8b"


OTHER_STARTS = {
    b"BZh91AY": "bzip2 data; unpack it first, with: bunzip2",
    b"\xfd7zXZ": "xz data; unpack it first, with: unxz",
    b"\x28\xb5\x2f\xfd": "zstd data; unpack it first, with: unzstd",
    b"PK\x03\x04": "a zip archive, as .docx and .xlsx are; unpack it, or save the text as plain "
    "UTF-8",
    b"%PDF-": "a PDF; save its text as plain UTF-8, one sentence per line",
    b"\xff\xfe": "UTF-16, not UTF-8; convert it, with: iconv -f utf-16 -t utf-8",
    b"\xfe\xff": "UTF-16, not UTF-8; convert it, with: iconv -f utf-16 -t utf-8",
}
"""How files begin that hold text in another form, or none, and what to do with them."""


def read_lines(path: Path | str) -> list[str]:
    """Return the lines of a UTF-8 text, plain or gzip, without line ends (LF or CRLF) and byte
    order mark.

    Raise CorpusError, naming file and line, for a file that is missing, empty, damaged, not UTF-8,
    no file at all, or larger than the memory allows.
    """
    try:
        with open_text(path) as file:
            lines = held(lines_of(file, path), path)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if not any(line.strip() for line in lines):
        what = f"all {len(lines):,} lines are empty" if len(lines) > 1 else "the file is empty"
        raise CorpusError(f"{path}:1: {what}; it must hold one sentence per line")
    return lines


def held(lines: Iterable[str], name: Path | str) -> list[str]:
    """Return `lines` as a list. Raise CorpusError, naming `name` and the line, as soon as they take
    more than a fair share of the memory that is left."""
    most, taken, texts = machine.fair_share(), 0, []
    for number, line in enumerate(lines, start=1):
        taken += sys.getsizeof(line) + 8
        if taken > most:
            raise CorpusError(
                f"{name}:{number}: the text up to this line takes about {taken / 2**20:,.0f} MiB, "
                "which is more than half of the memory that was left; divide the file, or take its "
                "first lines"
            )
        texts.append(line)
    return texts


def lines_of(file: BufferedReader, name: Path | str) -> Iterator[str]:
    """Yield the lines of an open file or pipe, plain or gzip, as `read_lines` gives them, one in
    memory at a time.

    Raise CorpusError, naming `name` and the line, for data that are damaged or not UTF-8; OSError
    where reading fails.
    """
    for number, line in enumerate(raw_lines(file, name), start=1):
        yield decoded(name, number, line)


def raw_lines(file: BufferedReader, name: Path | str) -> Iterator[bytes]:
    """Yield the lines of an open file or pipe, plain or gzip, as bytes with their line ends, for
    `decoded`; a line of LONGEST_BYTES comes in pieces. Raise as `lines_of` does for what is no text
    as a whole."""
    start = file.peek(8)
    for other, what in OTHER_STARTS.items():
        if start.startswith(other):
            raise CorpusError(f"{name}:1: this is {what}")
    number, taken = 0, 0
    packed = start.startswith(GZIP_START)
    most = _most_unpacked(file) if packed else sys.maxsize
    try:
        stream = gzip.open(file) if packed else file
        while line := stream.readline(
            LONGEST_BYTES
        ):  # bytes end a line at LF only; str.splitlines also at U+2028
            number, taken = number + 1, taken + len(line) + LINE_BYTES
            if taken > most:
                raise CorpusError(
                    f"{name}:{number}: a packed text whose lines take over {PACKED_RATIO} times as "
                    f"much memory ({taken / 2**20:,.0f} MiB so far): the same lines again and "
                    "again; unpack it, and take what is to be read"
                )
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        where = f"{name}:{number + 1}"
        raise CorpusError(
            f"{where}: damaged gzip data ({error}); copy or download the file again"
        ) from error


def _most_unpacked(file: BufferedReader) -> int:
    """Return how many bytes of memory the lines of a packed file may take; of a pipe no size is
    known."""
    try:
        status = os.fstat(file.fileno())
    except OSError:  # no file of the system
        return sys.maxsize
    if not stat.S_ISREG(status.st_mode):
        return sys.maxsize
    return max(PACKED_TEXT, PACKED_RATIO * status.st_size)


def decoded(path: Path | str, number: int, line: bytes) -> str:
    """Return the text of a line, which is the `number`-th, without its end. Raise CorpusError,
    naming both, for what is no line of UTF-8."""
    if len(line) >= LONGEST_BYTES:
        raise CorpusError(
            f"{path}:{number}: over {LONGEST_BYTES // 2**20} MiB without a line end; it must hold "
            "one sentence per line"
        )
    if number == 1:
        line = line.removeprefix(codecs.BOM_UTF8)
    if b"\0" in line:
        raise CorpusError(
            f"{path}:{number}: holds a zero byte, as UTF-16 does; save the file as UTF-8"
        )
    if number == 1 and not line.endswith(b"\n") and b"\r" in line.rstrip(b"\r"):
        raise CorpusError(
            f"{path}:1: lines end with CR alone, as on old Macs; convert them, with: tr '\\r' '\\n'"
        )
    try:
        text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        at = f"byte 0x{line[error.start]:02x} at column {error.start + 1}"
        raise CorpusError(
            f"{path}:{number}: not UTF-8 ({at}); convert it, for example: iconv -f latin1 -t utf-8"
        ) from error
    if len(text) > MOST_MARKS and not text.isascii():
        _check_marks(path, number, text)
    return text


def _check_marks(path: Path | str, number: int, text: str) -> None:
    """Raise CorpusError for more than MOST_MARKS marks one after the other."""
    runs = groupby(text, key=lambda letter: unicodedata.combining(letter) > 0)
    most = max((sum(1 for _ in run) for are_marks, run in runs if are_marks), default=0)
    if most > MOST_MARKS:
        raise CorpusError(
            f"{path}:{number}: {most:,} accents or other marks on one letter, which is no writing; "
            "delete the line"
        )


def read_aligned(
    source_path: Path | str,
    target_path: Path | str,
    name: str = "text",
    split: str = "train",
    licence: str = "unknown",
) -> RawPairs:
    """Return two files with one sentence per line, line i translating line i (Moses style), plain
    or gzip.

    Raise CorpusError as read_lines does, and when the numbers of lines differ.
    """
    source, target = read_lines(source_path), read_lines(target_path)
    check_numbers_of_lines(source_path, len(source), target_path, len(target))
    return RawPairs(name, split, licence, tuple(map(fold, source)), tuple(map(fold, target)))


def check_numbers_of_lines(
    source_path: Path | str, n_source: int, target_path: Path | str, n_target: int
) -> None:
    """Raise CorpusError, naming the first line without a partner, unless two files have equally
    many lines."""
    if n_source != n_target:
        longer = source_path if n_source > n_target else target_path
        raise CorpusError(
            f"{longer}:{min(n_source, n_target) + 1}: line without a partner: {n_source} lines in "
            f"{source_path}, {n_target} in {target_path}; line i of one must translate line i of "
            "the other"
        )


def read_tsv(
    path: Path | str,
    name: str = "text",
    split: str = "train",
    licence: str = "unknown",
    source_column: int = 0,
    target_column: int = 1,
    attribution_column: int = 2,
    group: bool = False,
) -> RawPairs:
    """Return one pair per line, columns (counted from 0) divided by tabs, as Tatoeba and Anki
    export them.

    The attribution column may be missing. group=True gathers all targets of one source into
    `references`, as group_by_source does.
    Raise CorpusError as read_lines does, and for a line with too few columns.
    """
    rows = [line.split("\t") for line in read_lines(path)]
    needed = max(source_column, target_column) + 1
    for number, row in enumerate(rows, start=1):
        if len(row) < needed:
            raise CorpusError(
                f"{path}:{number}: {len(row)} column(s) where {needed} are needed; put a tab "
                "between source and target, or delete the line"
            )
    source, target = (
        tuple(fold(row[column]) for row in rows) for column in (source_column, target_column)
    )
    who = tuple(
        fold(row[attribution_column]) if len(row) > attribution_column else "" for row in rows
    )
    pairs = RawPairs(name, split, licence, source, target, attribution=who if any(who) else None)
    return group_by_source(pairs) if group else pairs
