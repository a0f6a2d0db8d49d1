"""Numbers that are NaN or infinite, as a training that diverged leaves them: what raises the error,
and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

REMEDY = "train it again with a smaller learning rate"


class NotFiniteError(ValueError):
    """A search, a draw or a score whose probabilities are NaN or infinite."""


class DivergenceError(ArithmeticError):
    """A loss that is not a finite number: the training has failed, and its weights are worth
    nothing.

    pairs: the numbers, from 1 on, of the pairs in the batch that it happened at; none where it was
    no batch of the training text.
    """

    def __init__(self, message: str, pairs: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.pairs = tuple(pairs)


MOST_NAMED = 20
"""So many pairs of a batch are named; `DivergenceError.pairs` has all."""


def diverged(
    error: Exception, where: str, learning_rate: float, pairs: Iterable[int] = ()
) -> DivergenceError:
    """Return the error of a training, given what went wrong, where, and the numbers of the pairs
    of that batch."""
    pairs = sorted(pairs)
    message = (
        f"the training diverged {where}: {str(error).rstrip('.')}. The learning rate "
        f"(--learning-rate) was {learning_rate:g}"
    )
    if pairs:
        named = ", ".join(f"{pair:,}" for pair in pairs[:MOST_NAMED])
        more = f" and {len(pairs) - MOST_NAMED} more" if len(pairs) > MOST_NAMED else ""
        several = "s" * (len(pairs) > 1)
        message += f"; the batch held pair{several} {named}{more} of the training text, as cleaned"
    return DivergenceError(f"{message}. No model was saved", pairs)


def explained(error: NotFiniteError, models: Iterable[nn.Module]) -> NotFiniteError:
    """Return `error` with what is not finite in `models`, and what to do; as it is where it says so
    already."""
    if REMEDY in str(error):
        return error
    wrong = next(filter(None, map(wrong_weight, models)), None)
    cause = wrong or "its weights are finite, its logits are not"
    return NotFiniteError(f"{error}: {cause}, as after a training that diverged; {REMEDY}")


def wrong_weight(model: nn.Module) -> str | None:
    """Name the first parameter of `model` that is not finite, and how many of its numbers are not;
    None where all are."""
    for name, weight in model.named_parameters():
        n_wrong = weight.numel() - int(torch.isfinite(weight).sum())
        if n_wrong:
            return f"{n_wrong:,} of {weight.numel():,} weights of {name} are not finite"
    return None


def check_weights(model: nn.Module, what: str) -> None:
    """Raise NotFiniteError where a weight of `model` is NaN or infinite, before `what` is done with
    it."""
    wrong = wrong_weight(model)
    if wrong is not None:
        raise NotFiniteError(f"{what}: {wrong}, as after a training that diverged; {REMEDY}")


def check_trained(model: nn.Module) -> None:
    """Raise DivergenceError where a weight of `model` is NaN or infinite, though the losses, which
    need not have seen it, are not."""
    wrong = wrong_weight(model)
    if wrong is not None:
        raise DivergenceError(f"{wrong}: take a smaller learning rate")


def check_next_words(best_logits: Tensor) -> None:
    """Raise NotFiniteError unless the greatest logit of each next word, `best_logits` of any shape,
    is a finite number: NaN, +inf, and a place where every word is at −inf are seen in it."""
    finite = torch.isfinite(best_logits)
    if not finite.all():
        n_wrong = finite.numel() - int(finite.sum())
        raise NotFiniteError(
            f"no distribution of the next word at {n_wrong:,} of {finite.numel():,} places"
        )


def check_log_probs(log_probs: Tensor, what: str) -> None:
    """Raise NotFiniteError where a log-probability (N,) of `what` is NaN; −inf is one: of 0."""
    wrong = log_probs.isnan()
    if wrong.any():
        first = int(wrong.nonzero()[0, 0]) + 1
        raise NotFiniteError(f"{what} {first:,} has a log-probability that is no number (NaN)")


def check_loss(loss: Tensor, logits: Tensor, teacher_logits: Tensor | None = None) -> None:
    """Raise DivergenceError, with the reason, unless the scalar `loss` is finite."""
    if math.isfinite(loss.item()):
        return
    if teacher_logits is not None and not torch.isfinite(teacher_logits).all():
        cause = f"since the teacher's logits are not finite: {REMEDY}"
    elif not torch.isfinite(logits).all():
        cause = "since the model's logits are not finite: take a smaller learning rate"
    else:
        cause = "though all logits are finite: it divides by 0, or takes the logarithm of 0"
    raise DivergenceError(f"the loss is {loss.item()}, {cause}")


def check_gradient(norm: Tensor) -> None:
    """Raise DivergenceError unless the `norm` of a gradient, a scalar, is finite."""
    if not math.isfinite(norm.item()):
        raise DivergenceError(
            f"the loss is finite, and the norm of its gradient is {norm.item()}: take a smaller "
            "learning rate"
        )
