"""What lesson 03 shows: a teacher's next-word distributions beside the true ones, at any temperature."""

from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.experiments.table import rows_by_seed
from seqkd_lab.lab.distribution_figures import (
    mass_figure,
    place_entropy_figure,
    reliability_figure,
    sentence_entropy_figure,
    sweep_figure,
)
from seqkd_lab.lab.distribution_measures import (
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
from seqkd_lab.lab.distributions.figures import places_figure
from seqkd_lab.lab.distributions.measures import (
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
from seqkd_lab.lab.distributions.view import AGREEMENT, CHOICE, make_explorer, with_ticket
from seqkd_lab.lab.distributions.words import (
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
from seqkd_lab.lab.figures import temperature_figure
from seqkd_lab.lab.figures.headline import TRUTH
from seqkd_lab.lab.figures.next_words import SentenceReading

__all__ = [
    "AGREEMENT", "BASELINE", "CHOICE", "SEQ_KD", "SentenceReading", "TEACHER", "TOO_CLOSE", "TRUTH",
    "baseline_answer", "calibration_answer", "calibration_error", "certain_answer", "dark_in_words", "decided_pairs",
    "divergences", "doubts", "doubts_answer", "end_label", "entropies", "entropy_answer", "largest",
    "least_loss_temperature", "make_explorer", "mass", "mass_figure", "mean", "mean_divergence", "nearest_in_words",
    "nearest_temperatures", "place_entropy_figure", "places_figure", "read_positions", "reliability",
    "reliability_figure", "right_share", "rows_by_seed", "sentence_entropy_figure", "smallest", "softening_answer",
    "standard_error", "student_answer", "sweep", "sweep_figure", "teacher_answer", "temperature_answer",
    "temperature_figure", "ticket_doubt_answer", "ticket_in_words", "with_ticket", "wrong_answer", "wrong_by_kind",
    "wrong_table", "wrong_words",
]
