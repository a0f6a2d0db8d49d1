"""What `seqkd-lab study` does, and what it shares with `later`: an experiment is made, printed and judged."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tqdm import tqdm

from seqkd_lab.commands import make_models, seeds_of, store_of
from seqkd_lab.compression_commands import existing, mover
from seqkd_lab.experiments import committed
from seqkd_lab.experiments.later_experiment import Experiment, by_seed, measure_seeds, read_later
from seqkd_lab.experiments.recipes import TextData, ToyData
from seqkd_lab.experiments.store import Report
from seqkd_lab.experiments.verdicts import all_held, in_words


@dataclass(frozen=True)
class Study:
    """A study that the command knows: what it asks, and the module whose EXPERIMENT it is, imported when needed."""

    question: str
    module: str

    @property
    def experiment(self) -> Experiment:
        """The experiment itself."""
        return import_module(self.module).EXPERIMENT


STUDIES = {
    "budget": Study("how far ahead of the baseline is Seq-KD after so many updates, and when has it caught up?",
                    "seqkd_lab.experiments.budget_study"),
    "memory": Study("does Seq-KD help a student that remembers only its last words, however long it learns?",
                    "seqkd_lab.experiments.memory_study"),
    "live": Study("how far can the three students be relied on that a reader of lesson 06 trains?",
                  "seqkd_lab.experiments.live_students"),
}


def print_experiment(experiment: Experiment, path: Path) -> bool:
    """Print an experiment's tables, sentences and verdicts; return whether every claim is held.

    Raises CheckpointError where the file holds something else.
    """
    rows = by_seed(read_later(path))
    print(f"== {experiment.name} ({path.name}), {len(rows)} {experiment.each}\n")
    for heading, frame in experiment.tables(rows).items():
        print(f"{heading}\n{frame.to_string()}\n")
    if experiment.in_words is not None:
        print(experiment.in_words(rows) + "\n")
    verdicts = experiment.judge(rows)
    print(in_words(verdicts, experiment.each) + "\n")
    return all_held(verdicts)


def make_experiment(experiment: Experiment, path: Path, data: ToyData | TextData, given: Namespace) -> None:
    """Train what the store lacks, then measure seed after seed; `data` is what the models learn from.

    Raises ValueError for seeds or workers that cannot be, CheckpointError where `path` was made with other settings.
    """
    seeds = seeds_of(given, experiment.first_seed, experiment.n_seeds)
    make_models([task for seed in seeds for task in experiment.tasks(seed)], data, given)
    with tqdm(unit=" measurements") as bar:
        def report(seed: int) -> Report:
            """A fresh bar for this seed."""
            bar.set_description_str(f"{experiment.name}, seed {seed}")
            bar.reset()
            return mover(bar)

        measure_seeds(experiment, seeds, store_of(given), path, report)


def run_experiments(verb: str, experiments: Sequence[Experiment], data: ToyData | TextData, given: Namespace) -> int:
    """Make the experiments unless --check is given, and print them; `verb` is the command that makes them.

    Returns the exit code: with --check 1 unless all claims are held, else 0. Raises ValueError naming the file with
    --check where there is none.
    """
    folder, held = given.results or committed.results_path(""), []
    for experiment in experiments:
        path = folder / experiment.file
        if not given.check:
            make_experiment(experiment, path, data, given)
        held.append(print_experiment(experiment, existing(path, f"{verb} {experiment.name}")))
    return 0 if all(held) or not given.check else 1


def check_names(names: Sequence[str], known: Mapping[str, object], kind: str) -> None:
    """Raise ValueError for the first name that is not `known`, with those that are; `kind` says of what."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no {kind} {unknown[0]!r}: choose from {', '.join(known)}")


def list_studies(folder: Path) -> None:
    """Print each study with its question, and whether its results are in `folder`."""
    for name, listed in STUDIES.items():
        results = "results are there" if (folder / f"{name}.json").exists() else "no results yet"
        print(f"{name:8}{listed.question} ({results})")
    print("\n`seqkd-lab study NAME` makes the results, `seqkd-lab study NAME --check` judges those that are there.")


def study(given: Namespace) -> int:
    """`seqkd-lab study`"""
    check_names(given.experiments, STUDIES, "study")
    if not given.experiments:
        list_studies(given.results or committed.results_path(""))
        return 0
    return run_experiments("study", [STUDIES[name].experiment for name in given.experiments], ToyData(), given)
