"""One step of the LSTM's decoder, which a search takes for each word: what does not change between
two steps is made ready once."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqkd_lab.models.dropout import Dropout

Layers = tuple[Tensor, ...]
"""A vector (N, D) of each prefix, for each of L layers: a step need not stack them."""


class StepWeights(NamedTuple):
    """What a step multiplies by, unpacked once a source: a module looks up each name whenever it
    is asked. Of each of the `layers` the input weights (4D, D or 2D), the recurrent ones (D, 4D),
    and the sum of the biases (4D); and the half of `combine` for the decoder's `output` (D, D)."""

    layers: tuple[tuple[Tensor, Tensor, Tensor], ...]
    output: Tensor

    @classmethod
    def of(cls, lstm: nn.LSTM, output: Tensor) -> StepWeights:
        """Unpack the weights of a stacked LSTM."""
        layers = ((w, before.t(), b + c) for w, before, b, c in lstm.all_weights)
        return cls(tuple(layers), output)


class GateTable(NamedTuple):
    """What each of V words adds to the four gates of the decoder's first layer, `gates` (V, 4D),
    and what it was made of: the `parameters`, a copy of their numbers (`weights`), and where and
    how often changed they were."""

    weights: tuple[Tensor, ...]
    versions: tuple[tuple[int, int], ...]
    gates: Tensor
    parameters: tuple[Tensor, ...]

    @property
    def is_current(self) -> bool:
        """Tell, at little cost, whether the parameters lie where they lay, and torch has counted
        no change of them."""
        return self.versions == versions(*self.parameters)

    @classmethod
    def of(cls, words: Tensor, weight: Tensor, *biases: Tensor) -> GateTable:
        """Compute the table from the embeddings (V, D), the input weights (4D,
        D or more) and the two biases (4D)."""
        weights = (words, weight, *biases)
        gates = F.linear(words, weight[:, : words.shape[1]], biases[0] + biases[1])
        return cls(tuple(w.clone() for w in weights), versions(*weights), gates, weights)

    def is_of(self, *weights: Tensor) -> bool:
        """Tell whether `weights` hold the numbers that the table was made of. Their versions do not
        tell: a fused optimiser and changes through `.data` leave them as they are."""
        same_place = self.gates.device == weights[0].device
        return same_place and all(map(torch.equal, self.weights, weights))


def versions(*weights: Tensor) -> tuple[tuple[int, int], ...]:
    """Return where each tensor lies and how many changes torch has counted."""
    return tuple((weight.data_ptr(), weight._version) for weight in weights)


def lstm_step(
    weights: StepWeights, gates: Tensor, h: Layers, c: Layers, dropout: Dropout
) -> tuple[Layers, Layers]:
    """Return one step of a stacked LSTM (Hochreiter & Schmidhuber 1997, with a forget gate): h and
    c, old to new.

    gates (N, 4D) is what the input adds to the first layer's gates, biases included; torch's order:
    i, f, g, o.
    """
    D = h[0].shape[1]
    new_h: list[Tensor] = []
    new_c: list[Tensor] = []
    for layer, (from_input, from_before, biases) in enumerate(weights.layers):
        if layer > 0:
            gates = F.linear(dropout(new_h[-1]), from_input, biases)
        gates = torch.addmm(gates, h[layer], from_before)
        (i, f, _, o), g = gates.sigmoid().chunk(4, dim=1), gates[:, 2 * D : 3 * D].tanh()
        new_c.append(f * c[layer] + i * g)
        new_h.append(o * new_c[-1].tanh())
    return tuple(new_h), tuple(new_c)
