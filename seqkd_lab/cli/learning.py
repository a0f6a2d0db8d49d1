"""What `seqkd-lab train` lets a student learn from, and by: pairs, teachers, and the recipe with
its changes."""

from __future__ import annotations

import argparse
import math
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from seqkd_lab.cli.given import data_of
from seqkd_lab.cli.options import names_own_text
from seqkd_lab.corpus.parallel import ParallelCorpus, read_lines
from seqkd_lab.distillation.distilled import read_distilled
from seqkd_lab.distillation.forward_translation import added, read_translated
from seqkd_lab.distillation.losses import NLL, OBJECTIVES, Objective
from seqkd_lab.models.architectures import Spec
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.training import Optimisation

Made = TypeVar("Made")


def named(option: str, value: Any, make: Callable[[], Made]) -> Made:
    """Return what `make` makes. Raises its ValueError with the option and the value before the
    message."""
    try:
        return make()
    except ValueError as error:
        raise ValueError(f"{option} {value}: {error}") from error


def settings() -> dict[str, dict[str, Field]]:
    """Return the settings of the registered objectives: for each, its field by the objective's
    name."""
    names: dict[str, dict[str, Field]] = {}
    for objective, kind in OBJECTIVES.items():
        for f in fields(kind):
            names.setdefault(f.name, {})[objective] = f
    return names


def add_objectives(group: argparse._ArgumentGroup) -> None:
    """Add --objective, --teacher and the settings of the objectives to choose from."""
    group.add_argument(
        "--objective",
        choices=list(OBJECTIVES),
        default="nll",
        help="nll, or the teacher's distribution at each word as well; balanced-word-kd keeps the "
        "teacher's weight alike at every temperature (default: nll)",
    )
    group.add_argument(
        "--teacher",
        nargs="+",
        metavar="MODEL",
        help=f"for {either(with_teacher())}: a model's folder or a row of the table; of several, "
        "the probabilities are averaged",
    )
    for name, owners in settings().items():
        f = next(iter(owners.values()))
        group.add_argument(
            f"--{name}",
            type=float,
            metavar="X",
            help=f"for {either(owners)}: {f.metadata['description']} (default: {f.default:g})",
        )


def either(names: Iterable[str]) -> str:
    """Return the names with "or" between."""
    return " or ".join(names)


def objective_of(given: Namespace) -> Objective:
    """Return what the student minimises. Raises ValueError for options of another objective, and
    for one that needs a teacher without it."""
    objective = OBJECTIVES[given.objective]()
    options: dict[str, Iterable[str]] = {"teacher": with_teacher(), **settings()}
    for name, owners in options.items():
        if given.objective not in owners and getattr(given, name) is not None:
            raise ValueError(
                f"--{name} is only for --objective {either(owners)}; to learn from a teacher's "
                "translations, make them with `seqkd-lab distil` and give --distilled"
            )
    if objective.needs_teacher and given.teacher is None:
        raise ValueError(f"--objective {given.objective} needs --teacher")
    for name in (f.name for f in fields(objective)):
        objective = _changed(objective, given, name)
        if getattr(objective, name) == math.inf:
            raise ValueError(f"--{name} inf: {name} must be finite")
    return objective


def with_teacher() -> list[str]:
    """Return the names of the objectives that need a teacher."""
    return [name for name, kind in OBJECTIVES.items() if kind().needs_teacher]


def preset_of(given: Namespace) -> str:
    """Return the preset's name: toy for the toy language, full for the user's own text, unless one
    is named."""
    return given.preset or ("full" if names_own_text(given) else "toy")


def sizes_of(given: Namespace) -> tuple[Spec, Optimisation]:
    """Return the preset's student (or teacher) and its training, with the changes that the options
    ask for.

    Raises ValueError, naming the option, for a value that cannot be.
    """
    preset = PRESETS[preset_of(given)]
    model, training = (
        (preset.teacher, preset.teacher_training)
        if given.as_teacher
        else (preset.student, preset.student_training)
    )
    for name in ("width", "dropout"):
        model = _changed(model, given, name)
    for name in ("epochs", "learning_rate", "batch_size", "patience", "best_by"):
        training = _changed(training, given, name)
    return model, training


def _changed(settings: Made, given: Namespace, name: str) -> Made:
    value = getattr(given, name)
    if value is None:
        return settings
    return named(f"--{name.replace('_', '-')}", value, lambda: replace(settings, **{name: value}))


def recipe_of(given: Namespace, cutter: Path | None) -> Recipe:
    """Return the whole run but its objective, its teachers and its files, which have no recipes of
    their own."""
    model, training = sizes_of(given)
    data = data_of(given, preset_of(given), cutter)
    return Recipe(given.out.name, data, model, NLL(), training, given.seed)


def pairs_to_learn(given: Namespace, data: Dataset) -> ParallelCorpus:
    """Return gold or --distilled, followed by what --add names."""
    pairs = data.train if given.distilled is None else distilled_pairs(given, data.train)
    return added(pairs, *map(read_translated, given.add)) if given.add else pairs


def distilled_pairs(given: Namespace, gold: ParallelCorpus) -> ParallelCorpus:
    """Return the distilled corpus; one of the first pairs alone will do, and this is said.

    Raises CorpusError, naming file and line, where it does not fit the sources.
    """
    n_rows = len(read_lines(given.distilled)) - 1
    if 0 < n_rows < len(gold):
        made = read_distilled(given.distilled, gold[:n_rows])
        print(
            f"{given.distilled}: holds the first {n_rows:,} of {len(gold):,} pairs; the student "
            "learns from these.",
            file=sys.stderr,
        )
        return made.corpus
    return read_distilled(given.distilled, gold).corpus
