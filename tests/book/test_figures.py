"""The figure pack holds what was drawn, in the same bytes each time."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import pytest
from declared import declared
from matplotlib.figure import Figure
from view_samples import Sample, Small, small_samples

from book import figures
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.view import View

SAMPLES: dict[type[View], Sample] = declared("SAMPLES")
HOSTILE = "<script>alert(1)</script> \x1b & 50 $"


@cache
def small() -> Small:
    return small_samples()


def drawn() -> Figure:
    """Return a figure with one artist of each kind."""
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([1, 2, 3], [0.5, float("nan"), 2.5], label="teacher")
    axes.bar([1, 2], [0.25, 0.75], label="student")
    axes.scatter([1.5], [2.0], label="floor")
    axes.vlines([2.5], 0.0, 1.0)
    axes.set(xlabel="beam", ylabel="BLEU")
    add_label(axes, 1.0, 1.0, "here")
    return figure


def saved(figure: Figure, folder: Path, words: str = "A caption.") -> dict:
    figures.save(figure, words, folder, "picture-01-1")
    return json.loads((folder / "picture-01-1.json").read_text(encoding="utf-8"))


def test_the_numbers_are_those_drawn(tmp_path: Path) -> None:
    content = saved(drawn(), tmp_path)
    (axes,) = content["axes"]
    assert content["caption"] == "A caption."
    assert axes["lines"] == [{"label": "teacher", "x": [1, 2, 3], "y": [0.5, None, 2.5]}]
    (bars,) = axes["bars"]
    assert bars["label"] == "student"
    assert [bar["height"] for bar in bars["bars"]] == [0.25, 0.75]
    assert [bar["x"] + bar["width"] / 2 for bar in bars["bars"]] == [1.0, 2.0]
    assert axes["points"] == [{"label": "floor", "xy": [[1.5, 2.0]]}]
    assert axes["segments"] == [[[[2.5, 0.0], [2.5, 1.0]]]]
    assert axes["texts"] == [{"text": "here", "x": 1.0, "y": 1.0}]
    assert (axes["x_label"], axes["y_label"]) == ("beam", "BLEU")


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        saved(drawn(), tmp_path / folder)
    for kind in ("svg", "pdf", "json"):
        one, two = ((tmp_path / f / f"picture-01-1.{kind}").read_bytes() for f in ("one", "two"))
        assert one == two, kind
        assert one


def test_what_a_view_moves_is_drawn_too(tmp_path: Path) -> None:
    figure = drawn()
    saved(figure, tmp_path / "still")
    moved = BlittedFigure(drawn(), ())
    moved.figure.axes[0].lines[0].set_animated(True)
    saved(moved.figure, tmp_path / "moved")
    still, animated = (
        (tmp_path / f / "picture-01-1.svg").read_text(encoding="utf-8") for f in ("still", "moved")
    )
    assert animated.count("<path") == still.count("<path")


def test_the_page_has_every_caption_and_no_element_of_one(tmp_path: Path) -> None:
    saved(drawn(), tmp_path / "01_lesson", HOSTILE)
    saved(drawn(), tmp_path / "02_lesson", "Second.")
    assert figures.index(tmp_path) == 2
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Second." in page and "&lt;script&gt;" in page and "<script" not in page
    assert "\x1b" not in page


def values_in(part: object) -> list:
    """Return all numbers of a part of the JSON file, in their order, None for those not finite."""
    if isinstance(part, list):
        return [value for inner in part for value in values_in(inner)]
    return [part]


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_the_numbers_of_every_view_are_those_of_its_artists(kind, tmp_path: Path) -> None:
    view = SAMPLES[kind].build(small())
    view.redraw()
    figure = view.still()
    content = saved(figure, tmp_path)
    assert len(content["axes"]) == len(figure.axes)
    for axes, numbers in zip(figure.axes, content["axes"], strict=True):
        lines = [line for line in axes.lines if line.get_visible()]
        assert len(numbers.get("lines", [])) == len(lines)
        for line, kept in zip(lines, numbers.get("lines", []), strict=True):
            for side, artist in (("x", line.get_xdata()), ("y", line.get_ydata())):
                kept_values = [math.nan if v is None else v for v in values_in(kept[side])]
                assert kept_values == pytest.approx([float(v) for v in artist], nan_ok=True)
        heights = [b.get_height() for c in axes.containers for b in c if hasattr(b, "get_height")]
        kept_bars = [bar["height"] for bars in numbers.get("bars", []) for bar in bars["bars"]]
        assert set(kept_bars) <= set(heights)
        texts = {text["text"] for text in numbers.get("texts", [])}
        assert all(
            t.get_text() in texts for t in axes.texts if t.get_visible() and t.get_text().strip()
        )
