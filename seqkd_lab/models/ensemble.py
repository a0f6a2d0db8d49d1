"""An ensemble: several models whose probabilities are averaged at each word, as one model.

p(y_t | s, y_<t) = (1/M) Σ_m p_m(y_t | s, y_<t). A sentence's probability is the product of these
means, so that beam search, sampling and Word-KD use an ensemble of teachers as they use one
(Freitag et al. 2017, arXiv 1702.01802).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq, check_same_vocabularies


@dataclass(frozen=True)
class EnsembleState(DecoderState):
    """The state of each member after the same prefixes."""

    members: tuple[DecoderState, ...]

    @property
    def n_sentences(self) -> int:
        return self.members[0].n_sentences

    @property
    def length(self) -> int:
        return self.members[0].length

    def select(self, rows: Tensor) -> EnsembleState:
        return EnsembleState(tuple(state.select(rows) for state in self.members))

    def remember(self) -> EnsembleState:
        return EnsembleState(tuple(state.remember() for state in self.members))

    def rollback(self, length: int) -> EnsembleState:
        return EnsembleState(tuple(state.rollback(length) for state in self.members))


class _AsItIs(nn.Identity):
    """The output layer of an ensemble, whose members have applied theirs: V numbers in, the same V
    out."""

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.in_features = in_features


class Ensemble(Seq2Seq[EnsembleState]):
    """M models of any architectures over the same two vocabularies.

    Its logits are log p, so that softmax gives the averaged probabilities. It cannot be saved: its
    members can. Raise ValueError, with the members' `names`, without members or where their
    vocabularies differ.
    """

    def __init__(self, members: Sequence[Seq2Seq], names: Sequence[str] = ()) -> None:
        super().__init__()
        names = names or [f"member {number}" for number in range(1, len(members) + 1)]
        if not members:
            raise ValueError("an ensemble needs at least one model")
        for member, name in zip(members[1:], names[1:], strict=True):
            check_same_vocabularies(
                members[0], names[0], member, name, "an ensemble averages word by word"
            )
        self.members = nn.ModuleList(members)
        self.models = tuple(members)  # the same, with their type
        self.source_vocabulary = members[0].source_vocabulary
        self.target_vocabulary = members[0].target_vocabulary
        self.spec = tuple(member.spec for member in members)
        self.output = _AsItIs(len(self.target_vocabulary))

    def start(self, source: Tensor, source_lengths: Tensor) -> EnsembleState:
        """Encode `source` (B, S) by each member."""
        return EnsembleState(tuple(model.start(source, source_lengths) for model in self.models))

    def read(self, tokens: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState]:
        """Read `tokens` (N, T) by each member; returns log p (N, T, V) and the new state."""
        pairs = zip(self.models, state.members, strict=True)
        logits, states = zip(*(model.step(tokens, own) for model, own in pairs), strict=True)
        return mean_log_prob(logits), EnsembleState(states)

    def vectors(self, batch: Batch) -> Tensor:
        """Return log p (B, T, V) of each next target token after the batch's own prefix."""
        return mean_log_prob([model(batch) for model in self.models])


def mean_log_prob(logits: Sequence[Tensor]) -> Tensor:
    """Return log((1/M) Σ_m softmax(logits_m)) over the last dimension, for M tensors of one
    shape."""
    log_probs = torch.stack([scores.log_softmax(dim=-1) for scores in logits])  # (M, ..., V)
    return log_probs.logsumexp(dim=0) - math.log(len(log_probs))
