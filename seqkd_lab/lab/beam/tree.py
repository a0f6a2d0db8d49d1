"""The tree of a search and the translations that it scored, read from its trace; nothing here searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

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
        """Whether the translation `target` (without END) starts with these words."""
        return target is not None and (*target, END)[: len(self.words)] == self.words


def words_of(step: TraceStep, candidate: Candidate) -> Words:
    """The whole beginning that a candidate stands for."""
    return (*step.prefixes[candidate.parent], END if candidate.carried else candidate.token)


def tree(trace: SearchTrace, n_pruned: int) -> list[list[Node]]:
    """The nodes of each step, best score first: all that were kept or finished, and the `n_pruned`
    best others."""
    columns = []
    for step in trace.steps:
        candidates = step.candidates(len(step.kept) + n_pruned)
        survivors = [candidate for candidate in candidates if candidate.fate != PRUNED]
        cut = words_of(step, survivors[-1]) if survivors else None
        columns.append(
            [
                Node(words_of(step, c), c.parent, c, cut if c.fate == PRUNED else None)
                for c in candidates
            ]
        )
    return columns


HELD, LOST, NEVER = "held its place", "lost its place", "never had a place"


@dataclass(frozen=True)
class Translation:
    """A complete translation that the search has scored: log_prob in nats, length in tokens, the
    end counted."""

    tokens: Words
    log_prob: float
    length: int
    place: str

    def score(self, length_penalty: float) -> float:
        """log p / length^penalty: what the search ranks by."""
        return float(
            normalised(torch.tensor(self.log_prob), torch.tensor(self.length), length_penalty)
        )


def scored_translations(trace: SearchTrace) -> list[Translation]:
    """Every complete translation in the trace, the pruned ones too: each beginning in the beam,
    ended at once."""
    answers, found = {hypothesis.tokens for hypothesis in trace.hypotheses}, {}
    for step in trace.steps:
        V, kept = step.score.shape[1], set(step.kept.tolist())
        for parent, (prefix, finished) in enumerate(
            zip(step.prefixes, step.was_finished, strict=True)
        ):
            log_prob = float(step.log_prob[parent, EOS])
            if finished or not math.isfinite(log_prob):
                continue
            held = HELD if prefix in answers else LOST if parent * V + EOS in kept else NEVER
            found[prefix] = Translation(prefix, log_prob, len(prefix) + 1, held)
    return list(found.values())


def rerank(translations: Sequence[Translation], length_penalty: float) -> list[Translation]:
    """`translations`, best score under the penalty first; no new search.

    So it shows what the penalty prefers among what was found. It cannot show what a search with
    this penalty would have found: beginnings that were pruned on the way are gone.
    """
    log_prob, length = (
        torch.tensor([getattr(t, name) for t in translations]) for name in ("log_prob", "length")
    )
    order = normalised(log_prob, length, length_penalty).argsort(descending=True, stable=True)
    return [translations[place] for place in order.tolist()]
