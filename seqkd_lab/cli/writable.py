"""Whether the result can be written where a person wants it, asked before the work instead of after
it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path


def check_folder(path: Path, option: str = "--out") -> None:
    """Make the folder `path`, with its parents. Raises ValueError where it cannot be made or
    written to."""
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"{option} {path}: is a file; name a folder, which is made where there is none"
        )
    _try(path, path, option)


def check_file(path: Path, option: str = "--out", read: Iterable[str | None] = ()) -> None:
    """Make the parents of the file `path`. Raises ValueError where no file of this name can be
    written, and where it is one of those that are `read`."""
    if path.is_dir():
        raise ValueError(
            f"{option} {path}: is a folder; name a file, for example {path / 'distilled.tsv'}"
        )
    if path.exists() and not path.is_file():
        raise ValueError(f"{option} {path}: is a device or a pipe; name a file")
    if path.exists() and any(
        name is not None and Path(name).exists() and path.samefile(name) for name in read
    ):
        raise ValueError(
            f"{option} {path}: is a file that is read, and would be lost; name another one"
        )
    _try(path.parent, path, option)


def _try(directory: Path, path: Path, option: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".writable-"):
            pass
    except OSError as error:
        where = (
            error.filename
            if error.filename and Path(error.filename).parent != directory
            else directory
        )
        raise ValueError(
            f"{option} {path}: nothing can be written there ({error.strerror}: {where}); choose "
            "another place"
        ) from error
