"""How long and how fast to learn, one step of it, which epoch to keep, and what an epoch leaves
behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from seqkd_lab.devices import computing
from seqkd_lab.finite import check_gradient, check_loss
from seqkd_lab.identity import omitted_when_default

MOST = 1_000_000
"""Epochs, and sentences of a batch: more would be a slip of the keyboard."""
BY_LOSS, BY_BLEU = "loss", "bleu"
"""What the best epoch may be chosen by, on validation text."""
Example = TypeVar("Example")
Loss = Callable[[Tensor, Example, "Tensor | None"], Tensor]
"""(logits, batch, teacher's logits) -> a scalar in nats: every Objective is one, of a Batch."""


@dataclass(frozen=True)
class Optimisation:
    """How long and how fast to learn. batch_size counts sentences; patience (epochs without a
    better validation score; None: never) stops early and keeps the best epoch. best_by: the score
    that says which epoch is the best, BY_LOSS or BY_BLEU, which is then kept with patience and
    without; "": the last epoch, with patience BY_LOSS. micro_batches: the parts of a batch, whose
    gradients are added up before the update; one process may work through all of them, or several
    share them, with the same curve."""

    epochs: int = 8
    learning_rate: float = 0.01
    batch_size: int = 64
    warmup: float = 0.1
    clip_norm: float = 1.0
    patience: int | None = None
    best_by: str = omitted_when_default("")
    micro_batches: int = omitted_when_default(1)

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= MOST or not 1 <= self.batch_size <= MOST:
            raise ValueError(
                f"epochs and batch_size must lie in 1..{MOST:,}; got {self.epochs} and "
                f"{self.batch_size}"
            )
        if not 1 <= self.micro_batches <= self.batch_size:
            raise ValueError(
                f"a batch of {self.batch_size} sentences (--batch-size) cannot be divided into "
                f"{self.micro_batches} micro-batches (--accumulate times the number of processes)"
            )
        if self.patience is not None and self.patience < 1:
            raise ValueError(
                f"patience must be at least 1 epoch, or None for never; got {self.patience}"
            )
        if not 0.0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive and finite; got {self.learning_rate}")
        if not self.clip_norm > 0.0 or not 0.0 <= self.warmup < 1.0:
            raise ValueError(
                f"need clip_norm > 0 and 0 ≤ warmup < 1; got {self.clip_norm} and {self.warmup}"
            )
        if self.best_by not in ("", BY_LOSS, BY_BLEU):
            raise ValueError(f"best_by must be {BY_LOSS}, {BY_BLEU} or empty; got {self.best_by!r}")

    @property
    def keeps_best(self) -> bool:
        """Return whether the best epoch is kept, not the last."""
        return self.patience is not None or bool(self.best_by)


@dataclass
class Progress:
    """What a callback sees after each update: epoch counts from 1, update from 1 to n_updates, loss
    in nats a token.

    valid_loss is set on the last update of an epoch. A callback that returns True ends the training
    there.
    """

    epoch: int
    update: int
    n_updates: int
    loss: float
    learning_rate: float
    valid_loss: float | None = None


@dataclass
class History:
    """One entry for each finished epoch: mean training loss, validation NLL (both nats a token),
    learning rate, and the target tokens that it learned from (EOS counts; on-policy they are the
    student's own). valid_bleu: BLEU of greedy translations of validation text (0–100), where it was
    measured."""

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    n_tokens: list[int] = field(default_factory=list)
    valid_bleu: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, list]:
        """Return the lists by name, without BLEU where none was measured."""
        return {
            name: values for name, values in asdict(self).items() if values or name != "valid_bleu"
        }

    def best_epoch(self, by: str) -> int:
        """Return the number of the epoch (from 1 on) with the best validation score BY_LOSS or
        BY_BLEU, the first of equals; 0 before the first."""
        scores = self.valid_bleu if by == BY_BLEU else [-loss for loss in self.valid_loss]
        return scores.index(max(scores)) + 1 if scores else 0

    def kept_epoch(self, optimisation: Optimisation) -> int:
        """Return the number of the epoch whose weights a whole training by `optimisation` ends
        with."""
        return (
            self.best_epoch(optimisation.best_by)
            if optimisation.keeps_best
            else len(self.valid_loss)
        )


def one_cycle(progress: float, warmup: float) -> float:
    """Return the share of the peak learning rate at `progress` in [0, 1]: a linear rise, then half
    a cosine down to 0."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (progress - warmup) / (1.0 - warmup)))


def set_rate(optimiser: torch.optim.Optimizer, optimisation: Optimisation, done: float) -> None:
    """Set the learning rate for the update after the share `done` (0 to 1) of a training."""
    rate = optimisation.learning_rate * one_cycle(done, optimisation.warmup)
    for group in optimiser.param_groups:
        group["lr"] = rate


def training_step(
    model: torch.nn.Module,
    batch: Example,
    objective: Loss[Example],
    optimiser: torch.optim.Optimizer,
    clip_norm: float,
    teacher_logits: Tensor | None = None,
) -> float:
    """Update the parameters of `model` once, from one batch.

    Returns the batch's loss before the update, in nats a token. A gradient
    whose norm is larger than `clip_norm` is scaled down to it (Pascanu et al.
    2013). teacher_logits (B, T, V): for objectives that need a teacher.
    Raise DivergenceError, before any change, where the loss or the gradient is not finite.
    """
    optimiser.zero_grad()
    with computing([model]):
        logits = model(batch)  # forward: scores (B, T, V) of every next token
    loss = objective(logits, batch, teacher_logits)
    check_loss(loss, logits, teacher_logits)
    loss.backward()  # backward: the gradient of the loss, by parameter
    check_gradient(torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm))
    optimiser.step()  # update: move the parameters against the gradient
    return loss.item()


def add_gradient(
    model: torch.nn.Module,
    batch: Example,
    objective: Loss[Example],
    teacher_logits: Tensor | None,
    weight: float,
) -> float:
    """Add `weight` times the gradient of a micro-batch's loss to the parameters' gradients; return
    the loss times the weight.

    With the micro-batch's share of the batch's tokens as the weight, the sum over the micro-batches
    is the gradient of the whole batch. Raise DivergenceError where the loss is not finite.
    """
    with computing([model]):
        logits = model(batch)
    loss = objective(logits, batch, teacher_logits)
    check_loss(loss, logits, teacher_logits)
    (weight * loss).backward()
    return weight * loss.item()


def apply_gradient(
    model: torch.nn.Module, optimiser: torch.optim.Optimizer, clip_norm: float
) -> None:
    """Update the parameters of `model` by the gradients that were added up, clipped as in
    `training_step`. Raise DivergenceError, before any change, where they are not finite."""
    check_gradient(torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm))
    optimiser.step()
