"""Speculative sampling, the subject of lesson 10: the rule, its rounds, tokens per call, and
seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import trace_speculative
from seqkd_lab.decoding.speculative import check
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.verdict_table import verdict_table
from seqkd_lab.lab.speculative.figures import (
    clock_figure,
    exactness_figure,
    gap_figure,
    limits_figure,
    one_word_figure,
    steps_figure,
    tokens_figure,
)
from seqkd_lab.lab.speculative.measures import (
    by_temperature,
    calls_saved,
    count_tokens,
    one_word,
    shared,
    small_models,
    small_speed_ups,
    step_times,
)
from seqkd_lab.lab.speculative.picture import drafting_figure
from seqkd_lab.lab.speculative.words import (
    LENGTH_ANSWERS,
    SMALL_ANSWERS,
    acceptance_in_words,
    accepted_most,
    alpha_range,
    best_length_answer,
    clock_in_words,
    differences,
    exactness_in_words,
    gap_in_words,
    growth,
    limits_in_words,
    rejected_in_words,
    rejected_most,
    small_answer,
    steps_in_words,
)
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, measure_exactness
from seqkd_lab.studies.speculative.results import TESTED, of_seeds, with_clock
from seqkd_lab.studies.speculative.study import FALSE_ALARM, STUDY
from seqkd_lab.studies.speculative.tables import how, payoff_frame

if TYPE_CHECKING:
    from seqkd_lab.lab.speculative.view import DraftingStepper


def make_stepper(
    target: Seq2Seq, drafts: Mapping[str, Seq2Seq], corpus: ParallelCorpus, **values: object
) -> DraftingStepper:
    """Return the stepper, which begins with these values of its controls."""
    from seqkd_lab.lab.speculative.view import DraftingStepper  # it needs ipywidgets

    stepper = DraftingStepper(target, drafts, corpus)
    stepper.still(**values)
    return stepper
