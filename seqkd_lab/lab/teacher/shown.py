"""What lesson 02 shows of attention: the ticket in two translations, the view and the sentences
that it offers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD
from seqkd_lab.lab.teacher.attention import END, valid_translation
from seqkd_lab.lab.teacher.figures import AttentionDrawing
from seqkd_lab.models.lstm import LSTMSeq2Seq

N_SENTENCES = 30


def pairs_to_show(
    model: LSTMSeq2Seq,
    language: ToyLanguage,
    corpus: ParallelCorpus,
    n_sentences: int = N_SENTENCES,
) -> ParallelCorpus:
    """Returns the ticket with the model's own translation and with gold, then pairs of `corpus`
    that fit the view."""
    fitting = [
        row
        for row in range(len(corpus))
        if all(AttentionDrawing.fits((*side[row], END)) for side in (corpus.source, corpus.target))
    ][: n_sentences - 2]
    sources = (TICKET, TICKET, *(corpus.source[row] for row in fitting))
    targets = (
        valid_translation(model, language, TICKET),
        TICKET_GOLD,
        *(corpus.target[row] for row in fitting),
    )
    return replace(corpus, source=sources, target=targets, references=None)


def make_view(
    model: LSTMSeq2Seq, pairs: ParallelCorpus, language: ToyLanguage, position: int
) -> Any:
    """Builds the AttentionView of `pairs`, opened before the first one's target word `position`;
    needs ipywidgets."""
    from seqkd_lab.lab.teacher.view import AttentionView

    return AttentionView(model, pairs, language, position)
