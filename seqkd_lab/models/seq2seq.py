"""The one interface of every translation model: decoders and objectives use it and nothing else.

A hypothesis grows one token at a time, so a decoder asks a model for three things: a state that
holds the encoded source (`start`), the next logits (`step`), and the right to keep only some
hypotheses (`select`) or to take tokens back (`rollback`). What the state is made of (recurrent
vectors, cached keys) is the architecture's own business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.devices import FP32, check_precision, computing, device_of, widened
from seqkd_lab.finite import NotFiniteError, explained


class DecoderState(ABC):
    """What a model remembers about B sources and the N = B·K target prefixes that it has read.

    The rows of one sentence stand together: rows b·K .. b·K + K − 1 belong to sentence b.
    """

    @property
    @abstractmethod
    def n_sentences(self) -> int:
        """B, the number of sources."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Return the number of target tokens read so far, the begin symbol among them."""

    @abstractmethod
    def select(self, rows: Tensor) -> DecoderState:
        """Return the state of the hypotheses that continue `rows` (B', K'): for each sentence that
        stays, the K' rows that its new hypotheses grow from. All rows of one line belong to one
        sentence; a row may stand there repeatedly."""

    @abstractmethod
    def remember(self) -> DecoderState:
        """A state that can be rolled back to the present length, or to any later one (memory grows
        with length)."""

    @abstractmethod
    def rollback(self, length: int) -> DecoderState:
        """Return the state as it was after `length` tokens. Raise ValueError when that was not
        remembered."""


State = TypeVar("State", bound=DecoderState)
Model = TypeVar("Model", bound="Seq2Seq[Any]")


class Seq2Seq(nn.Module, ABC, Generic[State]):
    """A translation model p(target | source) over two vocabularies; its states are of one kind."""

    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    spec: Any
    """Its size (architectures.Spec)."""
    output: nn.Module
    """The last, linear layer: D numbers at each place of the target to the logits of V words."""
    precision: str = FP32
    """One of devices.PRECISIONS: in which it computes; its weights have 32 bits in each."""

    @property
    def device(self) -> torch.device:
        """Where its weights lie, and so where its batches, states and random numbers must."""
        return device_of(self)

    def place(self: Model, device: torch.device, precision: str = FP32) -> Model:
        """Move the weights to `device`, compute in `precision` from now on, and return the model.
        Raise ValueError for a precision that the device has not."""
        check_precision(precision, device)
        self.precision = precision
        return self.to(device)

    def forward(self, batch: Batch) -> Tensor:
        """Logit (B, T, V) of each next target token after the gold prefix (teacher forcing)."""
        return self.logits(self.vectors(batch))

    def logits(self, vectors: Tensor) -> Tensor:
        """Return the logits (…, V), in 32 bits at least, of `vectors` (…, D)."""
        return widened(self.output(vectors))

    def vectors(self, batch: Batch) -> Tensor:
        """Return what `output` turns into those logits: (B, T, D)."""
        vectors, _ = self.read(batch.target_in, self.start(batch.source, batch.source_lengths))
        return vectors

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read `tokens` (N, T), T ≥ 1, after the prefixes in `state`; returns logits (N, T, V) and
        the new state."""
        vectors, state = self.read(tokens, state)
        return self.logits(vectors), state

    def attention(self, batch: Batch) -> Tensor:
        """Return the weights (B, T, S) with which the model looks at the source as it chooses each
        target word: rows of sum 1, and 0 on padding. Raise NotImplementedError where the
        architecture has none."""
        raise NotImplementedError(f"{type(self).__name__} has no attention to show")

    @abstractmethod
    def start(self, source: Tensor, source_lengths: Tensor) -> State:
        """Encode `source` (B, S), whose real tokens are the first `source_lengths` (B,) of each
        line."""

    @abstractmethod
    def read(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read `tokens` (N, T), T ≥ 1, after the prefixes in `state`; returns what `output` wants
        of each place, (N, T, D), and the new state."""

    def n_parameters(self) -> int:
        """Return the number of trainable numbers."""
        return sum(parameter.numel() for parameter in self.parameters())


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Put `models` into evaluation mode (dropout off), without gradients and in their precision,
    for the body of a `with` statement; restore the mode of each afterwards, even after an error. To
    a NotFiniteError is added what is not finite in `models`. No update may lie in the body."""
    modes = [model.training for model in models]
    for model in models:
        model.eval()
    try:
        with torch.no_grad(), computing(models):
            yield
    except NotFiniteError as error:
        raise explained(error, models) from error
    finally:
        for model, was_training in zip(models, modes, strict=True):
            model.train(was_training)


def evaluated(model: Seq2Seq, batch: Batch) -> Tensor:
    """Return the logits (B, T, V) of a model that only judges `batch`, as a teacher does."""
    with evaluating(model):
        return model(batch)


def check_same_vocabularies(
    first: Seq2Seq, first_name: str, other: Seq2Seq, other_name: str, reason: str
) -> None:
    """Raise ValueError, naming both models and the `reason` for asking, unless a word's number
    means the same to both."""
    for side in ("source_vocabulary", "target_vocabulary"):
        ours, theirs = getattr(first, side).tokens, getattr(other, side).tokens
        if ours != theirs:
            kind = side.replace("_", " ")
            raise ValueError(
                f"{first_name} and {other_name} have different {kind[:6]} vocabularies "
                f"({len(ours):,} and {len(theirs):,} words): {reason}; "
                "train both on the same pairs"
            )


def check_source(source: Tensor, source_lengths: Tensor) -> None:
    """Raise ValueError unless `source` is (B, S), B ≥ 1, and `source_lengths` (B,) within 1..S."""
    if source.dim() != 2 or not len(source) or source_lengths.shape != source.shape[:1]:
        shapes = f"{tuple(source.shape)} and {tuple(source_lengths.shape)}"
        raise ValueError(f"source must be (B, S), B ≥ 1, and source_lengths (B,); got {shapes}")
    shortest, longest = torch.aminmax(source_lengths)
    if shortest < 1 or longest > source.shape[1]:
        raise ValueError(
            f"source_lengths must lie in 1..{source.shape[1]}; got {int(shortest)}..{int(longest)}"
        )


def check_tokens(tokens: Tensor, n_prefixes: int) -> None:
    """Raise ValueError unless `tokens` is (N, T) with N = `n_prefixes` and T ≥ 1."""
    if tokens.dim() != 2 or len(tokens) != n_prefixes or not tokens.shape[1]:
        raise ValueError(
            f"tokens must be (N, T) with N = {n_prefixes} prefixes and T ≥ 1; got "
            f"{tuple(tokens.shape)}"
        )
