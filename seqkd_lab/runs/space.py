"""Say before a study starts whether the disk has room for what it will keep."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch

from seqkd_lab.corpus.vocabulary import SPECIALS, Vocabulary
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.tasks import Distil, Task, Train, TranslateForward, with_needs

BYTES_OF_A_WEIGHT = 4
WEIGHTS_OF_A_STATE = 4
"""An unfinished training keeps its weights, the best so far, and Adam's two moments."""
BYTES_OF_A_PAIR = 200
"""Of a distilled corpus: source, target, log-probability and similarity, generously."""


def check_space(store: Store, tasks: Iterable[Task], data: Dataset, n_workers: int) -> None:
    """Raise ValueError, with the estimate, where the disk of `store` has less room than what
    `tasks` will keep there: models, distilled corpora, and a state for each of the trainings that
    run at once."""
    needed = bytes_needed(store, tasks, data, n_workers)
    free = shutil.disk_usage(existing(store.root)).free
    if needed > free:
        raise ValueError(
            f"--store {store.root}: this needs about {needed / 2**20:,.0f} MiB, and "
            f"{free / 2**20:,.0f} MiB are free there; make room, or name another folder by --store "
            "or SEQKD_LAB_STORE"
        )


def bytes_needed(store: Store, tasks: Iterable[Task], data: Dataset, n_workers: int) -> int:
    """Return the bytes that `tasks`, and what they need, will add to the store."""
    models, corpora = [0], 0
    for task in with_needs(tasks):
        if isinstance(task, Train) and not store.has_model(task.recipe):
            models.append(_model_bytes(task.recipe.model, data))
        elif isinstance(task, Distil) and not store.distilled_path(task.distillation).exists():
            corpora += int(task.distillation.share * len(data.train)) * BYTES_OF_A_PAIR
        elif isinstance(task, TranslateForward):
            corpora += len(data.train) * BYTES_OF_A_PAIR
    return sum(models) + corpora + n_workers * WEIGHTS_OF_A_STATE * max(models)


def _model_bytes(spec: Spec, data: Dataset) -> int:
    return BYTES_OF_A_WEIGHT * n_parameters(
        spec, len(data.source_vocabulary), len(data.target_vocabulary)
    )


@lru_cache(maxsize=64)
def n_parameters(spec: Spec, n_source: int, n_target: int) -> int:
    """Return the number of weights of a model of this size, without building it."""

    def vocabulary(n: int) -> Vocabulary:
        return Vocabulary(SPECIALS + tuple(f"w{i}" for i in range(n - len(SPECIALS))))

    with torch.device("meta"):
        return build(spec, vocabulary(n_source), vocabulary(n_target)).n_parameters()


def existing(folder: Path) -> Path:
    """Return `folder`, or the folder around it that exists already."""
    return next(part for part in (folder.absolute(), *folder.absolute().parents) if part.exists())
