"""Lesson 07, sequence-level interpolation: what its notebook uses, from the teacher's candidates to
the sentences."""

from seqkd_lab.distillation.sequence_level import nearest_to_gold
from seqkd_lab.lab.seq_inter.choice import (
    BLEU,
    SIMILARITIES,
    choice_figure,
    lowest_log_prob,
    means,
    read_candidates,
)
from seqkd_lab.lab.seq_inter.choice_measures import (
    BEAM,
    GREEDY,
    chosen_corpus,
    fine_tuned,
    table_gains,
    table_gains_figure,
)
from seqkd_lab.lab.seq_inter.measures import (
    APART,
    BOTH_FALL,
    BOTH_RISE,
    EVENLY,
    N_CANDIDATES,
    PAIRS,
    RISES,
    SLOWING,
    STAYS,
    TURNED,
    candidates_of,
    p_mode_range,
    shape_of_fall,
    similarity_range,
    way_to_gold,
)
from seqkd_lab.lab.seq_inter.path import path_figure, path_to_gold
from seqkd_lab.lab.seq_inter.view import make_explorer
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
from seqkd_lab.lab.shared.scores import scores
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, TEACHER_INTER
from seqkd_lab.runs.results import rows_by_seed

RATES = {
    TEACHER: TOY.teacher_tuning.learning_rate,
    BASELINE: TOY.student_tuning.learning_rate,
    SEQ_KD: TOY.student_tuning.learning_rate,
}
"""Learning rates of fine-tuning, smaller than those of training."""
