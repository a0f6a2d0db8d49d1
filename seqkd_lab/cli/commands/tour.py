"""`seqkd-lab tour`: the paper's Table 1 from nothing, one seed."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from seqkd_lab.cli.given import store_of, table_run
from seqkd_lab.cli.making import make_models, print_table
from seqkd_lab.cli.options import add_monolingual, add_text_files, add_tokenize, seed, typed_path
from seqkd_lab.cli.writable import check_folder
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import TABLE_ROWS, TextData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.studies.table1 import findings_in_words
from seqkd_lab.studies.table1.study import collect
from seqkd_lab.studies.table1.tour import copy_models, examples, paired_comparison
from seqkd_lab.studies.table1.why_no_gain import why_no_gain


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    tour = verbs.add_parser(
        "tour",
        help="trains teacher and students from nothing, prints Table 1, writes a report",
        description="Trains a teacher and eight students (one seed), prints the paper's Table 1 "
        "with the paper's own "
        "numbers beside, judges its findings, and writes report.html. For your own text, each "
        "row's model is written "
        "beside the report.",
    )
    tour.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        help="sizes and epochs (default: toy; quick for your text)",
    )
    tour.add_argument(
        "--seed", type=seed, default=1, help="decides every random number (default: 1)"
    )
    tour.add_argument(
        "--report",
        type=typed_path,
        default=Path("runs/tour"),
        metavar="DIR",
        help="default: runs/tour",
    )
    tour.add_argument(
        "--workers", type=int, help="processes of one thread each (default: the cores allowed)"
    )
    add_text_files(tour)
    add_monolingual(tour)
    add_tokenize(tour)
    tour.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab tour`"""
    from seqkd_lab.lab.paper_table.report import (
        write_report,  # matplotlib costs a second that other commands need not wait for
    )

    run, store = table_run(given, (given.seed,), TABLE_ROWS, "quick"), store_of(given)
    check_folder(given.report, "--report")
    make_models(run.tasks(), run.data, given)
    results = collect(run, store)
    title = "Sequence-level knowledge distillation: Table 1, one seed"
    path = write_report(
        given.report, results, examples(run, store), title
    )  # before a terminal could refuse a letter
    print_table(results)
    print(findings_in_words.of_one_seed(rows_by_seed(results)[0]))
    print(paired_comparison(run, store))
    explanation = why_no_gain(results)
    if explanation is not None:
        print(explanation)
    print(f"\nReport: {path}")
    if isinstance(run.data, TextData):  # on the toy, commands find models by their row
        copy_models(run, store, given.report / "models")
        print(
            f"Models: {given.report / 'models'}, a folder a row, for `seqkd-lab translate --model "
            "FOLDER`\nOne seed is one draw: `seqkd-lab table` with the same text trains several, "
            "and judges."
        )
    else:
        print(
            "One seed is one draw: `seqkd-lab table` trains ten, `seqkd-lab table --check` judges "
            "the committed ones."
        )
    return 0
