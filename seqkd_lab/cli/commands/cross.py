"""`seqkd-lab cross`: LSTM and Transformer as teacher and student of each other."""

from __future__ import annotations

import argparse
from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.cli.given import seeds_of, store_of
from seqkd_lab.cli.making import existing, make_models, mover
from seqkd_lab.cli.options import add_check_and_workers, add_seeds
from seqkd_lab.cli.results import add_results, results_to_judge, results_to_write
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.verdicts import all_held, in_words
from seqkd_lab.studies import architectures
from seqkd_lab.studies.architectures import ArchitecturesRun


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    cross = verbs.add_parser(
        "cross",
        help="LSTM and Transformer as teacher and student of each other, in one table",
        description="Trains teachers and students of both kinds in all four pairings, and the "
        "Transformers by which "
        "its training was found; writes the results as JSON. With --check nothing runs: the "
        "results are judged, and "
        "the exit code is 1 unless every claim is held.",
    )
    add_seeds(cross, 3)
    add_results(cross, "architectures.json")
    add_check_and_workers(cross)
    cross.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab cross`"""
    if given.check:
        path = existing(results_to_judge(given.results, "architectures.json"), "cross")
        return 0 if print_architectures(architectures.read_architectures(path)) else 1
    path = results_to_write(given.results, "architectures.json")
    from seqkd_lab.lab.shared.lesson import (
        png,  # matplotlib costs a second that other commands need not wait for
    )
    from seqkd_lab.lab.speculative.architecture_figures import crossed_figure, search_figure

    run, store = ArchitecturesRun(EARLIER, seeds_of(given)), store_of(given)
    make_models(run.tasks(), run.data, given, path)
    with tqdm(desc="epochs by the clock", unit=" runs") as bar:
        seconds = architectures.seconds_per_epoch(run.data, store, repetitions=5, report=mover(bar))
    architectures.write_architectures(path, run, store, seconds)
    results = architectures.read_architectures(path)
    write_atomically(path.with_suffix(".png"), png(crossed_figure(results)))
    write_atomically(path.with_name(f"{path.stem}-curves.png"), png(search_figure(results)))
    print_architectures(results)
    print(f"\nResults: {path}, pictures beside it")
    return 0


def print_architectures(results: dict) -> bool:
    """Print the table, what was tried, and the verdicts; return whether every claim is held."""
    print(f"{architectures.architectures_frame(results).to_string()}\n")
    for name, history in results["curves"].items():
        losses = " ".join(f"{loss:.3f}" for loss in history["valid_loss"])
        print(f"{name:24} validation nats a token by epoch: {losses}")
    print(f"\n{architectures.time_in_words(results['seconds_per_epoch'])}\n")
    verdicts = architectures.judge(results)
    print(in_words(verdicts))
    return all_held(verdicts)
