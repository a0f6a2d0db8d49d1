"""Weights with many zeros on disk: only what is not 0, with its place (compressed sparse rows).

A tensor is read as a matrix, its first dimension the rows. Three parts say all of it: the values
that are not 0, row by row; the column of each; and where each row's values begin. Columns take two
bytes as long as that is enough.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

PARTS = ("values", "columns", "begins", "shape")
"""What a tensor `name` is stored as: `name:values` and so on. Names of parameters hold no colon."""


def sparse_rows(weight: Tensor) -> dict[str, Tensor]:
    """Return the PARTS of a tensor of any shape and type; `begins` (rows + 1) ends with the number
    of values."""
    matrix = weight.flatten(1) if weight.dim() > 1 else weight.reshape(-1, 1)
    rows, columns = matrix.nonzero(as_tuple=True)  # in order of rows, then columns
    counts = torch.bincount(rows, minlength=len(matrix))
    begins = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    narrow = torch.int16 if matrix.shape[1] <= 2**15 else torch.int32
    return {
        "values": matrix[rows, columns],
        "columns": columns.to(narrow),
        "begins": begins.to(torch.int32),
        "shape": torch.tensor(weight.shape, dtype=torch.int32, device=weight.device),
    }


def dense(parts: Mapping[str, Tensor]) -> Tensor:
    """Return the tensor that `sparse_rows` took apart, number by number the same. Raise ValueError
    for parts that do not fit."""
    values, columns, begins, shape = (parts[name] for name in PARTS)
    if any(part.dim() != 1 for part in (values, columns, begins, shape)) or (shape < 0).any():
        raise ValueError(
            f"parts are lists, and no shape is negative; got the shape {shape.tolist()}"
        )
    matrix = values.new_zeros(tuple(shape.tolist()))
    flat = matrix.flatten(1) if matrix.dim() > 1 else matrix.view(-1, 1)  # shares its memory
    counts = begins.diff()
    if (
        len(counts) != len(flat)
        or (counts < 0).any()
        or not int(counts.sum()) == len(values) == len(columns)
    ):
        raise ValueError(
            f"{len(values)} values, {len(columns)} columns and {len(counts)} rows for {len(flat)} "
            "rows"
        )
    rows = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    if len(columns) and not 0 <= int(columns.min()) <= int(columns.max()) < flat.shape[1]:
        raise ValueError(f"columns must lie in 0..{flat.shape[1] - 1}")
    flat[rows, columns.long()] = values
    return matrix


def pack(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Named weights as named parts, to be written as one safetensors file."""
    return {
        f"{name}:{part}": tensor
        for name, weight in weights.items()
        for part, tensor in sparse_rows(weight).items()
    }


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that `pack` took apart; tensors stored whole stay as they are.

    Raise KeyError or ValueError for parts that are missing or do not fit."""
    names = dict.fromkeys(name.rpartition(":")[0] or name for name in tensors)
    return {
        name: tensors[name]
        if name in tensors
        else dense({part: tensors[f"{name}:{part}"] for part in PARTS})
        for name in names
    }
