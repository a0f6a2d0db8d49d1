"""Make a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

from seqkd_lab.compression.pruning import keep_pruned, prune
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.paced import Weighted, hard_filter, shuffled, weights
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import HARD, SHUFFLED, Recipe, Weighting
from seqkd_lab.runs.report import Report
from seqkd_lab.training import BY_BLEU, History, Progress, train
from seqkd_lab.validation import ValidationBLEU


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


def weighted(objective: Objective, weighting: Weighting, rates: Sequence[float]) -> Weighted:
    """Return `objective` with each sentence weighted by its pass rate."""
    return Weighted(objective, sentence_weights(weighting, rates))


def sentence_weights(weighting: Weighting, rates: Sequence[float]) -> Tensor:
    """Return the weights (N,), of mean 1, of N sources with these pass rates."""
    if weighting.kind == HARD:
        return hard_filter(rates)
    paced = weights(rates, weighting.a, weighting.b)
    return shuffled(paced, weighting.rates.seed) if weighting.kind == SHUFFLED else paced


def train_recipe(
    recipe: Recipe,
    model: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    objective: Objective,
    teacher: Seq2Seq | None,
    unfinished: Path,
    key: str,
    report: Report,
) -> History:
    """Train `model`, the recipe's beginning, in place on `corpus`, and return its history.

    A run that was interrupted goes on from its last whole epoch, which lies in `unfinished` under
    the recipe's `key`.
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
            objective,
            recipe.optimisation,
            recipe.seed,
            teacher,
            callbacks=[watch],
            resume_from=unfinished,
            batch_transform=recipe.batch_transform,
            validation=validation(recipe, data),
            key=key,
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
