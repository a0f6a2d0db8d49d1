"""An extension of Sphinx: formulas as pictures that need no script and no font, with MathML beside
them for a screen reader.

The usual renderer would load a script from elsewhere, and browsers draw MathML well only where a
font for mathematics is installed.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from matplotlib import rc_context
from matplotlib.path import Path
from matplotlib.textpath import TextPath

EM = 16
REWRITTEN = (
    (re.compile(r"\\(?:[Bb]igg?[lr]?)(?![A-Za-z])"), ""),  # sizes of brackets
    (re.compile(r"\\sqrt ([A-Za-z])"), r"\\sqrt{\1}"),
    (re.compile(r"\\tilde ([A-Za-z])"), r"{\\tilde{\1}}"),
    (re.compile(r"\\dots(?![A-Za-z])"), r"\\ldots"),
    (re.compile(r"\s+"), " "),
)
"""LaTeX that one of the two renderers reads otherwise, and how both read it alike."""
COMMANDS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the renderer."""
    app.add_html_math_renderer("picture", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def formula_html(formula: str, is_block: bool = False) -> str:
    """Return a formula of LaTeX as HTML: a picture for the eye, in which the fractions of a block
    are large, and MathML for a screen reader. Raise ValueError, which names the formula, where it
    cannot be read."""
    source = formula.strip()
    for pattern, plain in REWRITTEN:
        source = pattern.sub(plain, source)
    try:
        spoken = tex2mathml(source)
        with rc_context({"mathtext.fontset": "cm"}):
            picture = source.replace(r"\frac", r"\dfrac") if is_block else source
            drawn = TextPath((0, 0), f"${picture}$", size=EM)
    except (MathError, SyntaxError, ValueError) as error:
        raise ValueError(f"the formula {formula!r} cannot be read: {error}") from error
    return f'{svg(drawn)}<span class="visually-hidden">{spoken}</span>'


def svg(drawn: TextPath) -> str:
    """Return a path, whose baseline is at 0, as an <svg> that stands on the line of the text
    around it, in the text's colour and as large."""
    left, bottom, width, height = drawn.get_extents().bounds
    steps = " ".join(
        COMMANDS[code] + " ".join(f"{value:.2f}" for value in points) if code in COMMANDS else "Z"
        for points, code in drawn.iter_segments(simplify=False, curves=True)
    )
    return (
        f'<svg class="formula" aria-hidden="true" viewBox="{left:.2f} {-bottom - height:.2f} '
        f'{width:.2f} {height:.2f}" style="width:{width / EM:.3f}em;height:{height / EM:.3f}em;'
        f'vertical-align:{bottom / EM:.3f}em"><path transform="scale(1 -1)" d="{steps}"/></svg>'
    )


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(f"<span>{formula_html(node.astext())}</span>")
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    translator.body.append(f'<div class="formula-block">{formula_html(node.astext(), True)}</div>')
    raise nodes.SkipNode
