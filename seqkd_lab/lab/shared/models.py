"""The corpus, the sentence, the table of results and the trained models that the lessons share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab.installation import cache_directory
from seqkd_lab.lab.shared.progress_bar import Bar
from seqkd_lab.lab.shared.switches import scaled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import checkpoint_directory, load_committed, no_model, results_path
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.lease import announced_by
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import Distillation, Recipe, ToyData, table_recipes
from seqkd_lab.runs.store import OWN, Store, from_environment
from seqkd_lab.studies.table1.table import read_results

TICKET = tuple("my ticket was new and the doctor hid it .".split())
"""The sentence that goes through lessons 00 to 08. Its noun may be *die Fahrkarte*, *das Ticket* or
*der Fahrschein*, and the pronoun at its end must agree with the choice. No split of the corpus
holds it."""
TICKET_GOLD = tuple("mein Ticket war neu und der Arzt versteckte es .".split())
"""A valid translation of the ticket that is not its mode: what a corpus might have drawn for it."""


def toy_data() -> Dataset:
    """Load the toy corpus of Table 1: train, valid and test, the vocabularies and the language
    that made them."""
    return load_toy(ToyData())


def table_results() -> dict:
    """Read the committed results of Table 1 (data/results/table1.json)."""
    return read_results(results_path("table1.json"))


def models(rows: Sequence[str], from_nothing: bool = False, seed: int = 1) -> dict[str, Seq2Seq]:
    """Return the trained models of some rows of Table 1 on the toy language, by name.

    They are the committed checkpoints (the representative seed), or with `from_nothing` trained
    here with `seed` and kept in `lesson_store`, so that a second call finds them. In fast mode
    training takes a few hundred pairs. Raise FileNotFoundError for a row without a checkpoint.
    """
    if from_nothing:
        recipes = table_recipes(ToyData(scaled(None, 400)), TOY, seed)
        return {row: trained(recipes[row]) for row in rows}
    folders = {row: checkpoint_directory(row) for row in rows}
    if missing := [row for row, folder in folders.items() if folder is None]:
        raise FileNotFoundError(
            f"{no_model(', '.join(missing))}; or pass from_nothing=True to train here"
        )
    return {row: load_committed(folder) for row, folder in folders.items() if folder is not None}


def lesson_store() -> Store:
    """Return the store of what lessons train: in the folder that SEQKD_LAB_STORE names, else in the
    user's cache; what SEQKD_LAB_SHARED names is looked up first."""
    return from_environment(Path(os.environ.get(OWN) or cache_directory() / "lessons"))


def trained(recipe: Recipe, store: Store | None = None) -> Seq2Seq:
    """Return the model of `recipe`, made after the models that it builds on, each with a progress
    bar; all are kept in `store` (default: `lesson_store`)."""
    store = store or lesson_store()
    distilled = recipe.distilled if isinstance(recipe.distilled, Distillation) else None
    needed = [recipe.teacher, recipe.start, distilled.teacher if distilled else None]
    for earlier in filter(None, needed):
        trained(earlier, store)
    if distilled is not None and not store.distilled_path(distilled).exists():
        label = f"the teacher writes the corpus for {recipe.name}"
        with Bar(label) as bar, announced_by(print):
            store.distilled(distilled, bar.move)
    if store.has_model(recipe):
        return store.model(recipe)
    with Bar(f"training {recipe.name}") as bar, announced_by(print):
        return store.model(recipe, bar.move)
