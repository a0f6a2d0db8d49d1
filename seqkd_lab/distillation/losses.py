"""What a student minimises: the base of every objective, and the word-level ones, NLL and Word-KD
(Kim & Rush 2016, equations 1–4).

Every objective is a sum over real target tokens divided by their number, so that the curves of
gold, Word-KD and Seq-KD training compare. Sequence-level distillation has no loss of its own: it is
NLL on another corpus (sequence_level.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.divergences import expected


@dataclass(frozen=True, eq=False)
class Objective(ABC):
    """A loss for each target token, in nats, of which a training minimises the mean.

    A new one is a frozen dataclass that defines `per_token`; `@objective("name")` above it offers
    it to the command and to the student trainer, each `setting` as an option.
    """

    @property
    def needs_teacher(self) -> bool:
        """Return whether `per_token` reads teacher logits."""
        return True

    @abstractmethod
    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """Return the loss of each token of `batch.target_out`, (B, T) in nats; what stands at
        padding means nothing.

        Both logits are (B, T, V); those of the teacher are empty where `needs_teacher` is False.
        """

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        """Return the mean of `per_token` over the real tokens, a scalar in nats. Raise ValueError
        when the shapes do not fit."""
        teacher_logits = self.checked(logits, batch, teacher_logits)
        return mean_over_tokens(self.per_token(logits, batch, teacher_logits), batch.target_out)

    def checked(self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None) -> Tensor:
        """Return the teacher logits for `per_token`. Raise ValueError when the shapes do not
        fit."""
        check_shapes(logits, batch.target_out)
        return check_teacher(logits, teacher_logits) if self.needs_teacher else logits.new_empty(0)


Class = TypeVar("Class", bound=type[Objective])
OBJECTIVES: dict[str, type[Objective]] = {}
"""The objectives by the names that `seqkd-lab train --objective` knows."""


def objective(name: str) -> Callable[[Class], Class]:
    """Return a class decorator that registers an objective in OBJECTIVES under `name`. Raise
    ValueError where the name is taken."""

    def register(kind: Class) -> Class:
        if name in OBJECTIVES:
            raise ValueError(f"{name!r} already names {OBJECTIVES[name].__name__}")
        OBJECTIVES[name] = kind
        return kind

    return register


def setting(default: float, description: str) -> Any:
    """Return a field of a registered objective, which the command offers as an option with this
    description."""
    return field(default=default, metadata={"description": description})


def mean_over_tokens(per_token: Tensor, target: Tensor) -> Tensor:
    """Return Σ over real tokens of `per_token` (B, T), divided by their number; padding counts for
    nothing."""
    real = target != PAD
    return per_token.masked_fill(~real, 0.0).sum() / real.sum()


def check_shapes(logits: Tensor, target: Tensor) -> None:
    """Raise ValueError unless `logits` is (B, T, V) and `target` (B, T): a shorter target would go
    unnoticed."""
    if logits.dim() != 3 or target.shape != logits.shape[:2]:
        shapes = f"{tuple(logits.shape)} and {tuple(target.shape)}"
        raise ValueError(f"logits must be (B, T, V) and target (B, T); got {shapes}")


def check_teacher(logits: Tensor, teacher_logits: Tensor | None) -> Tensor:
    """Return `teacher_logits`. Raise ValueError unless they have the shape (B, T, V) of
    `logits`."""
    if teacher_logits is None or teacher_logits.shape != logits.shape:
        got = None if teacher_logits is None else tuple(teacher_logits.shape)
        raise ValueError(
            f"this objective needs teacher logits of shape {tuple(logits.shape)}; got {got}"
        )
    return teacher_logits


def nll_per_token(logits: Tensor, target: Tensor) -> Tensor:
    """Return −log p(y_j | s, y_<j), (B, T) in nats: logits (B, T, V), target (B, T)."""
    return -logits.log_softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)


def cross_entropy_per_token(logits: Tensor, distribution: Tensor) -> Tensor:
    """Return −Σ_k q_j(k) log p_j(k), (B, T) in nats: logits and `distribution` q are (B, T, V)."""
    return -expected(distribution, logits.log_softmax(dim=2))


def nll(logits: Tensor, target: Tensor) -> Tensor:
    """Return the negative log-likelihood, −Σ_j log p(y_j | s, y_<j) / number of tokens: logits (B,
    T, V), target (B, T), nats.

    Raise ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    return mean_over_tokens(nll_per_token(logits, target), target)


def cross_entropy(logits: Tensor, distribution: Tensor, target: Tensor) -> Tensor:
    """Return −Σ_j Σ_k q_j(k) log p_j(k) / number of tokens, in nats: logits and `distribution` q
    are (B, T, V).

    `target` (B, T) says which tokens are real. Raise ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    return mean_over_tokens(cross_entropy_per_token(logits, distribution), target)


def mixed_target(teacher_logits: Tensor, target: Tensor, alpha: float) -> Tensor:
    """Return α · q + (1 − α) · one-hot(target), (B, T, V): what a student interpolates between (Kim
    & Rush 2016, 3.1)."""
    rest = teacher_logits.new_full((*target.shape, 1), 1.0 - alpha)
    return (alpha * teacher_logits.detach().softmax(dim=2)).scatter_add_(
        2, target[:, :, None], rest
    )


def word_kd_per_token(logits: Tensor, teacher_logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return −τ² Σ_k q_j(k) log p_j(k), (B, T) in nats, both softened by `temperature` τ: see
    `word_kd`."""
    q = (teacher_logits.detach() / temperature).softmax(dim=2)
    return temperature**2 * cross_entropy_per_token(logits / temperature, q)


def word_kd(
    logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return word-level distillation, −Σ_j Σ_k q(k | s, y_<j) log p(k | s, y_<j) / number of
    tokens, in nats.

    Both distributions are softened by `temperature` τ: p ∝ exp(logit/τ). The sum is multiplied by
    τ², which keeps the gradient's size in the limit of a high temperature (Hinton et al. 2015,
    sections 2 and 2.1): only where τ is far above the logits; below that the gradient grows with τ,
    see `pull`. τ = 1 is the paper's objective; τ is an extension. The least value is not 0 but the
    teacher's entropy (times τ²). Teacher logits get no gradient. Raise ValueError when the shapes
    do not fit.
    """
    check_shapes(logits, target)
    check_teacher(logits, teacher_logits)
    q = (teacher_logits.detach() / temperature).softmax(dim=2)
    return temperature**2 * cross_entropy(logits / temperature, q, target)


def pull(logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Return the mean over real tokens of Σ_k |∂ word_kd / ∂ z_k|, without a gradient of its own: τ
    Σ_k |p_τ(k) − q_τ(k)|.

    ∂/∂z of −Σ q_τ log p_τ is (p_τ − q_τ) / τ, since z enters p_τ as z / τ; `word_kd` multiplies by
    τ². Logits are (B, T, V), target (B, T). Raise ValueError when the shapes do not fit.
    """
    check_shapes(logits, target)
    p, q = ((z.detach() / temperature).softmax(dim=2) for z in (logits, teacher_logits))
    return temperature * mean_over_tokens((p - q).abs().sum(dim=2), target)


@objective("nll")
@dataclass(frozen=True)
class NLL(Objective):
    """Maximum likelihood on the corpus it is given: gold for the baseline, the teacher's outputs
    for Seq-KD."""

    needs_teacher = False

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        return nll_per_token(logits, batch.target_out)


@objective("word-kd")
@dataclass(frozen=True)
class WordKD(Objective):
    """α · Word-KD + (1 − α) · NLL, both along the batch's own target prefix (Kim & Rush 2016,
    section 3.1).

    Which prefix that is, the corpus says: gold for Word-KD, the teacher's ŷ for Seq-KD + Word-KD, ỹ
    in the last stage. `alpha` lies in [0, 1], `temperature` is positive.
    """

    alpha: float = setting(0.5, "share of the teacher, in [0, 1]")
    temperature: float = setting(1.0, "softens both distributions; the paper takes 1")

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha must lie in [0, 1]; got {self.alpha}")
        if not self.temperature > 0.0:
            raise ValueError(f"temperature must be positive; got {self.temperature}")

    def teacher_weight(
        self, logits: Tensor, target: Tensor, teacher_logits: Tensor
    ) -> Tensor | float:
        """Return what Word-KD at τ ≠ 1 is multiplied by: α."""
        return self.alpha

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        target = batch.target_out
        if self.temperature == 1.0:  # both terms share log p: one cross-entropy, a mixed target
            return cross_entropy_per_token(logits, mixed_target(teacher_logits, target, self.alpha))
        weight = self.teacher_weight(logits, target, teacher_logits)
        soft = word_kd_per_token(logits, teacher_logits, self.temperature)
        return weight * soft + (1.0 - self.alpha) * nll_per_token(logits, target)

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        """Return the mean of `per_token`; at τ ≠ 1 as a sum of two means, which rounds as the
        committed results did."""
        if self.temperature == 1.0:
            return super().__call__(logits, batch, teacher_logits)
        teacher_logits = self.checked(logits, batch, teacher_logits)
        weight = self.teacher_weight(logits, batch.target_out, teacher_logits)
        soft = word_kd(logits, teacher_logits, batch.target_out, self.temperature)
        return weight * soft + (1.0 - self.alpha) * nll(logits, batch.target_out)


@objective("balanced-word-kd")
@dataclass(frozen=True)
class BalancedWordKD(WordKD):
    """α · c(τ) · Word-KD at τ + (1 − α) · NLL, where c(τ) makes the teacher's pull as strong as it
    is at τ = 1.

    The pull on a student is the size of the gradient with respect to its logits, Σ_k |∂/∂z_k| over
    the batch's real tokens. The factor τ² of `word_kd` keeps it only where τ is far above the
    logits; between, it lets the pull grow many times over, and an α at τ = 4 weighs the teacher far
    more than the same α at τ = 1. Here α means the same at every τ. At τ = 1 this is WordKD, the
    paper's objective. `alpha` lies in [0, 1], `temperature` is positive.
    """

    def teacher_weight(
        self, logits: Tensor, target: Tensor, teacher_logits: Tensor
    ) -> Tensor | float:
        """Return α · c(τ), one number for the batch."""
        at_one = pull(logits, teacher_logits, target, 1.0)
        at_tau = pull(logits, teacher_logits, target, self.temperature)
        # both are 0 for a student that equals its teacher
        return self.alpha * (at_one / at_tau.clamp_min(1e-12))
