"""The view of lesson 03: the temperature explorer, with the lesson's ticket as its first
sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD
from seqkd_lab.lab.shared.next_words import TEACHER
from seqkd_lab.models.seq2seq import Seq2Seq

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.next_word.temperature_view import TemperatureExplorer

CHOICE, AGREEMENT = 0, TICKET_GOLD.index("es")
"""The positions in the ticket's gold at which its noun is chosen (by the form of *mein*) and its
pronoun must agree."""


def with_ticket(corpus: ParallelCorpus, n_sentences: int) -> ParallelCorpus:
    """Return the ticket and its gold translation, followed by the first `n_sentences` pairs of
    `corpus`."""
    first = corpus[:n_sentences]
    return ParallelCorpus(
        "shown", first.split, first.licence, (TICKET, *first.source), (TICKET_GOLD, *first.target)
    )


def make_explorer(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> TemperatureExplorer:
    """Build the explorer of the next word: `models` holds the teacher and the students that can be
    chosen."""
    from seqkd_lab.lab.next_word.temperature_view import TemperatureExplorer

    students = {name: model for name, model in models.items() if name != TEACHER}
    return TemperatureExplorer(models[TEACHER], corpus, language, students)
