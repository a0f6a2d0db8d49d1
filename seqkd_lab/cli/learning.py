"""What a model of `seqkd-lab train` or `prune` learns from, and the unfinished run to continue."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seqkd_lab.cli.options import MODEL_NAME, names_own_text
from seqkd_lab.cli.resolve import given_data
from seqkd_lab.cli.terminal import Bar
from seqkd_lab.corpus.in_ids import PairsInIds
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.distillation.distilled import read_distilled
from seqkd_lab.distillation.forward_translation import added, read_translated
from seqkd_lab.distillation.losses import NLL, OBJECTIVES, Objective
from seqkd_lab.distillation.mapped_targets import map_distilled
from seqkd_lab.estimates import check_model
from seqkd_lab.files import check_regular, sha256_of
from seqkd_lab.models.architectures import ARCHITECTURES, FIRST, Spec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.resuming import AnotherRunError, forget, read_state
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import identity
from seqkd_lab.trainer import Callback

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


Settings = TypeVar("Settings", bound="DataclassInstance")


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
        help="nll, or also the teacher's distribution at each word; balanced-word-kd keeps the "
        "teacher's weight the same at every temperature (default: nll)",
    )
    group.add_argument(
        "--teacher",
        nargs="+",
        metavar="MODEL",
        help=f"for {either(with_teacher())}: {MODEL_NAME}; with several, their probabilities are "
        "averaged",
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


def objective_of(arguments: Namespace) -> Objective:
    """Return the objective. Raise ValueError for options of another one, and for one that needs a
    teacher and has none."""
    objective = OBJECTIVES[arguments.objective]()
    options: dict[str, Iterable[str]] = {"teacher": with_teacher(), **settings()}
    for name, owners in options.items():
        if arguments.objective not in owners and getattr(arguments, name) is not None:
            raise ValueError(
                f"--{name} is only for --objective {either(owners)}; to learn from a teacher's "
                "translations, create them with `seqkd-lab distil` and use --distilled"
            )
    if objective.needs_teacher and arguments.teacher is None:
        raise ValueError(f"--objective {arguments.objective} needs --teacher")
    for name in (f.name for f in fields(objective)):
        objective = changed(objective, arguments, name)
        if getattr(objective, name) == math.inf:
            raise ValueError(f"--{name} inf: {name} must be finite")
    return objective


def with_teacher() -> list[str]:
    """Return the names of the objectives that need a teacher."""
    return [name for name, kind in OBJECTIVES.items() if kind().needs_teacher]


def preset_of(arguments: Namespace) -> str:
    """Return the preset's name; by default toy for the toy language, full for the user's text."""
    return arguments.preset or ("full" if names_own_text(arguments) else "toy")


def sizes_of(arguments: Namespace) -> tuple[Spec, Optimisation]:
    """Return the preset's student (or teacher) and its training, changed by the options.

    Raise ValueError, naming the option, for an invalid value.
    """
    preset = PRESETS[preset_of(arguments)]
    model, training = (
        (preset.teacher, preset.teacher_training)
        if arguments.as_teacher
        else (preset.student, preset.student_training)
    )
    for name in ("width", "layers", "dropout"):
        model = changed(model, arguments, name)
    check_model(model.width, model.layers)
    for name in ("epochs", "learning_rate", "batch_size", "patience", "best_by"):
        training = changed(training, arguments, name)
    return model, training


def changed(settings: Settings, arguments: Namespace, name: str) -> Settings:
    """Return `settings` with the value of the option `name`. Raise its ValueError with option and
    value in front."""
    value = getattr(arguments, name)
    if value is None:
        return settings
    try:
        return replace(settings, **{name: value})
    except ValueError as error:
        raise ValueError(f"--{name.replace('_', '-')} {value}: {error}") from error


def recipe_of(arguments: Namespace, cutter: Path | None) -> Recipe:
    """Return the run without its objective, teachers and files, which have no recipes of their
    own."""
    model, training = sizes_of(arguments)
    data = given_data(arguments, preset_of(arguments), cutter)
    return Recipe(arguments.out.name, data, model, NLL(), training, arguments.seed)


def pairs_to_learn(arguments: Namespace, data: Dataset) -> ParallelCorpus:
    """Return gold or --distilled, followed by the pairs of --add.

    Raise ValueError for --add beside a mapped corpus: it would be read into memory.
    """
    if isinstance(data.train, PairsInIds):
        return mapped_pairs(arguments, data.train)
    pairs = data.train if arguments.distilled is None else distilled_pairs(arguments, data.train)
    return added(pairs, *map(read_translated, arguments.add)) if arguments.add else pairs


def mapped_pairs(arguments: Namespace, gold: PairsInIds) -> PairsInIds:
    """Return the mapped gold pairs, or --distilled, which is mapped, too."""
    if arguments.add:
        raise ValueError(
            "--add cannot be combined with --corpus: encode all pairs together instead, or name "
            "the text by --text"
        )
    if arguments.distilled is None:
        return gold
    distilled = map_distilled(arguments.distilled, gold).corpus
    if len(distilled) < len(gold):
        say_first(arguments.distilled, len(distilled), len(gold))
    return distilled


def say_first(table: Path, n_rows: int, n_pairs: int) -> None:
    """Note on stderr that a distilled corpus holds only the first pairs."""
    print(
        f"{table}: contains the first {n_rows:,} of {n_pairs:,} pairs; the student learns from "
        "these.",
        file=sys.stderr,
    )


def distilled_pairs(arguments: Namespace, gold: ParallelCorpus) -> ParallelCorpus:
    """Return the distilled corpus; a corpus of only the first pairs is accepted with a note.

    Raise CorpusError, naming file and line, where it does not fit the sources.
    """
    n_rows = len(read_lines(arguments.distilled)) - 1
    if 0 < n_rows < len(gold):
        distilled = read_distilled(arguments.distilled, gold[:n_rows])
        say_first(arguments.distilled, n_rows, len(gold))
        return distilled.corpus
    return read_distilled(arguments.distilled, gold).corpus


UNFINISHED = "unfinished"


def run_key(*parts: Any) -> str:
    """Return the sha256 (hex) of `parts`: recipes and other dataclasses, models by their weights,
    files by their content, numbers and strings."""
    content = json.dumps(
        [ARCHITECTURES[FIRST].revision, *(_stated(part) for part in parts)], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _stated(part: Any) -> Any:
    if isinstance(part, Seq2Seq):
        return _weights_hash(part)
    if isinstance(part, Path):
        return sha256_of(part)
    if isinstance(part, list):
        return list(map(_stated, part))
    return identity(part)


def _weights_hash(model: Seq2Seq) -> str:
    """Return the sha256 (hex) of a model's words, size and weights."""
    words = [model.source_vocabulary.tokens, model.target_vocabulary.tokens, repr(model.spec)]
    digest = hashlib.sha256(json.dumps(words).encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def settle(directory: Path, key: str) -> None:
    """Keep the state in `directory` only if it belongs to the run `key`; a line on stderr reports
    what is removed or continued."""
    try:
        state = read_state(directory, key)
    except AnotherRunError as error:
        print(f"{error}: it is replaced, and this run starts from scratch.", file=sys.stderr)
        forget(directory)
    else:
        if state is not None:
            print(
                f"{directory}: continuing after epoch {state.epoch}, where this run was "
                "interrupted.",
                file=sys.stderr,
            )


def forget_all(out: Path) -> None:
    """Remove every unfinished run from the folder of a finished model."""
    for directory in out.glob(f"{UNFINISHED}*"):
        if directory.is_dir():
            forget(directory)
            _remove_if_empty(directory)


def _remove_if_empty(directory: Path) -> None:
    try:
        directory.rmdir()
    except OSError:  # the user's own file is there
        pass


def read_files(files: Iterable[Path | None]) -> list[Path]:
    """Return the files that are not None. Raise ValueError for one that does not exist."""
    existing = [file for file in files if file is not None]
    for file in existing:
        make = f"create it with `seqkd-lab distil --out {file}`"
        check_regular(file, make)
        if not file.exists():
            raise ValueError(f"{file}: no such file; {make}")
    return existing


def watcher(bar: Bar) -> Callback:
    """Return a callback that moves `bar` and shows each epoch's validation loss on it."""

    def watch(progress: Progress) -> None:
        bar.total = progress.n_updates
        bar.update(progress.update - bar.n)
        if progress.valid_loss is not None:
            bar.set_postfix_str(
                f"epoch {progress.epoch}: validation {progress.valid_loss:.3f} nats a token"
            )

    return watch
