"""Rows of bars with the number beside each: the shape of every picture of a distribution over words."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist

from seqkd_lab.lab.figures.picture import GREY, SIZE, add_label

REST = "(rest)"


class BarRows:
    """Horizontal bars on `axes`: `n_rows` words from top to bottom, for each of them one bar a series.

    The scale `limits` is fixed. A value outside of it is cut off at the edge, with an arrow before its number.
    """

    def __init__(
        self, axes, series: Sequence[str], colours: Sequence[str], n_rows: int, limits: tuple[float, float] = (0.0, 1.0)
    ) -> None:
        self.series, self.limits, self.n_rows = tuple(series), limits, n_rows
        self._height, span = 0.84 / len(series), limits[1] - limits[0]
        self._gap = 0.012 * span
        axes.set_xlim(limits[0] - (0.14 * span if limits[0] < 0 else 0.0), limits[1] + 0.14 * span)
        axes.set_ylim(n_rows - 0.5, -0.5)
        axes.set_yticks([])
        axes.tick_params(axis="x", labelsize=SIZE - 1)
        axes.grid(axis="x", color="#dddddd")
        axes.set_axisbelow(True)
        axes.axvline(0.0, color=GREY, linewidth=1)
        edge = axes.get_xlim()[0] - self._gap
        self._words = [add_label(axes, edge, row, ha="right") for row in range(n_rows)]
        self._bars, self._numbers = [], []
        for place, colour in enumerate(colours):
            heights = [row + (place - (len(series) - 1) / 2) * self._height for row in range(n_rows)]
            bars = axes.barh(heights, [0.0] * n_rows, self._height * 0.92, color=colour, label=series[place])
            self._bars.append(bars)
            self._numbers.append([add_label(axes, 0.0, y, fontsize=SIZE - 1) for y in heights])

    @property
    def moving(self) -> list[Artist]:
        """What changes with the values."""
        bars = [bar for container in self._bars for bar in container]
        return [*bars, *self._words, *(number for numbers in self._numbers for number in numbers)]

    def show(self, words: Sequence[str], values: Sequence[Sequence[float] | None], decimals: int = 3) -> None:
        """One list of values for each series, in the order of `words`; None hides a series. Further rows stay empty."""
        for row, label in enumerate(self._words):
            label.set_text(words[row] if row < len(words) else "")
        for bars, numbers, column in zip(self._bars, self._numbers, values, strict=True):
            for row, (bar, number) in enumerate(zip(bars, numbers, strict=True)):
                value = column[row] if column is not None and row < len(words) else None
                self._show_bar(bar, number, value, decimals)

    def _show_bar(self, bar, number, value: float | None, decimals: int) -> None:
        low, high = self.limits
        shown = 0.0 if value is None else min(max(value, low), high)
        bar.set_width(shown)
        if value is None:
            number.set_text("")
            return
        text = signed(value, decimals) if low < 0 else unsigned(value, decimals)
        arrow = "" if shown == value else "◂ " if value < low else "▸ "
        number.set_text(arrow + text)
        number.set_x(shown + (self._gap if shown >= 0 else -self._gap))
        number.set_ha("left" if shown >= 0 else "right")


def unsigned(value: float, decimals: int) -> str:
    """The number; what would round to 0 and is not 0 is "<0.001"."""
    if value == 0.0:
        return "0"
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if value < least / 2 else f"{value:.{decimals}f}"


def signed(value: float, decimals: int) -> str:
    """The number with its sign, a true minus; none before a zero."""
    rounded = f"{value:+.{decimals}f}".replace("-", "−")
    return rounded[1:] if float(rounded.replace("−", "-")) == 0.0 else rounded
