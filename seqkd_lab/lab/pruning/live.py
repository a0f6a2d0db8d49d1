"""Pruning on the spot: where a level cuts, what it leaves, and what the student then writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    magnitudes,
    n_nonzero,
    prune_masks,
    weight_classes,
)
from seqkd_lab.compression.storage import DENSE, SPARSE, SPARSE_INT8, file_sizes
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.pruning.measures import pruned_copy
from seqkd_lab.models.seq2seq import Seq2Seq

WIDEST = 1.2
"""|w| at which the histograms end; larger weights stand in the last bin."""
N_BINS = 48
SHOWN_FORMS = (DENSE, SPARSE, SPARSE_INT8)
"""Of the student's file."""
STEPS = tuple(step / 20 for step in range(20))
"""The levels that are tried in search of the one that breaks a sentence."""


@dataclass(frozen=True)
class ClassLevel:
    """A weight class at one level: the largest |w| that goes (0: none), and the share of the class
    that goes."""

    threshold: float
    pruned: float


@dataclass(frozen=True)
class Level:
    """A student pruned: the model, its classes by name, the weights that are left, and the bytes of
    its file in each of SHOWN_FORMS."""

    model: Seq2Seq
    classes: Mapping[str, ClassLevel]
    n_left: int
    files: Mapping[str, int]


@dataclass(frozen=True)
class Written:
    """A greedy translation as text, and the rule that it breaks (None: it is valid)."""

    text: str
    fault: str | None

    @property
    def judged(self) -> str:
        """Whether the translation is valid, in words."""
        return "✓ valid" if self.fault is None else f"✗ {self.fault}"


def histogram(weights: np.ndarray) -> np.ndarray:
    """Return the share of the weights (N,) in each of N_BINS bins of |w| from 0 to WIDEST."""
    inside = np.minimum(weights, WIDEST * (1 - 1e-9))
    counts, _ = np.histogram(inside, bins=N_BINS, range=(0.0, WIDEST))
    return counts / max(1, len(weights))


def in_classes(model: Seq2Seq, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return, for each weight class of `model`, all the numbers of its parameters' `tensors`, in
    one row."""
    return {
        name: np.concatenate([tensors[member].flatten().numpy() for member in members])
        for name, members in weight_classes(model).items()
    }


def class_levels(model: Seq2Seq, share: float, method: str) -> dict[str, ClassLevel]:
    """Return where pruning `model` by `share` cuts each of its weight classes."""
    weights = in_classes(model, magnitudes(model))
    stays = in_classes(model, prune_masks(model, share, method))
    return {
        name: ClassLevel(float(weights[name][~stay].max(initial=0.0)), float((~stay).mean()))
        for name, stay in stays.items()
    }


def write(model: Seq2Seq, language: ToyLanguage, source: Sequence[str]) -> Written:
    """Translate one sentence greedily, and judge it."""
    tokens = search(model, [source])[0][0].tokens
    violation = language.explain(tuple(source), tuple(tokens))
    return Written(detokenise(tokens), None if violation is None else str(violation))


class LivePruning:
    """A student that is pruned as often as somebody asks, and what it writes; it stays as it is.

    retrained: the same student pruned once and trained again, to compare with.
    """

    def __init__(self, student: Seq2Seq, retrained: Seq2Seq, language: ToyLanguage) -> None:
        self.student, self.retrained, self.language = student, retrained, language
        self.at = lru_cache(maxsize=64)(self._at)
        self.written = lru_cache(maxsize=512)(self._written)
        self.written_retrained = lru_cache(maxsize=512)(self._written_retrained)

    def _at(self, share: float, method: str = CLASS_BLIND) -> Level:
        """Return the student pruned by `share`."""
        model = pruned_copy(self.student, share, method)
        classes = class_levels(self.student, share, method)
        return Level(model, classes, n_nonzero(model), file_sizes(model, SHOWN_FORMS))

    def _written(self, share: float, method: str, source: tuple[str, ...]) -> Written:
        """Return what the student writes when it is pruned by `share`."""
        return write(self.at(share, method).model, self.language, source)

    def _written_retrained(self, source: tuple[str, ...]) -> Written:
        """Return what the retrained student writes."""
        return write(self.retrained, self.language, source)

    def breaks_at(self, source: tuple[str, ...], method: str = CLASS_BLIND) -> float | None:
        """Return the first of STEPS at which the translation is not valid; None if it always is."""
        return next(
            (share for share in STEPS if self.written(share, method, source).fault is not None),
            None,
        )
