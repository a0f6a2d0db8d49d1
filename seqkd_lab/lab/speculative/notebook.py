"""Speculative sampling, the subject of lesson 10: the rule, its rounds, tokens per call, seconds,
and LSTM beside Transformer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import trace_speculative
from seqkd_lab.decoding.speculative import check
from seqkd_lab.lab.speculative.architecture_figures import search_figure
from seqkd_lab.lab.speculative.figures import (
    clock_figure,
    exactness_figure,
    limits_figure,
    one_word_figure,
    steps_figure,
    tokens_figure,
)
from seqkd_lab.lab.speculative.measures import (
    STANDINGS,
    best_length,
    by_temperature,
    calls_saved,
    one_word,
    payoff_frame,
    shared,
    small_models,
    small_speed_ups,
    standing,
    step_times,
    tokens_at,
)
from seqkd_lab.lab.speculative.picture import drafting_figure
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies import architectures
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, measure_exactness
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import FALSE_ALARM, STUDY
from seqkd_lab.studies.speculative.tokens import measure_tokens

if TYPE_CHECKING:
    from seqkd_lab.lab.speculative.view import DraftingStepper

ARCHITECTURES = architectures.STUDY


def results_of(by_seed: list[Rows]) -> DraftingResults:
    """Return the results of this lesson's study as what they were measured as."""
    return DraftingResults.of_rows(by_seed[0])


def make_stepper(
    target: Seq2Seq, drafts: Mapping[str, Seq2Seq], corpus: ParallelCorpus, **values: object
) -> DraftingStepper:
    """Return the stepper, which begins with these values of its controls."""
    from seqkd_lab.lab.speculative.view import DraftingStepper  # it needs ipywidgets

    stepper = DraftingStepper(target, drafts, corpus)
    stepper.still(**values)
    return stepper
