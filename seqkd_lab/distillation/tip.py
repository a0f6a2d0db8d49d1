"""TIP: of the student's own tokens, only those teach that are worth it (arXiv 2604.14084).

A token's place is judged by two numbers: how unsure the student is, h = H(p_S)/log V, and how far
it is from its teacher, δ = KL(p_S‖p_T). Four quadrants: Q1 unsure and far, Q2 unsure and near, Q3
sure and far (confidently wrong), Q4 sure and near. Soft-OR keeps what is large in either; whatever
asks only for h never sees Q3.

Known from the paper: the scores, the kept number ⌊ρm⌋ of an output of m tokens, the loss. Ours:
where the quadrants' edges lie, that scaling is over the batch's real tokens, and that an output of
fewer than 1/ρ tokens teaches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.divergences import entropy, kl
from seqkd_lab.distillation.losses import Objective, check_shapes, check_teacher
from seqkd_lab.models.seq2seq import Seq2Seq

ALL = "all"
RANDOM = "random"
ENTROPY = "entropy, sampled"
TOP_ENTROPY = "entropy, top"
DELTA = "δ only"
Q3 = "Q3 only"
SOFT_OR = "Soft-OR"
BOTTOM = "bottom"
CLIPPED = 0.02
"""The share of the largest h that counts as 1 (known)."""


@dataclass(frozen=True)
class Importance:
    """What the scores are made of, each (B, T), without gradient; padding holds numbers that mean
    nothing.

    h: entropy of the student's next word over log V, in [0, 1]. delta: KL(p_S‖p_T), forward:
    KL(p_T‖p_S), in nats. real (B, T): which places are tokens.
    """

    h: Tensor
    delta: Tensor
    forward: Tensor
    real: Tensor


@torch.no_grad()
def importance(logits: Tensor, teacher_logits: Tensor, real: Tensor) -> Importance:
    """Measure every place, from two (B, T, V) of logits. Raise ValueError when the shapes do not
    fit."""
    check_shapes(logits, real)
    check_teacher(logits, teacher_logits)
    student, teacher = logits.log_softmax(dim=-1), teacher_logits.log_softmax(dim=-1)
    h = entropy(student) / math.log(logits.shape[-1])
    return Importance(h, kl(student, teacher), kl(teacher, student), real)


def scaled(x: Tensor, real: Tensor, clipped: float = 0.0) -> Tensor:
    """Return x (B, T) scaled from 0 (least) to 1 (greatest of the real tokens, once the share
    `clipped` of the largest is cut)."""
    values = x[real]
    low, high = values.min(), values.quantile(1.0 - clipped)
    return ((x - low) / (high - low).clamp_min(1e-12)).clamp(0.0, 1.0)


def soft_or(seen: Importance) -> Tensor:
    """Return s = ĥ + δ̂ − ĥδ̂ (B, T), as 1 − (1 − ĥ)(1 − δ̂): large where either is, in [0, 1].

    In this form rounding cannot part equal scores: where ĥ or δ̂ is 1, s is exactly 1.
    """
    h, delta = scaled(seen.h, seen.real, CLIPPED), scaled(seen.delta, seen.real)
    return 1.0 - (1.0 - h) * (1.0 - delta)


def sure_and_far(seen: Importance) -> Tensor:
    """Return (1 − ĥ) KL(p_T‖p_S) (B, T): Q3 first. It only ranks; what is learnt is the reverse
    KL."""
    return (1.0 - scaled(seen.h, seen.real, CLIPPED)) * seen.forward


def proportional(weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return scores (B, T) whose k greatest of a row are k draws without replacement in proportion
    to `weight` (B, T).

    log weight + Gumbel noise (Efraimidis & Spirakis 2006; Kool et al. 2019, arXiv 1903.06059).
    """
    uniform = torch.rand(weight.shape, generator=generator, device=weight.device).clamp_min(1e-12)
    return weight.clamp_min(1e-30).log() - (-uniform.log()).clamp_min(1e-12).log()


Score = Callable[[Importance, torch.Generator | None], Tensor]
SCORES: dict[str, Score] = {
    ALL: lambda seen, _: torch.ones_like(seen.h),
    RANDOM: lambda seen, chance: proportional(torch.ones_like(seen.h), chance),
    ENTROPY: lambda seen, chance: proportional(seen.h, chance),
    TOP_ENTROPY: lambda seen, _: seen.h,
    DELTA: lambda seen, _: seen.delta,
    Q3: lambda seen, _: sure_and_far(seen),
    SOFT_OR: lambda seen, _: soft_or(seen),
    BOTTOM: lambda seen, _: -soft_or(seen),
}
"""How much each selector prefers each token, (B, T). Chance comes from the generator (None: torch's
own, which a training seeds for each epoch, so that a resumed one draws the same)."""
SELECTORS = tuple(SCORES)


def n_kept(lengths: Tensor, share: float) -> Tensor:
    """Return ⌊ρm⌋ of each of the numbers m: 0 where m < 1/ρ, as the paper's formula has it."""
    return (
        (lengths.double() * share + 1e-9).floor().long()
    )  # 0.29 · 100 is 28.999… in floating point


def keep(scores: Tensor, real: Tensor, share: float) -> Tensor:
    """Return a mask (B, T) of the ⌊ρm⌋ best-scored of the m real tokens of each row. Of equals, the
    earlier stays."""
    order = scores.masked_fill(~real, float("-inf")).argsort(dim=1, descending=True, stable=True)
    return (order.argsort(dim=1) < n_kept(real.sum(dim=1), share)[:, None]) & real


def quadrant(h: Tensor, delta: Tensor, h_edge: float, delta_edge: float) -> Tensor:
    """Return 1, 2, 3 or 4 for each place, Q1 to Q4. What lies on an edge is above it."""
    unsure, far = h >= h_edge, delta >= delta_edge
    return torch.where(unsure, torch.where(far, 1, 2), torch.where(far, 3, 4))


@dataclass(frozen=True)
class Selected(Objective):
    """The mean reverse KL over the tokens that `selector` keeps of each output: a `share` ρ of
    them.

    It belongs on the student's own outputs (OnPolicy). A batch of which nothing is kept gives 0 and
    moves nothing. Raise ValueError for an unknown selector and for a share outside (0, 1].
    """

    selector: str = SOFT_OR
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.selector not in SELECTORS:
            raise ValueError(
                f"selector must be one of {', '.join(SELECTORS)}; got {self.selector!r}"
            )
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must lie in (0, 1]; got {self.share}")

    def kept(self, seen: Importance) -> Tensor:
        """Return the mask (B, T) of the tokens that teach."""
        return keep(SCORES[self.selector](seen, None), seen.real, self.share)

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """Return KL(p_S‖p_T) where a token teaches, times the number of real tokens for each of
        those, and 0 elsewhere: (B, T), whose mean over real tokens is that over the kept."""
        real = batch.target_out != PAD
        kept = self.kept(importance(logits, teacher_logits, real))
        distance = kl(logits.log_softmax(dim=-1), teacher_logits.detach().log_softmax(dim=-1))
        return distance.masked_fill(~kept, 0.0) * (real.sum() / kept.sum().clamp_min(1))

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        """Return the mean over the kept tokens, without a KL where nothing is learned."""
        teacher_logits = self.checked(logits, batch, teacher_logits)
        kept = self.kept(importance(logits, teacher_logits, batch.target_out != PAD))
        return mean_reverse_kl(logits[kept], teacher_logits[kept])


def mean_reverse_kl(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Return the mean of KL(p_S‖p_T) over N places, from two (N, V) of logits; 0 for N = 0."""
    per_token = kl(logits.log_softmax(dim=-1), teacher_logits.detach().log_softmax(dim=-1))
    return per_token.sum() / max(len(per_token), 1)


def lean_loss(
    model: Seq2Seq, teacher: Seq2Seq, batch: Batch, selected: Selected, at_once: int = 4
) -> Tensor:
    """Return the loss of `selected`, with V logits kept for the gradient only where a token
    teaches.

    The output layer is asked twice: for the scores without gradient, `at_once` sentences at a time,
    and then at the kept places. What is saved grows with 1 − ρ; what it costs is the scoring.
    """
    vectors = model.vectors(batch)  # (B, T, D)
    real = batch.target_out != PAD  # (B, T)
    with torch.no_grad():
        teacher_vectors = teacher.vectors(batch)
        parts = [
            importance(model.logits(own), teacher.logits(theirs), is_real)
            for own, theirs, is_real in zip(
                vectors.split(at_once),
                teacher_vectors.split(at_once),
                real.split(at_once),
                strict=True,
            )
        ]
        h, delta, forward = (
            torch.cat([getattr(part, name) for part in parts]) for name in ("h", "delta", "forward")
        )
        kept = selected.kept(Importance(h, delta, forward, real))
        teacher_logits = teacher.logits(teacher_vectors[kept])
    return mean_reverse_kl(model.logits(vectors[kept]), teacher_logits)
