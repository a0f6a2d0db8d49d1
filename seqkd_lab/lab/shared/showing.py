"""Outputs of a lesson beside its views: pictures with words, computed ranges, folded answers, a
function's source."""

from __future__ import annotations

import base64
import inspect
import io
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from matplotlib.figure import Figure

from seqkd_lab.corpus.visible import visible_lines
from seqkd_lab.lab.shared.exercises.showing import FAILED, PASSED, Folded
from seqkd_lab.lab.shared.picture import make_visible
from seqkd_lab.lab.shared.widget_bundle import widget_bundle

SIGNED_ZERO = re.compile(r"(?<![\w.])[-−+](0(?:\.0+)?)(?![\d.]*\d)")
"""A number that was rounded to zero and kept its sign: "−0.0", "+0.00"."""

ELEMENT_OR_PICTURE = re.compile(r"<(?=[a-zA-Z/!?])|!(?=\[)")
"""The marks with which an element of HTML, or a picture, begins in markdown."""


def without_html(markdown: str) -> str:
    """Return markdown in which a word of a text or of a model is no element, and no picture, which
    a page would fetch; code stays as it is, where it is beyond doubt what is code."""
    return "".join(map(_paragraph_without_html, re.split(r"(\n\s*\n)", markdown)))


def _paragraph_without_html(text: str) -> str:
    parts = text.split("`")  # every second one is code, where backticks stand alone and in pairs
    is_paired = len(parts) % 2 == 1 and all(parts[1:-1]) and "\\`" not in text
    if is_paired and not re.search(r"[\n|]", "".join(parts[1::2])):
        parts[::2] = map(_without_elements, parts[::2])
        return "`".join(parts)
    return _without_elements(text)


def _without_elements(text: str) -> str:
    return ELEMENT_OR_PICTURE.sub(lambda match: f"&#{ord(match[0])};", text)


def without_signed_zeros(text: str) -> str:
    """Take the sign from every number that was rounded to zero: a sign would claim a direction."""
    return SIGNED_ZERO.sub(r"\1", text)


@dataclass(frozen=True)
class Markdown:
    """Markdown that a notebook renders and a terminal prints: without HTML, and without the sign of
    a zero; code stays as it is."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.startswith("```"):
            object.__setattr__(self, "text", without_signed_zeros(self.text))

    def _repr_markdown_(self) -> str:
        is_code = self.text.startswith("```")
        return visible_lines(self.text if is_code else without_html(self.text))

    def __repr__(self) -> str:
        return self.text


def answer(text: str, question: str = "") -> Folded:
    """Fold away the answer to a question of the text above, so that a reader can think first.

    `text` is computed from the run's values; backticks, *emphasis* and **strong** are rendered, the
    rest is escaped. `question` names the question in the line that opens the fold, where a cell
    holds several answers.
    """
    return Folded(f"Answer: {question}" if question else "Answer", without_signed_zeros(text))


def widget(build: Callable[[], Any]) -> Any:
    """Build a view with `build`; return None where ipywidgets is not installed, so that the still
    twin is shown."""
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return None
    return build()


@dataclass(frozen=True)
class Expectation:
    """A computed range in which a value is expected, and the value of this run."""

    what: str
    value: float
    low: float
    high: float
    why: str

    @property
    def held(self) -> bool:
        return self.low <= self.value <= self.high

    def _repr_html_(self) -> str:
        style = f"border-left: 4px solid {PASSED if self.held else FAILED}; padding: .3em .8em"
        return f'<div role="status" style="{style}">{escape(repr(self))}</div>'

    def __repr__(self) -> str:
        verdict = (
            "inside"
            if self.held
            else "OUTSIDE: chance, or something in this run is not as it should be"
        )
        return (
            f"You should see {self.what} between {self.low:.4g} and {self.high:.4g} ({self.why}). "
            f"This run: {self.value:.4g}, {verdict}."
        )


def should_see(what: str, value: float, low: float, high: float, why: str) -> Expectation:
    """Return a computed range beside the run's value; `why` names what it was computed from."""
    return Expectation(what, float(value), float(low), float(high), why)


def png(figure: Figure, dots_per_inch: int = 80) -> bytes:
    """Return the figure as a PNG file."""
    make_visible(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch)
    return buffer.getvalue()


class StaticView:
    """A picture of a figure, with words for whoever cannot see it; with `view`, the still twin of
    that widget.

    A front end shows the richest form that it can: the widget, else the picture, else the words.
    """

    def __init__(self, figure: Figure, words: str, view: Any = None) -> None:
        self.figure, self.words, self.view = figure, words, view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        picture = base64.b64encode(png(self.figure)).decode()
        return widget_bundle(self.view) | {"image/png": picture, "text/plain": self.words}, {
            "image/png": {"alt": self.words}
        }

    def __repr__(self) -> str:
        return self.words


def source_of(function: Callable) -> Markdown:
    """Return the source of the one library function that a lesson explains."""
    return Markdown(f"```python\n{textwrap.dedent(inspect.getsource(function)).rstrip()}\n```")
