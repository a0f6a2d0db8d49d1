"""Pruning, the subject of lesson 09: thresholds, retraining, Table 3, and what zeros are worth on
disk and by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from seqkd_lab.compression.pruning import keep_pruned, n_nonzero, prune_masks, weight_classes
from seqkd_lab.compression.storage import file_sizes
from seqkd_lab.lab.pruning.figures import (
    files_figure,
    products_figure,
    ratios_figure,
    scales_figure,
    table3_figure,
    words_figure,
)
from seqkd_lab.lab.pruning.live import LivePruning
from seqkd_lab.lab.pruning.measures import (
    by_method,
    own_translations,
    pruned_copy,
    retrain,
    share_valid,
    sparse_products,
    students,
)
from seqkd_lab.lab.pruning.picture import Curves, pruning_figure
from seqkd_lab.lab.pruning.words import (
    KEPT,
    SPEEDS,
    WHICH,
    beam_in_words,
    breaks_in_words,
    classes_in_words,
    how_fast,
    int8_in_words,
    products_in_words,
    pruned_or_dense_in_words,
    ratios_in_words,
    retrained_in_words,
    scales_in_words,
    sizes_in_words,
    student_lost,
    which_is_better,
    which_words_stay,
    words_in_words,
)
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies import speed
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED, Place
from seqkd_lab.studies.pruning.study import (
    PAPER_SHARE,
    STUDY,
    differences,
    product_in_words,
    shares,
)
from seqkd_lab.studies.speed import (
    INT8_STUDENT,
    PRUNED_STUDENT,
    SPARSE_STUDENT,
    STUDENT,
    factors_in_words,
    ratios,
    table2_frame,
)

if TYPE_CHECKING:
    from seqkd_lab.lab.pruning.view import PruningExplorer

SPEED = speed.STUDY
SPARSE_BATCHED = "sparse product, 80% zeros, batched"


def curves_of(by_seed: Sequence[Rows]) -> Curves:
    """Return the BLEU by beam of the distilled student, mean of the seeds, by stage and share."""
    return {
        stage: {
            share: fmean(rows[Place(SEQ_KD, share, stage).row]["beam"] for rows in by_seed)
            for share in shares(by_seed, stage)
        }
        for stage in (PRUNED, RETRAINED)
    }


def product_ratios(speeds: Sequence[Rows]) -> dict[str, list[float]]:
    """Return by round how many times as fast the greedy student is with another product in its
    output layer as with the dense one."""
    pairs = {
        SPARSE_BATCHED: (SPARSE_STUDENT, PRUNED_STUDENT, BATCHED),
        "sparse product, 80% zeros, one by one": (SPARSE_STUDENT, PRUNED_STUDENT, ONE_BY_ONE),
        "int8 product, batched": (INT8_STUDENT, STUDENT, BATCHED),
        "int8 product, one by one": (INT8_STUDENT, STUDENT, ONE_BY_ONE),
    }
    return {name: ratios(speeds, *models) for name, models in pairs.items()}


def make_explorer(
    live: LivePruning, sources: Sequence[tuple[str, ...]], curves: Curves, teacher_size: int
) -> PruningExplorer:
    """Return the explorer of a student that is pruned on the spot."""
    from seqkd_lab.lab.pruning.view import PruningExplorer  # it needs ipywidgets

    return PruningExplorer(live, sources, curves, teacher_size)
