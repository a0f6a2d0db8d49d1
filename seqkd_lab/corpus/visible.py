"""Text of a file as a terminal may show it."""

from __future__ import annotations

JOINERS = "\u200c\u200d"  # they shape letters and emoji, and do nothing to a terminal


def visible(text: str, longest: int | None = None) -> str:
    """Return `text` with control characters, and those that turn the direction of writing, escaped
    as Python does it.

    Text of a file could otherwise move the cursor of a terminal, colour it, or hide what stands
    there. With `longest`, the characters beyond that number become "…".
    """
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in JOINERS else c.encode("unicode_escape").decode() for c in text
    )
