"""The architectures by name: from the size that a recipe or a file names to the model that has
it."""

from __future__ import annotations

from typing import NamedTuple

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models import lstm, transformer
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec

Spec = LSTMSpec | TransformerSpec
"""The size of a model; its type says which architecture."""


class Architecture(NamedTuple):
    """A kind of model: its size's type, its own type, and the revision of what it computes."""

    spec: type
    model: type[Seq2Seq]
    revision: int


FIRST = "lstm"
"""The architecture whose revision every key of the store states: it was the only one when those
keys were chosen."""
ARCHITECTURES = {
    "lstm": Architecture(LSTMSpec, LSTMSeq2Seq, lstm.REVISION),
    "transformer": Architecture(TransformerSpec, TransformerSeq2Seq, transformer.REVISION),
}


def name_of(spec: Spec) -> str:
    """Return the architecture that `spec` is a size of."""
    return next(
        name for name, architecture in ARCHITECTURES.items() if architecture.spec is type(spec)
    )


def stated_revision(thing: object) -> dict[str, int]:
    """Return {"revision": n} where `thing` is the size of an architecture that came after FIRST,
    else nothing: what an identity states beside the size."""
    for name, architecture in ARCHITECTURES.items():
        if architecture.spec is type(thing) and name != FIRST:
            return {"revision": architecture.revision}
    return {}


def build(spec: Spec, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary) -> Seq2Seq:
    """A model of this size with random weights, drawn from torch's global generator."""
    return ARCHITECTURES[name_of(spec)].model(spec, source_vocabulary, target_vocabulary)
