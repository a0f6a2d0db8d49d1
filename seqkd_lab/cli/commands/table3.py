"""`seqkd-lab table3`: pruned teachers and students over several seeds."""

from __future__ import annotations

import argparse
from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.cli.given import seeds_of, store_of
from seqkd_lab.cli.making import existing, make_models, mover
from seqkd_lab.cli.options import add_check_and_workers, add_seeds, typed_path
from seqkd_lab.cli.results import add_results, results_to_judge, results_to_write
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import all_held, in_words
from seqkd_lab.studies.pruning import costs as pruning_costs
from seqkd_lab.studies.pruning import table as pruning_table
from seqkd_lab.studies.pruning import verdict as pruning_verdict
from seqkd_lab.studies.pruning.recipes import PRUNING, PruningRun


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    table3 = verbs.add_parser(
        "table3",
        help="Table 3: pruned teachers and students over several seeds; or judges results that are "
        "there",
        description="Prunes teacher, baseline and distilled student level by level, with and "
        "without retraining, and "
        "writes results as JSON with a picture beside. With --check nothing runs: the results are "
        "judged (F8), and the "
        "exit code is 1 unless every claim is held.",
    )
    add_seeds(table3, 5)
    add_results(table3, "table3.json")
    table3.add_argument(
        "--checkpoints",
        type=typed_path,
        metavar="DIR",
        help="also write the first seed's models there",
    )
    add_check_and_workers(table3)
    table3.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab table3`"""
    if given.check:
        path = existing(results_to_judge(given.results, "table3.json"), "table3 --seeds 5")
        return 0 if print_table3(pruning_table.read_table3(path)) else 1
    path = results_to_write(given.results, "table3.json")
    from seqkd_lab.lab.pruning.figures import table3_figure
    from seqkd_lab.lab.shared.lesson import (
        png,  # matplotlib costs a second that other commands need not wait for
    )

    run, store = pruning_run(given), store_of(given)
    make_models(run.tasks(), run.data, given, path)
    with tqdm(desc="what it costs", unit=" searches") as bar:
        costs = pruning_costs.student_costs(run, store, report=mover(bar))
    pruning_table.write_table3(path, run, store, costs)
    results = pruning_table.read_table3(path)
    write_atomically(path.with_suffix(".png"), png(table3_figure(results)))
    print_table3(results)
    print(f"\nResults: {path}, a picture beside it")
    if given.checkpoints:
        for folder in pruning_table.write_checkpoints(run, store, given.checkpoints):
            print(f"checkpoint: {folder}")
    return 0


def pruning_run(given: Namespace) -> PruningRun:
    """Table 3 of the toy language with the seeds asked for."""
    return PruningRun(EARLIER, PRUNING, seeds_of(given))


def print_table3(results: dict) -> bool:
    """Print Table 3, what it costs, and F8; return whether every claim is held."""
    rows = pruning_table.by_seed(pruning_table.pruned_models(results))
    for model in (SEQ_KD, BASELINE, TEACHER):
        print(f"{model}, class-blind\n{pruning_verdict.table3_frame(rows, model).to_string()}\n")
    print(
        f"{SEQ_KD}, BLEU by beam, other ways\n{pruning_verdict.methods_frame(rows).to_string()}\n"
    )
    costs = [pruning_costs.Cost(**cost) for cost in results["costs"]]
    print(f"{SEQ_KD}, retrained: what it costs\n{pruning_verdict.costs_frame(costs).to_string()}\n")
    print("\n".join(pruning_verdict.verdict_in_words(rows)), end="\n\n")
    verdicts = pruning_verdict.judge(rows)
    print(in_words(verdicts))
    return all_held(verdicts)
