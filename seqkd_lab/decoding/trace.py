"""The search made visible: every candidate of one sentence's beam search, its parent, its score and
its fate.

Views draw a SearchTrace and never search themselves. A trace is made by the very search that
translates: an observer looks on, so what is drawn is what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.search import Beam, Hypothesis, check_beam, hypotheses, search_batch
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

KEPT, FINISHED, PRUNED = "kept", "finished", "pruned"


@dataclass(frozen=True)
class Candidate:
    """One way to go on: place `parent` of the beam before, extended by `token` ("</s>" ends it).

    rank counts from 0 among the step's candidates. `fate` is kept (its hypothesis grows on),
    finished (it holds a place as a complete translation) or pruned; `pruned_by` is then the rank of
    the last one that was kept: K − 1. `carried` marks a hypothesis that was finished before and
    only keeps its place.
    """

    parent: int
    token: str
    log_prob: float
    score: float
    rank: int
    fate: str
    pruned_by: int | None
    carried: bool


@dataclass(frozen=True)
class TraceStep:
    """One step: prefixes in the beam before it (K of them), candidates' log_prob and score (K, V),
    kept places (K',).

    A place is parent · V + token, as in the search. Candidates at −inf (impossible ones) are never
    listed.
    """

    prefixes: tuple[tuple[str, ...], ...]
    was_finished: tuple[bool, ...]
    log_prob: Tensor
    score: Tensor
    kept: Tensor
    tokens: tuple[str, ...]

    def candidates(self, most: int | None = None) -> list[Candidate]:
        """Return the candidates, best score first: all that are possible, or the first `most` of
        them."""
        V, order = self.score.shape[1], self.score.flatten().argsort(descending=True, stable=True)
        n_possible = int(torch.isfinite(self.score).sum())
        kept = [
            int(index)
            for index in self.kept.tolist()
            if torch.isfinite(self.score.flatten()[index])
        ]
        ranked = kept + [index for index in order[:n_possible].tolist() if index not in set(kept)]
        return [
            self._candidate(index, rank, len(kept), V) for rank, index in enumerate(ranked[:most])
        ]

    def _candidate(self, index: int, rank: int, n_kept: int, V: int) -> Candidate:
        parent, token = divmod(index, V)
        carried = self.was_finished[parent]
        survived = FINISHED if carried or token == EOS else KEPT
        return Candidate(
            parent=parent,
            token=self.tokens[token],
            carried=carried,
            rank=rank,
            log_prob=float(self.log_prob[parent, token]),
            score=float(self.score[parent, token]),
            fate=survived if rank < n_kept else PRUNED,
            pruned_by=n_kept - 1 if rank >= n_kept else None,
        )


@dataclass(frozen=True)
class SearchTrace:
    """All steps of one sentence's search, and the translations that it gave, best first."""

    source: tuple[str, ...]
    beam_size: int
    length_penalty: float
    steps: tuple[TraceStep, ...]
    hypotheses: tuple[Hypothesis, ...]


def trace_search(
    model: Seq2Seq,
    source: Sequence[str],
    beam_size: int,
    length_penalty: float = 0.0,
    max_length: int | None = None,
) -> SearchTrace:
    """Beam search of one sentence that keeps every candidate. Memory: T·K·V numbers, twice.

    Raise ValueError for a beam_size or max_length below 1, and a length_penalty below 0 or not
    finite.
    """
    check_beam(beam_size, 1, length_penalty)
    steps: list[TraceStep] = []
    vocabulary = model.target_vocabulary

    def observe(beam: Beam, log_prob: Tensor, score: Tensor, kept: Tensor) -> None:
        prefixes = tuple(tuple(vocabulary.words(tokens)) for tokens in beam.tokens[0].tolist())
        finished = tuple(beam.finished[0].tolist())
        steps.append(
            TraceStep(prefixes, finished, log_prob[0], score[0], kept[0], vocabulary.tokens)
        )

    ids, lengths = source_batch([source], model.source_vocabulary, model.device)
    longest = longest_allowed(lengths, max_length)
    with evaluating(model):
        beam = search_batch(
            model, ids, lengths, longest, beam_size, beam_size, length_penalty, observer=observe
        )[0]
    translations = tuple(hypotheses(model, beam, beam_size, length_penalty))
    return SearchTrace(tuple(source), beam_size, length_penalty, tuple(steps), translations)
