"""A teacher's logits along every target of a corpus, computed once: Word-KD needs them again in
each epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, batches
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.devices import CPU
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

MOST_BYTES = 160 * 2**20
"""A corpus whose vectors would take more is not remembered. All of the toy corpus takes 153 MiB,
and to remember them saves a third of the time of Word-KD."""
MOST_TIMES = 12
"""A teacher that is itself large may take so many times its own weights: training it took as much
memory, and to compute its logits anew in each epoch would take hours."""


class TeacherMemory:
    """The teacher's logits (B, T, V) for batches of `encoded`, as `teacher(batch)` gives them, up
    to rounding.

    Kept are the D numbers before the output layer, not the V logits: they are fewer, and good at
    any temperature, which the logits of the teacher's few best words would not be. They lie in the
    CPU's memory, of which there is more than of a GPU's; a batch's own go to the teacher's device.
    """

    def __init__(self, teacher: Seq2Seq, encoded: EncodedCorpus) -> None:
        self.teacher, self.encoded = teacher.eval(), encoded
        self.vectors = torch.zeros(encoded.n_target_tokens, width(teacher), device=CPU)
        with evaluating(teacher):
            for batch in batches(encoded, batch_size=128, shuffle_seed=None):
                real = batch.target_out != PAD
                vectors = teacher.vectors(batch.to(teacher.device)).to(self.vectors)
                self.vectors[encoded.target_places(batch)[real]] = vectors[real]

    @staticmethod
    def holds(teacher: Seq2Seq, encoded: EncodedCorpus) -> bool:
        """Return whether the vectors take MOST_BYTES at most, or MOST_TIMES the teacher's
        weights."""
        of_weights = sum(parameter.nbytes for parameter in teacher.parameters())
        n_numbers = encoded.n_target_tokens * width(teacher)
        n_bytes = n_numbers * torch.get_default_dtype().itemsize
        return n_bytes <= max(MOST_BYTES, MOST_TIMES * of_weights)

    def __call__(self, batch: Batch) -> Tensor:
        """Return logits (B, T, V); those of padding are another place's, and count for nothing in
        any loss."""
        places = self.encoded.target_places(batch).clamp(max=len(self.vectors) - 1)  # (B, T)
        with evaluating(self.teacher):
            return self.teacher.logits(self.vectors[places].to(batch.source.device))


def width(teacher: Seq2Seq) -> int:
    """Return D, the numbers that the teacher's output layer reads at each place."""
    in_features = teacher.output.in_features
    assert isinstance(in_features, int)
    return in_features
