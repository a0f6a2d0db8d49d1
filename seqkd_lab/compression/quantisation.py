"""8-bit weights: each row of a matrix becomes whole numbers from −127 to 127 and one scale.

w ≈ scale · q, scale = max |w| of the row / 127 (symmetric, by row, without a calibration set:
weights only). 0 stays 0 exactly, so a pruned model stays pruned. Vectors (biases) are few and stay
as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from seqkd_lab.finite import check_weights
from seqkd_lab.models.seq2seq import Seq2Seq

LARGEST = 127


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return whole numbers q (R, C), int8, and scales (R,) with weight (R, C) ≈ scale · q; a row of
    zeros has the scale 1."""
    largest = weight.abs().amax(dim=1)
    smallest = torch.finfo(weight.dtype).tiny  # below it a scale loses its digits, and at last is 0
    scale = torch.where(
        largest > 0, (largest / LARGEST).clamp_min(smallest), torch.ones_like(largest)
    )
    return (weight / scale[:, None]).round().to(torch.int8), scale


def dequantise(q: Tensor, scale: Tensor) -> Tensor:
    """Return scale · q (R, C), in 32 bits."""
    return q.to(torch.float32) * scale[:, None]


def quantised_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return named weights as they would be stored: for a matrix `name` (int8) and `name/scale`;
    vectors as they are."""
    stored: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if weight.dim() == 2:
            stored[name], stored[f"{name}/scale"] = quantise(weight)
        else:
            stored[name] = weight
    return stored


@torch.no_grad()
def quantised(model: Seq2Seq) -> Seq2Seq:
    """Return a copy of `model` whose matrices are what 8 bits leave of them: it shows what
    quantisation costs in quality. Raise NotFiniteError where a weight is not finite."""
    check_weights(model, "this model cannot be quantised")
    rounded = copy.deepcopy(model)
    for parameter in rounded.parameters():
        if parameter.dim() == 2:
            parameter.copy_(dequantise(*quantise(parameter)))
    return rounded
