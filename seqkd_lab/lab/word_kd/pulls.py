"""The size of the gradient over τ: with τ², without it, and balanced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import BalancedWordKD, mean_over_tokens, pull, word_kd
from seqkd_lab.lab.shared.digits import percent
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.style import GREY, SERIES, panels, plain_ticks, styled
from seqkd_lab.lab.word_kd.loss import whole_batch
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, TEACHER

TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)


SAME = "it stays about as large"
GROWS = "it grows"
SHRINKS = "it shrinks"
ABOUT_AS_LARGE = 0.2
"""A pull that changes by at most this share counts as about as large."""


@dataclass(frozen=True)
class Pulls:
    """The size of Word-KD's gradient, the mean over tokens of Σ_k |∂/∂z_k|, at each of
    `temperatures`.

    with_factor: of `word_kd`, which has the factor τ². without: of the same without τ². balanced:
    of BalancedWordKD at α = 1. limit: what `with_factor` tends to as τ grows, the mean over tokens
    of Σ_k |z_k − v_k| / V with centred logits z and v (Hinton et al. 2015, section 2.1).
    """

    temperatures: tuple[float, ...]
    with_factor: tuple[float, ...]
    without: tuple[float, ...]
    balanced: tuple[float, ...]
    limit: float

    def ratio(self, tau: float) -> float:
        """Return how many times the pull at `tau` is that at τ = 1, with the factor τ²."""
        return self.at(tau) / self.at(1.0)

    def at(self, tau: float) -> float:
        """Return the pull at `tau`, with the factor τ²."""
        return self.with_factor[self.temperatures.index(tau)]


def pulls(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    student: str = BASELINE,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Pulls:
    """Measure the pull of the teacher on one student along the targets of `corpus`, over τ."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    z, v, target = logits[student], logits[TEACHER], batch.target_out
    sizes = [float(pull(z, v, target, tau)) for tau in temperatures]
    balanced = tuple(
        _size_by_autograd(BalancedWordKD(1.0, tau), z, batch, v) for tau in temperatures
    )
    apart = (z - z.mean(dim=2, keepdim=True)) - (v - v.mean(dim=2, keepdim=True))
    limit = float(mean_over_tokens(apart.abs().mean(dim=2), target))
    without = tuple(size / tau**2 for size, tau in zip(sizes, temperatures, strict=True))
    return Pulls(tuple(temperatures), tuple(sizes), without, balanced, limit)


def pull_by_autograd(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, tau: float, student: str = BASELINE
) -> float:
    """Return the pull that autograd finds for `word_kd` at `tau`: a check of the formula τ Σ_k
    |p_τ(k) − q_τ(k)|."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    return _size_by_autograd(
        lambda z, batch, v: word_kd(z, v, batch.target_out, tau),
        logits[student],
        batch,
        logits[TEACHER],
    )


def _size_by_autograd(objective: Callable, z: Tensor, batch: Batch, v: Tensor) -> float:
    """Return the mean over real tokens of Σ_k |∂ objective / ∂ z_k|; z and v are the logits of
    student and teacher."""
    z = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(z, batch, v) * batch.n_tokens, z)
    return float(mean_over_tokens(gradient.abs().sum(dim=2), batch.target_out))


@styled
def pulls_figure(pulls: Pulls) -> Figure:
    """Draw the size of Word-KD's gradient over τ: with τ², without it, and balanced; and the limit
    of the first."""
    figure, axes = panels(10, 5.2)
    lines = (
        (pulls.with_factor, "-", "with τ²"),
        (pulls.without, "--", "without τ²"),
        (pulls.balanced, ":", "balanced: c(τ) in the place of τ²"),
    )
    for (values, line, label), (colour, mark) in zip(lines, SERIES, strict=False):
        look: dict[str, Any] = {"color": colour, "linewidth": 2.5, "markersize": 8}
        axes.plot(pulls.temperatures, values, f"{mark}{line}", label=label, **look)
    dashes = (0, (6, 3))
    axes.axhline(pulls.limit, color=GREY, linestyle=dashes, label="with τ², as τ grows on")
    axes.set(xscale="log", xlabel="temperature τ")
    axes.set_ylabel("size of the gradient, sum over the words, a token")
    axes.set_ylim(0.0, 1.08 * max(*pulls.with_factor, *pulls.without, pulls.limit))
    plain_ticks(axes.xaxis, (0.25, 0.5, 1.0, 2.0, 4.0, 8.0))
    axes.legend(loc="center left", bbox_to_anchor=(0.01, 0.62))
    return figure


def pull_change(pulls: Pulls, tau: float = 4.0) -> str:
    """Return the option that is right: what becomes of the pull from τ = 1 to `tau`, with the
    factor τ²."""
    ratio = pulls.ratio(tau)
    if abs(ratio - 1.0) <= ABOUT_AS_LARGE:
        return SAME
    return GROWS if ratio > 1.0 else SHRINKS


def pulls_in_words(pulls: Pulls, tau: float = 4.0) -> Markdown:
    """Say what τ² does to the size of the gradient between τ = 1 and `tau`, and how far the limit
    is."""
    at_tau, at_one = (pulls.without[pulls.temperatures.index(t)] for t in (tau, 1.0))
    effect = {
        SAME: "So τ² keeps the size of the gradient here.",
        GROWS: "So τ² does not keep the size of the gradient: these temperatures are not yet far "
        "above the logits.",
        SHRINKS: "So τ² does not even make up for the softening here.",
    }[pull_change(pulls, tau)]
    spread = max(pulls.balanced) / max(min(pulls.balanced), 1e-12)
    balanced = (
        "The **balanced** curve is flat: its factor c(τ) is made so."
        if spread < 1.01
        else f"The **balanced** curve should be flat; here its largest value is {spread:.2f} "
        "times its smallest."
    )
    return Markdown(
        f"**With τ²**, the gradient at τ = {tau:g} is {pulls.ratio(tau):.1f} times as large as at "
        f"τ = 1 ({pulls.at(1.0):.2f} → {pulls.at(tau):.2f}). **Without it**, it is "
        f"{at_tau / at_one:.1f} times as large. {effect} At τ = {pulls.temperatures[-1]:g} the "
        f"curve has reached {percent(pulls.with_factor[-1] / pulls.limit)} of its limit (the "
        f"dashed line). {balanced}"
    )


def tau_squared_answer(pulls: Pulls) -> str:
    """Say what τ² would do to the meaning of α."""
    rise = pulls.ratio(4.0)
    direct = "Yes, up to τ = 4." if pull_change(pulls) == SAME else "No."
    weight = (
        f"at τ = 4, α = 0.5 weighs the teacher about {rise:.0f} times as heavily as it does at τ = "
        "1. A map over α and τ would mix up its two axes."
        if rise > 1.0
        else "at τ = 4, α = 0.5 gives the teacher less weight than at τ = 1."
    )
    return (
        f"{direct} With τ², the teacher's part pulls {rise:.1f} times as strongly at τ = 4 as at τ "
        f"= 1. The same α then gives the teacher another weight at each τ: {weight}"
    )
