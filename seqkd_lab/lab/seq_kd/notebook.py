"""Lesson 06, sequence-level distillation: what its notebook uses, from the distilled corpus to the
beam's gain."""

from seqkd_lab.distillation.sequence_level import distil_mode
from seqkd_lab.lab.seq_kd.budget_figures import budget_figure
from seqkd_lab.lab.seq_kd.certainty import certainty_figure
from seqkd_lab.lab.seq_kd.lens import ChoiceShares, compare_pair, lens_figure
from seqkd_lab.lab.seq_kd.mass import mass_curves, mass_figure
from seqkd_lab.lab.seq_kd.measures import (
    beam_share,
    equal_targets,
    joined,
    most_valid,
    p_mode_range,
    ticket_pair,
    ticket_translations,
    token_ratio,
    token_ratio_range,
)
from seqkd_lab.lab.seq_kd.memory import memory_figure
from seqkd_lab.lab.seq_kd.three_students import (
    seeds_figure,
    train_students,
    valid_range,
    write_corpora,
)
from seqkd_lab.lab.seq_kd.view import make_dial, make_lens, make_mass
from seqkd_lab.lab.seq_kd.words import (
    beam_in_words,
    budget_in_words,
    budget_table,
    seeds_in_words,
    tendency_in_words,
    tense_in_words,
    three_in_words,
    ticket_students_in_words,
    ticket_target_in_words,
)
from seqkd_lab.lab.shared.score_figures import scores_figure
from seqkd_lab.lab.shared.scores import scores
from seqkd_lab.lab.shared.translated import translated
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import by_seed, read_later
from seqkd_lab.studies.live import CORPORA, GOLD, LIVE, MODE, SAMPLES, fast
from seqkd_lab.studies.memory import study as memory_study
