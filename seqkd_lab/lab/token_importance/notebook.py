"""Token importance, the subject of lesson 13: what its notebook uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.corpus.toy.planted import FREE, MISTAKE, MISTAKES, RARE, RARE_NOUNS
from seqkd_lab.distillation.tip import (
    BOTTOM,
    ENTROPY,
    Q3,
    RANDOM,
    SOFT_OR,
    Selected,
    lean_loss,
    soft_or,
)
from seqkd_lab.lab.token_importance.explorer import importance_figure
from seqkd_lab.lab.token_importance.figures import memory_figure, outcome_figure, recall_figure
from seqkd_lab.lab.token_importance.measures import (
    LabelledBatch,
    fixed,
    gained,
    kinds_frame,
    label,
    mistakes_kept,
    models,
    quadrant_of,
)
from seqkd_lab.studies.token_importance.recipes import arm
from seqkd_lab.studies.token_importance.study import STUDY

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.token_importance.view import TokenExplorer


def make_explorer(batch: LabelledBatch, sentence: int) -> TokenExplorer:
    """Build the explorer of a batch, opened at a sentence."""
    from seqkd_lab.lab.token_importance.view import TokenExplorer

    explorer = TokenExplorer(batch)
    explorer.sentence.value = sentence
    return explorer
