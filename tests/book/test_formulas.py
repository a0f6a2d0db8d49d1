"""Every formula of the lessons can be drawn by a browser alone."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("sphinx", reason="the book's packages are not installed")

import notebook_runs  # noqa: E402

from book.formulas import formula_html  # noqa: E402
from seqkd_lab.lab.shared.exercises.catalogue import all_exercises  # noqa: E402

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
LETTER = re.compile(r"[A-Za-z0-9]")
ENTITY = re.compile(r"&(?!lt;|gt;|amp;)\w+;")
"""HTML has names for more characters than XML."""


def texts() -> list[str]:
    """All markdown of the lessons."""
    cells = [
        cell.source
        for path in notebook_runs.paths()
        for cell in notebook_runs.read(path).cells
        if cell.cell_type == "markdown"
    ]
    return cells + [exercise.task for exercise in all_exercises().values()]


FORMULAS = sorted({a or b for text in texts() for a, b in FORMULA.findall(text)})


def test_there_are_formulas():
    assert len(FORMULAS) > 20 and any("frac" in formula for formula in FORMULAS)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_drawn_and_has_all_its_letters_for_a_screen_reader(formula):
    markup = ENTITY.sub(lambda entity: html.unescape(entity[0]), formula_html(formula))
    picture, spoken = ElementTree.fromstring(f"<p>{markup}</p>")
    shown = "".join(spoken.itertext())
    names = re.sub(r"\\(?:text|mathrm)\{([^}]*)\}|\\[A-Za-z]+", r"\1", formula)
    letters = LETTER.findall(names)
    for letter in letters:
        assert letter in shown, (letter, shown)
    assert "\\" not in shown
    (path,) = picture
    assert path.get("d").count("M") >= len(letters)  # at least one outline a letter
    assert picture.get("aria-hidden") == "true"


@pytest.mark.parametrize("formula", [r"\nosuchthing", r"\begin{nothing}x\end{nothing}"])
def test_what_is_no_formula_is_named(formula):
    with pytest.raises(ValueError, match="cannot be read"):
        formula_html(formula)


def test_a_formula_stands_on_the_line_and_a_fraction_reaches_below_it():
    below = re.compile(r"vertical-align:(-?[\d.]+)em")
    depths = [float(below.search(formula_html(f))[1]) for f in ("x", r"\frac{a}{b}", "y")]
    assert abs(depths[0]) < 0.05 and depths[1] < -0.3 and depths[2] < -0.1
