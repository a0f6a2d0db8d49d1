"""Two kinds of chance: in the test sentences (paired bootstrap), and in the training (seeds)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, SKY, VERMILION, panels, ready, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows


def resamples(n: int, n_samples: int = 2000, seed: int = 0) -> np.ndarray:
    """Return (n_samples, n) sentence numbers, drawn with replacement: test sets that might have
    been."""
    return np.random.default_rng(seed).integers(0, n, (n_samples, n))


def bootstrap_gains(
    scores: Sequence[float], other_scores: Sequence[float], rows: np.ndarray
) -> np.ndarray:
    """Return (n_samples,) mean of `scores` − mean of `other_scores` on the same sentences, for each
    of the resamples `rows` (n_samples, n).

    Raises ValueError for lists that are not of one length.
    """
    if len(scores) != len(other_scores):
        raise ValueError(
            f"paired means the same sentences: {len(scores)} scores and {len(other_scores)}"
        )
    return (np.asarray(scores, float) - np.asarray(other_scores, float))[rows].mean(axis=1)


def p_value(gains: np.ndarray) -> float:
    """Return the share of resamples without a gain."""
    return float((gains <= 0.0).mean())


def middle_95(gains: np.ndarray) -> tuple[float, float]:
    """Return the range that holds 95% of the resamples."""
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def other_gains(results: Mapping, seed: int) -> list[float]:
    """Return Seq-KD's gain in valid greedy translations (a share) in every seed of Table 1 but
    `seed`."""
    return [validity_gain(rows) for key, rows in results["by_seed"].items() if int(key) != seed]


def validity_gain(rows: Rows) -> float:
    """Return Seq-KD's gain in valid greedy translations over the baseline, as a share."""
    return rows[SEQ_KD]["greedy"]["validity"] - rows[BASELINE]["greedy"]["validity"]


def expected_gain(results: Mapping, seed: int | None, n_sentences: int) -> tuple[float, float]:
    """Return where Seq-KD's gain in valid translations, in points, should lie on `n_sentences` of
    the test set.

    For the models of `seed`: what Table 1 noted of them, ± 2 standard errors of a difference of two
    shares. For models trained here (None): from the least to the greatest seed, widened by as much.
    """
    noted = [
        100.0 * validity_gain(rows)
        for key, rows in results["by_seed"].items()
        if seed in (None, int(key))
    ]
    error = 100.0 * (0.5 / n_sentences) ** 0.5  # at most: each share has a variance of 1/4 at most
    return min(noted) - 2.0 * error, max(noted) + 2.0 * error


@styled
def chances_figure(resampled: np.ndarray, own: float, others: Sequence[float], seed: int) -> Figure:
    """Draw the gain of `seed` in other test sets (histogram), and other seeds' gains on one test
    set (dashes), in points."""
    figure, axes = panels(12, 5)
    points = 100.0 * np.asarray(resampled)
    low, high = middle_95(points)
    axes.hist(points, bins=30, color=SKY, label=f"seed {seed}, resampled test sets")
    top = axes.get_ylim()[1]
    axes.axvspan(low, high, color=GREY, alpha=0.15, label="95% of them")
    axes.axvline(100.0 * own, color=BLUE, linewidth=3, label=f"seed {seed}, this test set")
    axes.axvline(0.0, color=BLACK, linewidth=1, linestyle=":")
    for number, gain in enumerate(others):
        label = "other seeds, this test set" if number == 0 else None
        height = [0.0, 0.6 * top]
        axes.plot([100.0 * gain] * 2, height, "--", color=VERMILION, linewidth=3, label=label)
    axes.set_xlabel("Seq-KD − baseline: valid greedy translations, percentage points")
    axes.set_ylabel("resamples")
    ready(axes, "")
    axes.grid(False)
    axes.legend(loc="upper right")
    return figure


def chance_in_words(
    resampled: np.ndarray, own: float, others: Sequence[float], seed: int
) -> Markdown:
    """Say what the resampled test sentences allow for this seed's gain, and where the other seeds'
    gains lie."""
    low, high = middle_95(100.0 * resampled)
    p, inside = p_value(resampled), sum(low <= 100.0 * gain <= high for gain in others)
    least = f"below 1 in {len(resampled):,}" if p == 0.0 else f"{p:.3f}"
    decides = (
        "the gain of these two models is not an accident of the test sentences"
        if p < 0.025
        else ("another test set might show no gain at all")
    )
    return Markdown(
        f"Seed {seed} gains {100.0 * own:+.1f} points. In the middle 95% of the resampled test "
        f"sets the gain lies between {low:+.1f} and {high:+.1f} points. The share of resamples "
        f"*without* a gain, the one-sided p-value, is {least}: {decides}. Of the other "
        f"{len(others)} seeds, {inside} have a gain in that range; their gains go from "
        f"{100.0 * min(others):+.1f} to {100.0 * max(others):+.1f} points. The bootstrap of "
        "sentences cannot show what another training would give."
    )
