"""Text of a file, or of a model, as a terminal may show it."""

from __future__ import annotations

import re

JOINERS = "\u200c\u200d"  # they shape letters and emoji, and do nothing to a terminal
CONTROL = "\x00-\x1f\x7f-\x9f"
INVISIBLE = (
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""What ends lines, turns the direction of writing or takes no room, and halves of characters."""
HIDDEN = re.compile(f"[{CONTROL}{INVISIBLE}]")
HIDDEN_IN_LINES = re.compile(f"(?![\n\t])[{CONTROL}{INVISIBLE}]")
CONTROL_IN_LINES = re.compile(f"(?![\n\t])[{CONTROL}]")


def visible(text: str, longest: int | None = None) -> str:
    """Return `text` in one line, with control characters, those that turn the direction of writing
    and those that take no room escaped as Python does it.

    Text of a file could otherwise move the cursor of a terminal, colour it, or hide what stands
    there. With `longest`, the characters beyond that number become "…".
    """
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    return HIDDEN.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """Return `text` as `visible` does, but keep line feeds and tabs: a layout needs them."""
    return HIDDEN_IN_LINES.sub(_escaped, text)


def without_controls(lines: str) -> str:
    """Return `lines` with U+FFFD for each control character but line feed and tab.

    For text that goes into a file or a pipe: no language writes control characters, and whoever
    prints the file would send them to a terminal. Marks of direction stay, since Arabic and Hebrew
    need them.
    """
    return CONTROL_IN_LINES.sub("\ufffd", lines)


def _escaped(match: re.Match) -> str:
    return match[0].encode("unicode_escape").decode()
