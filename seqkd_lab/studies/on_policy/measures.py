"""What the on-policy experiment measures of a student: its translations, its exposure, and its
gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.distillation.exposure import STUDENT, PlaceSums, entropy, exposure
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.on_policy import Divergence, SampledToken, draw_targets, with_targets
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.studies.on_policy.recipes import FORWARD, REVERSE

ENTROPY = "entropy"
MEASURES = {
    FORWARD: Divergence(0.0).per_token,
    REVERSE: Divergence(1.0).per_token,
    ENTROPY: entropy,
}
FULL, DISCOUNT_0, DISCOUNT_1 = "full vocabulary", "sampled token", "sampled token, discount 1"
ESTIMATORS: dict[str, Objective] = {
    FULL: Divergence(1.0),
    DISCOUNT_0: SampledToken(0.0),
    DISCOUNT_1: SampledToken(1.0),
}


def drawn_validity(
    student: Seq2Seq, pairs: ParallelCorpus, language: ToyLanguage, seed: int
) -> float:
    """Share of the student's samples, one a source, that are translations."""
    drawn = sample(student, pairs.source, seed)
    return sum(
        language.is_valid(source, one.tokens)
        for source, one in zip(pairs.source, drawn, strict=True)
    ) / len(pairs)


def exposure_record(student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, seed: int) -> dict:
    """MEASURES along each writer's prefixes as plain JSON: per_token by measure; by_place, the
    reverse KL at each place; and n, the translations that have that place."""
    found = exposure(student, teacher, pairs, MEASURES, seed)
    return {writer: places_record(sums) for writer, sums in found.items()}


def places_record(sums: Mapping[str, PlaceSums]) -> dict:
    """See `exposure_record`."""
    return {
        "per_token": {name: round(one.per_token, 5) for name, one in sums.items()},
        "by_place": [round(value, 4) for value in sums[REVERSE].by_place],
        "n": [int(n) for n in sums[REVERSE].count if n > 0],
    }


@dataclass(frozen=True)
class Gradients:
    """The gradients of one objective from many independent draws of targets, (M, P): a line a
    draw."""

    lines: Tensor

    @property
    def mean(self) -> Tensor:
        """(P,)"""
        return self.lines.mean(dim=0)

    @property
    def variance(self) -> float:
        """trΣ of one draw's gradient, unbiased."""
        return float((self.lines - self.mean).square().sum() / (len(self.lines) - 1))

    def dot(self, other: Gradients) -> float:
        """E[g]·E[h] without bias: of lines that come from the same draw, the product is left
        out."""
        n = len(self.lines)
        every = self.lines.sum(dim=0) @ other.lines.sum(dim=0) - (self.lines * other.lines).sum()
        return float(every / (n * (n - 1)))

    def cosine(self, other: Gradients) -> float:
        """Of the expected gradients; by chance it may leave [−1, 1] a little (ours)."""
        return self.dot(other) / max(self.dot(self) * other.dot(other), 1e-30) ** 0.5


def per_sentence(objective: Objective) -> Callable[[Tensor, Batch, Tensor], Tensor]:
    """The objective summed over tokens, by sentence: so that long draws count as the KL of
    translations counts them."""

    def loss(logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        """The mean over tokens, times tokens a sentence."""
        return objective(logits, batch, teacher_logits) * batch.n_tokens / len(batch)

    return loss


def gradients(
    student: Seq2Seq,
    teacher: Seq2Seq,
    pairs: ParallelCorpus,
    n_draws: int,
    seed: int,
    objectives: Mapping[str, Objective] = ESTIMATORS,
) -> dict[str, Gradients]:
    """Each objective's gradient in the student's weights, by sentence, on `n_draws` draws of
    targets for `pairs`."""
    generator = torch.Generator().manual_seed(seed)
    encoded = encode(pairs, student.source_vocabulary, student.target_vocabulary)
    sources = make_batch(encoded, range(len(pairs)))
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    lines: dict[str, list[Tensor]] = {name: [] for name in objectives}
    for _ in range(n_draws):
        batch = with_targets(sources, draw_targets(student, sources, 1.0, generator))
        logits = student(batch)
        with torch.no_grad():
            teacher_logits = teacher(batch)
        for name, objective in objectives.items():
            loss = per_sentence(objective)(logits, batch, teacher_logits)
            found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
            whole = [
                torch.zeros_like(weight) if g is None else g
                for weight, g in zip(weights, found, strict=True)
            ]
            lines[name].append(torch.cat([g.flatten() for g in whole]))
    return {name: Gradients(torch.stack(these)) for name, these in lines.items()}


def gradient_record(
    student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, n_draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """Cosines between the expected gradients of each pair of ESTIMATORS, and each one's variance by
    that of FULL."""
    found = gradients(student, teacher, pairs, n_draws, seed)
    cosines = {
        f"{one} / {other}": found[one].cosine(found[other])
        for one, other in combinations(ESTIMATORS, 2)
    }
    return {
        "cosine": {names: round(value, 5) for names, value in cosines.items()},
        "variance": {
            name: round(one.variance / found[FULL].variance, 5) for name, one in found.items()
        },
        "norm": {name: round(max(one.dot(one), 0.0) ** 0.5, 6) for name, one in found.items()},
    }


def own_reverse(measured: Mapping) -> float:
    """The reverse KL a token along the student's own prefixes, of a `measured` arm."""
    return measured["exposure"][STUDENT]["per_token"][REVERSE]
