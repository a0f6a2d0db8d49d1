"""`seqkd-lab table`: the paper's Table 1 over several seeds, or verdicts on results that are
there."""

from __future__ import annotations

import argparse
from argparse import Namespace

from seqkd_lab.cli import options
from seqkd_lab.cli.paths import check_file, check_folder, results_to_judge, results_to_write
from seqkd_lab.cli.resolve import seeds_of, store_of, table_run
from seqkd_lab.cli.studies import existing, make_models, print_table
from seqkd_lab.files import write_atomically
from seqkd_lab.installation import OWN_RESULTS
from seqkd_lab.runs import committed
from seqkd_lab.runs.recipes import TABLE_ROWS
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import judging, write_study
from seqkd_lab.runs.verdicts import all_held
from seqkd_lab.studies.table1 import checkpoints, findings, findings_in_words
from seqkd_lab.studies.table1.study import TOY_SEEDS, collect
from seqkd_lab.studies.table1.table import read_results
from seqkd_lab.studies.table1.why_no_gain import why_no_gain


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    table = verbs.add_parser(
        "table",
        parents=[
            options.preset("sizes and epochs (default: toy; full for your own text)"),
            options.seed_range("10; 5 for your own text", "21; 1 for your own text"),
            options.results("table1.json"),
            options.checkpoints("the models of the seed with the median gain"),
            options.CHECK,
            options.WORKERS,
            options.TEXT,
            options.MONOLINGUAL,
            options.TOKENIZE,
        ],
        help="make Table 1 over several seeds, with 95%% intervals, or judge its results",
        description="Trains and evaluates the rows of Table 1 for each seed, writes the results as "
        "JSON with a picture beside, and judges the findings F1 to F6. With --check, nothing runs: "
        "each claim is judged held, not held or undecided, and the exit code is 1 unless every "
        "claim is held.",
    )
    table.add_argument(
        "--rows",
        nargs="+",
        choices=TABLE_ROWS,
        default=list(TABLE_ROWS),
        metavar="ROW",
        help=f"rows to make (default: all): {', '.join(TABLE_ROWS)}",
    )
    table.add_argument(
        "--one-teacher",
        action="store_true",
        help="train only the first seed's teacher, for the students of all seeds; on real text, "
        "training teachers takes most of the time",
    )
    table.set_defaults(run=run)


TEXT_SEEDS = tuple(range(1, 6))


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab table`; return the exit code."""
    if arguments.check:
        path = existing(results_to_judge(arguments.results, "table1.json"), "table")
        with judging(path):
            return 0 if print_results(read_results(path)) else 1
    # the lab's own results are of the toy language
    of_text = OWN_RESULTS / "table1.json" if arguments.source else None
    path = results_to_write(arguments.results or of_text, "table1.json")
    pictures = [path.with_name(f"{path.stem}{end}.png") for end in ("", "-curves")]
    for picture in pictures:
        check_file(picture, "--results, the picture beside it:")
    if arguments.checkpoints is not None:
        check_folder(arguments.checkpoints, "--checkpoints")
    own_seeds = TEXT_SEEDS if arguments.source else TOY_SEEDS
    seeds = seeds_of(arguments, own_seeds[0], len(own_seeds))
    from seqkd_lab.lab.paper_table.table import curves_figure, table_figure
    from seqkd_lab.lab.shared.showing import png

    run = table_run(arguments, seeds, arguments.rows, "full")
    make_models(run.tasks(), run.data, arguments, path)
    results = collect(run, store_of(arguments))
    write_study(path, results, results["by_seed"])
    for picture, figure in zip(pictures, (table_figure, curves_figure), strict=True):
        write_atomically(picture, png(figure(results), 110))
    print_results(results)
    print(f"\nResults: {path}, pictures beside it")
    if arguments.checkpoints:
        seed = committed.representative_seed(results["by_seed"])
        for folder in checkpoints.write_checkpoints(
            run, store_of(arguments), arguments.checkpoints, seed
        ):
            print(f"checkpoint: {folder}")
    return 0


def print_results(results: dict) -> bool:
    """Print the table and the paper's claims, judged; return whether every claim is held."""
    print_table(results)
    by_seed = rows_by_seed(results)
    print(findings_in_words.in_words(by_seed))
    explanation = why_no_gain(results)
    if explanation is not None:
        print(explanation)
    return all_held(findings.judge(by_seed))
