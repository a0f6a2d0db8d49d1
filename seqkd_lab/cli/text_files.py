"""Checks of the input files, before any work begins."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from seqkd_lab.models.checkpoint import write_atomically


def readable_file(path: str | Path, copies: Path) -> str:
    """Return the path of a file that can be read repeatedly: `path` itself, or a copy of the
    content of a pipe.

    A pipe (a FIFO, or /dev/fd/N of a shell's `<(...)`) gives its text once, but the text is read
    several times, in several processes. It is copied to the folder `copies`, under a name that its
    content decides. Raise ValueError, naming the path, where there is no such file, where it is a
    folder or a device, and where it may not be read.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise ValueError(
            f"{path}: {_why(error)}; give the path of a text file, plain or .gz"
        ) from error
    if stat.S_ISDIR(mode):
        raise ValueError(f"{path}: this is a folder; give the path of a text file, plain or .gz")
    if stat.S_ISFIFO(mode):
        return _copied(Path(path), copies)
    if not stat.S_ISREG(mode):
        raise ValueError(
            f"{path}: this is a device, not a file; give the path of a text file, plain or .gz"
        )
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path}: no permission to read it; try: chmod u+r")
    return str(path)


def _why(error: OSError) -> str:
    return (
        "no such file"
        if isinstance(error, FileNotFoundError)
        else f"cannot be reached ({error.strerror})"
    )


def _copied(pipe: Path, copies: Path) -> str:
    content = pipe.read_bytes()
    if not content:
        raise ValueError(
            f"{pipe}: the pipe is empty (its text can be read only once); write the text to a file "
            "first, for example: zcat x.gz > x"
        )
    copy = copies / f"{hashlib.sha256(content).hexdigest()[:16]}.txt"
    if not copy.exists():
        write_atomically(copy, content)
    return str(copy)
