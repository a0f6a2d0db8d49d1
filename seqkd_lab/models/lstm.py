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

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.devices import in_32_bits, widened
from seqkd_lab.models.dropout import Dropout
from seqkd_lab.models.lstm_step import GateTable, Layers, StepWeights, lstm_step
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
    """keys, values (B, S, D) and padding (B, 1, S) of the sources; h, c (L times N, D) and attended
    (N, D) of the prefixes.

    padding is 0 on real tokens and −inf behind them; weights are what each step multiplies by.
    attention (N, T, S) holds the weights of the latest step; past the (length, h, c, attended) of
    each remembered length.
    """

    keys: Tensor
    values: Tensor
    padding: Tensor
    h: Layers
    c: Layers
    attended: Tensor
    weights: StepWeights
    read: int = 0
    attention: Tensor | None = None
    past: tuple[tuple[int, Layers, Layers, Tensor], ...] | None = None

    @property
    def n_sentences(self) -> int:
        return self.keys.shape[0]

    @property
    def length(self) -> int:
        return self.read

    def select(self, rows: Tensor) -> LSTMState:
        """Return the state of the hypotheses that continue `rows` (B', K'); keys are copied only
        when sentences leave."""
        beam_size, flat = len(self.attended) // self.n_sentences, rows.reshape(-1)
        sentences = rows[:, 0] // beam_size

        def kept(h: Layers, c: Layers, attended: Tensor) -> tuple[Layers, Layers, Tensor]:
            h, c = (tuple(vectors.index_select(0, flat) for vectors in of) for of in (h, c))
            return h, c, attended.index_select(0, flat)

        past = (
            None
            if self.past is None
            else tuple((length, *kept(h, c, attended)) for length, h, c, attended in self.past)
        )
        h, c, attended = kept(self.h, self.c, self.attended)
        keys, values, padding = self.keys, self.values, self.padding
        if self.n_sentences > 1 and sentences.tolist() != list(range(self.n_sentences)):
            keys, values, padding = keys[sentences], values[sentences], padding[sentences]
        return LSTMState(keys, values, padding, h, c, attended, self.weights, self.read, None, past)

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
        states, (h, c) = self._encoded(embedded, source_lengths)  # (B, S, D)
        behind = torch.arange(S, device=source.device) >= source_lengths[:, None]  # (B, S)
        padding = states.new_zeros(B, 1, S).masked_fill(behind[:, None], float("-inf"))
        keys = self.attend(states) / self.spec.width**0.5
        values = F.linear(states + embedded, self._combine_context)
        layers_h, layers_c = self._join_directions(h), self._join_directions(c)
        attended = torch.zeros_like(layers_h[0])
        weights = StepWeights.of(self.decoder, self._combine_output)
        return LSTMState(keys, values, padding, layers_h, layers_c, attended, weights)

    def _encoded(
        self, embedded: Tensor, source_lengths: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the encoder's states (B, S, D), and its ends (2L, B, D/2), h and c."""
        B, S, _ = embedded.shape
        with in_32_bits(embedded):
            if B == 1 and int(source_lengths) == S:  # alone: there is no padding to cut off
                return self.encoder(embedded)
            # torch wants the lengths on the CPU, whatever computes
            packed = pack_padded_sequence(
                embedded, source_lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            states, ends = self.encoder(packed)
        return pad_packed_sequence(states, batch_first=True, total_length=S)[0], ends

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

    def _join_directions(self, ends: Tensor) -> Layers:
        """(2L, B, D/2), layers outside and directions inside, to (B, D) for each layer."""
        L, B = self.spec.layers, ends.shape[1]
        return ends.view(L, 2, B, -1).transpose(1, 2).reshape(L, B, -1).unbind()

    def read(self, tokens: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Read `tokens` (N, T) in one call, or one by one where each step needs the one before:
        (N, T, D)."""
        check_tokens(tokens, len(state.attended))
        T = tokens.shape[1]
        if T > 1 and not self.spec.input_feeding and state.past is None:
            embedded = self.dropout(self.target_embedding(tokens))  # (N, T, D)
            with in_32_bits(tokens):
                before = torch.stack(state.h), torch.stack(state.c)  # (L, N, D)
                outputs, (h, c) = self.decoder(embedded, before)
            attended, weights = self._attend(outputs, state)
            state = replace(
                state,
                h=h.unbind(),
                c=c.unbind(),
                attended=attended[:, -1],
                read=state.read + T,
                attention=weights,
            )
            return self.dropout(attended), state
        vectors: list[Tensor] = []
        gates = self._input_gates(tokens)  # (N, T, 4D)
        for t in range(T):  # input feeding needs the previous vector; remembering, each state
            state = self._advance(gates[:, t], state)
            vectors.append(state.attended[:, None])
        return self.dropout(vectors[0] if T == 1 else torch.cat(vectors, dim=1)), state

    def _advance(self, gates: Tensor, state: LSTMState) -> LSTMState:
        """Return the state one token later, given what the token adds to the first layer's gates
        (N, 4D)."""
        with in_32_bits(gates):
            if self.spec.input_feeding:
                from_input, _, _ = state.weights.layers[0]
                gates = gates + F.linear(state.attended, from_input[:, self.spec.width :])
            h, c = lstm_step(state.weights, gates, state.h, state.c, self.dropout)
        attended, attention = self._attend(h[-1][:, None], state)
        length, attended = state.read + 1, attended[:, 0]
        past = None if state.past is None else (*state.past, (length, h, c, attended))
        sources = state.keys, state.values, state.padding
        return LSTMState(*sources, h, c, attended, state.weights, length, attention, past)

    def _attend(self, outputs: Tensor, state: LSTMState) -> tuple[Tensor, Tensor]:
        """tanh(W [context; output]) (N, T, D) for decoder outputs (N, T, D), and the attention (N,
        T, S)."""
        query = outputs.reshape(
            state.n_sentences, -1, self.spec.width
        )  # (B, K·T, D): a sentence's rows share its keys
        scores = torch.baddbmm(state.padding, query, state.keys.transpose(1, 2))  # (B, K·T, S)
        weights = widened(scores).softmax(dim=2)
        combined = torch.baddbmm(F.linear(query, state.weights.output), weights, state.values)
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
        if self.training or torch.is_grad_enabled():
            _, weight, *biases = self._gate_weights
            embedded = self.dropout(self.target_embedding(tokens))
            with in_32_bits(tokens):
                return F.linear(embedded, weight[:, : self.spec.width], biases[0] + biases[1])
        table = self._gate_table
        if table is None or not table.is_current:
            with in_32_bits(tokens):
                table = self._gate_table = GateTable.of(*self._gate_weights)
        return table.gates[tokens]

    @property
    def _gate_weights(self) -> tuple[Tensor, ...]:
        """The embeddings (V, D), and the input weights (4D, D or 2D) and biases (4D) of the
        decoder's first layer."""
        weight, _, *biases = self.decoder.all_weights[0]
        return self.target_embedding.weight, weight, *biases
