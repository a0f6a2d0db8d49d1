"""Pruning, the subject of lesson 09: thresholds, retraining, Table 3, and what zeros are worth on
disk and by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.compression.pruning import n_nonzero, prune_masks, weight_classes
from seqkd_lab.lab.pruning.figures import (
    classes_figure,
    costs_figure,
    losses_figure,
    products_figure,
    scales_figure,
    table3_figure,
    ways_figure,
    words_figure,
)
from seqkd_lab.lab.pruning.levels import PruningLevels, pruning_levels
from seqkd_lab.lab.pruning.measures import (
    by_method,
    own_translations,
    pruned_copy,
    retrain,
    share_valid,
    sparse_products,
    students,
)
from seqkd_lab.lab.pruning.picture import pruning_figure
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.studies import speed
from seqkd_lab.studies.pruning.recipes import INT8, PRUNED, RETRAINED, class_blind
from seqkd_lab.studies.pruning.study import (
    STUDY,
    costs_of,
    loss_at,
    lost,
    shares,
    times_fewer,
    verdict_in_words,
)
from seqkd_lab.studies.speed import factors_in_words, table2_frame

if TYPE_CHECKING:
    from seqkd_lab.lab.pruning.view import PruningExplorer

SPEED = speed.STUDY


def make_explorer(levels: PruningLevels, share: float) -> PruningExplorer:
    """Return the explorer of these levels, which begins at one of them."""
    from seqkd_lab.lab.pruning.view import PruningExplorer  # it needs ipywidgets

    explorer = PruningExplorer(levels)
    explorer.level.value = share
    return explorer
