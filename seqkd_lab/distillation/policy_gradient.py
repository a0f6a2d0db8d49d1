"""The policy gradient (REINFORCE: Williams 1992) of the reverse KL: learning from the drawn words
alone, with and without a baseline.

The student is the policy, a word its action, and log p_S(y_t) − log p_T(y_t) the cost of the word.
The gradient Σ_t A_t ∇log p_S(y_t) needs two numbers a word, where the full sum over the vocabulary
needs the teacher's whole distribution. Its price is variance, of which a baseline takes a part
away: subtracting from A_t anything that does not depend on y_t leaves the mean as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.distillation.divergences import kl
from seqkd_lab.distillation.losses import Objective

NO_BASELINE, OTHERS, EXPECTED = "none", "others", "expected"
"""What is subtracted from the cost to come of a word: nothing; the mean of it at the same position
in the other sentences of the batch (leave-one-out); or the word's expected own cost at its prefix,
the full sum, which knows both distributions (discount 0 only)."""
BASELINES = (NO_BASELINE, OTHERS, EXPECTED)


@dataclass(frozen=True)
class SampledToken(Objective):
    """Reverse KL as policy gradient, from the drawn words alone: −Σ_t A_t log p_S(y_t), divided by
    the number of source tokens.

    The advantage A_t = b_t − Σ_{u ≥ t} γ^(u − t) (log p_S(y_u) − log p_T(y_u)), with the baseline
    b_t (one of BASELINES), is a number without gradient. The divisor does not depend on what was
    drawn, so the mean over draws of this gradient is, exactly and for every batch, that of the sum
    over the places: with `discount` γ = 0 the gradient of the full reverse KL at the same prefixes,
    with γ = 1 that of KL(p_S‖p_T) between whole translations. The EOS that ends a translation at
    the most tokens allowed was not drawn and counts for nothing (`is_drawn`). Only the gradient
    means something, not the value, and only on the student's own samples. Raise ValueError for a
    discount outside [0, 1], another baseline, and EXPECTED with a discount above 0.
    """

    discount: float = 0.0
    baseline: str = NO_BASELINE

    def __post_init__(self) -> None:
        if not 0.0 <= self.discount <= 1.0:
            raise ValueError(f"discount must lie in [0, 1]; got {self.discount}")
        if self.baseline not in BASELINES:
            raise ValueError(f"baseline must be one of {BASELINES}; got {self.baseline!r}")
        if self.baseline == EXPECTED and self.discount > 0.0:
            raise ValueError("the expected cost of what comes later is not known: use discount 0")

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """Return −A_t log p_S(y_t) at each token, (B, T) in nats²; 0 where nothing was drawn."""
        log_p, drawn = token_log_probs(logits, batch), is_drawn(batch)
        cost = log_p.detach() - token_log_probs(teacher_logits.detach(), batch)
        to_come = discounted(cost.masked_fill(~drawn, 0.0), self.discount)
        if self.baseline == OTHERS:
            to_come = to_come - mean_of_others(to_come, drawn)
        elif self.baseline == EXPECTED:
            student, teacher = (x.detach().log_softmax(dim=-1) for x in (logits, teacher_logits))
            to_come = to_come - kl(student, teacher)
        return (to_come * log_p).masked_fill(~drawn, 0.0)

    def __call__(
        self, logits: Tensor, batch: Batch, teacher_logits: Tensor | None = None
    ) -> Tensor:
        """Return the sum of `per_token`, divided by the number of source tokens."""
        teacher_logits = self.checked(logits, batch, teacher_logits)
        return self.per_token(logits, batch, teacher_logits).sum() / batch.source_lengths.sum()


def is_drawn(batch: Batch) -> Tensor:
    """Return which tokens were the student's choice: (B, T), False at padding and for the EOS that
    stands at the last position allowed, where the drawing leaves no choice."""
    place = torch.arange(1, batch.target_out.shape[1] + 1, device=batch.target_out.device)
    return (batch.target_out != PAD) & (place < longest_allowed(batch.source_lengths)[:, None])


def discounted(cost: Tensor, discount: float) -> Tensor:
    """Return Σ_{u ≥ t} discount^(u − t) cost_u for each t: (B, T) from (B, T)."""
    to_come, following = torch.zeros_like(cost), cost.new_zeros(len(cost))
    for t in reversed(range(cost.shape[1])):
        following = cost[:, t] + discount * following
        to_come[:, t] = following
    return to_come


def mean_of_others(values: Tensor, drawn: Tensor) -> Tensor:
    """Return for each sentence and position the mean of `values` (B, T) at that position over the
    *other* sentences that drew a word there; 0 where there is none."""
    values, n = values.masked_fill(~drawn, 0.0), drawn.to(values.dtype)
    total, count = values.sum(dim=0) - values, n.sum(dim=0) - n
    return total / count.clamp_min(1.0)
