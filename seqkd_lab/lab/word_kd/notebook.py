"""Word-level distillation, the subject of lesson 04: targets, loss, gradient, the map of α and τ,
and own words."""

from seqkd_lab.distillation.losses import word_kd
from seqkd_lab.lab.shared.learning_curve import learning_figure
from seqkd_lab.lab.word_kd.figures import pulls_figure, walks_figure
from seqkd_lab.lab.word_kd.map_figure import map_figure
from seqkd_lab.lab.word_kd.map_measures import cells, expected_there, place_name
from seqkd_lab.lab.word_kd.map_words import (
    ALL_TEACHER,
    CANDIDATES,
    HALF,
    HIGHER,
    LOWER,
    all_teacher,
    best_place,
    bleu_in_words,
    differences_table,
    likelihood_there,
    nll_in_words,
    path_answer,
    walks_in_words,
    waste_answer,
)
from seqkd_lab.lab.word_kd.measures import (
    pull_by_autograd,
    pulls,
    softening_waste,
    turning_words,
    word_gradient_at,
    word_kd_losses,
)
from seqkd_lab.lab.word_kd.mixing import interpolation_figure, shown_words
from seqkd_lab.lab.word_kd.own_student import own_student
from seqkd_lab.lab.word_kd.paths import walks
from seqkd_lab.lab.word_kd.view import make_explorer, make_trainer, map_student, ticket_reading
from seqkd_lab.lab.word_kd.words import (
    AS_BEFORE,
    GROWS,
    LESS,
    MORE,
    SAME,
    SHRINKS,
    UP,
    floor_answer,
    losses_table,
    mixing_in_words,
    pull_change,
    pulls_in_words,
    rest_answer,
    tau_squared_answer,
    turning_answer,
    what_happens,
)
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.word_kd_map import committed_map

STUDENTS = (BASELINE, WORD_KD, SEQ_KD)
ROWS = (TEACHER, *STUDENTS)
