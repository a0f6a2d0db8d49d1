"""The store: looks up what recipes have made, lets a maker make what is not there, and keeps it.

What is looked up has a key: the hash of the recipe, of all that it builds on, and of the corpus
(keys.py). Every write is atomic and equal keys mean equal contents, so many processes and many
people may share one folder: what several want at once, one of them makes (lease.py). A second
folder, which a lecturer has filled and nobody writes to, is looked up first.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.distilled import DistilledCorpus, read_distilled, write_distilled
from seqkd_lab.distillation.forward_translation import (
    Translated,
    added,
    read_translated,
    write_translated,
)
from seqkd_lab.files import read_json, write_atomically, write_json
from seqkd_lab.models.checkpoint import load_model
from seqkd_lab.models.folder import HISTORY, TrainedModel, save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.resuming import forget
from seqkd_lab.runs import data as datasets
from seqkd_lab.runs.complete import damage, is_complete, mark_complete
from seqkd_lab.runs.data import beginning_of
from seqkd_lab.runs.kept import read_metrics, read_n_tokens
from seqkd_lab.runs.keys import identity, key
from seqkd_lab.runs.lease import make_once
from seqkd_lab.runs.making import (
    Report,
    beginning,
    distil_corpus,
    evaluate_recipe,
    silent,
    train_recipe,
    translate_forward,
    translations_table,
)
from seqkd_lab.runs.recipes import Distillation, ForwardTranslation, Recipe
from seqkd_lab.runs.texts import Data, TextData, ToyData

UNFINISHED = "unfinished"
"""The folder of an interrupted training, within that of its model."""
TRANSLATIONS = "translations.tsv"
"""The test set's translations, beside the model that made them."""
OWN, SHARED = "SEQKD_LAB_STORE", "SEQKD_LAB_SHARED"
"""Names in the environment: the folder of one's own store, and of one that is only read."""


@dataclass(frozen=True)
class Store:
    """A folder of things made by recipes. Every method returns what is there, or makes it and
    reports progress.

    root: where what is made here is kept. shared: a store that is looked up first and never written
    to, as a lecturer fills it for a class; None where there is none.
    """

    root: Path
    shared: Path | None = None

    def dataset(self, data: Data) -> datasets.Dataset:
        """Return the corpus of a recipe, loaded once in this process; one process alone learns its
        subwords."""
        cache = self.root / "data"
        if isinstance(data, TextData) and data.subwords is None:
            path = datasets.subwords_path(data, cache)
            self._once("subwords", path.stem, path.exists, lambda told: _loaded(data, cache))
        return _dataset(data, cache)

    def has_model(self, recipe: Recipe) -> bool:
        """Return whether the trained model is there, complete."""
        return is_complete(self.directory(recipe))

    def directory(self, recipe: Recipe) -> Path:
        """Return the folder of a trained model: that of the shared store where it is complete
        there, else one's own."""
        return self._where(Path("models", key(recipe)), is_complete)

    def kept(self, recipe: Recipe, name: str) -> Path:
        """Return the path of a file beside a trained model, as its history or its metrics: in the
        shared store where it lies there, else in one's own."""
        return self._where(Path("models", key(recipe), name), Path.is_file)

    def _where(self, path: Path, is_there: Callable[[Path], bool]) -> Path:
        """Return `path` in the shared store if `is_there` says so, else in one's own."""
        if self.shared is not None and is_there(self.shared / path):
            return self.shared / path
        return self.root / path

    def model(self, recipe: Recipe, report: Report = silent) -> Seq2Seq:
        """Return the trained model of `recipe`; train it first (from its last whole epoch, if it
        was interrupted) where it is not there, or not as it was written (with a warning)."""
        if not self.has_model(recipe):
            self._warn_of_damage(recipe)
        self._once(
            f"{recipe.name} (seed {recipe.seed})",
            key(recipe),
            lambda: self.has_model(recipe),
            lambda told: self._train(recipe, told),
            report,
        )
        return load_model(self.directory(recipe))

    def _warn_of_damage(self, recipe: Recipe) -> None:
        for root in filter(None, (self.shared, self.root)):
            if problem := damage(root / "models" / key(recipe)):
                warnings.warn(f"{problem}; the model is trained again", stacklevel=3)

    def _once(
        self,
        label: str,
        name: str,
        is_made: Callable[[], bool],
        make: Callable[[Report], None],
        report: Report = silent,
    ) -> None:
        """Let one process `make` what several want at once under this name; the others wait."""
        make_once(self.root / "leases" / f"{name}.lease", label, is_made, make, report)

    def _train(self, recipe: Recipe, report: Report) -> None:
        directory, data = self.root / "models" / key(recipe), self.dataset(recipe.data)
        model = self.beginning(recipe)
        history = train_recipe(
            recipe,
            model,
            self.corpus(recipe),
            data,
            None if recipe.teacher is None else self.model(recipe.teacher),
            directory / UNFINISHED,
            report,
        )
        save_folder(directory, TrainedModel(model, data.subwords), history.as_dict())
        mark_complete(directory, recipe.name, model.n_parameters(), identity(recipe))
        forget(directory / UNFINISHED)

    def beginning(self, recipe: Recipe) -> Seq2Seq:
        """Return the model as it is before its training."""
        start = None if recipe.start is None else self.model(recipe.start)
        return beginning(recipe, self.dataset(recipe.data), start)

    def n_tokens(self, recipe: Recipe) -> int:
        """Return the target tokens that the training of a model that is there learned from,
        on-policy the student's own."""
        return read_n_tokens(self.kept(recipe, HISTORY))

    def corpus(self, recipe: Recipe) -> ParallelCorpus:
        """Return the pairs that `recipe` learns from: gold, or what a teacher or `recipe.distilled`
        itself makes of it."""
        gold, change = self.dataset(recipe.data).train, recipe.distilled
        if isinstance(change, Distillation):
            pairs = self.distilled(change).corpus
        else:
            pairs = gold if change is None else change(gold)
        return pairs if recipe.added is None else added(pairs, self.translated(recipe.added))

    def distilled_path(self, distillation: Distillation) -> Path:
        """Return the TSV of a distilled corpus."""
        return self._where(Path("distilled", f"{key(distillation)}.tsv"), Path.is_file)

    def distilled(self, distillation: Distillation, report: Report = silent) -> DistilledCorpus:
        """Return the training set as the teacher rewrites it, aligned with its sources."""
        data = self.dataset(distillation.teacher.data)
        corpus = beginning_of(data.train, distillation.share)

        def make(told: Report) -> None:
            teacher = self.model(distillation.teacher)
            distilled = distil_corpus(distillation, teacher, corpus, data, told)
            write_distilled(self.distilled_path(distillation), distilled)

        label = f"distilled corpus (seed {distillation.teacher.seed})"
        is_made = lambda: self.distilled_path(distillation).exists()  # noqa: E731
        self._once(label, key(distillation), is_made, make, report)
        return read_distilled(self.distilled_path(distillation), corpus)

    def translated(self, translation: ForwardTranslation, report: Report = silent) -> Translated:
        """Return the sentences of a text without targets with the teacher's translations, without
        those that failed."""

        def path() -> Path:
            return self._where(Path("forward", f"{key(translation)}.tsv"), Path.is_file)

        def make(told: Report) -> None:
            data, teacher = self.dataset(translation.teacher.data), self.model(translation.teacher)
            write_translated(path(), translate_forward(translation, teacher, data, told))

        label = f"translated text (seed {translation.teacher.seed})"
        self._once(label, key(translation), lambda: path().exists(), make, report)
        return read_translated(path())

    def evaluation(
        self,
        recipe: Recipe,
        beam_size: int,
        length_penalty: float,
        report: Report = silent,
        int8: bool = False,
    ) -> dict:
        """Return the model's Evaluation on the test set as a dictionary, from its metrics.json;
        with `int8`, what 8-bit weights leave of it.

        Real text that was scored without chrF is scored again: BLEU's tokeniser did not follow its
        script then."""
        name = metrics_name(recipe, beam_size, length_penalty, int8)

        def is_made() -> bool:
            path = self.kept(recipe, name)
            return path.exists() and (
                isinstance(recipe.data, ToyData) or "chrf_signature" in read_metrics(path)
            )

        def make(told: Report) -> None:
            data, model = self.dataset(recipe.data), self.model(recipe)
            measured, translations = evaluate_recipe(
                recipe, model, data, beam_size, length_penalty, int8, told
            )
            directory = self.root / "models" / key(recipe)
            if not int8:
                table = translations_table(data, translations)
                write_atomically(directory / TRANSLATIONS, table.encode())
            write_json(directory / name, measured)

        label = f"evaluation of {recipe.name} (seed {recipe.seed})"
        self._once(label, f"{key(recipe)}-{name}", is_made, make, report)
        return read_metrics(self.kept(recipe, name))

    def measured(self, name: str, label: str, measure: Callable[[], Any], schema: Any = Any) -> Any:
        """Return what `measure` returns, plain JSON of this schema, measured once and kept under
        this name."""

        def path() -> Path:
            return self._where(Path(name), Path.is_file)

        def make(told: Report) -> None:
            write_json(path(), measure())

        self._once(label, name.replace("/", "-"), lambda: path().exists(), make)
        return read_json(path(), schema)


def metrics_name(recipe: Recipe, beam_size: int, length_penalty: float, int8: bool) -> str:
    """Return the name of an evaluation's file, which says all that changes its numbers."""
    tokenize = getattr(recipe.data, "tokenize", None)
    parts = ["metrics", f"beam{beam_size}", f"penalty{length_penalty:g}"]
    parts += ["int8"] * int8 + ([tokenize] if tokenize else [])
    return f"{'-'.join(parts)}.json"


def from_environment(root: Path | None = None) -> Store:
    """Return the store in `root`, or in the folder that OWN names, or in runs/ of the current
    folder; beside it the shared one, where SHARED names a folder.

    Raise ValueError where SHARED names no folder, which would train everything again unnoticed.
    """
    root = root or Path(os.environ.get(OWN) or "runs")
    named = os.environ.get(SHARED)
    if not named:
        return Store(root)
    shared = Path(named)
    if not shared.is_dir():
        raise ValueError(
            f"{SHARED}={named}: no such folder; name the store that was filled for you, or unset "
            "the variable"
        )
    return Store(root, None if root.exists() and root.samefile(shared) else shared)


def _loaded(data: TextData, cache: Path) -> None:
    """Load a corpus, which learns its subwords where they are missing."""
    _dataset(data, cache)


@lru_cache(maxsize=4)
def _dataset(data: Data, cache: Path) -> datasets.Dataset:
    return datasets.load(data, cache)
