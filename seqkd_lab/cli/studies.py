"""What the commands share that measure, print and judge studies."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import studies
from seqkd_lab.cli import options
from seqkd_lab.cli.making import existing, make_models, mover
from seqkd_lab.cli.paths import announce, results_to_judge, results_to_write
from seqkd_lab.cli.resolve import n_workers_of, seeds_of, store_of
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Report
from seqkd_lab.runs.study import Study, measure_seeds, missing_seeds, read_study
from seqkd_lab.runs.verdicts import all_held, in_words


def study_options(
    file: str | None = None, seeds: str = "the study's own", first_seed: str = "the study's own"
) -> list[argparse.ArgumentParser]:
    """Return the options of every study; `file` as in `options.results`, the defaults in words."""
    return [
        options.seed_range(seeds, first_seed),
        options.results(file),
        options.CHECK,
        options.WORKERS,
    ]


def add_alias(
    verbs: argparse._SubParsersAction,
    command: str,
    name: str,
    file: str,
    help: str,
    more: Sequence[argparse.ArgumentParser] = (),
) -> argparse.ArgumentParser:
    """Add an earlier `command` for the study `name`, whose results are in `file`.

    Where the command has options that change the study, it sets the default `study` to a function
    from the parsed arguments to the study; its `more` options are added.
    """
    verb = verbs.add_parser(
        command,
        parents=[*study_options(file), *more],
        help=help,
        description=f"{help[:1].upper()}{help[1:]}: `seqkd-lab study run {name}`.",
    )
    verb.set_defaults(run=run_alias, study=lambda arguments: studies.study(name))
    return verb


def run_alias(arguments: Namespace) -> int:
    """Run an alias: its study, with --results as the path of the file."""
    return run_studies([arguments.study(arguments)], [arguments.results], arguments)


def run_studies(
    chosen: Sequence[Study], results: Sequence[Path | None], arguments: Namespace
) -> int:
    """Measure the `chosen` studies unless --check is given, and print them; `results` are the files
    that the user names, None the defaults.

    Return the exit code: with --check 1 unless all claims are held, else 0. Raises ValueError
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

    Raises ValueError for seeds or workers that cannot be, CheckpointError where `path` was made
    with other settings.
    """
    seeds = missing_seeds(study, seeds_of(arguments, study.first_seed, study.n_seeds), path)
    if not seeds:
        return
    tasks = [task for seed in seeds for task in study.tasks(seed)]
    if tasks:
        make_models(tasks, study.data, arguments, path)
    else:
        announce(path)
    with tqdm(unit=" measurements") as bar:

        def report(seed: int) -> Report:
            """Start the bar again for this seed."""
            bar.set_description_str(f"{study.name}, {study.repeated.rstrip('s')} {seed}")
            bar.reset()
            return mover(bar)

        workers = n_workers_of(arguments.workers)
        measure_seeds(study, seeds, store_of(arguments), path, report, workers)


def print_study(study: Study, path: Path) -> bool:
    """Print the study's tables, sentences and verdicts; return whether every claim is held.

    Raises CheckpointError where the file holds something else.
    """
    rows = rows_by_seed(read_study(path, study))
    repeated = study.repeated if len(rows) > 1 else study.repeated.rstrip("s")
    print(f"== {study.name} ({path.name}), {len(rows)} {repeated}\n")
    for heading, frame in study.tables(rows).items():
        print(f"{heading}\n{frame.to_string()}\n")
    if study.in_words is not None:
        print(study.in_words(rows) + "\n")
    verdicts = study.judge(rows)
    if verdicts:
        print(in_words(verdicts, study.repeated) + "\n")
    return all_held(verdicts)
