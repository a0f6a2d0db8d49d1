"""Lesson 05: greedy and beam search as a game, as a tree, over K, and whose fault a wrong translation is."""

from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.lab.beam_search.brief import train_brief
from seqkd_lab.lab.beam_search.measures import (
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
from seqkd_lab.lab.beam_search.shown import (
    finished_game,
    library_step,
    make_explorer,
    make_game,
    step_to_show,
    tree_figure,
)
from seqkd_lab.lab.beam_search.tables import side_by_side
from seqkd_lab.lab.beam_search.words import (
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
from seqkd_lab.lab.search_figures import beams_figure, faults_figure, penalties_figure
from seqkd_lab.lab.search_measures import (
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

__all__ = [
    "BASELINE", "NOT_TOLD", "REPAIRED", "SEQ_KD", "SPOILED", "TEACHER", "beam_gains", "beams_figure",
    "bigger_in_words", "blame", "bleu_course", "bleu_difference", "changed", "changed_most", "changes_in_words",
    "choose_by_interval", "example_to_follow", "fate_in_words", "faults_figure", "faults_in_words", "finished_game",
    "gains_in_words", "guaranteed", "how_often", "hurt_in_words", "less_likely", "less_likely_in_words",
    "library_step", "losses", "make_explorer", "make_game", "modes", "over_beams", "over_penalties",
    "penalties_figure", "penalties_in_words", "pruned_in_words", "range_of_one_more", "share_interval",
    "side_by_side", "smallest_beam", "spoiled_by_likelihood", "step_to_show", "study_sentence", "ticket_in_words",
    "train_brief", "tree_figure", "where_greedy_fails",
]
