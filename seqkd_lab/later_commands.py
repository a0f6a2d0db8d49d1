"""What `seqkd-lab later` does, once its arguments are read: the experiments on what was built on distillation since."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from seqkd_lab.commands import make_models, seeds_of, store_of
from seqkd_lab.compression_commands import existing, mover
from seqkd_lab.experiments import (
    committed,
    near_policy_clock,
    near_policy_experiment,
    on_policy_experiment,
    paced_experiment,
    tip_experiment,
)
from seqkd_lab.experiments.later_experiment import (
    Experiment,
    by_seed,
    measure_seeds,
    read_later,
)
from seqkd_lab.experiments.presets import EARLIER
from seqkd_lab.experiments.store import Report
from seqkd_lab.experiments.verdicts import all_held, in_words

EXPERIMENTS = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (
        on_policy_experiment, paced_experiment, tip_experiment, near_policy_experiment, near_policy_clock,
    )
}


def print_later(experiment: Experiment, path: Path) -> bool:
    """Prints an experiment's tables and verdicts; returns whether every claim is held."""
    rows = by_seed(read_later(path))
    print(f"== {experiment.name} ({path.name}), {len(rows)} {experiment.each}\n")
    for heading, frame in experiment.tables(rows).items():
        print(f"{heading}\n{frame.to_string()}\n")
    judged = experiment.judge(rows)
    print(in_words(judged, experiment.each) + "\n")
    return all_held(judged)


def make_later(experiment: Experiment, path: Path, given: Namespace) -> None:
    """Trains what the store lacks, then measures seed after seed."""
    seeds = seeds_of(given)
    make_models([task for seed in seeds for task in experiment.tasks(seed)], EARLIER, given)
    with tqdm(unit=" measurements") as bar:
        def report(seed: int) -> Report:
            """A fresh bar for this seed."""
            bar.set_description_str(f"{experiment.name}, seed {seed}")
            bar.reset()
            return mover(bar)

        measure_seeds(experiment, seeds, store_of(given), path, report)


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, all without any. Raises ValueError for a name that there is not."""
    unknown = [name for name in names if name not in EXPERIMENTS]
    if unknown:
        raise ValueError(f"no experiment {unknown[0]!r}: choose from {', '.join(EXPERIMENTS)}")
    return [EXPERIMENTS[name] for name in names or EXPERIMENTS]


def later(given: Namespace) -> int:
    """`seqkd-lab later`"""
    folder, held = given.results or committed.results_path(""), []
    for experiment in chosen(given.experiments):
        path = folder / experiment.file
        if not given.check:
            make_later(experiment, path, given)
        held.append(print_later(experiment, existing(path, f"later {experiment.name}")))
    return 0 if all(held) or not given.check else 1
