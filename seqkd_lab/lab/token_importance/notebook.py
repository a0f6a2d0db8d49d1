"""Token importance, the subject of lesson 13: what its notebook uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.corpus.toy.planted import FAR, FREE, HABIT, PLANTED_KINDS
from seqkd_lab.distillation.tip import Q3, RANDOM, SOFT_OR, Selected, lean_loss, soft_or
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.lab.token_importance.explorer import importance_figure
from seqkd_lab.lab.token_importance.figures import memory_figure, recall_figure
from seqkd_lab.lab.token_importance.measures import LabelledBatch, kinds_frame, label, models
from seqkd_lab.lab.token_importance.readings import (
    QUADRANT_ANSWERS,
    SIDES,
    bleu_differences,
    found,
    left_differences,
    most_in,
    random_range,
    side,
    valid_differences,
)
from seqkd_lab.lab.token_importance.words import (
    blind_values,
    learned_in_words,
    planted_in_words,
    price_in_words,
    quadrants_in_words,
    rare_in_words,
    reached_in_words,
    recall_in_words,
    unlearned_in_words,
)
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.token_importance.claims import (
    BOTTOM_HALF,
    Q3_TENTH,
    RANDOM_HALF,
    RANDOM_TENTH,
)
from seqkd_lab.studies.token_importance.study import STUDY
from seqkd_lab.studies.token_memory import STUDY as MEMORY
from seqkd_lab.studies.token_memory import in_words as memory_in_words
from seqkd_lab.studies.token_memory import parts as memory_parts

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.token_importance.view import TokenExplorer


def sentence_with(batch: LabelledBatch, kind: str) -> int:
    """Return the number of the first sentence that has a token of a kind, 0 where none has."""
    return next((n for n, kinds in enumerate(batch.kinds) if kind in kinds), 0)


def make_explorer(batch: LabelledBatch, sentence: int) -> TokenExplorer:
    """Build the explorer of a batch, opened at a sentence."""
    from seqkd_lab.lab.token_importance.view import TokenExplorer

    explorer = TokenExplorer(batch)
    explorer.sentence.value = sentence
    return explorer
