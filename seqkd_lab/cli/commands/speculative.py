"""`seqkd-lab speculative`: what a distilled student is worth as its teacher's draft."""

from __future__ import annotations

import argparse

from seqkd_lab.cli.studies import add_alias


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    add_alias(
        verbs,
        "speculative",
        "speculative",
        "speculative.json",
        "speculative sampling: acceptance, tokens per call and seconds (trains a large target, "
        "about 40 minutes on one core; run nothing else meanwhile)",
    )
