"""Rows of bars with the number beside each: the shape of every picture of a distribution over
words."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from seqkd_lab.lab.shared.picture import Label, add_label
from seqkd_lab.lab.shared.style import GREY, SIZE, ready

REST = "(rest)"
ROOM = "\n".join([" "] * 8)
"""As the name of the vertical axis, it leaves room in a computed layout for the longest word of the
toy language."""


class BarRows:
    """Horizontal bars on `axes`: `n_rows` words from top to bottom, for each of them one bar a
    series.

    The scale `limits` is fixed, and the axis ends with it. A value outside of it is cut off at the
    edge, with an arrow before its number. The bars of the series that are shown share the height of
    a row.
    """

    def __init__(
        self,
        axes: Axes,
        series: Sequence[str],
        colours: Sequence[str],
        n_rows: int,
        limits: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.series, self.limits, self.n_rows = tuple(series), limits, n_rows
        self._gap = 0.012 * (limits[1] - limits[0])
        _scale(axes, limits, n_rows)
        edge = axes.get_xlim()[0] - self._gap
        self._words = [add_label(axes, edge, row, ha="right") for row in range(n_rows)]
        self._bars, self._numbers = [], []
        for name, colour in zip(series, colours, strict=True):
            self._bars.append(axes.barh(range(n_rows), [0.0] * n_rows, color=colour, label=name))
            self._numbers.append(
                [add_label(axes, 0.0, row, fontsize=SIZE - 1) for row in range(n_rows)]
            )
        self._arrange(range(len(series)))

    @property
    def animated(self) -> list[Artist]:
        """The artists that change with the values."""
        bars = [bar for container in self._bars for bar in container]
        return [*bars, *self._words, *(number for numbers in self._numbers for number in numbers)]

    def handles(self, series: Sequence[int]) -> list[BarContainer]:
        """Return the bars of these series, by number, for a legend."""
        return [self._bars[number] for number in series]

    def colour(self, number: int, name: str, colour: str) -> None:
        """Give a series, by number, another name and colour."""
        self._bars[number].set_label(name)
        for bar in self._bars[number]:
            bar.set_facecolor(colour)

    def show(
        self, words: Sequence[str], values: Sequence[Sequence[float] | None], decimals: int = 3
    ) -> None:
        """Show one list of values for each series, in the order of `words`; None hides a series.
        Further rows stay empty."""
        for row, label in enumerate(self._words):
            label.set_text(words[row] if row < len(words) else "")
        self._arrange([number for number, column in enumerate(values) if column is not None])
        for bars, numbers, column in zip(self._bars, self._numbers, values, strict=True):
            for row, (bar, number) in enumerate(zip(bars, numbers, strict=True)):
                value = column[row] if column is not None and row < len(words) else None
                self._show_bar(bar, number, value, decimals)

    def _arrange(self, shown: Sequence[int]) -> None:
        """Let the series with these numbers share the height of each row."""
        height = 0.84 / max(1, len(shown))
        for turn, number in enumerate(shown):
            for row, (bar, label) in enumerate(
                zip(self._bars[number], self._numbers[number], strict=True)
            ):
                middle = row + (turn - (len(shown) - 1) / 2) * height
                bar.set(y=middle - 0.46 * height, height=0.92 * height)
                label.set_y(middle)

    def _show_bar(self, bar: Rectangle, number: Label, value: float | None, decimals: int) -> None:
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
        number.set_horizontalalignment("left" if shown >= 0 else "right")


def _scale(axes: Axes, limits: tuple[float, float], n_rows: int) -> None:
    """Prepare the axes: the axis ends where the values can, and beyond it there is room for
    numbers."""
    low, high = limits
    span = high - low
    axes.set_xlim(low - (0.2 * span if low < 0 else 0.0), high + 0.14 * span)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.set_xticks(
        [
            tick
            for tick in MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
            if low - 1e-9 * span <= tick <= high + 1e-9 * span
        ]
    )
    axes.set_yticks([])
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_bounds(low, high)
    ready(axes, "x")
    axes.axvline(0.0, color=GREY, linewidth=1)


def room_for_names(axes: Axes, n_letters: int) -> None:
    """Leave room at the left of `axes` for names of rows with up to `n_letters` letters: they are
    no ticks, so a computed layout does not see them."""
    axes.set_ylabel(" \n" * round(n_letters / 2.4), fontsize=SIZE)


def unsigned(value: float, decimals: int) -> str:
    """Return the number as text; what would round to 0 and is not 0 is "<0.001"."""
    if value == 0.0:
        return "0"
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if value < least / 2 else f"{value:.{decimals}f}"


def signed(value: float, decimals: int) -> str:
    """Return the number with its sign, a true minus; none before a zero."""
    rounded = f"{value:+.{decimals}f}".replace("-", "−")
    return rounded[1:] if float(rounded.replace("−", "-")) == 0.0 else rounded
