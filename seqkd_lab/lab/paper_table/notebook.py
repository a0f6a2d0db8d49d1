"""Lesson 08: the table of the paper, row against row, claim by claim; speed, chance, and when it
does not help."""

from collections.abc import Mapping
from typing import Any

from seqkd_lab.lab.paper_table.chance import (
    bootstrap_gains,
    chance_in_words,
    chances_figure,
    expected_gain,
    middle_95,
    other_gains,
    resamples,
)
from seqkd_lab.lab.paper_table.claims import (
    every_claim,
    findings_figure,
    nearest_in_words,
    real_results,
    real_text_in_words,
    settled,
    widest_in_words,
)
from seqkd_lab.lab.paper_table.comparison import certain_in_words, compare_rows, comparison_figure
from seqkd_lab.lab.paper_table.gain import (
    A_GAIN,
    A_LOSS,
    NO_GAIN,
    budget_answer,
    budget_seeds,
    committed_gains,
    gains_figure,
    mini_gains,
    no_help_in_words,
)
from seqkd_lab.lab.paper_table.speed import (
    GREEDY_SEARCH,
    PAPER_SPEEDS,
    SMALLER,
    larger_factor,
    measure_speeds,
    middle,
    speed_figure,
    speed_in_words,
)
from seqkd_lab.lab.paper_table.table import table_figure, ticket_in_words
from seqkd_lab.lab.seq_kd.budget import budget_figure
from seqkd_lab.lab.shared.comparison import compare as compare_models
from seqkd_lab.lab.shared.scores import validity
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import judge_claim, outcome_of, summary
from seqkd_lab.studies.budget.gains import when_it_helps
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import table_frame


def make_explorer(results: Mapping) -> Any:
    """Build the table explorer on the results of Table 1. Raises ImportError without ipywidgets."""
    from seqkd_lab.lab.paper_table.view import TableExplorer

    return TableExplorer(results["by_seed"])
