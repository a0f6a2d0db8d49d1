"""KL from the truth over the temperature, and the temperature that is nearest to the truth or to gold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.optimize import minimize_scalar
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.next_word.entropy import MARKS
from seqkd_lab.lab.next_word.estimates import Estimate, estimate
from seqkd_lab.lab.next_word.positions import Positions, entropies, next_words
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import GREY, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq

LOWEST, HIGHEST = 0.1, 10.0
"""Between these temperatures the nearest one is looked for."""

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


def sweep(found: Positions, temperatures: Sequence[float]) -> Sweep:
    """Every model at every temperature, and where each comes nearest to the truth."""
    kl, closest = {}, {}
    for name, log_prob in found.log_prob.items():
        mean_kl = mean_divergence(found.truth, log_prob)
        kl[name], closest[name] = tuple(map(mean_kl, temperatures)), nearest(mean_kl)
    return Sweep(tuple(temperatures), kl, closest)


def mean_divergence(truth: Tensor, log_prob: Tensor) -> Callable[[float], float]:
    """KL(truth ‖ model), the mean over positions in nats, as a function of the temperature: (N, V)
    each.

    KL = ln Σ_k exp(ln p_k / τ) − Σ_k q_k ln p_k / τ − H(q). Only the first term needs all words
    again for each τ.
    """
    linear, constant = float((truth * log_prob).sum(dim=1).mean()), float(entropies(truth).mean())
    return lambda tau: float((log_prob / tau).logsumexp(dim=1).mean()) - linear / tau - constant


def nearest(mean_kl: Callable[[float], float]) -> tuple[float, float]:
    """The temperature between LOWEST and HIGHEST at which the mean KL from the truth is least, and
    that KL.

    There is one valley only: KL is convex in 1/τ (a log-sum-exp minus a line), and in 1/τ it is
    searched.
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
    return {
        name: nearest_temperature(
            log_prob, (positions.truth * log_prob).sum(dim=1), positions.sentence
        )
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


def sweep_figure(found: Sweep) -> Figure:
    """KL(truth ‖ model) over τ of each model, both on logarithmic scales; its lowest point with the
    numbers."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    for name, values in found.kl.items():
        tau, least = found.nearest[name]
        colour, mark = colour_of(name), MARKS.get(name, "o")
        axes.plot(found.temperatures, values, "-", color=colour, linewidth=2)
        axes.plot(
            tau,
            least,
            mark,
            color=colour,
            markersize=11,
            label=f"{name}: nearest at τ = {tau:.2f}, KL {least:.3f}",
        )
    axes.axvline(1.0, color=GREY, linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1.0, 2.0, 4.0, 8.0]))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("temperature τ", fontsize=SIZE)
    axes.set_ylabel("KL(truth ‖ model), nats a word", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 1, loc="lower right")
    return figure
