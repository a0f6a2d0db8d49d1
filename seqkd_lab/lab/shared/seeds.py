"""Means over seeds, drawn in one way everywhere: each seed as a stroke, the mean, its 95%
interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from scipy.stats import norm

from seqkd_lab.lab.shared.style import BLACK
from seqkd_lab.runs.verdicts import mean_and_interval


def draw_seeds(
    axes: Axes,
    position: float,
    values: Sequence[float],
    colour: str,
    marker: str = "o",
    upright: bool = False,
    label: str | None = None,
) -> float:
    """Draw the values of one quantity, by seed, and return their mean.

    Each value is a black stroke, the mean a mark, its 95% interval (Student's t) a line through
    it; a single value has none. `position` is where they stand on the other axis: its height, or
    with `upright` its place from left to right. Raise ValueError without any value.
    """
    mean, (low, high) = mean_and_interval(values)

    def along(ends: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        across = [position] * len(ends)
        return (across, ends) if upright else (ends, across)

    stroke = "_" if upright else "|"
    axes.plot(
        *along(values), stroke, color=BLACK, markersize=16, markeredgewidth=1.5, linestyle="none"
    )
    if math.isfinite(low):
        axes.plot(*along((low, high)), "-", color=colour, linewidth=3)
    axes.plot(*along((mean,)), marker, color=colour, markersize=10, linestyle="none", label=label)
    return mean


def write_beyond(
    axes: Axes, position: float, values: Sequence[float], text: str, upright: bool = False
) -> None:
    """Write `text` beyond what `draw_seeds` draws of `values`: at its right, above it with
    `upright`."""
    _, (_, high) = mean_and_interval(values)
    end = max(*values, high) if math.isfinite(high) else max(values)
    point, offset, side = (
        ((position, end), (0, 6), "center") if upright else ((end, position), (7, -5), "left")
    )
    axes.annotate(text, point, xytext=offset, textcoords="offset points", ha=side)


def range_of_one_more(values: Sequence[float]) -> tuple[float, float]:
    """Return where one more value lies with 95%: mean ± t(n − 1) · s · √(1 + 1/n); everywhere for a
    single one."""
    if len(values) < 2:
        return -math.inf, math.inf
    mean, (low, _) = mean_and_interval(values)
    reach = (mean - low) * math.sqrt(len(values) + 1.0)  # the mean's own half-width is t · s / √n
    return mean - reach, mean + reach


def share_interval(count: float, n: float) -> tuple[float, float]:
    """Return the 95% interval of a share of n independent trials by Wilson (1927), which has a
    width at 0 and at n, too; everything where n is 0."""
    if not n:
        return 0.0, 1.0
    z2 = float(norm.ppf(0.975)) ** 2
    centre = (count + z2 / 2) / (n + z2)
    reach = math.sqrt(z2 * (count * (n - count) / n + z2 / 4)) / (n + z2)
    return max(0.0, min(count / n, centre - reach)), min(1.0, max(count / n, centre + reach))
