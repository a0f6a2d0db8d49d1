"""The files of results: where a command writes them, and which of them it judges."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from seqkd_lab import installation
from seqkd_lab.cli.options import typed_path
from seqkd_lab.cli.writable import check_file
from seqkd_lab.runs.committed import own_results_path, results_path


def add_results(verb: argparse.ArgumentParser, file: str | None = None) -> None:
    """Add --results: the JSON file, `file` by default, or (None) the folder of several."""
    what = "folder of the JSON files" if file is None else "JSON file of the results"
    default = f"data/results{'' if file is None else f'/{file}'}"
    if installation.checkout() is None:
        default = (
            f"{own_results_path(file or '')} in the current folder; without such results, --check "
            "judges those of the package"
        )
    verb.add_argument(
        "--results",
        type=typed_path,
        metavar="DIR" if file is None else "FILE",
        help=f"{what} (default: {default})",
    )


def results_to_write(asked: Path | None, file: str) -> Path:
    """Return the path that --results names, or the default of `file`, before the work.

    Raise ValueError naming the path where nothing can be written.
    """
    path = asked or own_results_path(file)
    check_file(path, "--results")
    return path


def announce(path: Path) -> None:
    """Print to stderr, before the work, where its results will be."""
    print(f"Results will be written to {path}", file=sys.stderr)


def results_to_judge(asked: Path | None, file: str) -> Path:
    """Return the path that --results names; by default the results made here, and where there are
    none, those of the package. For an installed package, print to stderr which of the two."""
    if asked is not None:
        return asked
    path = own_results_path(file) if own_results_path(file).exists() else results_path(file)
    if installation.checkout() is None:
        print(f"Judging {path}", file=sys.stderr)
    return path
