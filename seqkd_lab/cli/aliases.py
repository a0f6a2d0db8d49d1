"""Earlier names of studies, each short for `seqkd-lab study run NAME` with one file of results."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from seqkd_lab.cli import options

if TYPE_CHECKING:
    from seqkd_lab.runs.study import Study

# every command imports this module, and only an alias waits for what running a study needs

ALIASES = {
    "table2": ("speed", "table2.json", "Table 2: source words per second, greedy and with a beam"),
    "table3": ("pruning", "table3.json", "Table 3: pruned teachers and students"),
    "speculative": (
        "speculative",
        "speculative.json",
        "speculative sampling: acceptance, tokens per call and seconds; it trains deep targets, a "
        "few minutes each",
    ),
    "cross": (
        "architectures",
        "architectures.json",
        "LSTM and Transformer as teacher and student of each other",
    ),
    "map": ("word-kd-map", "word_kd_map.json", "Word-KD over α and τ"),
}
"""For each alias, its study, the study's file of results, and what it measures."""
LATER = ("on-policy", "paced", "token-importance", "near-policy", "near-policy-clock")
NAMES = (*ALIASES, "later")


def in_words() -> str:
    """Return a line for each alias, for the help of all commands."""
    lines = [f"  {alias:12} study run {name}" for alias, (name, *_) in ALIASES.items()]
    return "\n".join([*lines, f"  {'later':12} study run {' '.join(LATER)}"])


def add(verbs: argparse._SubParsersAction, alias: str) -> None:
    """Add an alias, which the list of commands leaves out, and its options."""
    if alias == "later":
        later = verbs.add_parser(
            alias,
            parents=options.of_studies(seeds="5", first_seed="1"),
            description="Alias of `seqkd-lab study run NAME...` for on-policy distillation, PACED, "
            "TIP and near-policy distillation. Five seeds of one study take a core a quarter to "
            "half an hour, once the teachers are trained.",
        )
        later.add_argument(
            "names", nargs="*", metavar="NAME", help=f"{', '.join(LATER)} (default: all)"
        )
        later.set_defaults(run=run_later, checkpoints=None, pilot=False)
        return
    name, file, title = ALIASES[alias]
    more = {"table2": [_timing()], "table3": [options.checkpoints("the models of the first seed")]}
    verb = verbs.add_parser(
        alias,
        parents=[*options.of_studies(file), *more.get(alias, [])],
        description=f"Alias of `seqkd-lab study run {name}`. {title[:1].upper()}{title[1:]}.",
    )
    verb.set_defaults(run=run)


def _timing() -> argparse.ArgumentParser:
    parser = options.parent(
        "--repetitions",
        type=int,
        default=7,
        metavar="N",
        help="number of timed rounds (default: 7)",
    )
    parser.add_argument(
        "--paper-sizes",
        action="store_true",
        help="also time models of the paper's sizes, with random weights: takes minutes and 3 GB "
        "of memory",
    )
    return parser


def run(arguments: Namespace) -> int:
    """Run the study of an alias; new results get their pictures beside them."""
    from seqkd_lab.cli.paths import check_file, check_folder, results_to_write
    from seqkd_lab.cli.studies import run_studies, write_checkpoints

    study = study_of(arguments)
    checkpoints = getattr(arguments, "checkpoints", None)
    if not arguments.check:  # what is written after the work is checked before it
        path = results_to_write(arguments.results, study.file)
        for picture in pictures_beside(study, path):
            check_file(picture, "--results, the picture beside it:")
        if checkpoints is not None:
            check_folder(checkpoints, "--checkpoints")
    code = run_studies([study], [arguments.results], arguments)
    if not arguments.check:
        draw(study, path)
        if checkpoints is not None:
            write_checkpoints(study, arguments)
    return code


def run_later(arguments: Namespace) -> int:
    """Run `seqkd-lab later`."""
    from seqkd_lab.cli.commands import study

    arguments.names = arguments.names or list(LATER)
    return study.run(arguments)


def study_of(arguments: Namespace) -> Study:
    """Return the alias's study, as the options of table2 change it. Raise ValueError for a number
    of rounds below 1."""
    from seqkd_lab import studies
    from seqkd_lab.cli.resolve import check_at_least_1
    from seqkd_lab.studies import speed

    if arguments.command != "table2":
        return studies.study(ALIASES[arguments.command][0])

    check_at_least_1("--repetitions", arguments.repetitions)
    return speed.study_of(arguments.repetitions, arguments.paper_sizes)


def pictures_beside(study: Study, path: Path) -> dict[Path, str]:
    """Return the pictures that are drawn beside a study's results, each with what it shows."""
    names = {
        "pruning": {f"{path.stem}.png": "table3_figure"},
        "architectures": {
            f"{path.stem}.png": "crossed_figure",
            f"{path.stem}-curves.png": "search_figure",
        },
    }
    return {path.with_name(name): shows for name, shows in names.get(study.name, {}).items()}


def draw(study: Study, path: Path) -> None:
    """Draw the results of pruning or of the architectures beside their file."""
    pictures = pictures_beside(study, path)
    if not pictures:
        return
    from seqkd_lab.files import write_atomically
    from seqkd_lab.lab.pruning import figures as of_pruning
    from seqkd_lab.lab.shared.showing import png
    from seqkd_lab.lab.speculative import architecture_figures
    from seqkd_lab.runs.results import rows_by_seed
    from seqkd_lab.runs.study import read_study

    drawn = {
        "table3_figure": of_pruning.table3_figure,
        "crossed_figure": architecture_figures.crossed_figure,
        "search_figure": architecture_figures.search_figure,
    }
    by_seed = rows_by_seed(read_study(path, study))
    for picture, shows in pictures.items():
        write_atomically(picture, png(drawn[shows](by_seed)))
