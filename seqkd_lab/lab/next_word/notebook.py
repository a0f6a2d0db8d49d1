"""What lesson 03 shows: a teacher's next-word distributions beside the true ones, at any
temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.next_word.calibration import (
    calibration_answer,
    calibration_error,
    reliability,
    reliability_figure,
)
from seqkd_lab.lab.next_word.entropy import (
    doubts,
    doubts_answer,
    entropy_answer,
    offset_entropy_figure,
    sentence_entropy_figure,
    ticket_doubt_answer,
)
from seqkd_lab.lab.next_word.estimates import (
    TOO_CLOSE,
    decided_pairs,
    largest,
    mean,
    smallest,
    standard_error,
)
from seqkd_lab.lab.next_word.mass import (
    dark_in_words,
    mass,
    mass_figure,
    right_share,
    softening_answer,
    wrong_answer,
    wrong_by_kind,
    wrong_table,
    wrong_words,
)
from seqkd_lab.lab.next_word.positions import divergences, entropies, read_positions
from seqkd_lab.lab.next_word.temperatures import (
    baseline_answer,
    least_loss_temperature,
    nearest_in_words,
    nearest_temperatures,
    student_answer,
    sweep,
    sweep_figure,
    teacher_answer,
)
from seqkd_lab.lab.next_word.ticket import (
    AGREEMENT,
    CHOICE,
    certain_answer,
    end_label,
    positions_figure,
    temperature_answer,
    ticket_in_words,
)
from seqkd_lab.lab.shared.next_words import SentenceReading, temperature_figure, with_ticket
from seqkd_lab.lab.shared.style import TRUTH
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.next_word.view import TemperatureExplorer


def make_explorer(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> TemperatureExplorer:
    """Build the explorer of the next word for the teacher and the students in `models`."""
    from seqkd_lab.lab.next_word.view import TemperatureExplorer

    students = {name: model for name, model in models.items() if name != TEACHER}
    return TemperatureExplorer(models[TEACHER], corpus, language, students)
