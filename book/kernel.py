"""An extension of IPython, loaded into the kernel that runs a lesson for the book: the lab's
objects show themselves there as a page can show them without a kernel.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from book import FOLDER, LESSON, exercises, figures, player, predictions
from seqkd_lab.lab.shared.showing import StaticView
from seqkd_lab.lab.shared.switches import is_fast

MOST_IN_FAST_MODE = 3


def load_ipython_extension(shell: Any) -> None:
    """Let pictures and views, predictions and exercises show themselves as the book needs them."""
    folder, lesson = Path(os.environ[FOLDER]), os.environ[LESSON]
    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type(StaticView, picture_bundle(folder, lesson))
    predictions.register(shell)
    exercises.register(shell)


def picture_bundle(folder: Path, lesson: str) -> Callable[[StaticView], dict[str, str]]:
    """Return a function that shows a picture, or a view in all its states, as HTML; names count
    them in the lesson."""
    numbers = count(1)

    def show(shown: StaticView) -> dict[str, str]:
        name = f"picture-{lesson[:2]}-{next(numbers)}"
        figures.save(shown.figure, shown.words, folder / figures.FIGURES, name)
        return {"text/html": picture_html(shown, name, folder), "text/plain": shown.words}

    return show


def picture_html(shown: StaticView, name: str, folder: Path) -> str:
    """Return the HTML of a picture; the states of its view, where it has one that can be played,
    go to `folder`."""
    if shown.view is None:
        return player.figure_html(shown.figure, shown.words, name)
    if not shown.view.is_in_controls:
        return player.still_html(shown.figure, shown.words, name)
    most = MOST_IN_FAST_MODE if is_fast() else None
    return player.view_html(shown.view, shown.words, name, folder, most)
