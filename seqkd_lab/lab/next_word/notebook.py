"""What lesson 03 shows: a teacher's next-word distributions beside the true ones, at any
temperature."""

from seqkd_lab.lab.next_word.figures import places_figure
from seqkd_lab.lab.next_word.measures import (
    TOO_CLOSE,
    calibration_error,
    decided_pairs,
    doubts,
    largest,
    least_loss_temperature,
    mean,
    nearest_temperatures,
    right_share,
    smallest,
    wrong_by_kind,
)
from seqkd_lab.lab.next_word.sweep_figures import (
    mass_figure,
    place_entropy_figure,
    reliability_figure,
    sentence_entropy_figure,
    sweep_figure,
)
from seqkd_lab.lab.next_word.sweep_measures import (
    divergences,
    entropies,
    mass,
    mean_divergence,
    read_positions,
    reliability,
    standard_error,
    sweep,
    wrong_words,
)
from seqkd_lab.lab.next_word.view import AGREEMENT, CHOICE, make_explorer, with_ticket
from seqkd_lab.lab.next_word.words import (
    baseline_answer,
    calibration_answer,
    certain_answer,
    dark_in_words,
    doubts_answer,
    end_label,
    entropy_answer,
    nearest_in_words,
    softening_answer,
    student_answer,
    teacher_answer,
    temperature_answer,
    ticket_doubt_answer,
    ticket_in_words,
    wrong_answer,
    wrong_table,
)
from seqkd_lab.lab.shared.next_words import SentenceReading, temperature_figure
from seqkd_lab.lab.shared.score_figures import TRUTH
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed
