"""The figure pack for lecturers: every picture of the lessons as SVG, as PDF and as its numbers,
and a page with all captions.

The SVG holds letters as outlines: it looks the same in slides and in LaTeX where DejaVu Sans is not
installed. The PDF holds text that can be searched, with its font. Both are the same bytes each time
they are written from the same figure.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from seqkd_lab.corpus.visible import visible_lines
from seqkd_lab.lab.shared.picture import make_visible

FIGURES = "figures"
FONTS = {"svg.fonttype": "path", "pdf.fonttype": 42, "svg.hashsalt": "seqkd_lab"}
HEAD = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>Figures of seqkd_lab</title><style>body{font-family:sans-serif;max-width:60rem;"
    "margin:auto;padding:1rem;color:#1a1a1a;background:#fff}img{max-width:100%;height:auto}"
    "figure{margin:2rem 0;break-inside:avoid}</style></head>\n<body><h1>Figures of seqkd_lab</h1>\n"
)


def save(figure: Figure, words: str, folder: Path, name: str) -> None:
    """Write NAME.svg, NAME.pdf and NAME.json, which has the caption and the numbers drawn, to
    `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    make_visible(figure)
    with rc_context(FONTS):
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None, "Producer": None})
    content = {"caption": visible_lines(words), "axes": [numbers_of(axes) for axes in figure.axes]}
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def numbers_of(axes: Axes) -> dict[str, Any]:
    """Return what is visible in axes: texts, ticks, and the data of each kind of artist that is
    there."""
    content = {
        "title": axes.get_title(),
        "x_label": axes.get_xlabel(),
        "y_label": axes.get_ylabel(),
        "x_ticks": [tick.get_text() for tick in axes.get_xticklabels()],
        "y_ticks": [tick.get_text() for tick in axes.get_yticklabels()],
        "lines": [
            {"label": label(line), "x": plain(line.get_xdata()), "y": plain(line.get_ydata())}
            for line in visible(axes.lines)
        ],
        "bars": [_bars(bars) for bars in axes.containers if isinstance(bars, BarContainer)],
        "rectangles": [_rectangle(patch) for patch in _single_rectangles(axes)],
        "points": [
            {"label": label(points), "xy": plain(points.get_offsets())}
            for points in visible(axes.collections)
            if isinstance(points, PathCollection)
        ],
        "segments": [
            [plain(segment) for segment in lines.get_segments()]
            for lines in visible(axes.collections)
            if isinstance(lines, LineCollection)
        ],
        "images": [plain(image.get_array()) for image in visible(axes.images)],
        "texts": [_text(text) for text in _texts(axes)],
    }
    return {name: part for name, part in content.items() if part not in ("", [], {})}


def visible(artists: Iterable) -> list:
    """Return the artists that are drawn."""
    return [artist for artist in artists if artist.get_visible()]


def label(artist: Any) -> str:
    """Return the label that the legend shows, "" for one that matplotlib made up."""
    text = str(artist.get_label())
    return "" if text.startswith("_") else text


def plain(values: Any) -> Any:
    """Return numbers as JSON has them: lists, and None for what is not a finite number."""
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(object).filled(None) if values.mask.any() else values.data
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, Iterable) and not isinstance(values, str):
        return [plain(value) for value in values]
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    return values if values is None or isinstance(values, (int, bool)) else str(values)


def _bars(bars: BarContainer) -> dict[str, Any]:
    return {"label": label(bars), "bars": [_rectangle(patch) for patch in visible(bars.patches)]}


def _rectangle(patch: Rectangle) -> dict[str, Any]:
    sides = {"x": patch.get_x(), "y": patch.get_y()}
    sides |= {"width": patch.get_width(), "height": patch.get_height()}
    return {side: plain(float(value)) for side, value in sides.items()}


def _single_rectangles(axes: Axes) -> list[Rectangle]:
    in_bars = {id(p) for bars in axes.containers if isinstance(bars, BarContainer) for p in bars}
    return [
        patch
        for patch in visible(axes.patches)
        if isinstance(patch, Rectangle) and id(patch) not in in_bars
    ]


def _texts(axes: Axes) -> list[Text]:
    artists = [*axes.texts, *(a for a in axes.artists if isinstance(a, Text))]
    return [text for text in visible(artists) if text.get_text().strip()]


def _text(text: Text) -> dict[str, Any]:
    x, y = text.get_unitless_position()
    return {"text": visible_lines(text.get_text()), "x": plain(float(x)), "y": plain(float(y))}


def collect(run: Path, lessons: Iterable[str], folder: Path) -> int:
    """Copy the pictures of the lessons that ran in `run` to `folder`, one folder a lesson, and
    write their page; return how many there are."""
    for lesson in lessons:
        shutil.rmtree(folder / lesson, ignore_errors=True)
        if (run / lesson / FIGURES).exists():
            shutil.copytree(run / lesson / FIGURES, folder / lesson)
    return index(folder)


def index(folder: Path) -> int:
    """Write index.html, a page with every picture of a pack and its caption; return how many."""
    descriptions = sorted(
        folder.glob("*/*.json"), key=lambda path: (path.parent.name, _number(path))
    )
    lines, lesson = [HEAD], ""
    for path in descriptions:
        if path.parent.name != lesson:
            lesson = path.parent.name
            lines.append(f"<h2>{escape(lesson)}</h2>\n")
        caption = escape(json.loads(path.read_text(encoding="utf-8"))["caption"])
        files = {kind: escape(f"{lesson}/{path.stem}.{kind}") for kind in ("svg", "pdf", "json")}
        links = " · ".join(f'<a href="{file}">{kind}</a>' for kind, file in files.items())
        lines.append(
            f'<figure><img src="{files["svg"]}" alt=""><figcaption>{caption} '
            f"({links})</figcaption></figure>\n"
        )
    text = "".join([*lines, "</body></html>\n"])
    (folder / "index.html").write_text(text, encoding="utf-8", newline="\n")
    return len(descriptions)


def _number(path: Path) -> tuple[int, str]:
    last = path.stem.rpartition("-")[2]
    return int(last) if last.isdigit() else 0, path.stem
