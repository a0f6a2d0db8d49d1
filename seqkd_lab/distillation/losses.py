"""The objectives at word level: NLL and Word-KD (Kim & Rush 2016, equations 1–4).

Every objective is a sum over real target tokens divided by their number, so that the curves of
gold, Word-KD and Seq-KD training compare. Sequence-level distillation has no loss of its own: it is
NLL on another corpus (seq_kd.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD


class Objective(Protocol):
    """Maps (student logits (B, T, V), batch, teacher logits (B, T, V) if it asks for them) to a
    scalar loss in nats."""

    needs_teacher: bool

    def __call__(self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None) -> Tensor: ...


def mean_over_tokens(per_token: Tensor, target: Tensor) -> Tensor:
    """Σ over real tokens of `per_token` (B, T), divided by their number; padding counts for
    nothing."""
    real = target != PAD
    return per_token.masked_fill(~real, 0.0).sum() / real.sum()


def check_shapes(logits: Tensor, target: Tensor) -> None:
    """Raises ValueError unless `logits` is (B, T, V) and `target` (B, T): a shorter target would go
    unnoticed."""
    if logits.dim() != 3 or target.shape != logits.shape[:2]:
        shapes = f"{tuple(logits.shape)} and {tuple(target.shape)}"
        raise ValueError(f"logits must be (B, T, V) and target (B, T); got {shapes}")


def check_teacher(logits: Tensor, teacher_logits: Tensor | None) -> None:
    """Raises ValueError unless `teacher_logits` has the shape (B, T, V) of `logits`."""
    got = None if teacher_logits is None else tuple(teacher_logits.shape)
    if got != tuple(logits.shape):
        raise ValueError(
            f"this objective needs teacher logits of shape {tuple(logits.shape)}; got {got}"
        )


def nll(logits: Tensor, target: Tensor) -> Tensor:
    """Negative log-likelihood, −Σ_j log p(y_j | s, y_<j) / number of tokens: logits (B, T, V),
    target (B, T), nats.

    Raises ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    log_p = logits.log_softmax(dim=2)
    return mean_over_tokens(-log_p.gather(2, target[:, :, None]).squeeze(2), target)


def cross_entropy(logits: Tensor, distribution: Tensor, target: Tensor) -> Tensor:
    """−Σ_j Σ_k q_j(k) log p_j(k) / number of tokens, in nats: logits and `distribution` q are (B,
    T, V).

    `target` (B, T) says which tokens are real. Raises ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    return mean_over_tokens(-(distribution * logits.log_softmax(dim=2)).sum(dim=2), target)


def mixed_target(teacher_logits: Tensor, target: Tensor, alpha: float) -> Tensor:
    """α · q + (1 − α) · one-hot(target), (B, T, V): what a student interpolates between (Kim & Rush
    2016, 3.1)."""
    rest = torch.full((*target.shape, 1), 1.0 - alpha, dtype=teacher_logits.dtype)
    return (alpha * teacher_logits.detach().softmax(dim=2)).scatter_add_(
        2, target[:, :, None], rest
    )


def word_kd(
    logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float = 1.0
) -> Tensor:
    """Word-level distillation, −Σ_j Σ_k q(k | s, y_<j) log p(k | s, y_<j) / number of tokens, in
    nats.

    Both distributions are softened by `temperature` τ: p ∝ exp(logit/τ). The sum is multiplied by
    τ², which keeps the gradient's size in the limit of a high temperature (Hinton et al. 2015,
    sections 2 and 2.1): only where τ is far above the logits; below that the gradient grows with τ,
    see `pull`. τ = 1 is the paper's objective; τ is an extension. The least value is not 0 but the
    teacher's entropy (times τ²). Teacher logits get no gradient. Raises ValueError when the shapes
    do not fit.
    """
    check_shapes(logits, target)
    check_teacher(logits, teacher_logits)
    q = (teacher_logits.detach() / temperature).softmax(dim=2)
    return temperature**2 * cross_entropy(logits / temperature, q, target)


@dataclass(frozen=True)
class NLL:
    """Maximum likelihood on the corpus it is given: gold for the baseline, the teacher's outputs
    for Seq-KD."""

    needs_teacher = False

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        return nll(logits, batch.target_out)


@dataclass(frozen=True)
class WordKD:
    """α · Word-KD + (1 − α) · NLL, both along the batch's own target prefix (Kim & Rush 2016,
    section 3.1).

    Which prefix that is, the corpus says: gold for Word-KD, the teacher's ŷ for Seq-KD + Word-KD, ỹ
    in the last stage. `alpha` lies in [0, 1], `temperature` is positive.
    """

    alpha: float = 0.5
    temperature: float = 1.0
    needs_teacher = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha must lie in [0, 1]; got {self.alpha}")
        if not self.temperature > 0.0:
            raise ValueError(f"temperature must be positive; got {self.temperature}")

    def __call__(self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None) -> Tensor:
        target = batch.target_out
        check_shapes(logits, target)
        check_teacher(logits, teacher_logits)
        if (
            self.temperature == 1.0
        ):  # both terms then share log p: one cross-entropy with the mixed target
            return cross_entropy(logits, mixed_target(teacher_logits, target, self.alpha), target)
        soft = word_kd(logits, teacher_logits, target, self.temperature)
        return self.alpha * soft + (1.0 - self.alpha) * nll(logits, target)


@dataclass(frozen=True)
class BalancedWordKD:
    """α · c(τ) · Word-KD at τ + (1 − α) · NLL, where c(τ) makes the teacher's pull as strong as it
    is at τ = 1.

    The pull on a student is the size of the gradient with respect to its logits, Σ_k |∂/∂z_k| over
    the batch's real tokens. The factor τ² of `word_kd` keeps it only where τ is far above the
    logits; between, it lets the pull grow many times over, and an α at τ = 4 weighs the teacher far
    more than the same α at τ = 1. Here α means the same at every τ. At τ = 1 this is WordKD, the
    paper's objective. `alpha` lies in [0, 1], `temperature` is positive.
    """

    alpha: float = 0.5
    temperature: float = 1.0
    needs_teacher = True

    def __post_init__(self) -> None:
        WordKD(self.alpha, self.temperature)  # raises ValueError for what no objective can have

    def __call__(self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None) -> Tensor:
        target, tau = batch.target_out, self.temperature
        if tau == 1.0:
            return WordKD(self.alpha)(logits, batch, teacher_logits)
        check_teacher(logits, teacher_logits)
        soft = word_kd(logits, teacher_logits, target, tau)
        wanted, has = (pull(logits, teacher_logits, target, at) for at in (1.0, tau))
        balance = wanted / has.clamp_min(1e-12)  # both are 0 for a student that equals its teacher
        return self.alpha * balance * soft + (1.0 - self.alpha) * nll(logits, target)


def pull(logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """The mean over real tokens of Σ_k |∂ word_kd / ∂ z_k|, without a gradient of its own: τ Σ_k
    |p_τ(k) − q_τ(k)|.

    ∂/∂z of −Σ q_τ log p_τ is (p_τ − q_τ) / τ, since z enters p_τ as z / τ; `word_kd` multiplies by
    τ². Logits are (B, T, V), target (B, T). Raises ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    p, q = ((z.detach() / temperature).softmax(dim=2) for z in (logits, teacher_logits))
    return temperature * mean_over_tokens((p - q).abs().sum(dim=2), target)
