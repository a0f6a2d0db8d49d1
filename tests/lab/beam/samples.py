"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.beam import tree_view
from seqkd_lab.lab.beam.game_view import BeamGameView
from seqkd_lab.lab.beam.tree_view import BeamExplorer


def explorer(small: Small) -> BeamExplorer:
    """Return a view whose tokeniser leaves tags whole."""
    return BeamExplorer(small.teacher, small.pairs, small.toy.language, tokenise=str.split)


def game(small: Small) -> BeamGameView:
    return BeamGameView(small.models["baseline"], small.short, small.toy.language)


def one_of_two(view: BeamExplorer) -> None:
    """Assert that the list or the field names the sentence that is shown."""
    is_typed = view.sentence.value == tree_view.TYPED
    assert is_typed == bool(view.typed.value)
    assert is_typed == (view.sentence.options[0][1] == tree_view.TYPED)
    assert not is_typed or view.sentence.label.startswith("typed: ")


def carry_game(view: BeamGameView, other: BeamGameView) -> None:
    other.game, other._marked, other._offered = view.game, view._marked, view._offered
    other.redraw()


SAMPLES = {
    BeamExplorer: Sample(
        explorer, also=one_of_two, passing=("answer",), searches=[(tree_view, "trace_search")]
    ),
    BeamGameView: Sample(game, carry=carry_game),
}
