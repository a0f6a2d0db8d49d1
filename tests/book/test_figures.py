"""The figure pack holds what was drawn, in the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

from book import figures
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label

HOSTILE = "<script>alert(1)</script> \x1b & 50 $"


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
