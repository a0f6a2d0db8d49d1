"""Checks, before the work, that its result can be written where the user wants it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def check_folder(path: Path, option: str = "--out") -> None:
    """Make the folder `path`, with its parents. Raise ValueError where it cannot be made or written
    to."""
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"{option} {path}: this is a file; name a folder (it is created if it does not exist)"
        )
    with _named_errors(path, option):
        path.mkdir(parents=True, exist_ok=True)
        _write_something(path)


def check_file(path: Path, option: str = "--out", read: Iterable[str | None] = ()) -> None:
    """Raise ValueError where no file `path` can be written, and where it is one of those that are
    `read`. Folders that are missing are made later, with the file."""
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
