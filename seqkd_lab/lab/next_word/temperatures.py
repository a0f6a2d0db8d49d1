"""KL from the truth over the temperature, the temperature nearest to the truth or to gold, and what
it says of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.next_word.estimates import Estimate, estimate, interval, joined, name_of
from seqkd_lab.lab.next_word.positions import Positions, entropies, next_words
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.style import GREY, panels, plain_ticks, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq

LOWEST = 0.1
HIGHEST = 10.0
"""The nearest temperature is searched between LOWEST and HIGHEST."""

TEMPERATURES = tuple(0.4 * 2.0 ** (step / 16) for step in range(44))
"""From 0.4 to 2.6; between them the lowest part of a curve is taken for a parabola in 1/τ."""

CHUNK = 512  # positions at once: tensors that fit a cache, and little memory


@dataclass(frozen=True)
class Sweep:
    """KL(truth ‖ model) over the temperature, the mean over positions (nats a word), and the
    nearest temperature.

    kl[name] has one value for each of `temperatures`; nearest[name] is (τ, KL there).
    """

    temperatures: tuple[float, ...]
    kl: Mapping[str, tuple[float, ...]]
    nearest: Mapping[str, tuple[float, float]]


def sweep(positions: Positions, temperatures: Sequence[float]) -> Sweep:
    """Measure every model at every temperature, and where each comes nearest to the truth."""
    kl, closest = {}, {}
    for name, log_prob in positions.log_prob.items():
        mean_kl = mean_divergence(positions.truth, log_prob)
        kl[name] = tuple(map(mean_kl, temperatures))
        closest[name] = nearest(mean_kl)
    return Sweep(tuple(temperatures), kl, closest)


def mean_divergence(truth: Tensor, log_prob: Tensor) -> Callable[[float], float]:
    """Return KL(truth ‖ model), the mean over positions in nats, as a function of the temperature;
    both arguments are (N, V).

    KL = ln Σ_k exp(ln p_k / τ) − Σ_k q_k ln p_k / τ − H(q). Only the first term needs all words
    again for each τ.
    """
    linear, constant = float((truth * log_prob).sum(dim=1).mean()), float(entropies(truth).mean())
    return lambda tau: float((log_prob / tau).logsumexp(dim=1).mean()) - linear / tau - constant


def nearest(mean_kl: Callable[[float], float]) -> tuple[float, float]:
    """Return the τ between LOWEST and HIGHEST at which the mean KL from the truth is least, and
    that KL.

    The search is over 1/τ, in which KL is convex (a log-sum-exp minus a line): it has one valley.
    """
    least = minimize_scalar(
        lambda cold: mean_kl(1.0 / cold),
        bounds=(1.0 / HIGHEST, 1.0 / LOWEST),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return 1.0 / float(least.x), float(least.fun)


def nearest_temperature(log_prob: Tensor, linear: Tensor, sentence: Tensor) -> Estimate:
    """Estimate the τ at which a softened model (N, V) gives the least cross-entropy.

    `linear` (N,) is Σ_k q_k ln p_k at τ = 1 for the words' distribution q: the truth (then this is
    the τ of the least KL from the truth), or all on gold (then it is the τ of the least loss). The
    cross-entropy at τ is ln Σ_k exp(ln p_k / τ) − linear / τ. A best τ beyond TEMPERATURES counts
    as their end.
    """
    columns = torch.empty(len(log_prob), len(TEMPERATURES), dtype=torch.float64)
    for rows in torch.arange(len(log_prob)).split(CHUNK):
        for column, tau in enumerate(TEMPERATURES):
            columns[rows, column] = (log_prob[rows] / tau).logsumexp(dim=1) - linear[rows] / tau
    exact, _ = nearest(lambda tau: float(((log_prob / tau).logsumexp(dim=1) - linear / tau).mean()))
    within = min(max(exact, TEMPERATURES[0]), TEMPERATURES[-1])
    return Estimate(within, estimate(valley, columns, sentence).resampled)


def valley(sums: Tensor) -> Tensor:
    """Return the τ of the lowest point of curves (R, C) over TEMPERATURES: of the parabola in 1/τ
    through the lowest three. The true curves are convex in 1/τ."""
    cold = 1.0 / torch.tensor(TEMPERATURES, dtype=torch.float64)
    lowest = sums.argmin(dim=1).clamp(1, len(TEMPERATURES) - 2)
    (y0, x0), (y1, x1), (y2, x2) = (
        (sums.gather(1, (lowest + step)[:, None]).squeeze(1), cold[lowest + step])
        for step in (-1, 0, 1)
    )
    over = (x1 - x0) ** 2 * (y1 - y2) - (x1 - x2) ** 2 * (y1 - y0)
    under = (x1 - x0) * (y1 - y2) - (x1 - x2) * (y1 - y0)
    return 1.0 / (x1 - 0.5 * over / under).clamp(cold[-1], cold[0])


def nearest_temperatures(positions: Positions) -> dict[str, Estimate]:
    """Estimate for each model the τ that brings it nearest to the truth (the least KL)."""
    linear = {n: (positions.truth * log_p).sum(dim=1) for n, log_p in positions.log_prob.items()}
    return {
        name: nearest_temperature(log_prob, linear[name], positions.sentence)
        for name, log_prob in positions.log_prob.items()
    }


def least_loss_temperature(model: Seq2Seq, corpus: ParallelCorpus) -> Estimate:
    """Estimate the τ at which the model's loss of the corpus's own words is least."""
    log_prob = next_words(model, corpus)
    gold = torch.tensor(
        [i for target in corpus.target for i in (*model.target_vocabulary.ids(target), EOS)]
    )
    lengths = torch.tensor([len(target) + 1 for target in corpus.target])
    sentence = torch.arange(len(corpus)).repeat_interleave(lengths)
    return nearest_temperature(log_prob, log_prob.gather(1, gold[:, None]).squeeze(1), sentence)


@styled
def sweep_figure(swept: Sweep) -> Figure:
    """Draw KL(truth ‖ model) over τ for each model, both on logarithmic scales, and its lowest
    point with the numbers."""
    figure, axes = panels(11, 5)
    for name, values in swept.kl.items():
        role, (tau, least) = role_of(name), swept.nearest[name]
        axes.plot(swept.temperatures, values, "-", color=role.colour, linewidth=2)
        label = f"{name}: nearest at τ = {tau:.2f}, KL {least:.3f}"
        axes.plot(tau, least, role.marker, color=role.colour, markersize=11, label=label)
    axes.axvline(1.0, color=GREY, linewidth=1, linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="temperature τ")
    axes.set_ylabel("KL(truth ‖ model), nats a word")
    plain_ticks(axes.xaxis, (0.25, 0.5, 1.0, 2.0, 4.0, 8.0))
    plain_ticks(axes.yaxis)
    axes.legend(loc="lower right")
    return figure


ABOVE, BELOW, AT_ONE = "above 1", "below 1", "at 1"


def nearest_in_words(
    new: Mapping[str, Estimate],
    training: Mapping[str, Estimate],
    least_loss: Mapping[str, Estimate],
) -> Markdown:
    """Show each model's τ with its 95% interval: nearest to the truth on new and training
    sentences; of least loss."""
    head = (
        "| model | nearest to the truth, new sentences | nearest to the truth, training sentences "
        "| least loss of gold, training sentences |\n|---|---|---|---|\n"
    )
    return Markdown(
        head
        + "\n".join(
            f"| {name} | {interval(new[name])} | {interval(training[name])} | "
            f"{interval(least_loss[name]) if name in least_loss else 'not trained on gold'} |"
            for name in new
        )
    )


def side(measured: Estimate) -> str:
    """Tell on which side of 1 the whole interval lies; AT_ONE where it contains 1."""
    low, high = measured.interval
    return ABOVE if low > 1.0 else BELOW if high < 1.0 else AT_ONE


CONVERGED = {
    BELOW: "This last interval lies below 1. Dividing all logits by such a τ would lower even "
    "the training loss, and a model of any size can learn to do that: its output layer "
    "only needs larger weights. So the training has **not converged**. It was stopped "
    "before its optimum; the model is not too small.",
    ABOVE: "This last interval lies above 1: softer distributions would lower even the training "
    "loss. So the training has **not converged**: its last updates made the model too "
    "confident.",
    AT_ONE: "This last interval contains 1, so in this respect the training has **converged**.",
}
"""What the τ of the least training loss says, by its side of 1."""
CONFIDENT = {
    BELOW: "On new sentences the baseline is **underconfident**: sharper distributions are "
    "nearer to the truth.",
    ABOVE: "On new sentences the baseline is **overconfident**: it has overfitted its "
    "training sentences.",
    AT_ONE: "On new sentences the best τ may be 1.",
}
"""What the nearest τ on new sentences says, by its side of 1."""


def baseline_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say what the baseline's three temperatures tell of its training."""
    return (
        f"The baseline is nearest to the truth at τ = {interval(new)} on new sentences, and at "
        f"{interval(training)} on training sentences. Its *training* loss is least at τ = "
        f"{interval(least_loss)}. {CONVERGED[side(least_loss)]} {CONFIDENT[side(new)]}"
    )


def teacher_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say whether the teacher is nearest to the truth at τ = 1, and why its training loss may
    prefer another τ."""
    memorised = (
        "A lower τ would thus raise the probability of the gold words that it was trained on, "
        "and move the teacher away from the truth: it has memorised some of gold's choices. "
        if side(training) == AT_ONE and side(least_loss) == BELOW
        else ""
    )
    return (
        f"The teacher is nearest to the truth at τ = {interval(new)} on new sentences and at "
        f"{interval(training)} on training sentences. Its training loss is least at "
        f"{interval(least_loss)}. {memorised}"
        "(The teacher is trained with dropout, which sets some values in the network to 0 at "
        "random. So its training did not minimise exactly this loss. The baseline is trained "
        "without dropout.)"
    )


def student_answer(tau: Estimate, at_one: float, least: float, others: Mapping[str, float]) -> str:
    """Say how far a temperature helps the Seq-KD student: its best τ, and the KL that remains
    there."""
    confidence = {
        ABOVE: "too confident",
        BELOW: "not confident enough",
        AT_ONE: "neither too confident nor too vague",
    }[side(tau)]
    compared = joined([f"{kl:.2f} for the {name_of(name)}" for name, kl in others.items()])
    remains = (
        "So most of the gap remains, since no temperature can change the order of the words. "
        "A likely reason: this student was trained on one translation of each source. Gold's "
        "words lead it to prefixes that it has not seen."
        if least > max(others.values())
        else "So at its best τ this student is not the farthest from the truth."
    )
    return (
        f"The Seq-KD student is nearest at τ = {interval(tau)}, so along gold it is {confidence}. "
        f"Its best τ lowers its KL from {at_one:.2f} to {least:.2f} nats a word. "
        f"Compare the others at their best τ: {compared}. {remains}"
    )
