"""How a command makes what is missing, with progress bars."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.paths import announce
from seqkd_lab.cli.resolve import n_workers_of, store_of
from seqkd_lab.runs.progress import Bars
from seqkd_lab.runs.recipes import TextData, ToyData
from seqkd_lab.runs.schedule import Task, run_all
from seqkd_lab.studies.table1.table import said_of_teacher, signatures, table_frame

# Every command computes with one thread: the models are small, and a second thread that has to wait
# for a busy core
# makes each step many times slower. The tour and the table use the cores by processes.


def make_models(
    tasks: Sequence[Task], data: ToyData | TextData, given: Namespace, results: Path | None = None
) -> None:
    """Runs what is missing in the store, in processes of one thread each, with progress bars.

    Says beforehand where the `results` of it all will be written.
    """
    n_workers, store = n_workers_of(given.workers), store_of(given)
    machine.use_threads(1)
    if results is not None:
        announce(results)
    loaded = store.dataset(data)
    print(loaded.cleaning, file=sys.stderr)
    bars = Bars(tasks, len(loaded.train), len(loaded.test))
    try:
        run_all(tasks, store.root, n_workers, bars)
    finally:
        bars.close()


def mover(bar: tqdm):
    """Moves `bar` to (done, total)."""

    def move(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return move


def existing(path, how: str):
    """`path`. Raises ValueError saying how it is made where there is no such file."""
    if not path.exists():
        raise ValueError(f"{path}: no results to judge; make them with `seqkd-lab {how}`")
    return path


def print_table(results: dict) -> None:
    """Print Table 1 beside the paper's, and how its scores were made."""
    print(table_frame(results).to_string())
    print(
        "[in brackets: Kim & Rush 2016, Table 1, where confirmed]",
        *signatures(results),
        *said_of_teacher(results),
        sep="\n",
        end="\n\n",
    )
