"""English as a person types it, in the words of the toy language."""

from __future__ import annotations

import re

WORD_OR_MARK = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]|_")


def tokenise(text: str) -> tuple[str, ...]:
    """Words and punctuation marks, in lower case but for "I"; a full stop is added where the
    sentence lacks one.

    An empty text gives no tokens.
    """
    words = [word if word == "I" else word.lower() for word in WORD_OR_MARK.findall(text)]
    if words and words[-1] != ".":
        words.append(".")
    return tuple("I" if word == "i" else word for word in words)
