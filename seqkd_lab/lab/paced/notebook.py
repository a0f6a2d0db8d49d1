"""PACED, the subject of lesson 12: what its notebook uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seqkd_lab.distillation.paced import weights
from seqkd_lab.lab.paced.explorer import paced_figure
from seqkd_lab.lab.paced.figures import (
    arms_figure,
    bias_figure,
    few_draws_figure,
    initial_figure,
    noise_figure,
)
from seqkd_lab.lab.paced.measures import (
    REGIONS,
    draws_in_words,
    few_draws,
    histogram,
    judge_draws,
    moments,
    most_valid,
    nearest,
    own_gradients,
    ratios_by_number,
    where_largest,
)
from seqkd_lab.runs.recipes import PACED, SHUFFLED
from seqkd_lab.studies.paced.measures import has_skill
from seqkd_lab.studies.paced.recipes import FORWARD, REVERSE, UNIFORM
from seqkd_lab.studies.paced.study import ARMS_TABLE, INITIAL_TABLE, NOISE_TABLE, STUDY

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.paced.view import PacedExplorer


def make_explorer(histograms: Mapping[str, Sequence[int]], moment: str) -> PacedExplorer:
    """Build the explorer of pass rates, opened at a moment of the training."""
    from seqkd_lab.lab.paced.view import PacedExplorer

    explorer = PacedExplorer(histograms)
    explorer.moment.value = moment
    return explorer
