"""`seqkd-lab map`: students by Word-KD over α and τ."""

from __future__ import annotations

import argparse
from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.cli.given import n_workers_of, seeds_of
from seqkd_lab.cli.options import add_seeds
from seqkd_lab.cli.results import add_results, announce, results_to_write
from seqkd_lab.studies.word_kd_map import MapRun, make_map


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    word_kd_map = verbs.add_parser(
        "map",
        help="the map of Word-KD over α and τ, for lesson 04",
        description="Trains a small student for each α, τ and seed from the committed teacher, and "
        "writes their BLEU, "
        "validity and NLL as JSON. What is finished is kept; the same command continues.",
    )
    add_seeds(word_kd_map, 5)
    add_results(word_kd_map, "word_kd_map.json")
    word_kd_map.add_argument(
        "--workers", type=int, help="processes of one thread each (default: the cores allowed)"
    )
    word_kd_map.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab map`"""
    run, n_workers = MapRun(seeds=seeds_of(given)), n_workers_of(given.workers)
    path = results_to_write(given.results, "word_kd_map.json")
    announce(path)
    with tqdm(total=len(run.tasks()), desc="map", unit=" students") as bar:
        make_map(run, path, n_workers, lambda done, _: bar.update(done - bar.n))
    print(f"Results: {path}")
    return 0
