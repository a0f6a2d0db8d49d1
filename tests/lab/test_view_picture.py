"""The pictures: what moves is drawn over what stands still, text as matplotlib would draw it,
nothing global left."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from seqkd_lab.lab.next_word.view import TemperatureExplorer
from seqkd_lab.lab.shared.bars import BarRows, signed, unsigned
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label


def pixels(png: bytes) -> np.ndarray:
    """(height, width, 3), 0–255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA").convert("RGB")).astype(int)


def bars_picture(words, values, limits=(0.0, 1.0)) -> tuple[BarRows, BlittedFigure]:
    figure = Figure(figsize=(5, 3))
    bars = BarRows(figure.subplots(), ("one",), ("#0072B2",), 3, limits)
    bars.show(words, [values])
    return bars, BlittedFigure(figure, bars.animated)


def test_a_moved_picture_equals_one_that_was_made_so():
    bars, picture = bars_picture(["a", "b"], [0.9, 0.1])
    before = picture.png()
    bars.show(["c", "d", "e"], [[0.2, 0.3, 0.4]])
    assert picture.png() == bars_picture(["c", "d", "e"], [0.2, 0.3, 0.4])[1].png() != before


@pytest.mark.parametrize("ha", ["left", "center", "right"])
def test_a_label_stands_where_matplotlib_would_write_it(ha):
    figure = Figure(figsize=(4, 2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    label = add_label(axes, 0.5, 0.5, "Äpfel $5", ha=ha, color="#D55E00")
    ours = pixels(BlittedFigure(figure, [label]).png())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    theirs = pixels(buffer.getvalue())
    ours, theirs = (np.argwhere(picture.min(axis=2) < 160) for picture in (ours, theirs))
    assert np.abs(ours.min(axis=0) - theirs.min(axis=0)).max() <= 2
    assert np.abs(ours.max(axis=0) - theirs.max(axis=0)).max() <= 2


def test_a_value_beyond_the_scale_ends_at_the_edge_and_says_so():
    bars, _ = bars_picture(["a", "b", "c"], [-1.83, 0.0, 2.5], (-1.0, 1.0))
    assert [bar.get_width() for bar in bars._bars[0]] == [-1.0, 0.0, 1.0]
    assert [label.get_text() for label in bars._numbers[0]] == ["◂ −1.830", "0.000", "▸ +2.500"]


def test_numbers_are_never_rounded_to_nothing():
    assert [unsigned(p, 3) for p in (0.0, 1e-9, 0.0006, 0.25)] == ["0", "<0.001", "0.001", "0.250"]
    assert [signed(p, 2) for p in (-0.001, 0.001, -0.5)] == ["0.00", "0.00", "−0.50"]


def test_views_leave_no_pyplot_figure_behind(toy, toy_models):
    TemperatureExplorer(toy_models["teacher"], toy.test, toy.language, n_sentences=2)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.slow
def test_the_core_loads_no_picture_figures_need_no_widgets_and_the_views_say_what_to_install():
    code = """
import sys
sys.modules["ipywidgets"] = None  # as if it were not installed
import seqkd_lab.decoding.trace, seqkd_lab.runs.store
assert "matplotlib" not in sys.modules
import seqkd_lab.lab.language.figures
try:
    import seqkd_lab.lab.shared.view
except ImportError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'ipywidgets>=" in said.stdout, said.stderr
