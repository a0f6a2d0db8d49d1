"""`seqkd-lab study`: list the studies, run them, or judge their results."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab import studies
from seqkd_lab.cli import options
from seqkd_lab.cli.paths import check_folder
from seqkd_lab.cli.studies import run_studies, write_checkpoints
from seqkd_lab.runs.committed import own_results_path, results_path
from seqkd_lab.runs.power import plans
from seqkd_lab.runs.study import Study

LIST = "list"
RUN = "run"
CHECK = "check"
DESIGN = "design"
VERBS = (LIST, RUN, CHECK, DESIGN)
DESCRIPTION = """study list           prints the studies, each with its question
study run NAME...    trains and measures what a study needs, seed by seed, and writes the
                     results as JSON; an interrupted run continues where it stopped
study check NAME...  runs nothing: judges each claim on the existing results; the exit code
                     is 1 unless every claim is held
study design NAME... runs nothing: says from the scatter of the pilot (study run --pilot) how
                     small an effect the study can see

`study NAME` is short for `study run NAME`, and `study NAME --check` for `study check NAME`."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    study = verbs.add_parser(
        "study",
        parents=[
            *options.of_studies(),
            options.checkpoints("the study's models that travel with the repository (with run)"),
        ],
        help="list the studies, measure some or judge their results: `study list`, `study run "
        "NAME`, `study check NAME`",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    study.add_argument(
        "names",
        nargs="*",
        metavar="list | run NAME | check NAME | design NAME",
        help=f"names: {', '.join(studies.find_studies())} (default: list)",
    )
    study.add_argument(
        "--pilot",
        action="store_true",
        help="the study's pilot instead: the seeds that are kept for choosing, in a file of its "
        "own",
    )
    study.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab study`; return the exit code."""
    verb, names = LIST, arguments.names
    if names:
        verb, names = (names[0], names[1:]) if names[0] in VERBS else (RUN, names)
    if verb == LIST:
        list_studies(arguments.results)
        return 0
    if not names:
        raise ValueError(f"name a study: {', '.join(studies.find_studies())}")
    arguments.check = arguments.check or verb == CHECK
    chosen = [studies.study(name) for name in names]
    if verb == DESIGN:
        for study in chosen:
            print_design(study)
        return 0
    if arguments.pilot:
        chosen = [study.pilot() for study in chosen]
    if arguments.checkpoints is not None:
        _check_checkpoints(chosen, arguments)
    code = run_studies(chosen, [_file(arguments.results, study) for study in chosen], arguments)
    for study in chosen if arguments.checkpoints is not None else ():
        write_checkpoints(study, arguments)
    return code


def _check_checkpoints(chosen: Sequence[Study], arguments: Namespace) -> None:
    """Raise ValueError where `study check` or a study without checkpoints is to write some, and
    where nothing can be written."""
    if arguments.check:
        raise ValueError("--checkpoints writes models; use it with `study run`")
    for study in chosen:
        if study.write_checkpoints is None:
            raise ValueError(f"no model of the study {study.name} travels with the repository")
    check_folder(arguments.checkpoints, "--checkpoints")


def _file(folder: Path | None, study: Study) -> Path | None:
    """Return the study's file in the folder that --results names. Raise ValueError for a file."""
    if folder is not None and folder.is_file():
        raise ValueError(
            f"--results {folder}: this is a file; name the folder that has {study.file}, or is to "
            "have it"
        )
    return None if folder is None else folder / study.file


def print_design(study: Study) -> None:
    """Print what the study's seeds can see of each claim. Raise ValueError without a pilot."""
    chosen = plans(study)
    if not chosen:
        raise ValueError(
            f"{study.name} has no pilot; make it with `seqkd-lab study run {study.name} --pilot`"
        )
    print(f"== {study.name}, {study.n_seeds} {study.repeated}\n", *chosen, sep="\n")


def list_studies(folder: Path | None) -> None:
    """Print each study with its question, and whether its results are in `folder` (None: made here
    or committed)."""
    for name in studies.find_studies():
        study = studies.study(name)
        folders = (own_results_path(""), results_path("")) if folder is None else (folder,)
        has_results = any((folder / study.file).exists() for folder in folders)
        print(f"{name:18}{study.question} ({'has results' if has_results else 'no results yet'})")
    print("\n`seqkd-lab study run NAME` measures, `seqkd-lab study check NAME` judges the results.")
