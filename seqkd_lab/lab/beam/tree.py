"""The tree of a search and the translations that it scored, read from its trace: nothing here
searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.search import normalised
from seqkd_lab.decoding.trace import PRUNED, Candidate, SearchTrace, TraceStep
from seqkd_lab.lab.beam.game import END, Words


@dataclass(frozen=True)
class Node:
    """A candidate in the tree: `words` from the first on, END as the last of a complete
    translation.

    parent is the row (rank) of its parent among the kept ones of the step before; pruned_by the
    words of the last candidate that was kept instead of it.
    """

    words: Words
    parent: int
    candidate: Candidate
    pruned_by: Words | None

    @property
    def fate(self) -> str:
        """kept, finished or pruned, as in the trace."""
        return self.candidate.fate

    def on_path(self, target: Sequence[str] | None) -> bool:
        """Return whether the translation `target` (without END) starts with these words."""
        return target is not None and (*target, END)[: len(self.words)] == self.words


def words_of(step: TraceStep, candidate: Candidate) -> Words:
    """Return the whole prefix that a candidate stands for."""
    return (*step.prefixes[candidate.parent], END if candidate.carried else candidate.token)


def tree(trace: SearchTrace, n_pruned: int) -> list[list[Node]]:
    """Return the nodes of each step, best score first: all that were kept or finished, and the
    `n_pruned` best others."""
    columns = []
    for step in trace.steps:
        candidates = step.candidates(len(step.kept) + n_pruned)
        kept = [candidate for candidate in candidates if candidate.fate != PRUNED]
        last = words_of(step, kept[-1]) if kept else None
        columns.append(
            [
                Node(words_of(step, c), c.parent, c, last if c.fate == PRUNED else None)
                for c in candidates
            ]
        )
    return columns


HELD = "held its place"
LOST = "lost its place"
NEVER = "never had a place"


@dataclass(frozen=True)
class Translation:
    """A complete translation that the search has scored: log_prob in nats, length in tokens, the
    end counted; standing: HELD, LOST or NEVER."""

    tokens: Words
    log_prob: float
    length: int
    standing: str

    def score(self, length_penalty: float) -> float:
        """Return log p / length^penalty: what the search ranks by."""
        return float(_scores([self], length_penalty))


def _scores(translations: Sequence[Translation], length_penalty: float) -> Tensor:
    """Return the score of each translation, by the search's own rule."""
    log_prob = torch.tensor([translation.log_prob for translation in translations])
    length = torch.tensor([translation.length for translation in translations])
    return normalised(log_prob, length, length_penalty)


def scored_translations(trace: SearchTrace) -> list[Translation]:
    """Return every complete translation in the trace, the pruned ones too: each prefix in the beam,
    ended at once."""
    answers = {hypothesis.tokens for hypothesis in trace.hypotheses}
    translations = {}
    for step in trace.steps:
        V, kept = step.score.shape[1], set(step.kept.tolist())
        rows = enumerate(zip(step.prefixes, step.was_finished, strict=True))
        for parent, (prefix, finished) in rows:
            log_prob = float(step.log_prob[parent, EOS])
            if not finished and math.isfinite(log_prob):
                had = parent * V + EOS in kept
                standing = HELD if prefix in answers else LOST if had else NEVER
                translations[prefix] = Translation(prefix, log_prob, len(prefix) + 1, standing)
    return list(translations.values())


def rerank(translations: Sequence[Translation], length_penalty: float) -> list[Translation]:
    """Return `translations`, best score under the penalty first; nothing is searched anew.

    So this shows what the penalty prefers among what was found. It cannot show what a search with
    this penalty would have found: prefixes that were pruned on the way are gone.
    """
    order = _scores(translations, length_penalty).argsort(descending=True, stable=True)
    return [translations[number] for number in order.tolist()]
