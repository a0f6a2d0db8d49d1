"""`seqkd-lab tour`: the paper's Table 1 from scratch, one seed."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from seqkd_lab.cli import options
from seqkd_lab.cli.paths import check_folder
from seqkd_lab.cli.resolve import store_of, table_run
from seqkd_lab.cli.studies import make_models, print_table
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
        parents=[
            options.preset("sizes and epochs (default: toy; quick for your own text)"),
            options.seed("seed of every random number"),
            options.WORKERS,
            options.TEXT,
            options.MONOLINGUAL,
            options.TOKENIZE,
        ],
        help="train teacher and students from scratch, print Table 1 and write a report",
        description="Trains a teacher and eight students (one seed), prints the paper's Table 1 "
        "with the paper's own numbers beside, judges its findings, and writes report.html. For "
        "your own text, each row's model is written beside the report.",
    )
    tour.add_argument(
        "--report",
        type=options.typed_path,
        default=Path("runs/tour"),
        metavar="DIR",
        help="folder of the report (default: runs/tour)",
    )
    tour.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab tour`; return the exit code."""
    # matplotlib takes a second to import, for which other commands need not wait
    from seqkd_lab.lab.paper_table.report import write_report

    run, store = table_run(arguments, (arguments.seed,), TABLE_ROWS, "quick"), store_of(arguments)
    check_folder(arguments.report, "--report")
    make_models(run.tasks(), run.data, arguments)
    results = collect(run, store)
    title = "Sequence-level knowledge distillation: Table 1, one seed"
    # before printing, which may fail on a terminal
    path = write_report(arguments.report, results, examples(run, store), title)
    print_table(results)
    print(findings_in_words.of_one_seed(rows_by_seed(results)[0]))
    print(paired_comparison(run, store))
    explanation = why_no_gain(results)
    if explanation is not None:
        print(explanation)
    print(f"\nReport: {path}")
    if isinstance(run.data, TextData):  # on the toy, commands find models by their row
        copy_models(run, store, arguments.report / "models")
        print(
            f"Models: {arguments.report / 'models'}, a folder for each row, for `seqkd-lab "
            "translate --model FOLDER`\nOne seed is one draw: `seqkd-lab table` with the same text "
            "trains several and judges the claims."
        )
    else:
        print(
            "One seed is one draw: `seqkd-lab table` trains ten, and `seqkd-lab table --check` "
            "judges the committed results."
        )
    return 0
