"""The levels of pruning that the explorer shows: where each cuts, what it costs in BLEU and saves
on disk, and what the student then writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from torch import Tensor

from seqkd_lab.compression.pruning import METHODS, magnitudes, prune_masks, weight_classes
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED, Place, class_blind
from seqkd_lab.studies.pruning.study import costs_of

WIDEST = 1.2
"""|w| at which the histograms end; larger weights stand in the last bin."""
N_BINS = 48


@dataclass(frozen=True)
class ClassLevel:
    """A weight class at one level: the largest |w| that goes (0: none), and the share of the class
    that goes."""

    threshold: float
    pruned: float


@dataclass(frozen=True)
class PruningLevels:
    """What the explorer shows. histograms: by class, N_BINS shares of its weights by |w|. cuts: by
    method and share, the classes' levels. curves: by method and stage, BLEU by beam at each share
    (mean of the seeds), where measured. left: parameters that are not 0, and files: bytes by form,
    at each share. examples: by sentence, stage and share (as text), the translation ("text") and
    the rule that it breaks ("fault", None for a valid one).
    """

    shares: tuple[float, ...]
    histograms: Mapping[str, np.ndarray]
    cuts: Mapping[tuple[str, float], Mapping[str, ClassLevel]]
    curves: Mapping[tuple[str, str], Mapping[float, float]]
    left: Mapping[float, int]
    teacher_size: int
    files: Mapping[float, Mapping[str, int]]
    examples: Mapping[str, Mapping[str, Mapping[str, Mapping]]]


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


def pruning_levels(student: Seq2Seq, by_seed: Sequence[Rows]) -> PruningLevels:
    """Return the explorer's data: of `student` as distillation left it, and of the results of Table
    3."""
    first, costs = by_seed[0], costs_of(by_seed)
    weights = in_classes(student, magnitudes(student))

    def curve(method: str, stage: str) -> dict[float, float]:
        rows = {share: Place(SEQ_KD, method, share, stage).row for share in costs}
        return {
            share: fmean(seed[row]["beam"] for seed in by_seed)
            for share, row in rows.items()
            if row in first
        }

    return PruningLevels(
        shares=tuple(costs),
        histograms={name: histogram(of_class) for name, of_class in weights.items()},
        cuts={
            (method, share): class_levels(student, share, method)
            for method in METHODS
            for share in costs
        },
        curves={
            (method, stage): curve(method, stage)
            for method in METHODS
            for stage in (PRUNED, RETRAINED)
        },
        left={
            share: first[class_blind(SEQ_KD, share, RETRAINED).row]["n_nonzero"] for share in costs
        },
        teacher_size=first["parameters"][TEACHER],
        files={share: cost["file"] for share, cost in costs.items()},
        examples=first["examples"],
    )
