"""`seqkd-lab later`: an earlier name of `seqkd-lab study` for the studies of lessons 11 to 14."""

from __future__ import annotations

import argparse
from argparse import Namespace

from seqkd_lab.cli.commands import study
from seqkd_lab.cli.studies import study_options

NAMES = ("on-policy", "paced", "token-importance", "near-policy", "near-policy-clock")


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    later = verbs.add_parser(
        "later",
        parents=study_options(seeds="5", first_seed="1"),
        help="on-policy distillation, PACED, TIP, near-policy: the studies of lessons 11 to 14",
        description="Runs `seqkd-lab study` for these studies: five seeds of one took a core a "
        "quarter to half an hour, once their teachers were there.",
    )
    later.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: all)"
    )
    later.set_defaults(run=run, checkpoints=None)


def run(arguments: Namespace) -> int:
    """`seqkd-lab later`"""
    arguments.names = arguments.names or list(NAMES)
    return study.run(arguments)
