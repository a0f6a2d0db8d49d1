"""The HTML of pictures and views: what stands in a page, with and without JavaScript.

Without JavaScript, and in print, a page shows a view as it was opened. With it, site/static/
player.js makes the controls from the data that stand here, and loads what they show.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from book.drawing import POINTS_PER_INCH, document, drawn
from book.packing import PER_FILE, Recorder, Shown, write_files
from book.states import Control, Tree, controls_of, read_out, walk
from seqkd_lab.corpus.visible import visible, visible_lines
from seqkd_lab.lab.shared.picture import make_visible
from seqkd_lab.lab.shared.view import View

VIEWS = "views"
"""The folder of the views' files, in the site and beside the pages of the lessons."""
NO_SCRIPT = "The controls of this picture need JavaScript."
NEEDS_KERNEL = "What this view does is computed while you use it, so here it stands still."


def figure_html(figure: Figure, words: str, name: str) -> str:
    """Return a figure as SVG in a page, `words` as what stands for it."""
    make_visible(figure)
    still = drawn([figure], figure, f"{name}-")
    elements = document(still.elements, list(still.definitions.values()))
    return f'<div class="seqkd-picture">{svg(figure, words, elements, "")}</div>'


def still_html(figure: Figure, words: str, name: str) -> str:
    """Return the still twin of a view that only a kernel can move."""
    return f'{figure_html(figure, words, name)}<p class="seqkd-note">{escape(NEEDS_KERNEL)}</p>'


def view_html(view: View, words: str, name: str, folder: Path, most: int | None = None) -> str:
    """Write the states of `view` below `folder` as the files of the view `name`, with `most` values
    of each control; return its HTML."""
    controls = controls_of(view)
    with read_out(view):
        view.redraw()
        recorder = Recorder(view, f"{name}-")
        tree, path = walk(view, recorder.record, most)
    write_files(recorder.states, folder / VIEWS / name, name)
    return player(name, view.picture.figure, words, (controls, tree, path), recorder.states)


def player(
    name: str,
    figure: Figure,
    words: str,
    choices: tuple[list[Control], Tree, list[int]],
    states: list[Shown],
) -> str:
    """Return the HTML of a view as it was opened, with what player.js needs to move it."""
    controls, tree, path = choices
    opened = states[tree.state(path)]
    data = {
        "controls": [asdict(control) for control in controls],
        "labels": tree.labels,
        "nodes": [[node.labels, node.start, node.children] for node in tree.nodes],
        "root": tree.root,
        "path": path,
        "perFile": PER_FILE,
        "files": f"../{VIEWS}/{name}/",
    }
    in_script = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    picture = svg(figure, words, opened.still, "".join(opened.moving), f"{name}-words")
    return (
        f'<div class="seqkd-view" id="{name}" role="group" aria-label="{attribute(words)}">'
        f'<script type="application/json">{in_script}</script>'
        f'<div class="seqkd-controls"></div>'
        f'<div class="seqkd-picture">{picture}</div>'
        f'<div class="seqkd-words" id="{name}-words">{opened.words}</div>'
        f'<div class="visually-hidden" aria-live="polite"></div>'
        f'<noscript><p class="seqkd-note">{NO_SCRIPT}</p></noscript></div>'
    )


def svg(figure: Figure, words: str, still: str, moving: str, described_by: str = "") -> str:
    """Return an <svg> as large as the figure, narrower on a narrow page."""
    width, height = (round(inches * POINTS_PER_INCH, 1) for inches in figure.get_size_inches())
    described = f' aria-describedby="{described_by}"' if described_by else ""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{width / 0.75:.0f}px" '
        f'role="img" aria-label="{attribute(words)}"{described}>'
        f'<g class="still">{still}</g><g class="moving">{moving}</g></svg>'
    )


def attribute(text: str) -> str:
    """Return text as the value of an attribute, in one line."""
    return escape(visible(" ".join(visible_lines(text).split())))
