"""The paper's model: stacked LSTMs with Luong attention (Kim & Rush 2016, section 4; Luong et al. 2015).

Where it departs from the paper, and why:
- no input feeding by default: the decoder then reads a whole target in one call, about five times faster on a CPU;
  `input_feeding=True` brings it back;
- the encoder reads in both directions, each with half of the width: no parameters more, and attention finds its
  place sooner, so that a small student's result depends less on its seed;
- attention sums encoder state + source embedding: a word's identity reaches the decoder from the first update on;
- Adam instead of plain SGD (training.py), and widths of a toy's size.
As in the paper, nothing is tied, embeddings are as wide as the state, and the decoder starts from the encoder's end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq, check_source, check_tokens


@dataclass(frozen=True)
class LSTMSpec:
    """The size of an LSTM translation model: `width` D (even), `layers` L, `dropout` in [0, 1)."""

    width: int = 128
    layers: int = 1
    dropout: float = 0.0
    input_feeding: bool = False

    def __post_init__(self) -> None:
        if self.width < 2 or self.width % 2:
            raise ValueError(f"width must be an even number from 2 on (two encoder directions); got {self.width}")
        if self.layers < 1:
            raise ValueError(f"layers must be at least 1; got {self.layers}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1); got {self.dropout}")


@dataclass(frozen=True)
class LSTMState(DecoderState):
    """keys, values (B, S, D) and padding (B, S) of the sources; h, c (L, N, D) and attended (N, D) of the prefixes.

    attention (N, T, S) holds the weights of the latest step; past the (h, c, attended) of each remembered length.
    """

    keys: Tensor
    values: Tensor
    padding: Tensor
    h: Tensor
    c: Tensor
    attended: Tensor
    read: int = 0
    attention: Tensor | None = None
    past: tuple[tuple[int, Tensor, Tensor, Tensor], ...] | None = None

    @property
    def n_sentences(self) -> int:
        return self.keys.shape[0]

    @property
    def length(self) -> int:
        return self.read

    def select(self, rows: Tensor) -> LSTMState:
        """The state of the hypotheses that continue `rows` (B', K'); keys are copied only when sentences leave."""
        beam_size = self.h.shape[1] // self.n_sentences
        sentences = rows[:, 0] // beam_size
        flat = rows.reshape(-1)
        state = replace(self, h=self.h[:, flat], c=self.c[:, flat], attended=self.attended[flat], attention=None)
        if self.past is not None:
            past = tuple((n, h[:, flat], c[:, flat], attended[flat]) for n, h, c, attended in self.past)
            state = replace(state, past=past)
        if len(sentences) == self.n_sentences and torch.equal(sentences, torch.arange(self.n_sentences)):
            return state
        keys, values, padding = self.keys[sentences], self.values[sentences], self.padding[sentences]
        return replace(state, keys=keys, values=values, padding=padding)

    def remember(self) -> LSTMState:
        return replace(self, past=((self.read, self.h, self.c, self.attended),))

    def rollback(self, length: int) -> LSTMState:
        for n_past, (n, h, c, attended) in enumerate(self.past or (), start=1):
            if n == length:
                past = self.past[:n_past]
                return replace(self, h=h, c=c, attended=attended, read=n, attention=None, past=past)
        raise ValueError(f"length {length} was not remembered; call state.remember() before the steps to take back")


class LSTMSeq2Seq(Seq2Seq):
    """Bidirectional LSTM encoder, LSTM decoder, "general" attention (Luong et al. 2015, equations 5–8)."""

    def __init__(self, spec: LSTMSpec, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary) -> None:
        super().__init__()
        self.spec, self.source_vocabulary, self.target_vocabulary = spec, source_vocabulary, target_vocabulary
        D, L, between = spec.width, spec.layers, spec.dropout if spec.layers > 1 else 0.0
        self.source_embedding = nn.Embedding(len(source_vocabulary), D, padding_idx=PAD)
        self.target_embedding = nn.Embedding(len(target_vocabulary), D, padding_idx=PAD)
        self.encoder = nn.LSTM(D, D // 2, L, batch_first=True, dropout=between, bidirectional=True)
        self.decoder = nn.LSTM(2 * D if spec.input_feeding else D, D, L, batch_first=True, dropout=between)
        self.attend = nn.Linear(D, D, bias=False)
        self.combine = nn.Linear(2 * D, D, bias=False)
        self.output = nn.Linear(D, len(target_vocabulary))
        self.dropout = nn.Dropout(spec.dropout)

    def start(self, source: Tensor, source_lengths: Tensor) -> LSTMState:
        """Encodes (B, S). Padding is cut off before the LSTM reads it, so a sentence's encoding is its own."""
        check_source(source, source_lengths)
        B, S = source.shape
        embedded = self.dropout(self.source_embedding(source))  # (B, S, D)
        packed = pack_padded_sequence(embedded, source_lengths, batch_first=True, enforce_sorted=False)
        packed_states, (h, c) = self.encoder(packed)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=S)  # (B, S, D)
        padding = torch.arange(S) >= source_lengths[:, None]  # (B, S)
        h, c = self._join_directions(h), self._join_directions(c)  # (L, B, D)
        return LSTMState(self.attend(states), states + embedded, padding, h, c, attended=torch.zeros_like(h[0]))

    def _join_directions(self, ends: Tensor) -> Tensor:
        """(2L, B, D/2), layers outside and directions inside, to (L, B, D)."""
        L, B = self.spec.layers, ends.shape[1]
        return ends.view(L, 2, B, -1).transpose(1, 2).reshape(L, B, -1)

    def step(self, tokens: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Reads `tokens` (N, T) in one call, or one by one where each step needs the one before; logits (N, T, V)."""
        check_tokens(tokens, state.h.shape[1])
        embedded = self.dropout(self.target_embedding(tokens))  # (N, T, D)
        if not self.spec.input_feeding and state.past is None:
            attended, state = self._advance(embedded, state)
            return self.output(self.dropout(attended)), state
        vectors = []
        for t in range(tokens.shape[1]):  # input feeding needs the previous attended vector, remembering each state
            step_input = embedded[:, t : t + 1]
            if self.spec.input_feeding:
                step_input = torch.cat([step_input, state.attended[:, None]], dim=2)
            attended, state = self._advance(step_input, state)
            vectors.append(attended)
        return self.output(self.dropout(torch.cat(vectors, dim=1))), state

    def _advance(self, inputs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Reads `inputs` (N, T, D or 2D) by LSTM and attention; returns attended vectors (N, T, D) and the state."""
        (N, T), B = inputs.shape[:2], state.n_sentences
        outputs, (h, c) = self.decoder(inputs, (state.h.contiguous(), state.c.contiguous()))  # (N, T, D)
        query = outputs.reshape(B, -1, self.spec.width)  # (B, K·T, D): the rows of a sentence share its keys
        scores = query @ state.keys.transpose(1, 2)  # (B, K·T, S)
        weights = scores.masked_fill(state.padding[:, None], float("-inf")).softmax(dim=2)
        context = (weights @ state.values).view(N, T, -1)
        attended = torch.tanh(self.combine(torch.cat([context, outputs], dim=2)))
        length, last, past = state.read + T, attended[:, -1], state.past
        if past is not None:
            past = (*past, (length, h, c, last))
        state = replace(state, h=h, c=c, attended=last, read=length, attention=weights.view(N, T, -1), past=past)
        return attended, state
