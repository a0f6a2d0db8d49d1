"""What a notebook shows of an exercise: the task, folded hints and solutions, and the result of a
check.

Each has a plain text (print, a terminal) and HTML. Whatever came from a learner's function is
escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from seqkd_lab.corpus.visible import visible

PASSED, FAILED = "#00694d", "#9a3b00"  # dark enough on white; the word stands beside the colour
EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])")


@dataclass(frozen=True)
class Task:
    """An exercise's card: title, what to write, difficulty and time."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.markdown


@dataclass(frozen=True)
class Folded:
    """A text behind a line that opens it (Enter or a click), so that nobody reads a hint by
    accident."""

    label: str
    text: str
    is_code: bool = False

    def _repr_html_(self) -> str:
        body = (
            f"<pre><code>{escape(self.text)}</code></pre>"
            if self.is_code
            else f"<p>{inline_html(self.text)}</p>"
        )
        return f"<details><summary>{escape(self.label)}</summary>{body}</details>"

    def __repr__(self) -> str:
        return f"{self.label}\n{self.text}"


@dataclass(frozen=True)
class Result:
    """What a check found: `passed`, and the lines that say so, the first of them a headline.

    As a truth value it is `passed`. `misconception` is the listed one that the answer seems to come
    from, or None.
    """

    key: str
    passed: bool
    lines: tuple[str, ...]
    misconception: str | None = None

    def __bool__(self) -> bool:
        return self.passed

    def _repr_html_(self) -> str:
        colour = PASSED if self.passed else FAILED
        headline, *rest = map(inline_html, map(visible, self.lines))
        body = "".join(f"<div>{line}</div>" for line in rest)
        style = f"border-left: 4px solid {colour}; padding: .3em .8em"
        return (
            f'<div role="status" style="{style}"><b style="color: '
            f'{colour}">{headline}</b>{body}</div>'
        )

    def __repr__(self) -> str:
        return "\n".join(map(visible, self.lines))


def inline_html(text: str) -> str:
    """Escapes `text` and renders what markdown says within a line: `code`, **strong** and
    *emphasis*."""
    parts = re.split(r"(`[^`]+`)", escape(text))
    return "".join(
        f"<code>{part[1:-1]}</code>" if part.startswith("`") and len(part) > 2 else emphasised(part)
        for part in parts
    )


def emphasised(html: str) -> str:
    """Renders **strong** and *emphasis* in escaped text; a lone asterisk, or one among blanks,
    stays as it is."""
    parts = re.split(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", html)
    parts = [EMPHASIS.sub(r"<em>\1</em>", part) for part in parts]  # never across a **strong** end
    parts[1::2] = [f"<strong>{part}</strong>" for part in parts[1::2]]
    return "".join(parts)
