"""`seqkd-lab table2`: source words per second."""

from __future__ import annotations

import argparse
from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.making import existing, mover
from seqkd_lab.cli.results import add_results, announce, results_to_judge, results_to_write
from seqkd_lab.compression.pruning import n_nonzero
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.verdicts import all_held, in_words
from seqkd_lab.studies import speed as speed_table


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    table2 = verbs.add_parser(
        "table2",
        help="Table 2: source words per second, greedy and by beam",
        description="Measures teacher and students, pruned and in 8 bits, one sentence at a time "
        "and batched, with one "
        "thread and two, in turn. Leave the machine alone meanwhile. With --check nothing runs: "
        "the results are "
        "judged (F7), and the exit code is 1 unless every claim is held.",
    )
    table2.add_argument("--repetitions", type=int, default=7, help="rounds (default: 7)")
    table2.add_argument(
        "--paper-sizes",
        action="store_true",
        help="also models of the paper's sizes, with random weights: minutes, and 3 GB of memory",
    )
    add_results(table2, "table2.json")
    table2.add_argument("--check", action="store_true", help="only judge what the JSON file holds")
    table2.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab table2`"""
    if given.check:
        path = existing(results_to_judge(given.results, "table2.json"), "table2")
        return 0 if print_table2(speed_table.read_table2(path)) else 1
    path = results_to_write(given.results, "table2.json")
    if given.repetitions < 1:
        raise ValueError(f"--repetitions must be at least 1; got {given.repetitions}")
    announce(path)
    models = speed_table.committed_models()
    sizes = {name: n_nonzero(model) for name, model in models.items()}
    test = store_of(given).dataset(EARLIER).test.source
    with tqdm(desc="toy models", unit=" searches") as bar:
        speeds = speed_table.measure(
            models | speed_table.other_products(models),
            {ONE_BY_ONE: test[:60], BATCHED: test[:600]},
            (1, 2),
            given.repetitions,
            report=mover(bar),
        )
    if given.paper_sizes:
        large = speed_table.paper_models()
        sizes |= {name: model.n_parameters() for name, model in large.items()}
        with tqdm(desc="the paper's sizes", unit=" searches") as bar:
            speeds += speed_table.measure(
                large,
                speed_table.random_sources(large),
                (1, 2),
                given.repetitions,
                speed_table.PAPER_LENGTH,
                mover(bar),
            )
    speed_table.write_table2(path, speeds, sizes)
    print_table2(speed_table.read_table2(path))
    print(f"\nResults: {path}")
    return 0


def print_table2(results: dict) -> bool:
    """Print Table 2 and F7; return whether every claim is held."""
    speeds = speed_table.speeds_in(results)
    print(
        "source words per second: median [slowest–fastest "
        f"round]\n{speed_table.table2_frame(speeds).to_string()}\n"
    )
    print("\n".join(speed_table.factors_in_words(speeds)), end="\n\n")
    verdicts = speed_table.judge(speeds)
    print(in_words(verdicts, "rounds"))
    return all_held(verdicts)
