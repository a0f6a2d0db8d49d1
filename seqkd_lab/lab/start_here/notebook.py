"""The names that notebook 00 uses: this machine, the story of distillation, and its headline with
trained models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.doctor import examine, table
from seqkd_lab.lab.shared.comparison import compare
from seqkd_lab.lab.shared.score_figures import scores_figure, seeds_figure
from seqkd_lab.lab.shared.scores import expected, scores
from seqkd_lab.lab.start_here.figures import front_end_figure, who_learns_figure
from seqkd_lab.lab.start_here.measures import (
    ALIKE,
    BEAM_SIZE,
    THE_BASELINE,
    THE_SEQ_KD,
    agreement,
    faster_student,
    seconds_to_translate,
    student_that_needs_the_beam,
)
from seqkd_lab.lab.start_here.words import (
    bleu_in_words,
    explained,
    headline_in_words,
    no_copy,
    no_teacher_at_work,
    seeds_in_words,
    speed_in_words,
    ticket_in_words,
)
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

if TYPE_CHECKING:  # the view needs ipywidgets, which may be missing
    from seqkd_lab.lab.start_here.view import FrontEndCheck


def front_end_check() -> FrontEndCheck:
    """Build the slider and the picture that follows it. Raise ImportError without ipywidgets."""
    from seqkd_lab.lab.start_here.view import FrontEndCheck

    return FrontEndCheck()
