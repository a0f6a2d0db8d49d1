"""Lesson 12, PACED: what its notebook uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seqkd_lab.distillation.paced import weights
from seqkd_lab.lab.paced.explorer import paced_figure
from seqkd_lab.lab.paced.figures import (
    bias_figure,
    few_draws_figure,
    forgetting_figure,
    noise_figure,
    start_figure,
    weights_figure,
)
from seqkd_lab.lab.paced.measures import (
    REGIONS,
    SIDES,
    draws_in_words,
    few_draws,
    histogram,
    judge_draws,
    moments,
    nearest,
    own_gradients,
    ratios_by_number,
    side,
    where_largest,
)
from seqkd_lab.lab.paced.words import (
    bell_in_words,
    failures_in_words,
    fewest_weighed_in_words,
    forgetting_in_words,
    greedy_in_words,
    learned_in_words,
    lengths_in_words,
    never_in_words,
    steep_powers_in_words,
    weights_in_words,
)
from seqkd_lab.lab.shared.seeds import share_interval
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.studies.paced.design import (
    IDLE_SHARES,
    PACED,
    SHUFFLED,
    TEMPERATURE,
    UNIFORM,
    has_skill,
    verifier,
)
from seqkd_lab.studies.paced.study import ARMS_TABLE, NOISE_TABLE, STUDY

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.paced.view import PacedExplorer


def make_explorer(histograms: Mapping[str, Sequence[int]], moment: str) -> PacedExplorer:
    """Build the explorer of pass rates, opened at one of its histograms."""
    from seqkd_lab.lab.paced.view import PacedExplorer

    explorer = PacedExplorer(histograms)
    explorer.moment.value = moment
    return explorer
