"""The store: turns a recipe into a trained model, a distilled corpus or an evaluation, making each
thing once.

What is asked for is looked up by a key: the hash of the recipe, of all that it builds on, and of
the corpus. Every write is atomic and equal keys mean equal contents, so many processes and many
people may share one folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from seqkd_lab.compression.quantisation import quantised
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.forward_translation import (
    Translated,
    added,
    clean_sources,
    drop_failures,
    forward_translate,
    read_sources,
    read_translated,
    write_translated,
)
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.paced import Weighted, pass_rates
from seqkd_lab.distillation.sequence_level import (
    DistilledCorpus,
    distil,
    read_distilled,
    write_distilled,
)
from seqkd_lab.evaluation import Evaluation, evaluate, translate_test
from seqkd_lab.identity import stated
from seqkd_lab.models import lstm, transformer
from seqkd_lab.models.architectures import build
from seqkd_lab.models.checkpoint import load_model, read_json, write_atomically, write_json
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs import data as datasets
from seqkd_lab.runs.recipes import (
    Distillation,
    ForwardTranslation,
    PassRates,
    Recipe,
    SourceText,
    TextData,
    ToyData,
)
from seqkd_lab.training import BY_BLEU, History, Progress, forget, train
from seqkd_lab.validation import ValidationBLEU

Report = Callable[[int, int], None]
"""Hears (done, total) of the piece of work at hand."""


def silent(done: int, total: int) -> None:
    """A report that nobody reads."""


def identity(thing: Any) -> Any:
    """`thing` as JSON that is equal just for equal work: names left out, data replaced by its
    fingerprint.

    So are newer fields that say nothing (`omitted_when_default`)."""
    if isinstance(thing, ToyData | TextData):
        return datasets.fingerprint(thing)
    if isinstance(thing, SourceText):
        return datasets.file_hash(thing.path)
    if is_dataclass(thing):
        revised = (
            {"revision": transformer.REVISION}
            if isinstance(thing, transformer.TransformerSpec)
            else {}
        )
        counted = {name: identity(value) for name, value in stated(thing).items()}
        return {"type": type(thing).__name__, **revised, **counted}
    return [identity(part) for part in thing] if isinstance(thing, tuple) else thing


@lru_cache(maxsize=1024)
def key(thing: Recipe | Distillation | ForwardTranslation | PassRates) -> str:
    """The first 16 hex digits of the sha256 of its identity: the name of its folder or file in the
    store.

    The models' revisions count, so that no older model is taken for what the recipe makes today:
    the LSTM's for every key, a Transformer's where there is one."""
    canonical = json.dumps([lstm.REVISION, identity(thing)], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Store:
    """A folder of things made by recipes. Every method returns what is there, or makes it and
    reports progress."""

    root: Path

    def dataset(self, data: ToyData | TextData) -> datasets.Dataset:
        """The corpus of a recipe, loaded once in this process."""
        return _dataset(data, self.root / "data")

    def has_model(self, recipe: Recipe) -> bool:
        """Whether the trained model is there, complete."""
        return (self.directory(recipe) / "recipe.json").exists()

    def directory(self, recipe: Recipe) -> Path:
        """The folder of a trained model: weights, recipe, history; after an evaluation also metrics
        and outputs."""
        return self.root / "models" / key(recipe)

    def model(self, recipe: Recipe, report: Report = silent) -> Seq2Seq:
        """The trained model of `recipe`; trains it first (from its last whole epoch, if it was
        interrupted)."""
        if not self.has_model(recipe):
            self._train(recipe, report)
        return load_model(self.directory(recipe))

    def _train(self, recipe: Recipe, report: Report) -> None:
        data, directory = self.dataset(recipe.data), self.directory(recipe)
        model = self.beginning(recipe)
        teacher = self.model(recipe.teacher) if recipe.teacher is not None else None
        corpus = without(self.corpus(recipe), recipe.without)

        def watch(progress: Progress) -> None:
            report(progress.update, progress.n_updates)

        with recipe.pruned_during(model):
            history = (
                History()
                if recipe.optimisation is None
                else train(
                    model,
                    corpus,
                    data.valid,
                    self.objective(recipe),
                    recipe.optimisation,
                    recipe.seed,
                    teacher,
                    callbacks=[watch],
                    resume_from=directory / "unfinished",
                    batch_transform=recipe.batch_transform,
                    validation=self.validation(recipe),
                    key=key(recipe),
                )
            )
        save_folder(directory, TrainedModel(model, data.subwords), history.as_dict())
        described = {
            "name": recipe.name,
            "n_parameters": model.n_parameters(),
            "recipe": identity(recipe),
        }
        write_json(directory / "recipe.json", described)  # last: it says that the rest is complete
        forget(directory / "unfinished")

    def validation(self, recipe: Recipe) -> ValidationBLEU | None:
        """What measures BLEU on validation text after each epoch, where the recipe keeps the best
        epoch by it."""
        if recipe.optimisation is None or recipe.optimisation.best_by != BY_BLEU:
            return None
        data = self.dataset(recipe.data)
        return ValidationBLEU(data.valid, data.detokenise, getattr(recipe.data, "tokenize", None))

    def n_tokens(self, recipe: Recipe) -> int:
        """The target tokens that the training of a model that is there learned from, on-policy the
        student's own."""
        return sum(read_json(self.directory(recipe) / "history.json")["n_tokens"])

    def corpus(self, recipe: Recipe) -> ParallelCorpus:
        """The pairs that `recipe` learns from: gold, or what a teacher or `recipe.distilled` itself
        makes of it."""
        gold, change = self.dataset(recipe.data).train, recipe.distilled
        if isinstance(change, Distillation):
            pairs = self.distilled(change).corpus
        else:
            pairs = gold if change is None else change(gold)
        return pairs if recipe.added is None else added(pairs, self.translated(recipe.added))

    def beginning(self, recipe: Recipe) -> Seq2Seq:
        """The model as it is before its training."""
        data = self.dataset(recipe.data)
        torch.manual_seed(recipe.seed)
        model = build(recipe.model, data.source_vocabulary, data.target_vocabulary)
        scale_embeddings(model, recipe.embedding_scale)
        if recipe.start is not None:
            model.load_state_dict(self.model(recipe.start).state_dict())
        return model

    def objective(self, recipe: Recipe) -> Objective:
        """What the recipe learns by, each sentence with its weight."""
        if recipe.weighting is None:
            return recipe.objective
        return Weighted(recipe.objective, recipe.weighting(self.pass_rates(recipe.weighting.rates)))

    def pass_rates(self, rates: PassRates, report: Report = silent) -> list[float]:
        """The pass rate of each source, made once, so that the weights stay as they are.

        Raises ValueError for data whose valid translations are unknown.
        """
        path = self.root / "pass_rates" / f"{key(rates)}.json"
        if path.exists():
            return read_json(path)
        data = self.dataset(rates.student.data)
        if data.language is None:
            raise ValueError(
                "pass rates need a language that says what is valid: take the toy corpus"
            )
        sources = without(beginning_of(data.train, rates.share), rates.without).source
        count = _counter(report, rates.n_samples * len(sources))
        made = pass_rates(
            self.model(rates.student),
            sources,
            data.language.is_valid,
            rates.n_samples,
            rates.seed,
            rates.temperature,
            count,
        )
        write_json(path, made)
        return made

    def distilled_path(self, distillation: Distillation) -> Path:
        """The TSV of a distilled corpus."""
        return self.root / "distilled" / f"{key(distillation)}.tsv"

    def distilled(self, distillation: Distillation, report: Report = silent) -> DistilledCorpus:
        """The training set as the teacher rewrites it, aligned with its sources."""
        data = self.dataset(distillation.teacher.data)
        train_set, is_valid = data.train, data.language.is_valid if distillation.valid else None
        corpus = beginning_of(train_set, distillation.share)
        path = self.distilled_path(distillation)
        if path.exists():
            return read_distilled(path, corpus)
        how = (
            distillation.method,
            distillation.beam_size,
            distillation.length_penalty,
            distillation.seed,
        )
        made = distil(
            self.model(distillation.teacher), corpus, *how, _counter(report, len(corpus)), is_valid
        )
        write_distilled(path, made)
        return made

    def translated(self, translation: ForwardTranslation, report: Report = silent) -> Translated:
        """The sentences of a text without targets with the teacher's translations, without those
        that failed."""
        path = self.root / "forward" / f"{key(translation)}.tsv"
        if path.exists():
            return read_translated(path)
        cutter = self.dataset(translation.teacher.data).subwords
        sentences, _ = clean_sources(read_sources([translation.text.path]))
        sources = [cutter.encode(sentence) for sentence in sentences]
        teacher = self.model(translation.teacher)
        made = forward_translate(
            teacher,
            sources,
            translation.beam_size,
            translation.length_penalty,
            _counter(report, len(sources)),
        )
        kept, _ = drop_failures(made, cutter.decode)
        write_translated(path, kept)
        return kept

    def evaluation(
        self,
        recipe: Recipe,
        beam_size: int,
        length_penalty: float,
        report: Report = silent,
        int8: bool = False,
    ) -> dict:
        """The model's Evaluation on the test set as a dictionary, from its metrics.json; with
        `int8`, what 8-bit weights leave of it.

        Real text that was scored without chrF is scored again: BLEU's tokeniser did not follow its
        script then."""
        tokenize = getattr(recipe.data, "tokenize", None)
        name = f"metrics-beam{beam_size}-penalty{length_penalty:g}{'-int8' * int8}{f'-{tokenize}' if tokenize else ''}"  # noqa: E501
        path = self.directory(recipe) / f"{name}.json"
        if path.exists() and (
            isinstance(recipe.data, ToyData) or "chrf_signature" in read_json(path)
        ):
            return read_json(path)
        data, model = self.dataset(recipe.data), self.model(recipe)
        if int8:
            model = quantised(model)
        count = _counter(report, 2 * len(data.test))
        translations = translate_test(model, data.test, beam_size, length_penalty, count)
        result = evaluate(
            model, data.test, data.detokenise, translations, beam_size, data.language, tokenize
        )
        if not int8:
            self._write_translations(recipe, data, translations)
        measured = evaluation_record(recipe, model, result)
        write_json(path, measured)
        return measured

    def _write_translations(
        self, recipe: Recipe, data: datasets.Dataset, translations: Any
    ) -> None:
        lines = ["source\tgreedy\tbeam\tgreedy tokens\tbeam tokens"]
        for source, greedy, beam in zip(
            data.test.source, translations.greedy, translations.beam, strict=True
        ):
            texts = [data.detokenise(tokens) for tokens in (source, greedy.tokens, beam.tokens)]
            lines.append("\t".join([*texts, " ".join(greedy.tokens), " ".join(beam.tokens)]))
        write_atomically(
            self.directory(recipe) / "translations.tsv", ("\n".join(lines) + "\n").encode()
        )


@torch.no_grad()
def scale_embeddings(model: Seq2Seq, scale: float) -> None:
    """Multiplies every embedding of a new model: torch draws them from N(0, 1), ten times as large
    as other weights."""
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.weight.mul_(scale)


def beginning_of(corpus: ParallelCorpus, share: float) -> ParallelCorpus:
    """The first `share` of the pairs, at least one."""
    return corpus[: max(1, round(share * len(corpus)))]


def without(corpus: ParallelCorpus, words: Collection[str]) -> ParallelCorpus:
    """The pairs whose source has none of `words`."""
    kept = [i for i, source in enumerate(corpus.source) if not set(words) & set(source)]
    return corpus if len(kept) == len(corpus) else corpus[kept]


@lru_cache(maxsize=4)
def _dataset(data: ToyData | TextData, cache: Path) -> datasets.Dataset:
    return datasets.load(data, cache)


def _counter(report: Report, total: int) -> Callable[[int], None]:
    """Turns "so many more are done" into (done, total)."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(done, total)

    return count


def evaluation_record(recipe: Recipe, model: Seq2Seq, result: Evaluation) -> dict:
    """What the store keeps of an evaluation: the numbers, with the recipe's name, key and size
    beside them."""
    return {
        "name": recipe.name,
        "key": key(recipe),
        "n_parameters": model.n_parameters(),
        **result.as_dict(),
    }
