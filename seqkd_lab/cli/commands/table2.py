"""`seqkd-lab table2`: source words per second."""

from __future__ import annotations

import argparse
from argparse import Namespace

from seqkd_lab.cli.studies import add_alias
from seqkd_lab.runs.study import Study


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    table2 = add_alias(
        verbs,
        "table2",
        "speed",
        "table2.json",
        "Table 2: source words per second, greedy and by beam (run nothing else meanwhile)",
    )
    table2.add_argument(
        "--repetitions", type=int, default=7, help="number of timed rounds (default: 7)"
    )
    table2.add_argument(
        "--paper-sizes",
        action="store_true",
        help="also time models of the paper's sizes, with random weights: minutes, 3 GB of memory",
    )
    table2.set_defaults(study=study)


def study(arguments: Namespace) -> Study:
    """Return Table 2 as the options ask for it. Raise ValueError without any round."""
    from seqkd_lab.studies import speed

    if arguments.repetitions < 1:
        raise ValueError(f"--repetitions must be at least 1; got {arguments.repetitions}")
    return speed.study_of(arguments.repetitions, arguments.paper_sizes)
