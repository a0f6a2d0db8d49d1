"""Input and output of text: files, pipes and the terminal, always UTF-8; only LF ends a line."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from seqkd_lab.corpus.opening import open_text
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.reading import lines_of
from seqkd_lab.corpus.visible import visible_lines, without_controls

STANDARD = "-"
"""The name of standard input and output."""


class Input:
    """The lines of a file, plain or gzip, or of standard input ("-"), opened when it is made.

    n_lines: their number; None for a pipe, whose lines can be read only once. A file is read once
    in advance, so that a faulty line is found before the work. Raise CorpusError, naming file and
    line, or only the file where it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == STANDARD else name
        try:
            self.file = _standard_input() if name == STANDARD else open_text(name)
            self.n_lines = self._checked() if name != STANDARD and Path(name).is_file() else None
        except OSError as error:
            raise CorpusError(
                f"{name}: cannot be read ({error.strerror}); check the path"
            ) from error

    def _checked(self) -> int:
        """Read the file to its end and go back to its start; return the number of lines."""
        n_lines = sum(1 for _ in lines_of(self.file, self.name))
        self.file.seek(0)
        return n_lines

    @property
    def is_terminal(self) -> bool:
        """Return whether the lines are typed, and each answer is waited for."""
        return self.file.isatty()

    def __iter__(self) -> Iterator[str]:
        return lines_of(self.file, self.name)


def _standard_input() -> io.BufferedReader:
    if sys.stdin is None:
        raise CorpusError("there is no standard input; name a file")
    buffered: Any = sys.stdin.buffer
    return buffered


class Output:
    """A file that appears whole under its name when the work is done, or standard output ("-"), a
    pipe or a device.

    A file whose name ends in .gz is compressed. Until the end the text lies in `NAME.part`; after
    an interruption it stays there, closed, and the file NAME is as it was before. Raise ValueError
    where it cannot be written, or is the input file.
    """

    def __init__(self, name: str, source: Input) -> None:
        self.name, self.n_lines = name, 0
        self.path = None if name == STANDARD else Path(os.path.realpath(name))
        self.part: Path | None = None
        if self.path is not None and (self.path.is_file() or not self.path.exists()):
            self.part = self.path.with_name(f"{self.path.name}.part")
        self._refuse_same(source)
        try:
            self._raw = self._opened()
        except OSError as error:
            raise ValueError(
                f"{name}: cannot be written ({error.strerror}); check the path"
            ) from error
        self.file: BinaryIO | _AsText | gzip.GzipFile = self._raw
        is_packed = self.part is not None and self.path is not None and self.path.suffix == ".gz"
        if is_packed and isinstance(self._raw, io.BufferedWriter):
            self.file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)

    def _refuse_same(self, source: Input) -> None:
        """Raise ValueError where writing would destroy, or lengthen, what is read."""
        read = _status(source.file)
        written = (
            [_status(sys.stdout)] if self.path is None else [_status(self.path), _status(self.part)]
        )
        if read is not None and stat.S_ISREG(read.st_mode):
            if any(other is not None and os.path.samestat(read, other) for other in written):
                raise ValueError(f"{self.name}: this file is also the input; write to another file")

    def _opened(self) -> BinaryIO | _AsText:
        if self.path is not None:
            if self.path.is_dir():
                raise IsADirectoryError(None, "this is a folder")
            return open(self.part or self.path, "wb")
        sys.stdout.flush()
        return getattr(sys.stdout, "buffer", None) or _AsText()

    def write(self, lines: list[str]) -> None:
        """Write lines, and flush them: without control characters, which a terminal shows."""
        text = "".join(f"{line}\n" for line in lines)
        shown = visible_lines(text) if self._raw.isatty() else without_controls(text)
        try:
            self.file.write(shown.encode("utf-8", "replace"))
            self.file.flush()
        except OSError as error:  # BrokenPipeError stays one: its class follows from the number
            name = "standard output" if self.path is None else self.name
            raise OSError(error.errno, f"{error.strerror}; could not write", name) from error
        self.n_lines += len(lines)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if self.path is None or isinstance(self._raw, _AsText):
            return
        if isinstance(self.file, gzip.GzipFile):
            self.file.close()
        self._raw.close()
        if self.part is None:
            return
        if kind is None:
            os.replace(self.part, self.path)
        elif not self.n_lines:
            self.part.unlink()
        else:
            print(
                f"{self.part}: contains the first {self.n_lines:,} lines; {self.name} was not "
                "written",
                file=sys.stderr,
            )


class _AsText:
    """Standard output that accepts only text, as in a notebook."""

    def write(self, content: bytes) -> None:
        sys.stdout.write(content.decode())

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        sys.stdout.flush()


def _status(file: Any) -> os.stat_result | None:
    """Return the status of an open file or a path; None where it is neither."""
    try:
        return os.stat(file) if isinstance(file, Path) else os.fstat(file.fileno())
    except (OSError, AttributeError, ValueError):
        return None
