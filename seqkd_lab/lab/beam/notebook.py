"""Lesson 05: greedy and beam search as a game, as a tree, over K, and whose fault a wrong
translation is."""

from seqkd_lab.lab.beam.brief import train_brief
from seqkd_lab.lab.beam.measures import (
    NOT_TOLD,
    beam_gains,
    bleu_course,
    bleu_difference,
    changed_most,
    choose_by_interval,
    example_to_follow,
    guaranteed,
    how_often,
    range_of_one_more,
    share_interval,
    study_sentence,
    where_greedy_fails,
)
from seqkd_lab.lab.beam.search_figures import beams_figure, faults_figure, penalties_figure
from seqkd_lab.lab.beam.search_measures import (
    REPAIRED,
    SPOILED,
    blame,
    changed,
    less_likely,
    losses,
    modes,
    over_beams,
    over_penalties,
    spoiled_by_likelihood,
)
from seqkd_lab.lab.beam.shown import (
    finished_game,
    library_step,
    make_explorer,
    make_game,
    step_to_show,
    tree_figure,
)
from seqkd_lab.lab.beam.tables import side_by_side
from seqkd_lab.lab.beam.words import (
    bigger_in_words,
    changes_in_words,
    fate_in_words,
    faults_in_words,
    gains_in_words,
    hurt_in_words,
    less_likely_in_words,
    penalties_in_words,
    pruned_in_words,
    smallest_beam,
    ticket_in_words,
)
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
