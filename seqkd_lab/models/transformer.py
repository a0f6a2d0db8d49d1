"""A Transformer on the interface of every model (Vaswani et al. 2017), with the normalisation
before each part.

Where it departs from that paper, and why:
- pre-norm: x + part(norm(x)), which trains without a long warm-up (Xiong et al. 2020, arXiv
  2002.04745);
- positions are sinusoids, as there, so that no length is too long for it;
- nothing is tied unless it is asked for: source and target have vocabularies of their own, and
  `tied` shares the target's embeddings with the last layer only.
The decoder keeps the keys and values of what it has read, so that a step costs one token, or as
many as it is given; the rows of one sentence share its encoded source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.packing import PackedBatch
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.identity import omitted_when_default
from seqkd_lab.models.packed import PackedReader
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq, check_source, check_tokens
from seqkd_lab.models.transformer_parts import (
    Attention,
    KeysValues,
    TiedLinear,
    own_past,
    sinusoids,
)

REVISION = 1
"""Of what the model computes from the same weights. Raise it with every such change: it then
refuses older weights."""


@dataclass(frozen=True)
class TransformerSpec:
    """The size: `width` D, `layers` L in encoder and decoder each, `heads` H, `hidden` numbers
    between the two halves of a feed-forward part, `dropout` in [0, 1); `tied`: the last layer's
    weights are the target's embeddings.

    memory: how many of the last target words a decoder layer attends to, its own input among them
    (sliding-window attention; None: all). With one layer, the next word is chosen from the source,
    its place and the last `memory` words; each further layer sees `memory` − 1 words more.
    """

    width: int = 128
    layers: int = 2
    heads: int = 4
    hidden: int = 256
    dropout: float = 0.1
    tied: bool = False
    memory: int | None = omitted_when_default(None)

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width < 2 or self.width % 2 or self.width % self.heads:
            raise ValueError(
                f"width must be even and a multiple of heads; got {self.width} and {self.heads}"
            )
        if self.layers < 1 or self.hidden < 1:
            raise ValueError(
                f"layers and hidden must be at least 1; got {self.layers} and {self.hidden}"
            )
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1); got {self.dropout}")
        if self.memory is not None and self.memory < 1:
            raise ValueError(
                f"memory must be at least 1 target word, or None for all; got {self.memory}"
            )


def feed_forward(spec: TransformerSpec) -> nn.Sequential:
    """Return two layers with a rectifier between them (section 3.3)."""
    return nn.Sequential(
        nn.Linear(spec.width, spec.hidden), nn.ReLU(), nn.Linear(spec.hidden, spec.width)
    )


class EncoderLayer(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.attention, self.feed = Attention(spec.width, spec.heads), feed_forward(spec)
        self.norms = cast(
            "Sequence[nn.LayerNorm]", nn.ModuleList([nn.LayerNorm(spec.width) for _ in range(2)])
        )
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, S, D); mask (it extends to (B, H, S, S)) is True where a token may look."""
        normed = self.norms[0](x)
        x = x + self.dropout(self.attention(normed, self.attention.keys_values(normed), mask))
        return x + self.dropout(self.feed(self.norms[1](x)))


class DecoderLayer(nn.Module):
    """As the encoder's, with attention to the source between its two parts."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.own, self.source = (Attention(spec.width, spec.heads) for _ in range(2))
        self.feed = feed_forward(spec)
        self.norms = cast(
            "Sequence[nn.LayerNorm]", nn.ModuleList([nn.LayerNorm(spec.width) for _ in range(3)])
        )
        self.dropout = nn.Dropout(spec.dropout)

    def forward(
        self, x: Tensor, past: KeysValues, mask: Tensor | None, memory: KeysValues, real: Tensor
    ) -> tuple[Tensor, KeysValues]:
        """x (N, T, D) after the places in `past`; mask (T, all places), or one a row, or None for a
        single token; `memory` of the B sources and where it is `real`. Returns (N, T, D), and keys
        and values of all places."""
        normed = self.norms[0](x)
        new = self.own.keys_values(normed)
        seen = torch.cat([past[0], new[0]], dim=2), torch.cat([past[1], new[1]], dim=2)
        x = x + self.dropout(self.own(normed, seen, mask))
        shared = self.norms[1](x).view(
            len(real), -1, x.shape[2]
        )  # (B, K·T, D): a sentence's rows share its memory
        x = x + self.dropout(self.source(shared, memory, real)).view(x.shape)
        return x + self.dropout(self.feed(self.norms[2](x))), seen


@dataclass(frozen=True)
class TransformerState(DecoderState):
    """memory: keys and values of the B sources, a pair a layer; real (B, 1, 1, S) where they hold
    tokens. past: keys and values of the N prefixes' tokens, a pair a layer. All of it can be rolled
    back at any time."""

    memory: tuple[KeysValues, ...]
    real: Tensor
    past: tuple[KeysValues, ...]

    @property
    def n_sentences(self) -> int:
        return len(self.real)

    @property
    def length(self) -> int:
        return self.past[0][0].shape[2]

    def select(self, rows: Tensor) -> TransformerState:
        """Return the state of the hypotheses that continue `rows` (B', K'); memory is copied only
        when sentences leave."""
        beam_size, flat = len(self.past[0][0]) // self.n_sentences, rows.reshape(-1)
        past = tuple((keys[flat], values[flat]) for keys, values in self.past)
        memory, real, sentences = self.memory, self.real, rows[:, 0] // beam_size
        if sentences.tolist() != list(range(self.n_sentences)):
            memory = tuple((keys[sentences], values[sentences]) for keys, values in memory)
            real = real[sentences]
        return TransformerState(memory, real, past)

    def remember(self) -> TransformerState:
        return self

    def rollback(self, length: int) -> TransformerState:
        """Return the state as it was after `length` tokens. Raise ValueError beyond what was
        read."""
        if not 0 <= length <= self.length:
            raise ValueError(
                f"length {length} was not remembered: {self.length} tokens have been read"
            )
        return replace(
            self,
            past=tuple((keys[:, :, :length], values[:, :, :length]) for keys, values in self.past),
        )


class TransformerSeq2Seq(Seq2Seq[TransformerState], PackedReader):
    """Encoder and decoder of `spec.layers` layers each, normalised at their ends."""

    def __init__(
        self, spec: TransformerSpec, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary
    ) -> None:
        super().__init__()
        self.spec = spec
        self.source_vocabulary = source_vocabulary
        self.target_vocabulary = target_vocabulary
        self.source_embedding = nn.Embedding(len(source_vocabulary), spec.width, padding_idx=PAD)
        self.target_embedding = nn.Embedding(len(target_vocabulary), spec.width, padding_idx=PAD)
        # torch does not say what a ModuleList holds
        encoder = nn.ModuleList(EncoderLayer(spec) for _ in range(spec.layers))
        decoder = nn.ModuleList(DecoderLayer(spec) for _ in range(spec.layers))
        self.encoder = cast("Sequence[EncoderLayer]", encoder)
        self.decoder = cast("Sequence[DecoderLayer]", decoder)
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(spec.width), nn.LayerNorm(spec.width)
        tied = spec.tied
        self.output = (
            TiedLinear(self.target_embedding)
            if tied
            else nn.Linear(spec.width, len(target_vocabulary))
        )
        self.target_scale = spec.width**0.5 if tied else 1.0
        self.dropout = nn.Dropout(spec.dropout)

    def start(self, source: Tensor, source_lengths: Tensor) -> TransformerState:
        """Encode (B, S); what stands behind a sentence's end is not looked at."""
        check_source(source, source_lengths)
        B, S = source.shape
        places = torch.arange(S, device=source.device)
        real = (places < source_lengths[:, None]).view(B, 1, 1, S)
        x = self._placed(self.source_embedding(source), first=0)
        for layer in self.encoder:
            x = layer(x, real)
        encoded = self.encoder_norm(x)
        memory = tuple(layer.source.keys_values(encoded) for layer in self.decoder)
        nothing = memory[0][0][:, :, :0]  # of a prefix without tokens
        return TransformerState(memory, real, tuple((nothing, nothing) for _ in self.decoder))

    def _placed(self, words: Tensor, first: int) -> Tensor:
        """Return the words' vectors (N, T, D) and their places, the first of which is `first`,
        added up."""
        N, T, D = words.shape
        return self.dropout(words + sinusoids(first, T, D, words.device))

    def read(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Read `tokens` (N, T) in one pass, each looking at what came before it: (N, T, D)."""
        check_tokens(tokens, len(state.past[0][0]))
        first, T = state.length, tokens.shape[1]
        positions = torch.arange(first + T, device=tokens.device)
        sees_all = T == 1 and (self.spec.memory is None or first < self.spec.memory)
        mask = (
            None if sees_all else own_past(positions[first:, None], positions, self.spec.memory)
        )  # (T, first + T)
        x, past = self._placed(self.target_scale * self.target_embedding(tokens), first), []
        for layer, before, memory in zip(self.decoder, state.past, state.memory, strict=True):
            x, seen = layer(x, before, mask, memory, state.real)
            past.append(seen)
        return self.decoder_norm(x), replace(state, past=tuple(past))

    def attention(self, batch: Batch) -> Tensor:
        """Return the weights (B, T, S) of the last decoder layer's attention to the source, the
        mean of its heads."""
        looks: list[Tensor] = []
        last = self.decoder[-1].source

        def look(_: nn.Module, inputs: tuple[Tensor, KeysValues, Tensor]) -> None:
            x, (keys, _values), real = inputs
            looks.append(last.weights(x, keys, real).mean(dim=1))

        hook = last.register_forward_pre_hook(look)
        try:
            self.read(batch.target_in, self.start(batch.source, batch.source_lengths))
        finally:
            hook.remove()
        return looks[0]

    def packed_vectors(self, batch: PackedBatch) -> Tensor:
        """Return (R, T, D): positions restart with each sentence of a row, the masks are blocks."""
        x = self._placed_at(self.source_embedding(batch.source), batch.source_place)
        for layer in self.encoder:
            x = layer(x, batch.source_mask)
        encoded = self.encoder_norm(x)
        y = self._placed_at(
            self.target_scale * self.target_embedding(batch.target_in), batch.target_place
        )
        position = batch.target_place[:, None]  # (R, 1, T)
        own = batch.target_mask & own_past(
            position[..., None], position[:, :, None], self.spec.memory
        )  # (R, 1, T, T)
        cross = batch.cross_mask
        for decoding in self.decoder:
            memory = decoding.source.keys_values(encoded)
            nothing = memory[0][:, :, :0]  # before the first token of a row
            y, _ = decoding(y, (nothing, nothing), own, memory, cross)
        return self.decoder_norm(y)

    def _placed_at(self, words: Tensor, position: Tensor) -> Tensor:
        """As `_placed`, at given places (N, T) of which each sentence begins at 0."""
        waves = sinusoids(0, int(position.max()) + 1, self.spec.width, words.device)
        return self.dropout(words + waves[position])
