"""Tables in Markdown, whose cells are shown as they were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MARKS = re.compile(r"([\\`*_{}\[\]<>|~$#])")
"""What Markdown would read as more than text."""


def plain(text: object) -> str:
    """Return a text in one line that Markdown shows as it is."""
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; head and cells are Markdown already (see `plain`)."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
