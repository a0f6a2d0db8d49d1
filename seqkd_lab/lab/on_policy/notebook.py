"""On-policy distillation, the subject of lesson 11: what its notebook uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.exposure import WRITERS
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.on_policy.explorer import ExposureTable, exposure_figure, exposure_table
from seqkd_lab.lab.on_policy.figures import (
    arms_figure,
    beta_figure,
    estimators_figure,
    kinds_figure,
    positions_figure,
)
from seqkd_lab.lab.on_policy.measures import arm_mean, exposures, position_curve, sampled_kl, tune
from seqkd_lab.studies.on_policy.measures import (
    DISCOUNT_0,
    DISCOUNT_1,
    FULL,
    drawn_validity,
    greedy_bleu,
    mismatch,
    own_entropy,
    own_reverse,
    percent_drawn,
)
from seqkd_lab.studies.on_policy.recipes import (
    ARMS,
    GOLD,
    LOSSES,
    OWN,
    REVERSE,
    START,
    TEACHER_DRAWN,
    arm,
)
from seqkd_lab.studies.on_policy.study import STUDY, tables

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.on_policy.view import ExposureExplorer


def make_explorer(tables_by_student: Mapping[str, ExposureTable]) -> ExposureExplorer:
    """Build the explorer of the students' tables."""
    from seqkd_lab.lab.on_policy.view import ExposureExplorer

    return ExposureExplorer(tables_by_student)
