"""What the notebook shows: the two views and their still twins, and the library's own step of beam
search."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import keep_best, search
from seqkd_lab.decoding.trace import trace_search
from seqkd_lab.lab.beam.figures import BEAM, GREEDY, YOU, Path, game_figure
from seqkd_lab.lab.beam.game import END, NextWords, Words
from seqkd_lab.lab.beam.tree import Loss
from seqkd_lab.lab.beam.tree_picture import BeamTree, beam_figure
from seqkd_lab.lab.shared.exercises import Folded
from seqkd_lab.models.seq2seq import Seq2Seq


def make_game(model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage) -> Any:
    """Builds the game; needs ipywidgets."""
    from seqkd_lab.lab.beam.view import BeamGameView

    return BeamGameView(model, sources, language)


def finished_game(model: Seq2Seq, source: Words, beam_size: int) -> Figure:
    """Draws a finished game in which the player picked the most probable word each time, as greedy
    search does."""
    next_words = NextWords(model, source)
    paths = {}
    for name, K in ((YOU, 1), (GREEDY, 1), (BEAM, beam_size)):
        words = (*search(model, [source], K)[0][0].tokens, END)
        paths[name] = Path(words, next_words.along(words))
    return game_figure(source, paths)


def make_explorer(
    model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage, beam_size: int, step: int
) -> Any:
    """Builds the beam explorer on `sources`, opened at the first of them; needs ipywidgets."""
    from seqkd_lab.lab.beam.tree_view import BeamExplorer

    targets = tuple(language.mode(source)[0] for source in sources)
    corpus = ParallelCorpus(
        name="chosen", split="test", licence="", source=tuple(sources), target=targets
    )
    explorer = BeamExplorer(model, corpus, language, n_sentences=len(corpus))
    explorer.beam_size.value, explorer.step.value = beam_size, step
    return explorer


def tree_figure(
    model: Seq2Seq, source: Words, language: ToyLanguage, beam_size: int, step: int
) -> Figure:
    """Draws the steps of a beam up to `step`, or up to its last one."""
    greedy = search(model, [source], 1)[0][0].tokens
    beam_tree = BeamTree.of(
        trace_search(model, source, beam_size), greedy, language.mode(source)[0]
    )
    return beam_figure(beam_tree, min(step, len(beam_tree.columns)))


def step_to_show(lost: dict[int, Loss], beam_size: int) -> int:
    """The step after the one at which this beam lost the translation; 5 where it kept it."""
    return lost[beam_size].step + 1 if beam_size in lost else 5


def library_step() -> Folded:
    """Folds away the library's own step of beam search, for B sentences at once."""
    return Folded(
        "The library's version, for B sentences at once", inspect.getsource(keep_best), is_code=True
    )
