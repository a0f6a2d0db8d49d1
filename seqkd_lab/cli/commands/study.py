"""`seqkd-lab study`: studies of why and when Seq-KD helps."""

from __future__ import annotations

import argparse
from argparse import Namespace
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from seqkd_lab.cli.options import add_check_and_workers, add_seed_range
from seqkd_lab.cli.results import add_results
from seqkd_lab.cli.studies import check_names, run_experiments
from seqkd_lab.runs.committed import own_results_path, results_path
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.study import Study as Experiment


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    study = verbs.add_parser(
        "study",
        help="studies of why and when Seq-KD helps; without a name, which there are",
        description="Trains and measures the students of each study, seed by seed, and writes the "
        "results as JSON; an "
        "interrupted run goes on with the next seed. Without NAME it lists the studies and what "
        "each asks. With "
        "--check nothing runs: each claim is judged, and the exit code is 1 unless every claim is "
        "held.",
    )
    study.add_argument("experiments", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    add_seed_range(study, "the study's own", "the study's own")
    add_results(study)
    add_check_and_workers(study)
    study.set_defaults(run=run)


@dataclass(frozen=True)
class Study:
    """A study that the command knows: what it asks, and the module whose EXPERIMENT it is, imported
    when needed."""

    question: str
    module: str

    @property
    def experiment(self) -> Experiment:
        """The experiment itself."""
        return import_module(self.module).STUDY


STUDIES = {
    "budget": Study(
        "how far ahead of the baseline is Seq-KD after so many updates, and when has it caught up?",
        "seqkd_lab.studies.budget",
    ),
    "memory": Study(
        "does Seq-KD help a student that remembers only its last words, however long it learns?",
        "seqkd_lab.studies.memory.study",
    ),
    "live": Study(
        "how far can the three students be relied on that a reader of lesson 06 trains?",
        "seqkd_lab.studies.live",
    ),
}


def list_studies(folder: Path | None) -> None:
    """Print each study with its question, and whether its results are in `folder` (None: made here
    or committed)."""
    for name, listed in STUDIES.items():
        folders = (own_results_path(""), results_path("")) if folder is None else (folder,)
        there = any((folder / f"{name}.json").exists() for folder in folders)
        results = "results are there" if there else "no results yet"
        print(f"{name:8}{listed.question} ({results})")
    print(
        "\n`seqkd-lab study NAME` makes the results, `seqkd-lab study NAME --check` judges those "
        "that are there."
    )


def run(given: Namespace) -> int:
    """`seqkd-lab study`"""
    check_names(given.experiments, STUDIES, "study")
    if not given.experiments:
        list_studies(given.results)
        return 0
    return run_experiments(
        "study", [STUDIES[name].experiment for name in given.experiments], ToyData(), given
    )
