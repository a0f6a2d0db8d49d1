"""Arrays of numbers in files: written piece by piece, mapped as a whole.

The format is NumPy's own, .npy. A mapped file takes no memory of the process: the system reads the
pages that are used, and drops them when it needs the room.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqkd_lab.files import FileError, check_regular, named

AT_ONCE = 2**20
"""Numbers of a mapped array that are looked at together."""

Numbers = NDArray[Any]


class Written(msgspec.Struct, frozen=True):
    """How many numbers an array has, and the sha256 (hex) of their bytes."""

    n: int
    sha256: str


class ArrayWriter:
    """Writes an array of unknown length to a new file, as a context manager. A reader needs
    `written`, which is whole after the end of the body."""

    def __init__(self, path: Path, kind: str) -> None:
        """Begin the file. kind: NumPy's name of the numbers, with their order of bytes, as "<i4".
        Raise OSError, with the path, where it cannot be written."""
        self.path, self.kind, self._n, self._digest = path, np.dtype(kind), 0, hashlib.sha256()
        with named(path):
            self._file = path.open("wb")
            self._write_head()

    def append(self, numbers: Numbers | Sequence[int] | Sequence[float]) -> None:
        """Write numbers behind those that are there."""
        content = np.ascontiguousarray(numbers, dtype=self.kind)
        self._n += len(content)
        self._digest.update(content.data)
        with named(self.path):
            self._file.write(content.data)

    @property
    def written(self) -> Written:
        """Return what a reader compares with what it finds."""
        return Written(self._n, self._digest.hexdigest())

    def _write_head(self) -> None:
        """Write the head for as many numbers as there are. NumPy leaves room in it for any number,
        so that it always has the same length."""
        head = {
            "descr": np.lib.format.dtype_to_descr(self.kind),
            "fortran_order": False,
            "shape": (self._n,),
        }
        np.lib.format.write_array_header_1_0(self._file, head)

    def __enter__(self) -> ArrayWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Write the head anew, with the length, and wait until all is on the disk."""
        with named(self.path), self._file:
            if error is None:
                self._file.seek(0)
                self._write_head()
                self._file.flush()
                os.fsync(self._file.fileno())


def mapped(path: Path, kind: str, n: int, remedy: str) -> Numbers:
    """Return the `n` numbers of a file, mapped and read-only. Raise FileError, naming the file and
    the `remedy`, where it is missing or holds another array."""
    try:
        check_regular(path, remedy)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file; {remedy}") from error
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: damaged ({' '.join(str(error).split())}); {remedy}") from error
    if array.dtype != np.dtype(kind) or array.shape != (n,):
        raise FileError(
            f"{path}: holds {array.dtype.str} of shape {array.shape}, and {kind} of shape ({n},) "
            f"was written; {remedy}"
        )
    return array


def pieces_of(array: Numbers) -> Iterator[Numbers]:
    """Yield an array in pieces of AT_ONCE numbers."""
    for first in range(0, len(array), AT_ONCE):
        yield array[first : first + AT_ONCE]


def check_unchanged(path: Path, array: Numbers, written: Written, remedy: str) -> None:
    """Raise FileError, naming the file, unless the numbers are those that were written."""
    digest = hashlib.sha256()
    for piece in pieces_of(array):
        digest.update(piece.data)
    if digest.hexdigest() != written.sha256:
        raise FileError(
            f"{path}: has sha256 {digest.hexdigest()}, and {written.sha256} was written: the file "
            f"was damaged or replaced; {remedy}"
        )
