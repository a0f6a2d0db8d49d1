"""An extension of Sphinx: formulas as MathML, which browsers draw themselves. The usual renderer
would load a script from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

SIZES = re.compile(r"\\(?:[Bb]igg?[lr]?)(?![A-Za-z])")
"""Sizes of brackets, which MathML chooses by itself."""
DOTS = re.compile(r"\\dots(?![A-Za-z])")


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(formula: str, as_block: bool = False) -> str:
    """Return a formula of LaTeX as MathML. Raise ValueError,
    which names the formula, where it cannot be written so."""
    try:
        return tex2mathml(DOTS.sub(r"\\ldots", SIZES.sub("", formula)), as_block=as_block)
    except (MathError, SyntaxError) as error:
        raise ValueError(f"the formula {formula!r} cannot be written as MathML: {error}") from error


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    translator.body.append(f'<div class="math">{mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode
