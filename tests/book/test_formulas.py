"""Every formula of the lessons can be drawn by a browser alone."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("sphinx", reason="the book's packages are not installed")

import notebook_runs  # noqa: E402

from book.formulas import mathml  # noqa: E402
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
def test_a_formula_becomes_mathml_with_all_its_letters(formula):
    xml = ENTITY.sub(lambda entity: html.unescape(entity[0]), mathml(formula))
    root = ElementTree.fromstring(xml)
    shown = "".join(root.itertext())
    names = re.sub(r"\\(?:text|mathrm)\{([^}]*)\}|\\[A-Za-z]+", r"\1", formula)
    for letter in filter(LETTER.match, names):
        assert letter in shown, (letter, shown)
    assert "\\" not in shown


@pytest.mark.parametrize("formula", [r"\nosuchthing", r"\begin{nothing}x\end{nothing}"])
def test_what_is_no_formula_is_named(formula):
    with pytest.raises(ValueError, match="cannot be written as MathML"):
        mathml(formula)
