"""The paper's model: stacked LSTMs with Luong attention (Kim & Rush 2016, section 4; Luong et al.
2015).

Where it departs from the paper, and why:
- no input feeding by default: the decoder then reads a whole target in one call, about five times
  faster on a CPU; `input_feeding=True` brings it back;
- the encoder reads in both directions, each with half of the width: no parameters more, and
  attention finds its place sooner, so that a small student's result depends less on its seed;
- attention sums encoder state + source embedding: a word's identity reaches the decoder from the
  first update on;
- attention scores are divided by √D (Vaswani et al. 2017, section 3.2.1): unscaled, the softmax of
  a wide teacher could saturate on one source word in the first updates and never leave it again;
- Adam instead of plain SGD (training.py), and widths of a toy's size.
As in the paper, nothing is tied, embeddings are as wide as the state, and the decoder starts from
the encoder's end. In every precision the recurrence itself has 32 bits, since what it rounds comes
back at each word; attention and the output layer have those of the precision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.devices import in_32_bits, widened
from seqkd_lab.models.dropout import Dropout
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq, check_source, check_tokens

REVISION = 2
"""Of what the model computes from the same weights. Raise it with every such change: it then
refuses older weights."""


@dataclass(frozen=True)
class LSTMSpec:
    """The size of an LSTM translation model: `width` D (even), `layers` L, `dropout` in [0, 1)."""

    width: int = 128
    layers: int = 1
    dropout: float = 0.0
    input_feeding: bool = False

    def __post_init__(self) -> None:
        if self.width < 2 or self.width % 2:
            raise ValueError(
                f"width must be an even number from 2 on (two encoder directions); got {self.width}"
            )
        if self.layers < 1:
            raise ValueError(f"layers must be at least 1; got {self.layers}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1); got {self.dropout}")


@dataclass(frozen=True)
class LSTMState(DecoderState):
    """keys, values (B, S, D) and padding (B, 1, S) of the sources; h, c (L, N, D) and attended (N,
    D) of the prefixes.

    padding is 0 on real tokens and −inf behind them. attention (N, T, S) holds the weights of the
    latest step; past the (length, h, c, attended) of each remembered length.
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
        """Return the state of the hypotheses that continue `rows` (B', K'); keys are copied only
        when sentences leave."""
        beam_size, flat = self.h.shape[1] // self.n_sentences, rows.reshape(-1)
        sentences = rows[:, 0] // beam_size

        def kept(h: Tensor, c: Tensor, attended: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return h.index_select(1, flat), c.index_select(1, flat), attended.index_select(0, flat)

        h, c, attended = kept(self.h, self.c, self.attended)
        past = (
            None
            if self.past is None
            else tuple((length, *kept(*vectors)) for length, *vectors in self.past)
        )
        keys, values, padding = self.keys, self.values, self.padding
        if self.n_sentences > 1 and sentences.tolist() != list(range(self.n_sentences)):
            keys, values, padding = keys[sentences], values[sentences], padding[sentences]
        return LSTMState(keys, values, padding, h, c, attended, self.read, None, past)

    def remember(self) -> LSTMState:
        return replace(self, past=((self.read, self.h, self.c, self.attended),))

    def rollback(self, length: int) -> LSTMState:
        """Return the state as it was after `length` tokens. Raise ValueError unless remembered."""
        remembered = self.past or ()
        for n_past, (n, h, c, attended) in enumerate(remembered, start=1):
            if n == length:
                past = remembered[:n_past]
                return replace(self, h=h, c=c, attended=attended, read=n, attention=None, past=past)
        raise ValueError(
            f"length {length} was not remembered; call state.remember() before the steps to take "
            "back"
        )


class GateTable(NamedTuple):
    """What each of V words adds to the four gates of the decoder's first layer, `gates` (V, 4D),
    and what it was made of: a copy of the `weights`, and where and how often changed they were."""

    weights: tuple[Tensor, ...]
    versions: tuple[tuple[int, int], ...]
    gates: Tensor

    @classmethod
    def of(cls, words: Tensor, weight: Tensor, *biases: Tensor) -> GateTable:
        """Compute the table from the embeddings (V, D), the input weights (4D,
        D or more) and the two biases (4D)."""
        weights = (words, weight, *biases)
        gates = F.linear(words, weight[:, : words.shape[1]], biases[0] + biases[1])
        return cls(tuple(w.clone() for w in weights), versions(*weights), gates)

    def is_of(self, *weights: Tensor) -> bool:
        """Tell whether `weights` hold the numbers that the table was made of. Their versions do not
        tell: a fused optimiser and changes through `.data` leave them as they are."""
        same_place = self.gates.device == weights[0].device
        return same_place and all(map(torch.equal, self.weights, weights))


def versions(*weights: Tensor) -> tuple[tuple[int, int], ...]:
    """Return where each tensor lies and how many changes torch has counted."""
    return tuple((weight.data_ptr(), weight._version) for weight in weights)


class LSTMSeq2Seq(Seq2Seq[LSTMState]):
    """Bidirectional LSTM encoder, LSTM decoder, "general" attention (Luong et al. 2015, equations
    5–8)."""

    def __init__(
        self, spec: LSTMSpec, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary
    ) -> None:
        super().__init__()
        self.spec, self.source_vocabulary, self.target_vocabulary = (
            spec,
            source_vocabulary,
            target_vocabulary,
        )
        D, L, between = spec.width, spec.layers, spec.dropout if spec.layers > 1 else 0.0
        self.source_embedding = nn.Embedding(len(source_vocabulary), D, padding_idx=PAD)
        self.target_embedding = nn.Embedding(len(target_vocabulary), D, padding_idx=PAD)
        self.encoder = nn.LSTM(D, D // 2, L, batch_first=True, dropout=between, bidirectional=True)
        self.decoder = nn.LSTM(
            2 * D if spec.input_feeding else D, D, L, batch_first=True, dropout=between
        )
        self.attend = nn.Linear(D, D, bias=False)
        self.combine = nn.Linear(2 * D, D, bias=False)
        self.output = nn.Linear(D, len(target_vocabulary))
        self.dropout = Dropout(spec.dropout)
        self._gate_table: GateTable | None = None

    def start(self, source: Tensor, source_lengths: Tensor) -> LSTMState:
        """Encode (B, S). Padding is cut off before the LSTM reads it, so a sentence's encoding is
        its own."""
        check_source(source, source_lengths)
        table = self._gate_table
        if table is not None and (torch.is_grad_enabled() or not table.is_of(*self._gate_weights)):
            self._gate_table = None
        B, S = source.shape
        embedded = self.dropout(self.source_embedding(source))  # (B, S, D)
        # torch wants the lengths on the CPU, whatever computes
        packed = pack_padded_sequence(
            embedded, source_lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        with in_32_bits(source):
            packed_states, (h, c) = self.encoder(packed)
        states, _ = pad_packed_sequence(
            packed_states, batch_first=True, total_length=S
        )  # (B, S, D)
        behind = torch.arange(S, device=source.device) >= source_lengths[:, None]  # (B, S)
        padding = states.new_zeros(B, 1, S).masked_fill(behind[:, None], float("-inf"))
        keys = self.attend(states) / self.spec.width**0.5
        values = F.linear(states + embedded, self._combine_context)
        h, c = self._join_directions(h), self._join_directions(c)  # (L, B, D)
        return LSTMState(keys, values, padding, h, c, attended=torch.zeros_like(h[0]))

    @property
    def _combine_context(self) -> Tensor:
        """W of W·context in `combine`'s W·[context; output] (D, D). It is applied to the memory,
        once a source word, rather than to the context, once a target word: the context is a mean,
        and W of a mean is the mean of W."""
        return self.combine.weight[:, : self.spec.width]

    @property
    def _combine_output(self) -> Tensor:
        """W of W·output in `combine`'s W·[context; output] (D, D)."""
        return self.combine.weight[:, self.spec.width :]

    def _join_directions(self, ends: Tensor) -> Tensor:
        """(2L, B, D/2), layers outside and directions inside, to (L, B, D)."""
        L, B = self.spec.layers, ends.shape[1]
        return ends.view(L, 2, B, -1).transpose(1, 2).reshape(L, B, -1)

    def read(self, tokens: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Read `tokens` (N, T) in one call, or one by one where each step needs the one before:
        (N, T, D)."""
        check_tokens(tokens, state.h.shape[1])
        T = tokens.shape[1]
        if T > 1 and not self.spec.input_feeding and state.past is None:
            embedded = self.dropout(self.target_embedding(tokens))  # (N, T, D)
            with in_32_bits(tokens):
                outputs, (h, c) = self.decoder(embedded, (state.h, state.c))
            attended, weights = self._attend(outputs, state)
            state = replace(
                state, h=h, c=c, attended=attended[:, -1], read=state.read + T, attention=weights
            )
            return self.dropout(attended), state
        vectors: list[Tensor] = []
        with in_32_bits(tokens):
            gates = self._input_gates(tokens)  # (N, T, 4D)
        for t in range(
            T
        ):  # input feeding needs the previous attended vector, remembering each state
            state = self._advance(gates[:, t], state)
            vectors.append(state.attended)
        return self.dropout(torch.stack(vectors, dim=1)), state

    def _advance(self, gates: Tensor, state: LSTMState) -> LSTMState:
        """Return the state one token later, given what the token adds to the first layer's gates
        (N, 4D)."""
        with in_32_bits(gates):
            if self.spec.input_feeding:
                input_weight = self.decoder.all_weights[0][0]
                gates = gates + F.linear(state.attended, input_weight[:, self.spec.width :])
            h, c = lstm_step(self.decoder, gates, state.h, state.c, self.dropout)  # (L, N, D)
        attended, weights = self._attend(h[-1][:, None], state)
        length, attended = state.read + 1, attended[:, 0]
        past = None if state.past is None else (*state.past, (length, h, c, attended))
        return LSTMState(
            state.keys, state.values, state.padding, h, c, attended, length, weights, past
        )

    def _attend(self, outputs: Tensor, state: LSTMState) -> tuple[Tensor, Tensor]:
        """tanh(W [context; output]) (N, T, D) for decoder outputs (N, T, D), and the attention (N,
        T, S)."""
        query = outputs.reshape(
            state.n_sentences, -1, self.spec.width
        )  # (B, K·T, D): a sentence's rows share its keys
        scores = torch.baddbmm(state.padding, query, state.keys.transpose(1, 2))  # (B, K·T, S)
        weights = widened(scores).softmax(dim=2)
        combined = torch.baddbmm(F.linear(query, self._combine_output), weights, state.values)
        N, T, D = outputs.shape
        return torch.tanh(widened(combined)).view(N, T, D), weights.view(N, T, -1)

    def attention(self, batch: Batch) -> Tensor:
        """Return the attention (B, T, S) of each step; word by word, so that input feeding is
        possible."""
        state = self.start(batch.source, batch.source_lengths)
        weights: list[Tensor] = []
        for t in range(batch.target_in.shape[1]):
            _, state = self.read(batch.target_in[:, t : t + 1], state)
            assert state.attention is not None  # a state that has read a word has it
            weights.append(state.attention)
        return torch.cat(weights, dim=1)

    def _input_gates(self, tokens: Tensor) -> Tensor:
        """Return what `tokens` (N, T) add to the four gates of the first layer, biases included:
        (N, T, 4D).

        Without gradients it is looked up in a table of all words, which is made again when the
        weights have changed: `start` compares their numbers.
        """
        words, weight, *biases = self._gate_weights
        if self.training or torch.is_grad_enabled():
            embedded = self.dropout(self.target_embedding(tokens))
            return F.linear(embedded, weight[:, : self.spec.width], biases[0] + biases[1])
        table = self._gate_table
        if table is None or table.versions != versions(words, weight, *biases):
            table = self._gate_table = GateTable.of(words, weight, *biases)
        return F.embedding(tokens, table.gates)

    @property
    def _gate_weights(self) -> tuple[Tensor, ...]:
        """The embeddings (V, D), and the input weights (4D, D or 2D) and biases (4D) of the
        decoder's first layer."""
        weight, _, *biases = self.decoder.all_weights[0]
        return self.target_embedding.weight, weight, *biases


def lstm_step(
    lstm: nn.LSTM, gates: Tensor, h: Tensor, c: Tensor, dropout: Dropout
) -> tuple[Tensor, Tensor]:
    """Return one step of a stacked LSTM (Hochreiter & Schmidhuber 1997, with a forget gate): h, c
    (L, N, D), old to new.

    gates (N, 4D) is what the input adds to the first layer's gates, biases included; torch's order:
    i, f, g, o.
    """
    new_h: list[Tensor] = []
    new_c: list[Tensor] = []
    for layer, (input_weight, weight, *biases) in enumerate(lstm.all_weights):
        if layer > 0:
            gates = F.linear(dropout(new_h[-1]), input_weight, biases[0] + biases[1])
        gates = torch.addmm(gates, h[layer], weight.t())
        (i, f, _, o), g = gates.sigmoid().chunk(4, dim=1), gates.chunk(4, dim=1)[2].tanh()
        new_c.append(f * c[layer] + i * g)
        new_h.append(o * new_c[-1].tanh())
    return torch.stack(new_h), torch.stack(new_c)
