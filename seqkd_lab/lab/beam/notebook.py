"""Lesson 05: greedy and beam search as a game, as a tree, over K, and whose fault a wrong
translation is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.beam.chance import (
    NOT_TOLD,
    beam_gains,
    bleu_course,
    bleu_difference,
    changed_most,
    choose_by_interval,
    gains_in_words,
    how_often,
    share_interval,
)
from seqkd_lab.lab.beam.faults import blame, faults_figure, faults_in_words, guaranteed, modes
from seqkd_lab.lab.beam.game import Words
from seqkd_lab.lab.beam.game_picture import finished_game
from seqkd_lab.lab.beam.outputs import (
    side_by_side,
    study_sentence,
    ticket_in_words,
    where_greedy_fails,
)
from seqkd_lab.lab.beam.penalties import (
    over_penalties,
    penalties_figure,
    penalties_in_words,
    train_brief,
)
from seqkd_lab.lab.beam.pruned import (
    example_to_follow,
    fate_in_words,
    library_step,
    losses,
    pruned_in_words,
    smallest_beam,
    step_to_show,
)
from seqkd_lab.lab.beam.tree_picture import tree_figure
from seqkd_lab.lab.beam.wider import (
    REPAIRED,
    SPOILED,
    beams_figure,
    bigger_in_words,
    changed,
    changes_in_words,
    hurt_in_words,
    less_likely,
    less_likely_in_words,
    over_beams,
    spoiled_by_likelihood,
)
from seqkd_lab.lab.shared.seeds import range_of_one_more
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.beam.game_view import BeamGameView
    from seqkd_lab.lab.beam.tree_view import BeamExplorer


def make_game(model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage) -> BeamGameView:
    """Build the game of beam search on `sources`."""
    from seqkd_lab.lab.beam.game_view import BeamGameView

    return BeamGameView(model, sources, language)


def make_explorer(
    model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage, beam_size: int, step: int
) -> BeamExplorer:
    """Build the beam explorer on `sources`, opened at one step of the first of them."""
    from seqkd_lab.lab.beam.tree_view import BeamExplorer

    targets = tuple(language.mode(source)[0] for source in sources)
    corpus = ParallelCorpus(
        name="chosen", split="test", licence="", source=tuple(sources), target=targets
    )
    explorer = BeamExplorer(model, corpus, language, n_sentences=len(corpus))
    explorer.beam_size.value, explorer.step.value = beam_size, step
    return explorer
