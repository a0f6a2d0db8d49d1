"""An extension of Sphinx: docstrings here are written like Markdown, with `code` between
backticks; before reStructuredText reads them they become what was meant."""

from __future__ import annotations

import re
from typing import Any

CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
MARK = re.compile(r"([\\*|_])")
COLUMNS = re.compile(r"\S {2,}\S")


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def rewrite(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Replace the lines of a docstring by reStructuredText, in place, as autodoc asks for."""
    lines[:] = as_rst("\n".join(lines)).split("\n")


def as_rst(docstring: str) -> str:
    """Return a docstring as reStructuredText: code stays code, every other mark is a letter, and
    what stands in columns or indented keeps its lines."""
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", docstring) if block.strip()]
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: str) -> str:
    if block.startswith(" ") or any(map(COLUMNS.search, block.split("\n"))):
        return "::\n\n" + "\n".join(f"    {line}" for line in block.split("\n"))
    if "\n  " in block:  # a hanging indent would begin a definition
        block = "\n".join(line.strip() for line in block.split("\n"))
    parts, start = [], 0
    for code in CODE.finditer(block):
        inside = " ".join(code[2].split())
        parts += [MARK.sub(r"\\\1", block[start : code.start()]), f"\\ ``{inside}``\\ "]
        start = code.end()
    text = "".join([*parts, MARK.sub(r"\\\1", block[start:])])
    return re.sub(r"(?m)^([-+•]|\(?\w+[.)]) ", r"\\\1 ", text)
