"""What `study` and `later` share: an experiment is made, printed and judged."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from seqkd_lab.cli.given import seeds_of, store_of
from seqkd_lab.cli.making import existing, make_models, mover
from seqkd_lab.cli.results import results_to_judge, results_to_write
from seqkd_lab.runs.recipes import TextData, ToyData
from seqkd_lab.runs.store import Report
from seqkd_lab.runs.study import Experiment, by_seed, measure_seeds, read_later
from seqkd_lab.runs.verdicts import all_held, in_words


def print_experiment(experiment: Experiment, path: Path) -> bool:
    """Print an experiment's tables, sentences and verdicts; return whether every claim is held.

    Raises CheckpointError where the file holds something else.
    """
    rows = by_seed(read_later(path))
    print(f"== {experiment.name} ({path.name}), {len(rows)} {experiment.repeated}\n")
    for heading, frame in experiment.tables(rows).items():
        print(f"{heading}\n{frame.to_string()}\n")
    if experiment.in_words is not None:
        print(experiment.in_words(rows) + "\n")
    verdicts = experiment.judge(rows)
    print(in_words(verdicts, experiment.repeated) + "\n")
    return all_held(verdicts)


def make_experiment(
    experiment: Experiment, path: Path, data: ToyData | TextData, given: Namespace
) -> None:
    """Train what the store lacks, then measure seed after seed; `data` is what the models learn
    from.

    Raises ValueError for seeds or workers that cannot be, CheckpointError where `path` was made
    with other settings.
    """
    seeds = seeds_of(given, experiment.first_seed, experiment.n_seeds)
    make_models([task for seed in seeds for task in experiment.tasks(seed)], data, given, path)
    with tqdm(unit=" measurements") as bar:

        def report(seed: int) -> Report:
            """A fresh bar for this seed."""
            bar.set_description_str(f"{experiment.name}, seed {seed}")
            bar.reset()
            return mover(bar)

        measure_seeds(experiment, seeds, store_of(given), path, report)


def run_experiments(
    verb: str, experiments: Sequence[Experiment], data: ToyData | TextData, given: Namespace
) -> int:
    """Make the experiments unless --check is given, and print them; `verb` is the command that
    makes them.

    Returns the exit code: with --check 1 unless all claims are held, else 0. Raises ValueError
    naming the file with --check where there is none, and without where one cannot be written.
    """
    choose, held = results_to_judge if given.check else results_to_write, []
    paths = [
        choose(given.results and given.results / experiment.file, experiment.file)
        for experiment in experiments
    ]
    for experiment, path in zip(experiments, paths, strict=True):
        if not given.check:
            make_experiment(experiment, path, data, given)
        held.append(print_experiment(experiment, existing(path, f"{verb} {experiment.name}")))
    return 0 if all(held) or not given.check else 1


def check_names(names: Sequence[str], known: Mapping[str, object], kind: str) -> None:
    """Raise ValueError for the first name that is not `known`, with those that are; `kind` says of
    what."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no {kind} {unknown[0]!r}: choose from {', '.join(known)}")
