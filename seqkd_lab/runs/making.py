"""The makers: each turns a recipe, and what the store has of all that it builds on, into one thing:
a trained model, a corpus, pass rates, an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from seqkd_lab.compression.pruning import keep_pruned, prune
from seqkd_lab.compression.quantisation import quantised
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.distilled import DistilledCorpus
from seqkd_lab.distillation.forward_translation import (
    Translated,
    clean_sources,
    drop_failures,
    forward_translate,
    read_sources,
)
from seqkd_lab.distillation.sequence_level import distil
from seqkd_lab.evaluation import Evaluation, Translations, evaluate, translate_test
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import BY_BLEU, History, Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.keys import key
from seqkd_lab.runs.recipes import Distillation, ForwardTranslation, Recipe
from seqkd_lab.training import train
from seqkd_lab.validation import ValidationBLEU

Report = Callable[[int, int], None]
"""Is called with (done, total) of the piece of work at hand."""


def silent(done: int, total: int) -> None:
    """Report to nobody."""


def counter(report: Report, total: int) -> Callable[[int], None]:
    """Return a function that is called with how many more are done, and reports (done, total)."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(done, total)

    return count


def beginning(recipe: Recipe, data: Dataset, start: Seq2Seq | None) -> Seq2Seq:
    """Return the model as it is before its training: with the weights of `start`, the model that
    the recipe continues, or random ones."""
    torch.manual_seed(recipe.seed)
    model = build(recipe.model, data.source_vocabulary, data.target_vocabulary)
    scale_embeddings(model, recipe.embedding_scale)
    if start is not None:
        model.load_state_dict(start.state_dict())
    return model


@torch.no_grad()
def scale_embeddings(model: Seq2Seq, scale: float) -> None:
    """Multiply every embedding of a new model: torch draws them from N(0, 1), ten times as large as
    other weights."""
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.weight.mul_(scale)


def train_recipe(
    recipe: Recipe,
    model: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    teacher: Seq2Seq | None,
    unfinished: Path,
    report: Report,
) -> History:
    """Train `model`, the recipe's beginning, in place on `corpus`, and return its history.

    A run that was interrupted goes on from its last whole epoch, which lies in `unfinished` under
    the recipe's key.
    """

    def watch(progress: Progress) -> None:
        report(progress.update, progress.n_updates)

    with pruned_during(recipe, model):
        if recipe.optimisation is None:
            return History()
        return train(
            model,
            corpus,
            data.valid,
            recipe.objective,
            recipe.optimisation,
            recipe.seed,
            teacher,
            callbacks=[watch],
            resume_from=unfinished,
            batch_transform=recipe.batch_transform,
            validation=validation(recipe, data),
            key=key(recipe),
        )


def pruned_during(recipe: Recipe, model: Seq2Seq) -> AbstractContextManager[None]:
    """Prune `model` in place as the recipe says, and keep the pruned weights at 0 within a `with`
    statement; without pruning, do nothing.

    The same weights are pruned on every call, since what is 0 already goes first.
    """
    if recipe.pruning is None:
        return nullcontext()
    return keep_pruned(model, prune(model, recipe.pruning.share, recipe.pruning.method))


def validation(recipe: Recipe, data: Dataset) -> ValidationBLEU | None:
    """Return what measures BLEU on validation text after each epoch, where the recipe keeps the
    best epoch by it."""
    if recipe.optimisation is None or recipe.optimisation.best_by != BY_BLEU:
        return None
    return ValidationBLEU(data.valid, data.detokenise, getattr(recipe.data, "tokenize", None))


def distil_corpus(
    distillation: Distillation,
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    report: Report,
) -> DistilledCorpus:
    """Return `corpus` with the teacher's targets. Raise ValueError where they have to be valid and
    the language is unknown."""
    return distil(
        teacher,
        corpus,
        distillation.method,
        distillation.beam_size,
        distillation.length_penalty,
        distillation.seed,
        counter(report, len(corpus)),
        data.toy_language.is_valid if distillation.valid else None,
    )


def translate_forward(
    translation: ForwardTranslation, teacher: Seq2Seq, data: Dataset, report: Report
) -> Translated:
    """Return the sentences of a text without targets with the teacher's translations, without those
    that failed."""
    assert data.subwords is not None, "forward translation is of real text, which has subwords"
    sentences, _ = clean_sources(read_sources([translation.text.path]))
    sources = [data.subwords.encode(sentence) for sentence in sentences]
    count = counter(report, len(sources))
    translated = forward_translate(
        teacher, sources, translation.beam_size, translation.length_penalty, count
    )
    kept, _ = drop_failures(translated, data.subwords.decode)
    return kept


def evaluate_recipe(
    recipe: Recipe,
    model: Seq2Seq,
    data: Dataset,
    beam_size: int,
    length_penalty: float,
    int8: bool,
    report: Report,
) -> tuple[dict, Translations]:
    """Return what the store keeps of an evaluation, and the translations of the test set; with
    `int8`, those of 8-bit weights."""
    if int8:
        model = quantised(model)
    count = counter(report, 2 * len(data.test))
    translations = translate_test(model, data.test, beam_size, length_penalty, count)
    result = evaluate(
        model,
        data.test,
        data.detokenise,
        translations,
        beam_size,
        data.language,
        getattr(recipe.data, "tokenize", None),
    )
    return evaluation_record(recipe, model, result), translations


def evaluation_record(recipe: Recipe, model: Seq2Seq, result: Evaluation) -> dict:
    """Return what the store keeps of an evaluation: the numbers, with the recipe's name, key and
    size beside them."""
    return {
        "name": recipe.name,
        "key": key(recipe),
        "n_parameters": model.n_parameters(),
        **result.as_dict(),
    }


def translations_table(data: Dataset, translations: Translations) -> str:
    """Return the lines of a TSV: source, greedy and beam translation as text, and the two in
    tokens."""
    lines = ["source\tgreedy\tbeam\tgreedy tokens\tbeam tokens"]
    rows = zip(data.test.source, translations.greedy, translations.beam, strict=True)
    for source, greedy, beam in rows:
        texts = [data.detokenise(tokens) for tokens in (source, greedy.tokens, beam.tokens)]
        lines.append("\t".join([*texts, " ".join(greedy.tokens), " ".join(beam.tokens)]))
    return "\n".join(lines) + "\n"
