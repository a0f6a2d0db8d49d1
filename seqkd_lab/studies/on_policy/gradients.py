"""The gradients of the full sum and of the sampled word's estimators: direction and variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.on_policy import Divergence, draw_targets, with_targets
from seqkd_lab.distillation.policy_gradient import EXPECTED, OTHERS, SampledToken
from seqkd_lab.models.seq2seq import Seq2Seq

FULL = "full sum"
WORD = "sampled word"
WORD_OTHERS = "sampled word, baseline: the others' mean"
WORD_EXPECTED = "sampled word, baseline: the expected cost"
WHOLE = "whole translation"
WHOLE_OTHERS = "whole translation, baseline: the others' mean"
ESTIMATORS: dict[str, Objective] = {
    FULL: Divergence(1.0),
    WORD: SampledToken(0.0),
    WORD_OTHERS: SampledToken(0.0, OTHERS),
    WORD_EXPECTED: SampledToken(0.0, EXPECTED),
    WHOLE: SampledToken(1.0),
    WHOLE_OTHERS: SampledToken(1.0, OTHERS),
}
"""The first four have one mean, the gradient of the reverse KL at the prefixes as they are drawn;
the last two another, that of the KL between translations."""


@dataclass(frozen=True)
class Gradients:
    """The gradients of one objective from M independent draws of targets: (M, P), a row a draw."""

    rows: Tensor

    @property
    def mean(self) -> Tensor:
        """The mean gradient, (P,)."""
        return self.rows.mean(dim=0)

    @property
    def variance(self) -> float:
        """Return trΣ of one draw's gradient, unbiased."""
        return float((self.rows - self.mean).square().sum() / (len(self.rows) - 1))

    def dot(self, other: Gradients) -> float:
        """Return E[g]·E[h] without bias: products of rows from the same draw are left out."""
        n = len(self.rows)
        all_pairs = self.rows.sum(dim=0) @ other.rows.sum(dim=0)
        return float((all_pairs - (self.rows * other.rows).sum()) / (n * (n - 1)))

    @property
    def norm(self) -> float:
        """Return ‖E[g]‖, from its square without bias; 0 where that comes out below 0."""
        return max(self.dot(self), 0.0) ** 0.5

    def cosine(self, other: Gradients) -> float:
        """Return the cosine of the expected gradients; by chance it may leave [−1, 1] a little
        (ours). Raise ValueError where the draws are too few to tell one of their lengths from
        0."""
        lengths = self.norm, other.norm
        if 0.0 in lengths:
            raise ValueError(
                f"{len(self.rows)} draws are too few for a cosine: the squared length of an "
                "expected gradient comes out as 0 or below; draw more"
            )
        return self.dot(other) / (lengths[0] * lengths[1])


def per_sentence(objective: Objective) -> Callable[[Tensor, Batch, Tensor], Tensor]:
    """Return the objective as a sum over tokens, averaged over sentences: long draws then count as
    the KL between translations counts them, and no divisor depends on the draw."""

    def loss(logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """Return Σ over real tokens of `per_token`, divided by the number of sentences."""
        per_token = objective.per_token(logits, batch, teacher_logits)
        return per_token.masked_fill(batch.target_out == PAD, 0.0).sum() / len(batch)

    return loss


def gradients(
    student: Seq2Seq,
    teacher: Seq2Seq,
    pairs: ParallelCorpus,
    n_draws: int,
    seed: int,
    objectives: Mapping[str, Objective] = ESTIMATORS,
) -> dict[str, Gradients]:
    """Return each objective's gradients in the student's weights, per sentence, on `n_draws` draws
    of targets for `pairs`."""
    generator = torch.Generator().manual_seed(seed)
    encoded = encode(pairs, student.source_vocabulary, student.target_vocabulary)
    sources = make_batch(encoded, range(len(pairs)))
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    rows: dict[str, list[Tensor]] = {name: [] for name in objectives}
    for _ in range(n_draws):
        batch = with_targets(sources, draw_targets(student, sources, 1.0, generator))
        logits = student(batch)
        with torch.no_grad():
            teacher_logits = teacher(batch)
        for name, objective in objectives.items():
            loss = per_sentence(objective)(logits, batch, teacher_logits)
            parts = torch.autograd.grad(
                loss, weights, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            rows[name].append(torch.cat([part.flatten() for part in parts]))
    return {name: Gradients(torch.stack(draws)) for name, draws in rows.items()}


def gradient_record(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, n_draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return of each of ESTIMATORS the cosine of its expected gradient with FULL's, its variance in
    multiples of FULL's, and the length of its expected gradient in multiples of FULL's."""
    by_name = gradients(student, teacher, pairs, n_draws, seed)
    full = by_name[FULL]
    return {
        "cosine": {name: round(full.cosine(row), 5) for name, row in by_name.items()},
        "variance": {name: round(row.variance / full.variance, 4) for name, row in by_name.items()},
        "norm": {name: round(row.norm / full.norm, 4) for name, row in by_name.items()},
    }
