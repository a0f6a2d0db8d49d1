"""How probable the announced words really are: calibration, with the exact truth and with gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from seqkd_lab.lab.next_word.estimates import Estimate, decided_pairs, estimate, interval, name_of
from seqkd_lab.lab.shared.seeds import share_interval
from seqkd_lab.lab.shared.style import GREY, panels, role_of, styled

LEAST_IN_A_BIN = 20


@dataclass(frozen=True)
class Reliability:
    """The likeliest words of N positions, sorted into bins by the probability that a model gives
    them.

    Of each bin that is not empty: mean confidence (the model's p of its word), mean truth (the true
    p of that word), share of gold (how often gold was that word), and number. error is the mean
    distance of confidence and truth over bins, weighted by their numbers (expected calibration
    error, with the truth where others have a sample).
    """

    confidence: tuple[float, ...]
    truth: tuple[float, ...]
    gold: tuple[float, ...]
    number: tuple[int, ...]
    error: float


def reliability(p: Tensor, truth: Tensor, gold: Tensor, n_bins: int = 10) -> Reliability:
    """Compare distributions p (N, V) with the truth (N, V) and with gold (N,), in bins of equal
    width."""
    confidence, word = p.max(dim=1)
    true_p = truth.gather(1, word[:, None]).squeeze(1)
    is_gold = (word == gold).double()
    bins = (confidence * n_bins).long().clamp(max=n_bins - 1)
    rows = [bins == b for b in range(n_bins) if bool((bins == b).any())]
    means, truths, shares = (
        tuple(float(values[row].mean()) for row in rows) for values in (confidence, true_p, is_gold)
    )
    number = tuple(int(row.sum()) for row in rows)
    apart = sum(n * abs(c - t) for n, c, t in zip(number, means, truths, strict=True))
    return Reliability(means, truths, shares, number, apart / len(p))


def calibration_error(p: Tensor, truth: Tensor, sentence: Tensor, n_bins: int = 10) -> Estimate:
    """Estimate the mean distance of confidence and truth over bins of equal width, weighted by
    their numbers (expected calibration error, with the exact truth): p and truth are (N, V)."""
    confidence, word = p.max(dim=1)
    apart = confidence - truth.gather(1, word[:, None]).squeeze(1)
    bins = torch.nn.functional.one_hot((confidence * n_bins).long().clamp(max=n_bins - 1), n_bins)
    columns = torch.cat([bins * apart[:, None], torch.ones_like(apart)[:, None]], dim=1)
    return estimate(lambda sums: sums[:, :-1].abs().sum(dim=1) / sums[:, -1], columns, sentence)


@styled
def reliability_figure(bins: Mapping[str, Reliability]) -> Figure:
    """Draw one panel a model: how probable its likeliest words really are, over how probable it
    says they are.

    Full marks: the exact truth, their area by the number of words. Hollow marks: the share of gold
    in the same bins with its 95% interval (Wilson), which you could measure without the truth. They
    are left out where a bin has fewer than LEAST_IN_A_BIN words.
    """
    figure, row = panels(4.2 * len(bins), 5.6, 1, len(bins), sharey=True, squeeze=False)
    for axes, (name, own) in zip(row[0], bins.items(), strict=True):
        axes.plot([0, 1], [0, 1], "-", color=GREY, linewidth=1)
        _draw_gold(axes, own)
        areas = [30 + 250 * n / max(own.number) for n in own.number]
        axes.scatter(own.confidence, own.truth, areas, zorder=3, color=role_of(name).colour)
        axes.set_title(f"{name}: error {own.error:.3f}")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_xlabel("p that the model gives its first word")
    row[0, 0].set_ylabel("how probable the word really is")
    label = f"share of gold with its 95% interval, in bins of {LEAST_IN_A_BIN} words or more"
    look: dict[str, Any] = {"marker": "o", "linestyle": "", "color": GREY, "markersize": 10}
    marks = [
        Line2D([], [], markerfacecolor=face, label=words, **look)
        for face, words in ((GREY, "the exact truth"), ("none", label))
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def _draw_gold(axes: Axes, bins: Reliability) -> None:
    """Draw the share of gold in each bin that has enough words."""
    look: dict[str, Any] = {"fmt": "o", "markersize": 8, "markerfacecolor": "none", "color": GREY}
    for confidence, share, n in zip(bins.confidence, bins.gold, bins.number, strict=True):
        if n >= LEAST_IN_A_BIN:
            low, high = share_interval(share * n, n)
            axes.errorbar([confidence], [share], [[share - low], [high - share]], **look)


def calibration_answer(errors: Mapping[str, Estimate], kl: Mapping[str, float]) -> str:
    """Compare the order of the calibration errors with the order of the KL from the truth."""
    by_error = sorted(errors, key=lambda name: errors[name].value)
    by_kl = sorted(kl, key=lambda name: kl[name])
    orders = (
        "From the smallest calibration error: "
        f"{', '.join(f'{n} {interval(errors[n], 3)}' for n in by_error)}. From the smallest KL at "
        f"τ = 1: {', '.join(f'{n} {kl[n]:.3f}' for n in by_kl)}."
    )
    if by_error == by_kl:
        return f"{orders} Here both orders are the same; they need not be."
    reversed_pairs = [(a, b) for b, a in decided_pairs(errors) if kl[a] > kl[b]]
    if not reversed_pairs:
        return (
            f"{orders} The orders differ, but these sentences do not tell the calibration errors "
            "apart."
        )
    calibrated, nearer = map(name_of, reversed_pairs[0])
    return (
        f"{orders} The orders differ: the {calibrated} is better calibrated than the {nearer}, "
        "and yet farther from the truth."
    )
