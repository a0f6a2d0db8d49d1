"""`seqkd-lab cross`: LSTM and Transformer as teacher and student of each other."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from seqkd_lab.cli.paths import results_to_write
from seqkd_lab.cli.studies import add_alias, run_alias
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import read_study

FILE = "architectures.json"


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    words = "LSTM and Transformer as teacher and student of each other, in one table"
    add_alias(verbs, "cross", "architectures", FILE, words).set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab cross`; new results get pictures beside them."""
    code = run_alias(arguments)
    if not arguments.check:
        draw(results_to_write(arguments.results, FILE))
    return code


def draw(path: Path) -> None:
    """Draw the table and the search for the Transformer's training beside the results."""
    # matplotlib takes a second to import, for which other commands need not wait
    from seqkd_lab.lab.shared.showing import png
    from seqkd_lab.lab.speculative.architecture_figures import crossed_figure, search_figure

    by_seed = rows_by_seed(read_study(path, "architectures"))
    write_atomically(path.with_suffix(".png"), png(crossed_figure(by_seed)))
    write_atomically(path.with_name(f"{path.stem}-curves.png"), png(search_figure(by_seed)))
