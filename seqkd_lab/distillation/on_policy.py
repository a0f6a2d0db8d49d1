"""On-policy distillation: the student learns along prefixes that it wrote itself (GKD: Agarwal et
al. 2024, arXiv 2306.13649).

A share λ of the targets is drawn from the student as it is now, and no gradient goes through the
drawing. Along every prefix, the student's next word is compared with the teacher's: forward KL (β =
0), reverse KL (β = 1), or between them the generalised Jensen–Shannon divergence.

A trap that all later systems share: the gradient of the full reverse KL at drawn prefixes, summed
over places, is not that of the KL between whole translations, since it leaves out that a word
decides which prefixes come after it. policy_gradient.py estimates both from the drawn words alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, shift
from seqkd_lab.corpus.vocabulary import BOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.sampling import sample_batch
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating


@dataclass(frozen=True)
class Divergence(Objective):
    """The mean over real tokens of `divergence`, along the batch's own target prefix.

    `scaled` divides by β (1 − β) where 0 < β < 1: it then goes over into the two KLs at the ends
    (ours), so that one learning rate serves every β. Raise ValueError for a β outside [0, 1].
    """

    beta: float = 1.0
    scaled: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.beta <= 1.0:
            raise ValueError(f"beta must lie in [0, 1]; got {self.beta}")

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """Return the divergence of student and teacher at each token: (B, T) in nats."""
        distance = divergence(logits, teacher_logits, self.beta)
        between = self.scaled and 0.0 < self.beta < 1.0
        return distance / (self.beta * (1.0 - self.beta)) if between else distance


@dataclass(frozen=True)
class OnPolicy:
    """Where targets come from: of each batch, `share` λ of the sentences get a translation that the
    student draws now, at `temperature`; the others keep the corpus's.

    Ours: in GKD's algorithm 1 chance decides, with probability λ, whether a whole batch is drawn;
    here every batch of B sentences has λB of them drawn, rounded up or down by chance so that their
    expected number is λB whatever B is. Raise ValueError for a share outside (0, 1].
    """

    share: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must lie in (0, 1]; got {self.share}")
        SamplingDistribution(self.temperature)

    def __call__(self, model: Seq2Seq, batch: Batch, seed: int) -> Batch:
        """Return the batch with new targets; which sentences, and what is drawn, depends on `seed`
        and the weights alone."""
        generator = torch.Generator(batch.source.device).manual_seed(seed)
        own = self._drawn_rows(len(batch), generator)
        if len(own) == len(batch):
            return with_targets(batch, draw_targets(model, batch, self.temperature, generator))
        if not len(own):
            return batch
        some = Batch(
            batch.source[own],
            batch.source_lengths[own],
            batch.target_in[own],
            batch.target_out[own],
            batch.rows[own],
        )
        drawn = draw_targets(model, some, self.temperature, generator)
        longest = max(drawn.shape[1], batch.target_out.shape[1])
        target = batch.target_out.new_full((len(batch), longest), PAD)
        target[:, : batch.target_out.shape[1]] = batch.target_out
        target[own] = PAD
        target[own, : drawn.shape[1]] = drawn
        return with_targets(batch, target)

    def _drawn_rows(self, n: int, generator: torch.Generator) -> Tensor:
        """Return which of n sentences the student translates, in order."""
        device = generator.device
        if self.share == 1.0:
            return torch.arange(n, device=device)
        # ⌊λn + u⌋ with u uniform in [0, 1): its expectation is λn
        n_drawn = int(self.share * n + torch.rand((), generator=generator, device=device).item())
        return torch.randperm(n, generator=generator, device=device)[:n_drawn].sort().values


def draw_targets(
    model: Seq2Seq, batch: Batch, temperature: float, generator: torch.Generator
) -> Tensor:
    """Return one translation of each source drawn from `model` without gradient and without
    dropout: (B, T), EOS, then PAD."""
    longest, distribution = longest_allowed(batch.source_lengths), SamplingDistribution(temperature)
    with evaluating(model):
        tokens, _ = sample_batch(
            model, batch.source, batch.source_lengths, longest, distribution, generator
        )
    return tokens.clone()  # outside of inference mode, so that an embedding's gradient may keep it


def with_targets(batch: Batch, target_out: Tensor) -> Batch:
    """Return the same sources with other targets (B, T), each ended by EOS and padded."""
    begin = target_out.new_full((len(batch), 1), BOS)
    target_in, target_out = shift(torch.cat([begin, target_out], dim=1))
    longest = int((target_out != PAD).sum(dim=1).max())
    return replace(batch, target_in=target_in[:, :longest], target_out=target_out[:, :longest])
