"""What every notebook needs around its subject: the plan, switches, models, pictures, expected
ranges."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import platformdirs

from seqkd_lab.doctor import cache_directory
from seqkd_lab.lab.shared.plan import Lesson, lessons
from seqkd_lab.lab.shared.predictions import Predictions
from seqkd_lab.lab.shared.progress_bar import Bar
from seqkd_lab.lab.shared.showing import (
    Expectation,
    Markdown,
    StaticView,
    answer,
    png,
    should_see,
    source_of,
    widget,
)
from seqkd_lab.machine import use_threads
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import checkpoint_directory, load_committed, no_model, results_path
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import Distillation, Recipe, ToyData, table_recipes
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.table1.table import read_results

__all__ = [
    "NOTEBOOKS",
    "TICKET",
    "TICKET_GOLD",
    "Bar",
    "Expectation",
    "Lesson",
    "Markdown",
    "StaticView",
    "answer",
    "begin",
    "is_fast",
    "lesson_map",
    "lessons",
    "models",
    "png",
    "predictions",
    "scaled",
    "should_see",
    "source_of",
    "table_results",
    "toy_data",
    "trained",
    "widget",
]

FAST_SWITCH = "SEQKD_LAB_FAST"
"""Set to 1, this environment variable makes every notebook take less of everything: for tests, not
for people."""
PREDICTIONS_FILE = "SEQKD_LAB_PREDICTIONS"
"""This environment variable names the file of a person's predictions, where the usual place will
not do."""
NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
TICKET = tuple("my ticket was new and the doctor hid it .".split())
"""The sentence that goes through lessons 00 to 08. Its noun may be *die Fahrkarte*, *das Ticket* or
*der Fahrschein*, and the pronoun at its end must agree with the choice. No split of the corpus
holds it."""
TICKET_GOLD = tuple("mein Ticket war neu und der Arzt versteckte es .".split())
"""A valid translation of the ticket that is not its mode: what a corpus might have drawn for it."""


def lesson_map(folder: Path = NOTEBOOKS) -> Markdown:
    """The lessons with their minutes; a link to each whose notebook lies in `folder`, and one to
    the glossary."""
    lines = ["| | lesson | minutes | what you can do after it |", "|---|---|---|---|"]
    for lesson in lessons():
        there = (folder / lesson.file).exists()
        title = (
            f"[{lesson.title}]({lesson.file})" if there else f"{lesson.title} (not in this copy)"
        )
        lines.append(f"| {lesson.name[:2]} | {title} | {lesson.minutes} | {lesson.goal} |")
    if (folder / "glossary.md").exists():
        lines += ["", "The [glossary](glossary.md) explains every term in one sentence."]
    return Markdown("\n".join(lines))


def is_fast() -> bool:
    """Whether the notebooks are to take less of everything (SEQKD_LAB_FAST=1)."""
    return os.environ.get(FAST_SWITCH, "") not in ("", "0")


def scaled(full: Any, fast: Any) -> Any:
    """`full` for people, `fast` when the notebooks run in the tests' fast mode."""
    return fast if is_fast() else full


def predictions() -> Predictions:
    """This person's recorder, the same in every notebook: its file lies among the user's own
    data."""
    default = Path(platformdirs.user_data_dir("seqkd_lab", appauthor=False)) / "predictions.json"
    return Predictions(Path(os.environ.get(PREDICTIONS_FILE) or default))


def begin() -> Predictions:
    """Prepares a notebook and returns this person's recorder.

    Torch gets one thread: that is enough for small models, and a busy neighbour costs no more than
    its share.
    """
    use_threads(1)
    return predictions()


def toy_data() -> Dataset:
    """Loads the toy corpus of Table 1: train, valid and test, the vocabularies and the language
    that made them."""
    return load_toy(ToyData())


def table_results() -> dict:
    """Reads the committed results of Table 1 (data/results/table1.json)."""
    return read_results(results_path("table1.json"))


def models(rows: Sequence[str], from_nothing: bool = False, seed: int = 1) -> dict[str, Seq2Seq]:
    """The trained models of some rows of Table 1 on the toy language, by name, ready to translate.

    From the committed checkpoints (the representative seed), or trained here with `seed`; what was
    trained is kept in the user's cache, so a second call finds it. In fast mode training takes a
    few hundred pairs.
    """
    if not from_nothing:
        folders = {row: checkpoint_directory(row) for row in rows}
        missing = [row for row, folder in folders.items() if folder is None]
        if missing:
            raise FileNotFoundError(
                f"{no_model(', '.join(missing))}; or take from_nothing=True to train here"
            )
        return {row: load_committed(folder) for row, folder in folders.items()}
    recipes = table_recipes(ToyData(scaled(None, 400)), TOY, seed)
    return {row: trained(recipes[row]) for row in rows}


def trained(recipe: Recipe, store: Store | None = None) -> Seq2Seq:
    """The model of `recipe`, after what it builds on, each with a bar of its own; kept in the
    user's cache."""
    store = store or Store(cache_directory() / "lessons")
    distilled = recipe.distilled if isinstance(recipe.distilled, Distillation) else None
    for needed in filter(
        None, (recipe.teacher, recipe.start, distilled.teacher if distilled else None)
    ):
        trained(needed, store)
    if distilled is not None and not store.distilled_path(distilled).exists():
        with Bar(f"the teacher writes the corpus for {recipe.name}") as bar:
            store.distilled(distilled, bar.move)
    if store.has_model(recipe):
        return store.model(recipe)
    with Bar(f"training {recipe.name}") as bar:
        return store.model(recipe, bar.move)
