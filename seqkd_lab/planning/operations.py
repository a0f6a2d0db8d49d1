"""How many operations a model needs for a token, by the plain count of its equations.

Operations are floating-point multiplications and additions, two for each weight that a matrix
product uses. A look-up costs 0, and work that a program is clever enough not to do counts for it.
Training is 3 times a forward pass: the gradients with respect to weights and to inputs cost one
more each. D is the width, L the layers, V the target words, S and T the mean lengths of source and
target, K the hypotheses of a beam.

    LSTM, a source token       2·(6·L·D² + D²)    two directions of half the width, and a key
    LSTM, a target token       2·(8·L·D² + 2·S·D + 2·D² + D·V)
    a search, a target token   (source token)·S/T + K·(target token)
"""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.transformer import TransformerSpec

TRAINING_PASSES = 3
"""Forward passes that an update costs: itself, and a gradient each for weights and for inputs."""


@dataclass(frozen=True)
class Shape:
    """What the counts depend on: width D, layers L, vocabulary sizes, mean source and target length
    (EOS included).

    inner is the feed-forward width of the Transformer; the LSTM has none.
    """

    width: int
    layers: int
    n_source_words: int
    n_target_words: int
    source_length: float
    target_length: float
    inner: int = 0

    @classmethod
    def of(cls, spec: Spec, n_words: tuple[int, int], mean_lengths: tuple[float, float]) -> Shape:
        """Return the shape of a model of this size: words and mean lengths of source and target."""
        inner = spec.hidden if isinstance(spec, TransformerSpec) else 0
        return cls(spec.width, spec.layers, *n_words, *mean_lengths, inner)


def lstm_layers(inputs: int, hidden: int, layers: int, directions: int = 1) -> int:
    """Return the weights that a stacked LSTM multiplies with for one token: four gates of input and
    of state, each direction."""
    first = 4 * hidden * (inputs + hidden)
    others = (layers - 1) * 4 * hidden * (directions * hidden + hidden)
    return directions * (first + others)


def lstm_encoder(shape: Shape) -> float:
    """Return the operations for one source token: two directions of half the width, and its
    attention key."""
    D = shape.width
    return 2.0 * (lstm_layers(D, D // 2, shape.layers, directions=2) + D * D)


def lstm_decoder(shape: Shape) -> float:
    """Return the operations for one target token of one hypothesis: gates, scores and context,
    combination, output layer."""
    D, S, V = shape.width, shape.source_length, shape.n_target_words
    return 2.0 * (lstm_layers(D, D, shape.layers) + 2 * S * D + 2 * D * D + D * V)


def transformer_encoder(shape: Shape) -> float:
    """Return the operations for one source token: self-attention and feed-forward; and its
    cross-attention keys and values."""
    D, S = shape.width, shape.source_length
    own = 4 * D * D + 2 * S * D + 2 * D * shape.inner
    return 2.0 * shape.layers * (own + 2 * D * D)


def transformer_decoder(shape: Shape) -> float:
    """Return the operations for one target token of one hypothesis, with a cache: half of the
    prefix is there in the mean."""
    D, S, T, V = shape.width, shape.source_length, shape.target_length, shape.n_target_words
    layer = 4 * D * D + T * D + 2 * D * D + 2 * S * D + 2 * D * shape.inner
    return 2.0 * (shape.layers * layer + D * V)


def parts(shape: Shape) -> tuple[float, float]:
    """Return the operations for one source token and for one target token; inner tells the
    architectures apart."""
    if shape.inner:
        return transformer_encoder(shape), transformer_decoder(shape)
    return lstm_encoder(shape), lstm_decoder(shape)


def forward_operations(shape: Shape, beam_size: int = 1) -> float:
    """Return the operations for one target token: its share of the encoder, and `beam_size`
    hypotheses of the decoder."""
    encoder, decoder = parts(shape)
    return encoder * shape.source_length / shape.target_length + beam_size * decoder


def training_operations(shape: Shape) -> float:
    """Return the operations for one target token of an update: 3 forward passes."""
    return TRAINING_PASSES * forward_operations(shape)
