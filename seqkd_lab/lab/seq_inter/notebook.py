"""Lesson 07, sequence-level interpolation: what its notebook uses, from the teacher's candidates to
the sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqkd_lab.distillation.sequence_level import nearest_to_gold
from seqkd_lab.lab.seq_inter.choice import (
    BLEU,
    EVENLY,
    N_CANDIDATES,
    RISES,
    SIMILARITIES,
    SLOWING,
    STAYS,
    Candidates,
    candidates_of,
    choice_figure,
    lowest_log_prob,
    means,
    read_candidates,
    shape_of_fall,
    similarity_range,
)
from seqkd_lab.lab.seq_inter.tuning import (
    APART,
    BEAM,
    BOTH_FALL,
    BOTH_RISE,
    GREEDY,
    PAIRS,
    TURNED,
    chosen_corpus,
    fine_tuned,
    path_figure,
    path_to_gold,
    table_gains,
    table_gains_figure,
    way_to_gold,
)
from seqkd_lab.lab.seq_inter.words import (
    TUNED,
    means_in_words,
    other_similarity_in_words,
    paper_in_words,
    path_in_words,
    seeds_in_words,
    teacher_in_words,
    ticket_in_words,
    tuned_in_words,
)
from seqkd_lab.lab.shared.predictions import decided
from seqkd_lab.lab.shared.score_figures import scores_figure
from seqkd_lab.lab.shared.scores import p_mode_range, scores
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, TEACHER_INTER
from seqkd_lab.runs.results import rows_by_seed

if TYPE_CHECKING:
    from seqkd_lab.lab.seq_inter.views import ChoiceExplorer

RATES = {
    TEACHER: TOY.teacher_tuning.learning_rate,
    BASELINE: TOY.student_tuning.learning_rate,
    SEQ_KD: TOY.student_tuning.learning_rate,
}
"""Learning rates of fine-tuning, smaller than those of training."""


def make_explorer(
    ticket: Candidates, sentences: Sequence[Candidates], K: int = 1
) -> ChoiceExplorer:
    """Make the explorer of these candidates, the ticket on top; the means are over `sentences`
    alone."""
    from seqkd_lab.lab.seq_inter.views import ChoiceExplorer  # needs ipywidgets

    explorer = ChoiceExplorer(sentences, first=(ticket,))
    explorer.K.value = K
    return explorer
