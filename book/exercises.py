"""A lesson's exercises in the book: where nobody has written an answer yet, the page says where one
writes it."""

from __future__ import annotations

import os
from html import escape
from typing import Any

from book import LESSON
from book.addresses import buttons
from seqkd_lab.lab.shared.exercises import Result, find
from seqkd_lab.lab.shared.exercises.checking import STILL_THE_STUB


def register(shell: Any) -> None:
    """Show the check of a stub as the book does; the check of an answer stays as it is."""
    shell.display_formatter.formatters["text/html"].for_type(Result, result_html)


def result_html(result: Result) -> str:
    """Return what the page shows of a check."""
    if result.passed or result.lines[1:] != (STILL_THE_STUB,):
        return result._repr_html_()
    title = escape(find(result.key).title)
    return (
        '<div class="exercise-here"><p><b>Your turn.</b> You write the function in the notebook, '
        f"where its last line checks your answer to “{title}”.</p>"
        f"{buttons(lesson_file())}</div>"
    )


def lesson_file() -> str:
    """Return the name of the notebook that this kernel runs. Raise KeyError, which names the
    variable, where nothing says so."""
    return f"{os.environ[LESSON]}.ipynb"
