"""Models that read rows of several sentences: those whose masks keep the sentences apart."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from seqkd_lab.corpus.packing import PackedBatch
from seqkd_lab.devices import widened
from seqkd_lab.models.seq2seq import Seq2Seq


class PackedReader(ABC):
    """A translation model that can read packed rows."""

    output: nn.Module

    @abstractmethod
    def packed_vectors(self, batch: PackedBatch) -> Tensor:
        """Return what `output` turns into the logits of packed rows: (R, T, D)."""

    def packed(self, batch: PackedBatch) -> Tensor:
        """Return the logits (R, T, V) of rows that hold several sentences, which do not see each
        other."""
        return widened(self.output(self.packed_vectors(batch)))


def packed_reader(model: Seq2Seq) -> PackedReader:
    """Return the model as one that reads packed rows. Raise ValueError where its architecture
    cannot keep the sentences of a row apart."""
    if not isinstance(model, PackedReader):
        raise ValueError(
            f"{type(model).__name__} reads a row from left to right, and what it remembers of one "
            "sentence would reach the next: only a model with masks, a Transformer, can read "
            "packed rows"
        )
    return model
