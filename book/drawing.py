"""Figures and artists as SVG: short, without what changes from run to run, ready to stand in a
page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

POINTS_PER_INCH = 72
DEFINITIONS = re.compile(r"<defs>(.*?)</defs>\s*", re.DOTALL)
DEFINED = re.compile(
    r'<(clipPath|pattern) id="([^"]+)".*?</\1>|<(path) id="([^"]+)"[^>]*/>', re.DOTALL
)
COORDINATES = re.compile(r'(?<= )(d|x|y|x1|y1|x2|y2|width|height|transform)="([^"]*)"')
DECIMALS = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
FAMILY = re.compile(r"font-family: [^;\"]*(?:; )?|(?<=px) '[^;\"]*")
"""matplotlib names every font that it would try; the site's style sheet names them once."""
NO_TURN = re.compile(r' transform="rotate\(-?0(?:\.0+)? [^)]*\)"')


@dataclass(frozen=True)
class Drawn:
    """SVG elements in their order, and what they refer to: id -> element."""

    elements: tuple[str, ...]
    definitions: dict[str, str]


def drawn(artists: Sequence[Artist], figure: Figure, prefix: str) -> Drawn:
    """Return `artists` of `figure` as SVG, in points from its upper left corner; ids begin with
    `prefix`.

    A whole figure is laid out while it is drawn; a single artist is drawn where the last layout has
    put it.
    """
    width, height = figure.get_size_inches() * POINTS_PER_INCH
    buffer, dots_per_inch = io.StringIO(), figure.dpi
    figure.dpi = POINTS_PER_INCH  # what RendererSVG takes for granted
    try:
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
            renderer = RendererSVG(
                width, height, buffer, "", POINTS_PER_INCH, metadata={"Date": None}
            )
            for artist in artists:
                artist.draw(renderer)
            renderer.finalize()
    finally:
        figure.dpi = dots_per_inch
    return parsed(buffer.getvalue(), prefix)


def parsed(document: str, prefix: str) -> Drawn:
    """Take the elements and the definitions out of an SVG document of RendererSVG's."""
    body = document.partition("</defs>")[2].rpartition("</svg>")[0]  # after the default style
    definitions = {}
    for inside in DEFINITIONS.findall(body):
        for match in DEFINED.finditer(inside):
            definitions[prefix + (match[2] or match[4])] = shortened(match[0], prefix)
    elements = re.split(r"\n(?= <g\b)", DEFINITIONS.sub("", body))
    return Drawn(tuple(shortened(e, prefix) for e in elements if e.strip()), definitions)


def shortened(svg: str, prefix: str) -> str:
    """Return SVG with coordinates of a tenth of a point, prefixed references, and no other ids;
    what stands between tags, the texts, stays as it is."""
    parts = re.split(r"(<[^>]*>)", svg)
    parts[1::2] = [_shortened_tag(tag, prefix) for tag in parts[1::2]]
    parts[::2] = [text if text.strip() else "" for text in parts[::2]]
    return "".join(parts)


def _shortened_tag(tag: str, prefix: str) -> str:
    if tag.startswith("<!--"):
        return ""
    if tag.startswith("<g "):
        tag = re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r' id="([^"]+)"', rf' id="{prefix}\1"', tag)
    tag = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", tag)
    tag = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{prefix}\1"', tag)
    tag = tag.replace("xlink:href=", "href=")
    tag = NO_TURN.sub("", FAMILY.sub("", tag))
    tag = COORDINATES.sub(_rounded, tag)
    return re.sub(r"\s*\n\s*", " ", tag).replace(' "', '"')


def _rounded(match: re.Match) -> str:
    digits = 4 if "scale" in match[2] or "matrix" in match[2] else 1
    short = DECIMALS.sub(lambda number: f"{round(float(number[0]), digits):g}", match[2])
    return f'{match[1]}="{short}"'


def document(elements: Sequence[str], definitions: Sequence[str]) -> str:
    """Return elements after what they refer to, as they stand within an <svg>."""
    defined = f"<defs>{''.join(definitions)}</defs>" if definitions else ""
    return defined + "".join(elements)
