"""What the commands share that train models and that measure, print and judge studies."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.cli.paths import announce, results_to_judge, results_to_write
from seqkd_lab.cli.resolve import check_at_least_1, n_workers_of, seeds_of, store_of
from seqkd_lab.cli.terminal import Bar, plain_stream
from seqkd_lab.estimates import BATCHES_MIB
from seqkd_lab.runs.power import planned_effects
from seqkd_lab.runs.progress import Bars
from seqkd_lab.runs.recipes import TextData, ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.schedule import run_all
from seqkd_lab.runs.space import check_space
from seqkd_lab.runs.store import Report
from seqkd_lab.runs.study import Study, judging, measure_seeds, missing_seeds, read_study
from seqkd_lab.runs.tasks import Task
from seqkd_lab.runs.verdicts import all_held, in_words
from seqkd_lab.studies.table1.table import said_of_teacher, signatures, table_frame


def run_studies(
    chosen: Sequence[Study], results: Sequence[Path | None], arguments: Namespace
) -> int:
    """Measure the `chosen` studies unless --check is given, and print them; `results` are the files
    that the user names, None the defaults.

    Return the exit code: with --check 1 unless all claims are held, else 0. Raise ValueError
    naming the file that is not there (with --check) or cannot be written.
    """
    choose = results_to_judge if arguments.check else results_to_write
    paths = [choose(path, study.file) for study, path in zip(chosen, results, strict=True)]
    held = []
    for study, path in zip(chosen, paths, strict=True):
        if not arguments.check:
            measure_study(study, path, arguments)
        held.append(print_study(study, existing(path, f"study run {study.name}")))
    return 0 if all(held) or not arguments.check else 1


def measure_study(study: Study, path: Path, arguments: Namespace) -> None:
    """Train what the store lacks for the seeds that `path` lacks, then measure seed after seed.

    Raise ValueError for numbers of seeds or workers out of range, FileError where `path` was
    made with other settings.
    """
    check_at_least_1("--workers", arguments.workers)
    seeds = missing_seeds(study, seeds_of(arguments, study.first_seed, study.n_seeds), path)
    if not seeds:
        return
    tasks = [task for seed in seeds for task in study.tasks(seed)]
    if tasks:
        make_models(tasks, study.data, arguments, path)
    else:
        announce(path)
    workers = n_workers_of(arguments.workers) if study.in_parallel else 1
    with Bar(unit=" measurements") as bar:

        def report(seed: int) -> Report:
            """Start the bar again for this seed."""
            bar.set_description_str(f"{study.name}, {study.repeated.rstrip('s')} {seed}")
            bar.reset()
            return mover(bar)

        measure_seeds(study, seeds, store_of(arguments), path, report, workers)


def write_checkpoints(study: Study, arguments: Namespace) -> None:
    """Write the models of a study that has some for the repository to --checkpoints, and print
    their folders."""
    assert study.write_checkpoints is not None, f"{study.name} has no checkpoints"
    for folder in study.write_checkpoints(store_of(arguments), arguments.checkpoints):
        print(f"checkpoint: {folder}")


def print_study(study: Study, path: Path) -> bool:
    """Print the study's tables, sentences and verdicts; return whether every claim is held.

    Raise FileError where the file holds something else.
    """
    rows = rows_by_seed(read_study(path, study))
    repeated = study.repeated if len(rows) > 1 else study.repeated.rstrip("s")
    with judging(path):
        parts = [f"{heading}\n{frame.to_string()}" for heading, frame in study.tables(rows).items()]
        if study.in_words is not None:
            parts.append(study.in_words(rows))
        verdicts = study.judge(rows)
        if verdicts:
            parts.append(in_words(verdicts, study.repeated, planned_effects(study, rows)))
    print(f"== {study.name} ({path.name}), {len(rows)} {repeated}", *parts, sep="\n\n", end="\n\n")
    return all_held(verdicts)


def make_models(
    tasks: Sequence[Task],
    data: ToyData | TextData,
    arguments: Namespace,
    results: Path | None = None,
) -> None:
    """Run the tasks that the store lacks, in processes of one thread each, with progress bars.

    Print beforehand where the `results` will be written. The models are small: a second thread,
    which has to wait for a busy core, makes each step many times slower.
    """
    check_at_least_1("--workers", arguments.workers)
    store = store_of(arguments)
    machine.use_threads(1)
    if results is not None:
        announce(results)
    loaded = store.dataset(data)
    print(loaded.cleaning, file=sys.stderr)
    # a worker loads the same corpus, and learns from its batches beside it
    n_workers = n_workers_of(arguments.workers, machine.peak_memory_mib() + BATCHES_MIB)
    check_space(store, tasks, loaded, n_workers)
    bars = Bars(tasks, len(loaded.train), len(loaded.test), plain_stream(sys.stderr))
    try:
        run_all(tasks, store, n_workers, bars)
    finally:
        bars.close()


def mover(bar: Bar) -> Report:
    """Return a function that moves `bar` to (done, total)."""

    def move(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return move


def existing(path: Path, how: str) -> Path:
    """Return `path`. Raise ValueError, naming the command that makes it, where it is missing."""
    if not path.exists():
        raise ValueError(f"{path}: no results to judge; make them with `seqkd-lab {how}`")
    return path


def print_table(results: dict) -> None:
    """Print Table 1 beside the paper's, with the scores' signatures."""
    print(table_frame(results).to_string())
    print(
        "[in brackets: Kim & Rush 2016, Table 1, where confirmed]",
        *signatures(results),
        *said_of_teacher(results),
        sep="\n",
        end="\n\n",
    )
