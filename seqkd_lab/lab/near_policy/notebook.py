"""Near-policy distillation, the subject of lesson 14: what its notebook uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.distillation.generation import generate_rollouts
from seqkd_lab.lab.near_policy.explorer import Timelines, timeline_figure
from seqkd_lab.lab.near_policy.figures import (
    accuracy_figure,
    arms_figure,
    delta_figure,
    factor_figure,
    packing_figure,
    seen_figure,
)
from seqkd_lab.lab.near_policy.measures import (
    best_arm,
    efficiencies,
    factors,
    packed_and_padded,
    seen_of_the_kl,
    steps,
    student_before,
    time_here,
    timelines,
    valid_shares,
)
from seqkd_lab.studies.near_policy.recipes import ARMS, EVERY, SYNCHRONOUS
from seqkd_lab.studies.near_policy.study import STUDY
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, MAIN, NEAR_POLICY, both
from seqkd_lab.studies.near_policy_clock import STUDY as CLOCK_STUDY

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.near_policy.view import TimelineExplorer


def make_explorer(recorded: Timelines) -> TimelineExplorer:
    """Build the explorer of what was recorded."""
    from seqkd_lab.lab.near_policy.view import TimelineExplorer

    return TimelineExplorer(recorded)
