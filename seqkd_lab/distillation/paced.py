"""PACED: distil most where the student is neither hopeless nor done (arXiv 2603.11178).

Of each source the student draws K translations once; p̂ is the share that a verifier accepts. The
source's loss then gets the weight w(p̂) = p̂^a (1 − p̂)^b, which stays as it is while the student
learns. The reason given: the gradient's signal-to-noise ratio over the pass rate is bell-shaped and
collapses at both ends. Ours: the weights are normalised to mean 1, since p̂(1 − p̂) ≤ 1/4 would cut
the learning rate silently; the shuffled control; the estimate of the ratio.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.devices import CPU
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.finite import check_loss
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

Tokens = Sequence[str]
Verifier = Callable[[Tokens, Tokens], bool]
"""(source, target) -> whether the target is a valid translation."""
N_SAMPLES = 8


def draws(
    model: Seq2Seq,
    sources: Sequence[Tokens],
    n_samples: int = N_SAMPLES,
    seed: int = 0,
    temperature: float = 1.0,
    report: Callable[[int], None] | None = None,
) -> list[tuple[Tokens, ...]]:
    """Return `n_samples` translations of each source drawn from `model`, source after source.

    `report` is called with how many more are drawn. Raise ValueError for n_samples below 1.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1; got {n_samples}")
    # sources of similar length wait little for the longest of their batch
    rows = sorted(range(len(sources)), key=lambda row: len(sources[row]))
    by_length, distribution = [sources[row] for row in rows], SamplingDistribution(temperature)
    samples = [
        sample(model, by_length, seed * n_samples + k, distribution, progress=report)
        for k in range(n_samples)
    ]
    drawn: list[tuple[Tokens, ...]] = [()] * len(sources)
    for row, *hypotheses in zip(rows, *samples, strict=True):
        drawn[row] = tuple(hypothesis.tokens for hypothesis in hypotheses)
    return drawn


def share_valid(source: Tokens, targets: Sequence[Tokens], is_valid: Verifier) -> float:
    """Return the share of `targets` that are valid translations of `source`; each different one is
    looked at once."""
    right = {target for target in set(targets) if is_valid(source, target)}
    return sum(target in right for target in targets) / len(targets)


def pass_rates(
    model: Seq2Seq,
    sources: Sequence[Tokens],
    is_valid: Verifier,
    n_samples: int = N_SAMPLES,
    seed: int = 0,
    temperature: float = 1.0,
    report: Callable[[int], None] | None = None,
) -> list[float]:
    """Return p̂ of each source: the share of `n_samples` translations drawn from `model` that
    `is_valid(source, target)`.

    `report` is called with how many more draws are made. Raise ValueError for n_samples below 1.
    """
    drawn = draws(model, sources, n_samples, seed, temperature, report)
    return [
        share_valid(source, targets, is_valid)
        for source, targets in zip(sources, drawn, strict=True)
    ]


def peak(a: float, b: float) -> float:
    """Return a / (a + b), where p^a (1 − p)^b is largest. Raise ValueError when both are 0: every
    place is then."""
    if not a + b > 0.0:
        raise ValueError(f"p^{a:g} (1 − p)^{b:g} has no peak: one of a and b must be above 0")
    return a / (a + b)


def weights(rates: Sequence[float], a: float = 1.0, b: float = 1.0) -> Tensor:
    """Return w(p̂) = p̂^a (1 − p̂)^b for each of N pass rates, divided by their mean (ours): (N,),
    of mean 1.

    Raise ValueError for rates outside [0, 1], for a negative power, and when every weight is 0.
    """
    if a < 0.0 or b < 0.0:
        raise ValueError(f"a and b must not be negative; got {a:g} and {b:g}")
    p = _checked(rates)
    return _of_mean_one(p**a * (1.0 - p) ** b)


def shuffled(values: Tensor, seed: int) -> Tensor:
    """Return the same weights (N,) given to sources at random: the control (ours)."""
    order = list(range(len(values)))
    random.Random(seed).shuffle(order)
    return values[order]


def _checked(rates: Sequence[float]) -> Tensor:
    """Return `rates` as float32 (N,), all of them in [0, 1]."""
    p = torch.as_tensor(rates, dtype=torch.float32, device=CPU)
    if not len(p) or not bool(((p >= 0.0) & (p <= 1.0)).all()):
        raise ValueError("pass rates are one or more shares from 0 to 1")
    return p


def _of_mean_one(values: Tensor) -> Tensor:
    if not float(values.sum()) > 0.0:
        raise ValueError(
            "every weight is 0: no source has a pass rate that counts; draw more samples, or "
            "start from a student that is neither hopeless nor perfect"
        )
    return values / values.mean()


@dataclass(frozen=True, eq=False)
class Weighted(Objective):
    """`objective` with each sentence's tokens multiplied by the weight of its row: Σ_i w_i Σ_t ℓ_it
    / number of tokens.

    `weights` (N,) belongs to the rows of the corpus that is trained on. The sum is divided
    by the number of all real tokens, so with weights of 1 it is the plain objective.
    """

    objective: Objective
    weights: Tensor = field(repr=False)

    @property
    def needs_teacher(self) -> bool:
        return self.objective.needs_teacher

    def per_token(self, logits: Tensor, batch: Batch, teacher_logits: Tensor) -> Tensor:
        per_token = self.objective.per_token(logits, batch, teacher_logits)  # (B, T)
        own = self.weights[batch.rows.to(self.weights.device), None]
        return own.to(per_token.device) * per_token


def sentence_gradients(
    model: Seq2Seq, objective: Objective, sentences: Iterable[Batch], teacher: Seq2Seq | None = None
) -> Tensor:
    """Return what each of n sentences (batches of one) adds to an update: the gradient of its loss
    summed over its tokens, (n, P) for the model's P parameters. Dropout is off, and the model's own
    gradients are as they were. Raise DivergenceError where a loss is not finite."""
    parameters, gradients = list(model.parameters()), []
    with evaluating(model):
        for batch in sentences:
            batch = batch.to(model.device)
            teacher_logits = None if teacher is None else teacher(batch)
            with torch.enable_grad():
                logits = model(batch)
                loss = objective(logits, batch, teacher_logits) * batch.n_tokens
            check_loss(loss, logits, teacher_logits)
            gradients.append(
                torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])
            )
    return torch.stack(gradients)


def signal_and_noise(gradients: Tensor) -> tuple[float, float]:
    """Return (‖ḡ‖² − trΣ/n, trΣ) of gradients (n, P): unbiased estimates of ‖E g‖² and of the
    summed variances (ours).

    ‖ḡ‖² alone is too large by trΣ/n, which in thousands of dimensions is most of it. Raises
    ValueError for n below 2.
    """
    n = len(gradients)
    if gradients.dim() != 2 or n < 2:
        raise ValueError(
            f"need the gradients (n, P) of at least two sentences; got {tuple(gradients.shape)}"
        )
    noise = float(gradients.double().var(dim=0).sum())
    return float(gradients.double().mean(dim=0).square().sum()) - noise / n, noise


def signal_to_noise(gradients: Tensor) -> float:
    """Return max(0, ‖ḡ‖² − trΣ/n) / trΣ of gradients (n, P) (ours).

    Raise ValueError for n below 2, and where all gradients are the same: there is no noise then.
    """
    signal, noise = signal_and_noise(gradients)
    if not noise > 0.0:
        raise ValueError("the gradients are all the same: there is no noise to divide by")
    return max(0.0, signal) / noise
