"""Lesson 08: the table of the paper, row against row, claim by claim; speed, chance, and when it
does not help."""

from seqkd_lab.lab.paper_table.figures import comparison_figure
from seqkd_lab.lab.paper_table.measures import (
    A_GAIN,
    A_LOSS,
    NO_GAIN,
    PAPER_SPEEDS,
    bootstrap_gains,
    measure_speeds,
    middle,
    middle_95,
    resamples,
    settled,
)
from seqkd_lab.lab.paper_table.rows import compare_rows
from seqkd_lab.lab.paper_table.stored import (
    budget_seeds,
    committed_gains,
    expected_gain,
    make_explorer,
    mini_gains,
    other_gains,
    real_results,
)
from seqkd_lab.lab.paper_table.table_figures import table_figure
from seqkd_lab.lab.paper_table.verdict_figures import (
    chances_figure,
    findings_figure,
    gains_figure,
    speed_figure,
)
from seqkd_lab.lab.paper_table.words import (
    GREEDY_SEARCH,
    SMALLER,
    budget_answer,
    certain_in_words,
    chance_in_words,
    every_claim,
    larger_factor,
    nearest_in_words,
    no_help_in_words,
    real_text_in_words,
    speed_in_words,
    ticket_in_words,
    widest_in_words,
)
from seqkd_lab.lab.seq_kd.budget import budget_figure
from seqkd_lab.lab.shared.comparison import compare as compare_models
from seqkd_lab.lab.shared.scores import validity
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import judge_claim, outcome_of, summary
from seqkd_lab.studies.budget import when_it_helps
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import table_frame
