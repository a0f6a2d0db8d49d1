"""`seqkd-lab table3`: pruned teachers and students over several seeds."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from seqkd_lab.cli import options
from seqkd_lab.cli.paths import results_to_write
from seqkd_lab.cli.resolve import store_of
from seqkd_lab.cli.studies import add_alias, run_alias
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import read_study

FILE = "table3.json"


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    words = "Table 3: pruned teachers and students over several seeds"
    models = options.checkpoints("the first seed's models")
    add_alias(verbs, "table3", "pruning", FILE, words, [models]).set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab table3`; new results get a picture beside them."""
    code = run_alias(arguments)
    if arguments.check:
        return code
    draw(results_to_write(arguments.results, FILE))
    write = arguments.study(arguments).write_checkpoints
    if arguments.checkpoints is not None and write is not None:
        for folder in write(store_of(arguments), arguments.checkpoints):
            print(f"checkpoint: {folder}")
    return code


def draw(path: Path) -> None:
    """Draw Table 3 beside its results."""
    # matplotlib takes a second to import, for which other commands need not wait
    from seqkd_lab.lab.pruning.figures import table3_figure
    from seqkd_lab.lab.shared.showing import png

    by_seed = rows_by_seed(read_study(path, "pruning"))
    write_atomically(path.with_suffix(".png"), png(table3_figure(by_seed)))
