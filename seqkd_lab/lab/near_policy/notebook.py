"""Near-policy distillation, the subject of lesson 14: what its notebook uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.generation import generate_rollouts
from seqkd_lab.lab.near_policy.explorer import Timelines, timeline_figure
from seqkd_lab.lab.near_policy.figures import (
    curves_figure,
    delta_figure,
    factor_figure,
    lag_figure,
    packing_figure,
    seen_figure,
)
from seqkd_lab.lab.near_policy.measures import (
    efficiencies,
    packed_and_padded,
    seen_of_the_kl,
    student_before,
    time_here,
)
from seqkd_lab.lab.near_policy.results import (
    OWN,
    TEACHERS,
    better_loss,
    factors,
    staleness_differences,
    steps,
    timelines,
    valid_shares,
    whose,
    writer_differences,
)
from seqkd_lab.lab.near_policy.words import (
    delta_in_words,
    factor_in_words,
    here_in_words,
    lag_in_words,
    seen_in_words,
    sharing_in_words,
    staleness_in_words,
    timeline_in_words,
    whose_in_words,
)
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.predictions import largest
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.studies.near_policy.recipes import FORWARD, LATE, REVERSE
from seqkd_lab.studies.near_policy.study import STUDY
from seqkd_lab.studies.near_policy.ways import LADDER, MAIN, NEAR_POLICY, both
from seqkd_lab.studies.near_policy_clock import STUDY as CLOCK_STUDY

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.near_policy.view import TimelineExplorer


def vocabularies(model: Seq2Seq) -> tuple[Vocabulary, Vocabulary]:
    """Return a model's source and target vocabulary."""
    return model.source_vocabulary, model.target_vocabulary


def make_explorer(recorded: Timelines) -> TimelineExplorer:
    """Build the explorer of what was recorded."""
    from seqkd_lab.lab.near_policy.view import TimelineExplorer

    return TimelineExplorer(recorded)
