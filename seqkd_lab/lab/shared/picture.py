"""Pictures that follow a slider: what stands still is drawn once, what moves is drawn anew over it.

Everything is built on matplotlib's Figure, never on pyplot, so nothing global is left behind. Text
is the slowest of what moves: a Label keeps the pixels of every string that it has drawn.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter
from PIL import Image

from seqkd_lab.corpus.visible import visible, visible_lines
from seqkd_lab.lab.shared.style import SIZE

DOTS_PER_INCH = 100


@lru_cache(maxsize=4096)
def rendered_text(
    text: str, size: float, weight: str, colour: str, on_white: bool, dots_per_inch: float
) -> tuple[np.ndarray, int]:
    """Return the pixels (height, width, RGBA) of `text`, lowest row first, and how far they reach
    below the baseline. Control characters, which no font has, are made visible."""
    text = visible(text)
    font = FontProperties(size=size, weight=weight)
    width, height, descent = RendererAgg(1, 1, dots_per_inch).get_text_width_height_descent(
        text, font, False
    )
    rows = math.ceil(height) + 4
    renderer = RendererAgg(math.ceil(width) + 4, rows, dots_per_inch)
    pen = renderer.new_gc()
    pen.set_foreground(colour)
    below = math.ceil(descent) + 2
    renderer.draw_text(pen, 2, rows - below, text, font, 0, False)
    pixels = np.array(renderer.buffer_rgba())[::-1]
    if on_white:
        opacity = pixels[:, :, 3:] / 255.0
        pixels[:, :, :3] = pixels[:, :, :3] * opacity + 255.0 * (1.0 - opacity)
        pixels[:, :, 3] = 255
    return pixels, below


class Label(Text):
    """One line of plain text, vertically centred on its capitals; drawn again it costs a copy of
    pixels.

    Never read as mathematics, so a dollar sign is a dollar sign. A `bbox` is drawn as a white
    ground.
    """

    def __init__(self, x: float, y: float, text: str = "", **properties) -> None:
        super().__init__(
            x, y, text, parse_math=False, verticalalignment="center_baseline", **properties
        )

    def set_text(self, s: Any) -> None:
        """Set the text, in one line whose control characters are visible."""
        super().set_text(None if s is None else visible(str(s)))

    def draw(self, renderer) -> None:
        """Paste the kept pixels; a figure that is saved to a file draws ordinary text."""
        if not isinstance(renderer, RendererAgg) or self.figure.canvas.is_saving():
            super().draw(renderer)
            return
        if not self.get_visible() or not self.get_text():
            return
        size = float(self.get_fontsize())
        look = (self.get_fontweight(), to_hex(self.get_color()), self.get_bbox_patch() is not None)
        pixels, below = rendered_text(self.get_text(), size, *look, renderer.dpi)
        x, y = self.get_transform().transform(self.get_unitless_position())
        left = (
            x
            - {"left": 2, "center": pixels.shape[1] / 2, "right": pixels.shape[1] - 2}[
                self.get_horizontalalignment()
            ]
        )
        baseline = y - 0.36 * size * renderer.dpi / 72  # half of a capital's height
        renderer.draw_image(renderer.new_gc(), round(left), round(baseline) - below, pixels)


def add_label(axes, x: float, y: float, text: str = "", **properties) -> Label:
    """Add a Label at the data coordinates (x, y) of `axes`, or of another `transform`; properties
    are Text's."""
    label = Label(x, y, text, **{"transform": axes.transData, "fontsize": SIZE, **properties})
    axes.add_artist(label)
    label.set_clip_on(False)
    return label


@dataclass(frozen=True)
class VisibleTicks:
    """Writes the text of a tick as `written` does, its control characters visible."""

    written: Callable[..., str]

    def __call__(self, x: float, position: int | None = None) -> str:
        return visible_lines(self.written(x, position))


def make_visible(artist: Artist) -> None:
    """Make control characters visible in all texts of a figure, or of an artist in it: no font has
    them, and half a character cannot be drawn at all."""
    for axis in artist.findobj(Axis):
        for ticks in (axis.major, axis.minor):  # whose texts are written anew at every drawing
            formatter = ticks.formatter
            if isinstance(formatter, FuncFormatter):  # as set_xticks(labels=…) makes it
                if not isinstance(formatter.func, VisibleTicks):
                    formatter.func = VisibleTicks(formatter.func)
    for text in artist.findobj(Text):
        shown = visible_lines(text.get_text())
        if shown != text.get_text():
            text.set_text(shown)


class BlittedFigure:
    """A figure that is drawn as PNG again and again: its `animated` artists anew, the rest from
    memory.

    A computed layout leaves no room for what moves: else it would depend on what was shown when it
    was computed.
    """

    def __init__(self, figure: Figure, animated: Iterable[Artist]) -> None:
        self.figure, self.animated = figure, tuple(animated)
        self.n_renewed = 0
        figure.set_dpi(DOTS_PER_INCH)
        self._canvas, self._background = FigureCanvasAgg(figure), None
        for artist in self.animated:
            artist.set_animated(True)
            artist.set_in_layout(False)

    def renew(self) -> None:
        """Forget what stands still, for a picture whose axes change with what they show."""
        self._background = None
        self.n_renewed += 1

    def still(self) -> Figure:
        """Return the figure as an ordinary one: `savefig` draws what moves, too."""
        for artist in self.animated:
            artist.set_animated(False)
        return self.figure

    def png(self) -> bytes:
        """Return the figure as it stands now, as PNG."""
        canvas = self._canvas
        if self._background is None:
            make_visible(self.figure)
            canvas.draw()
            self._background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self._background)
        renderer = canvas.get_renderer()
        for artist in self.animated:
            make_visible(artist)
            artist.draw(renderer)
        pixels = Image.frombuffer(
            "RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1
        )
        buffer = io.BytesIO()
        # Few colours and little compression: half of the time of a plain PNG, which takes longer
        # than drawing.
        few_colours = pixels.quantize(
            64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        few_colours.save(buffer, "png", compress_level=1)
        return buffer.getvalue()
