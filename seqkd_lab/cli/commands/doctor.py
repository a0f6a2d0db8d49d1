"""`seqkd-lab doctor`: is this machine ready, and what to do if not."""

from __future__ import annotations

import argparse
from argparse import Namespace


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command, which has no options."""
    doctor = verbs.add_parser("doctor", help="checks the environment and says what to do")
    doctor.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab doctor`"""
    from seqkd_lab.doctor import run

    return run()
