"""Which script a line is written in: Latin, Cyrillic, Han and so on, by the names of its
letters."""

from __future__ import annotations

import unicodedata
from collections import Counter

LEAST_LETTERS = 4
"""A line of fewer letters says nothing: a name, a unit, an emoji."""
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO")
"""One script here: Japanese mixes them in every sentence."""
WIDTHS = ("FULLWIDTH", "HALFWIDTH", "MATHEMATICAL")


def script_name(letter: str) -> str | None:
    """Return the script of a letter, as in "Latin" or "Cyrillic"; None for what is no letter."""
    if not unicodedata.category(letter).startswith("L"):
        return None
    words = unicodedata.name(letter, "UNKNOWN").split()
    if words[0] in WIDTHS and len(words) > 1:
        words = words[1:] if words[0] != "MATHEMATICAL" else ["LATIN"]
    return "Chinese or Japanese" if words[0] in EAST_ASIAN else words[0].title()


class _Codes(dict):
    """For str.translate: a letter becomes one character that stands for its script, and everything
    else nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self.code_of: dict[str, str] = {}

    def __missing__(self, point: int) -> str | None:
        name = script_name(chr(point))
        if name is None:
            self[point] = None
            return None
        code = self.code_of.setdefault(name, chr(ord("A") + len(self.code_of)))
        self.names[code] = name
        self[point] = code
        return code


class ScriptCounter:
    """Counts the letters of a text by script, line by line."""

    def __init__(self) -> None:
        self._codes = _Codes()
        self._letters: Counter[str] = Counter()

    def add(self, line: str) -> str | None:
        """Count a line; return the script of most of its letters, None where it has too few."""
        codes = line.translate(self._codes)
        if not codes:
            return None
        kinds = set(codes)
        most, n_most = "", 0
        for code in kinds:
            n = len(codes) if len(kinds) == 1 else codes.count(code)
            self._letters[code] += n
            if n > n_most:
                most, n_most = code, n
        if len(codes) < LEAST_LETTERS or 2 * n_most <= len(codes):
            return None
        return self._codes.names[most]

    @property
    def main(self) -> str | None:
        """Return the script that most letters of the text belong to; None for a text without
        letters."""
        return (
            self._codes.names[max(self._letters, key=lambda code: self._letters[code])]
            if self._letters
            else None
        )
