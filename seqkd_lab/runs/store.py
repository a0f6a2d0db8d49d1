"""The store: looks up what recipes have made, lets a maker make what is not there, and keeps it.

What is looked up has a key: the hash of the recipe, of all that it builds on, and of the corpus
(keys.py). Every write is atomic and equal keys mean equal contents, so many processes and many
people may share one folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

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
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.resuming import forget
from seqkd_lab.runs import data as datasets
from seqkd_lab.runs.data import beginning_of
from seqkd_lab.runs.keys import identity, key
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
from seqkd_lab.runs.texts import TextData, ToyData

COMPLETE = "recipe.json"
"""The file of a model's folder that is written last."""
UNFINISHED = "unfinished"
"""The folder of an interrupted training, within that of its model."""


@dataclass(frozen=True)
class Store:
    """A folder of things made by recipes. Every method returns what is there, or makes it and
    reports progress."""

    root: Path

    def dataset(self, data: ToyData | TextData) -> datasets.Dataset:
        """Return the corpus of a recipe, loaded once in this process."""
        return _dataset(data, self.root / "data")

    def has_model(self, recipe: Recipe) -> bool:
        """Return whether the trained model is there, complete."""
        return (self.directory(recipe) / COMPLETE).exists()

    def directory(self, recipe: Recipe) -> Path:
        """Return the folder of a trained model: weights, recipe, history; after an evaluation also
        metrics and outputs."""
        return self.root / "models" / key(recipe)

    def model(self, recipe: Recipe, report: Report = silent) -> Seq2Seq:
        """Return the trained model of `recipe`; train it first (from its last whole epoch, if it
        was interrupted) where it is not there."""
        if not self.has_model(recipe):
            self._train(recipe, report)
        return load_model(self.directory(recipe))

    def _train(self, recipe: Recipe, report: Report) -> None:
        directory, data = self.directory(recipe), self.dataset(recipe.data)
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
        described = {
            "name": recipe.name,
            "n_parameters": model.n_parameters(),
            "recipe": identity(recipe),
        }
        write_json(directory / COMPLETE, described)
        forget(directory / UNFINISHED)

    def beginning(self, recipe: Recipe) -> Seq2Seq:
        """Return the model as it is before its training."""
        start = None if recipe.start is None else self.model(recipe.start)
        return beginning(recipe, self.dataset(recipe.data), start)

    def n_tokens(self, recipe: Recipe) -> int:
        """Return the target tokens that the training of a model that is there learned from,
        on-policy the student's own."""
        return sum(read_json(self.directory(recipe) / "history.json")["n_tokens"])

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
        return self.root / "distilled" / f"{key(distillation)}.tsv"

    def distilled(self, distillation: Distillation, report: Report = silent) -> DistilledCorpus:
        """Return the training set as the teacher rewrites it, aligned with its sources."""
        data, path = self.dataset(distillation.teacher.data), self.distilled_path(distillation)
        corpus = beginning_of(data.train, distillation.share)
        if path.exists():
            return read_distilled(path, corpus)
        teacher = self.model(distillation.teacher)
        distilled = distil_corpus(distillation, teacher, corpus, data, report)
        write_distilled(path, distilled)
        return distilled

    def translated(self, translation: ForwardTranslation, report: Report = silent) -> Translated:
        """Return the sentences of a text without targets with the teacher's translations, without
        those that failed."""
        path = self.root / "forward" / f"{key(translation)}.tsv"
        if path.exists():
            return read_translated(path)
        data, teacher = self.dataset(translation.teacher.data), self.model(translation.teacher)
        translated = translate_forward(translation, teacher, data, report)
        write_translated(path, translated)
        return translated

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
        path = self._metrics_path(recipe, beam_size, length_penalty, int8)
        if path.exists() and (
            isinstance(recipe.data, ToyData) or "chrf_signature" in read_json(path)
        ):
            return read_json(path)
        data, model = self.dataset(recipe.data), self.model(recipe)
        measured, translations = evaluate_recipe(
            recipe, model, data, beam_size, length_penalty, int8, report
        )
        if not int8:
            table = translations_table(data, translations)
            write_atomically(self.directory(recipe) / "translations.tsv", table.encode())
        write_json(path, measured)
        return measured

    def _metrics_path(
        self, recipe: Recipe, beam_size: int, length_penalty: float, int8: bool
    ) -> Path:
        """Return the file of an evaluation, named for all that changes its numbers."""
        tokenize = getattr(recipe.data, "tokenize", None)
        parts = ["metrics", f"beam{beam_size}", f"penalty{length_penalty:g}"]
        parts += ["int8"] * int8 + ([tokenize] if tokenize else [])
        return self.directory(recipe) / f"{'-'.join(parts)}.json"


@lru_cache(maxsize=4)
def _dataset(data: ToyData | TextData, cache: Path) -> datasets.Dataset:
    return datasets.load(data, cache)
