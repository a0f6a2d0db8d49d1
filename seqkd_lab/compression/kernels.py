"""Torch's sparse and int8 products in the output layer: what the machine does with zeros and with 8
bits.

The output layer is the largest product of every decoding step, and a model calls it as it is,
whatever its architecture. Both copies translate as the model does; whether they are faster is to be
measured (`seqkd-lab table2`).
"""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn

from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer_parts import TiedLinear


class SparseLinear(nn.Module):
    """A layer x Wᵀ + b with W (V, D) in compressed sparse rows: as W times a matrix of columns, the
    form that torch does fast.

    Indices take 4 bytes, where torch's own default takes 8.
    """

    def __init__(self, linear: nn.Linear | TiedLinear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
            wide = linear.weight.detach().to_sparse_csr()
            indices = wide.crow_indices().to(torch.int32), wide.col_indices().to(torch.int32)
            self.weight = torch.sparse_csr_tensor(
                *indices, wide.values(), wide.shape, check_invariants=True
            )
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Project x (N, T, D) to (N, T, V)."""
        flat = x.reshape(-1, self.in_features)
        return (self.weight @ flat.t()).t().reshape(*x.shape[:-1], self.out_features) + self.bias

    @property
    def n_bytes(self) -> int:
        """The bytes of values, columns and row starts in memory."""
        parts = self.weight.values(), self.weight.col_indices(), self.weight.crow_indices()
        return sum(part.nbytes for part in parts)


def with_sparse_output(model: Seq2Seq) -> Seq2Seq:
    """Return a copy of `model` whose output layer is multiplied by torch's sparse kernel."""
    changed = copy.deepcopy(model).eval()
    assert isinstance(changed.output, nn.Linear | TiedLinear)
    changed.output = SparseLinear(changed.output)
    return changed


def with_int8_output(model: Seq2Seq) -> Seq2Seq:
    """Return a copy of `model` whose output layer is torch's own dynamic int8: inputs are rounded
    at every call, too.

    Raise ValueError for tied embeddings: the layer's weights are then the words', which stay as
    they are.
    """
    if not isinstance(model.output, nn.Linear):
        raise ValueError(
            "the output layer shares its weights with the target's embeddings (tied): it cannot "
            "be int8"
        )
    changed = copy.deepcopy(model).eval()
    with (
        warnings.catch_warnings()
    ):  # torch.ao calls itself deprecated; its successor torchao is slower on a CPU
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="torch")
        changed.output = torch.ao.quantization.quantize_dynamic(
            nn.Sequential(changed.output), {nn.Linear}, dtype=torch.qint8
        )[0]
    return changed
