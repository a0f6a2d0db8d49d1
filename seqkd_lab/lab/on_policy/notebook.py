"""On-policy distillation, the subject of lesson 11: what its notebook uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.exposure import WRITERS
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.on_policy.explorer import (
    ExposureTable,
    exposure_figure,
    exposure_table,
    telling_position,
)
from seqkd_lab.lab.on_policy.figures import (
    beta_figure,
    estimators_figure,
    kinds_figure,
    positions_figure,
)
from seqkd_lab.lab.on_policy.measures import exposures, leads, position_curve, sampled_kl, tune
from seqkd_lab.lab.on_policy.words import (
    GOLD_REVERSE,
    OWN_FORWARD,
    OWN_REVERSE,
    TEACHER_REVERSE,
    controls_in_words,
    differences,
    exposure_after_in_words,
    gradient_answers,
    gradients_in_words,
    length_in_words,
    live_in_words,
    losses_in_words,
    mismatch_in_words,
    nearer_in_words,
    translations_in_words,
    which_side,
    word_arms_in_words,
)
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.seeds import range_of_one_more
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.on_policy.measures import (
    drawn_validity,
    exposed,
    mismatch,
    own_entropy,
    own_reverse,
    percent_drawn,
    percent_greedy,
)
from seqkd_lab.studies.on_policy.recipes import (
    NLL_GOLD,
    NLL_MODE,
    REVERSE,
    START,
    WHOLE,
    WORD_BASELINE,
)
from seqkd_lab.studies.on_policy.recipes import WORD as WORD_ARM
from seqkd_lab.studies.on_policy.study import STUDY, tables

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.on_policy.view import ExposureExplorer


def make_explorer(tables_by_student: Mapping[str, ExposureTable]) -> ExposureExplorer:
    """Build the explorer of the students' tables."""
    from seqkd_lab.lab.on_policy.view import ExposureExplorer

    return ExposureExplorer(tables_by_student)
