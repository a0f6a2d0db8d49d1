"""What a Transformer is built of, whatever its size: positions, attention and a tied last layer
(Vaswani et al. 2017)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqkd_lab.devices import CPU, widened

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of some places, each (N, H, T, D/H)."""


def sinusoids(first: int, length: int, width: int, device: torch.device | str = CPU) -> Tensor:
    """(length, D) for the places first, first + 1, …: sine and cosine of waves from 2π to 20,000π
    (section 3.5)."""
    positions = torch.arange(first, first + length, device=device)[:, None]
    pairs = torch.arange(0, width, 2, device=device)
    waves = torch.exp(pairs * (-math.log(10_000.0) / width))
    angles = positions * waves  # (length, D/2)
    return torch.stack([angles.sin(), angles.cos()], dim=2).view(length, width)


def own_past(query: Tensor, key: Tensor, memory: int | None) -> Tensor:
    """Say where a word may look: True where the place `key` is not after the place `query`, and at
    most `memory` words back, its own among them. Both are places in a sentence, of shapes that
    broadcast, (…, T, 1) and (…, 1, S)."""
    past = key <= query
    return past if memory is None else past & (key > query - memory)


class Attention(nn.Module):
    """Multi-head attention (section 3.2): softmax(QKᵀ / √(D/H)) V, H times side by side."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        """(N, T, D) to (N, H, T, D/H)."""
        N, T, D = x.shape
        return x.view(N, T, self.heads, D // self.heads).transpose(1, 2)

    def keys_values(self, x: Tensor) -> KeysValues:
        """Of what can be looked at, x (N, S, D)."""
        keys, values = self.key_value(x).chunk(2, dim=2)
        return self._split(keys), self._split(values)

    def forward(self, x: Tensor, seen: KeysValues, mask: Tensor | None) -> Tensor:
        """x (N, T, D) looks at `seen`, where `mask` (it extends to (N, H, T, S)) is True. Returns
        (N, T, D)."""
        looked = F.scaled_dot_product_attention(self._split(self.query(x)), *seen, attn_mask=mask)
        return self.out(looked.transpose(1, 2).reshape(x.shape))

    def weights(self, x: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Return how much x (N, T, D) looks at each of the keys (N, H, S, D/H): (N, H, T, S), whose
        rows have the sum 1."""
        query = self._split(self.query(x))
        scores = widened(query @ keys.transpose(2, 3)) / query.shape[3] ** 0.5
        return scores.masked_fill(~mask, float("-inf")).softmax(dim=3)


class TiedLinear(nn.Module):
    """The last layer with an embedding's weights (Press & Wolf 2017): logits are products with the
    words' own vectors.

    They begin as small as a layer's, N(0, 1/D), and are multiplied by √D where words are read
    (Vaswani et al. 2017, section 3.4). The embedding stays their only owner, so that a file of
    weights holds them once.
    """

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self._owner = (embedding,)  # in a tuple, where torch does not see a second owner
        self.bias = nn.Parameter(torch.zeros(embedding.num_embeddings))
        self.in_features, self.out_features = embedding.embedding_dim, embedding.num_embeddings
        nn.init.normal_(embedding.weight, std=self.in_features**-0.5)

    @property
    def weight(self) -> Tensor:
        return self._owner[0].weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)
