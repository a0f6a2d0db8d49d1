"""What a pruned model takes on disk: a zero that is stored costs as much as any other number, and a
file without zeros must say where the others stand."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

from safetensors.torch import save
from torch import Tensor

from seqkd_lab.compression.quantisation import quantised_weights
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack

Weights = Mapping[str, Tensor]
DENSE = "with zeros"
SPARSE = "without zeros"
DENSE_INT8 = "8 bits, with zeros"
SPARSE_INT8 = "8 bits, without zeros"
ZIPPED_INT8 = "8 bits, with zeros, compressed by zlib"


def _sparse_int8(weights: Weights) -> bytes:
    """Return matrices of whole numbers without their zeros; scales and vectors as they are."""
    int8 = quantised_weights(weights)
    matrices = {name: tensor for name, tensor in int8.items() if tensor.dim() == 2}
    return save(
        pack(matrices) | {name: part for name, part in int8.items() if name not in matrices}
    )


FORMS: Mapping[str, Callable[[Weights], bytes]] = {
    DENSE: lambda weights: save(dict(weights)),
    SPARSE: lambda weights: save(pack(weights)),
    DENSE_INT8: lambda weights: save(quantised_weights(weights)),
    SPARSE_INT8: _sparse_int8,
    ZIPPED_INT8: lambda weights: zlib.compress(save(quantised_weights(weights)), 6),
}
"""By name, how weights become the bytes of a safetensors file."""


def file_sizes(model: Seq2Seq, forms: Sequence[str] = tuple(FORMS)) -> dict[str, int]:
    """Return the bytes of the model's file in each of `forms`, names of FORMS."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    return {form: len(FORMS[form](weights)) for form in forms}
