"""`seqkd-lab map`: an earlier name of `seqkd-lab study run word-kd-map`."""

import argparse

from seqkd_lab.cli.studies import add_alias


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    add_alias(verbs, "map", "word-kd-map", "word_kd_map.json", "the map of Word-KD over α and τ")
