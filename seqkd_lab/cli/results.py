"""Where a command writes its results, known before its work, and which results it judges."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from seqkd_lab import installation
from seqkd_lab.cli.options import typed_path
from seqkd_lab.runs.committed import own_results_path, results_path


def add_results(verb: argparse.ArgumentParser, file: str | None = None) -> None:
    """Add --results: the JSON file, `file` by default, or (None) the folder of several."""
    what = "the folder of the JSON files" if file is None else "the JSON file"
    default = f"data/results{'' if file is None else f'/{file}'}"
    if installation.checkout() is None:
        default = (
            f"{own_results_path(file or '')} in the current folder; --check judges what came with "
            "the package where there is nothing yet"
        )
    verb.add_argument(
        "--results",
        type=typed_path,
        metavar="DIR" if file is None else "FILE",
        help=f"{what} (default: {default})",
    )


def results_to_write(asked: Path | None, file: str) -> Path:
    """Return the path that --results names, or the default of `file`. Called before the work.

    Raises ValueError naming the path where nothing can be written.
    """
    path = asked or own_results_path(file)
    check_writable(path)
    return path


def announce(path: Path) -> None:
    """Say on stderr, before the work, where its results will be."""
    print(f"Results will be written to {path}", file=sys.stderr)


def results_to_judge(asked: Path | None, file: str) -> Path:
    """Return the path that --results names; by default the results made here, and where there are
    none, those that travel with the package. For an installed package stderr says which of the two
    they are."""
    if asked is not None:
        return asked
    path = own_results_path(file) if own_results_path(file).exists() else results_path(file)
    if installation.checkout() is None:
        print(f"Judging {path}", file=sys.stderr)
    return path


def check_writable(path: Path) -> None:
    """Raise ValueError where a file cannot be written at `path`: a folder or a device is there, or
    its own folder is none or may not be written. A missing folder is made later, with the file."""
    if path.exists() and not path.is_file():  # a device would be replaced by the file
        raise ValueError(
            f"{path}: a {'folder' if path.is_dir() else 'device'}; --results names a JSON file"
        )
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{path}: results cannot be written there ({error.strerror}: {folder}); name another "
            "place by --results"
        ) from error
