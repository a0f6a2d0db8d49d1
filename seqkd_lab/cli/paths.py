"""Checks, before the work, of the files that a command reads and of the paths that it writes to."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seqkd_lab import installation, machine, processes
from seqkd_lab.corpus.opening import open_text
from seqkd_lab.files import make_folder, read_at_most, write_atomically
from seqkd_lab.runs.committed import own_results_path, results_path


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
        check_one_process(path)
        return _copied(Path(path), copies)
    if not stat.S_ISREG(mode):
        raise ValueError(
            f"{path}: this is a device, not a file; give the path of a text file, plain or .gz"
        )
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path}: no permission to read it; try: chmod u+r")
    return str(path)


def check_one_process(path: str | Path) -> None:
    """Raise ValueError where torchrun has started several processes, which would each get a piece
    of what comes through the pipe `path`."""
    if processes.rank_and_size()[1] > 1:
        raise ValueError(
            f"{path}: several processes cannot read one pipe; write the text to a file first"
        )


def _why(error: OSError) -> str:
    return (
        "no such file"
        if isinstance(error, FileNotFoundError)
        else f"cannot be reached ({error.strerror})"
    )


def _copied(pipe: Path, copies: Path) -> str:
    most = machine.fair_share()
    with open_text(pipe) as file:
        content = read_at_most(file, most + 1)
    if len(content) > most:
        raise ValueError(
            f"{pipe}: the pipe gives more than half of the memory that is left "
            f"({most / machine.MIB:,.0f} MiB); write the text to a file first"
        )
    if not content:
        raise ValueError(
            f"{pipe}: the pipe is empty (its text can be read only once); write the text to a file "
            "first, for example: zcat x.gz > x"
        )
    copy = copies / f"{hashlib.sha256(content).hexdigest()[:16]}.txt"
    if not copy.exists():
        write_atomically(copy, content)
    return str(copy)


def check_folder(path: Path, option: str = "--out") -> None:
    """Make the folder `path`, with its parents. Raise ValueError where it cannot be made or written
    to."""
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"{option} {path}: this is a file; name a folder (it is created if it does not exist)"
        )
    with _named_errors(path, option):
        make_folder(path)
        _write_something(path)


def check_file(path: Path, option: str = "--out", read: Iterable[str | None] = ()) -> None:
    """Raise ValueError where no file `path` can be written, and where it is one of those that are
    `read`. Folders that are missing are made later, with the file."""
    if path.is_symlink():  # the file would take the link's place
        raise ValueError(
            f"{option} {path}: this is a link, to {os.readlink(path)}; name that file itself, or "
            "delete the link"
        )
    if path.is_dir():
        raise ValueError(f"{option} {path}: this is a folder; name a file")
    if path.exists() and not path.is_file():  # it would be replaced by the file
        raise ValueError(f"{option} {path}: this is a device or a pipe; name a file")
    if path.exists() and any(
        name is not None and Path(name).exists() and path.samefile(name) for name in read
    ):
        raise ValueError(
            f"{option} {path}: this file is also an input and would be lost; name another file"
        )
    with _named_errors(path, option):
        _write_something(next(folder for folder in path.absolute().parents if folder.exists()))


def _write_something(folder: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable-"):
        pass


@contextmanager
def _named_errors(path: Path, option: str) -> Iterator[None]:
    """Turn an OSError into a ValueError that names the option, the path and the reason."""
    try:
        yield
    except OSError as error:
        where = Path(error.filename or path)
        if where.name.startswith(".writable-"):
            where = where.parent
        raise ValueError(
            f"{option} {path}: cannot write there ({error.strerror}: {where}); choose another path"
        ) from error


def results_to_write(path: Path | None, file: str) -> Path:
    """Return the path that --results names, or the default of `file`, before the work.

    Raise ValueError naming the path where nothing can be written.
    """
    path = path or own_results_path(file)
    check_file(path, "--results")
    return path


def announce(path: Path) -> None:
    """Print to stderr, before the work, where its results will be."""
    print(f"Results will be written to {path}", file=sys.stderr)


def results_to_judge(path: Path | None, file: str) -> Path:
    """Return the path that --results names; by default the results made here, and where there are
    none, those of the package. For an installed package, print to stderr which of the two."""
    if path is not None:
        return path
    path = own_results_path(file) if own_results_path(file).exists() else results_path(file)
    if installation.checkout() is None:
        print(f"Judging {path}", file=sys.stderr)
    return path
