"""What `seqkd-lab train` lets a student learn from, and by: pairs, teachers, and the recipe with
its changes."""

from __future__ import annotations

import math
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from seqkd_lab.cli.given import data_of
from seqkd_lab.cli.options import names_own_text
from seqkd_lab.corpus.parallel import ParallelCorpus, read_lines
from seqkd_lab.distillation.forward_translation import added, read_translated
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.distillation.sequence_level import read_distilled
from seqkd_lab.models.architectures import Spec
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.training import Optimisation

Made = TypeVar("Made")
WORD_KD = "word-kd"


def named(option: str, value: Any, make: Callable[[], Made]) -> Made:
    """Return what `make` makes. Raises its ValueError with the option and the value before the
    message."""
    try:
        return make()
    except ValueError as error:
        raise ValueError(f"{option} {value}: {error}") from error


def objective_of(given: Namespace) -> NLL | WordKD:
    """Return what the student minimises. Raises ValueError for options of word-kd without it, and
    the other way."""
    if given.objective != WORD_KD:
        unused = [
            f"--{name}"
            for name in ("teacher", "alpha", "temperature")
            if getattr(given, name) is not None
        ]
        if unused:
            raise ValueError(
                f"{unused[0]} is only for --objective {WORD_KD}; to learn from a teacher's "
                "translations, make them with `seqkd-lab distil` and give --distilled"
            )
        return NLL()
    if given.teacher is None:
        raise ValueError(f"--objective {WORD_KD} needs --teacher")
    alpha = WordKD.alpha if given.alpha is None else given.alpha
    temperature = WordKD.temperature if given.temperature is None else given.temperature
    named("--alpha", alpha, lambda: WordKD(alpha))
    if temperature == math.inf:
        raise ValueError("--temperature inf: temperature must be finite")
    return named("--temperature", temperature, lambda: WordKD(alpha, temperature))


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
