"""The view of lesson 07: the teacher's candidates for one sentence, the ticket first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqkd_lab.lab.seq_inter.choice import Candidates

if TYPE_CHECKING:
    from seqkd_lab.lab.seq_inter.choice_view import ChoiceExplorer


def make_explorer(
    ticket: Candidates, sentences: Sequence[Candidates], K: int = 1
) -> ChoiceExplorer:
    """Makes the explorer of these candidates, the ticket on top; the means are over `sentences`
    alone."""
    from seqkd_lab.lab.seq_inter.choice_view import ChoiceExplorer  # needs ipywidgets

    explorer = ChoiceExplorer(sentences, first=(ticket,))
    explorer.K.value = K
    return explorer
