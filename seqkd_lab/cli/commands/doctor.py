"""`seqkd-lab doctor`: check the environment."""

from __future__ import annotations

import argparse
from argparse import Namespace


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command, which has no options."""
    doctor = verbs.add_parser("doctor", help="check the environment, and how to fix what is wrong")
    doctor.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab doctor`; return the exit code."""
    from seqkd_lab.doctor import run

    return run()
