"""What every notebook imports whatever its subject; each name is defined in a module of its own."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from seqkd_lab.lab.shared.models import (
    TICKET,
    TICKET_GOLD,
    models,
    table_results,
    toy_data,
    trained,
)
from seqkd_lab.lab.shared.plan import Lesson, lessons
from seqkd_lab.lab.shared.predictions import Predictions
from seqkd_lab.lab.shared.progress_bar import Bar
from seqkd_lab.lab.shared.showing import (
    Expectation,
    Markdown,
    StaticView,
    answer,
    png,
    should_see,
    source_of,
    widget,
)
from seqkd_lab.lab.shared.switches import FAST_SWITCH, is_fast, scaled
from seqkd_lab.machine import use_threads

PREDICTIONS_FILE = "SEQKD_LAB_PREDICTIONS"
"""This environment variable names the file of a person's predictions, where the default path will
not do."""


def begin() -> Predictions:
    """Prepare a notebook, and return this person's recorder of predictions.

    Torch gets one thread: that is enough for small models, and a busy neighbour then costs no more
    than its share.
    """
    use_threads(1)
    return predictions()


def predictions() -> Predictions:
    """Return this person's recorder, the same in every notebook; its file lies among the user's own
    data."""
    default = Path(platformdirs.user_data_dir("seqkd_lab", appauthor=False)) / "predictions.json"
    return Predictions(Path(os.environ.get(PREDICTIONS_FILE) or default))


def lesson_map(folder: Path = Path()) -> Markdown:
    """Return the table of the lessons with their minutes: a link to each whose notebook lies in
    `folder` (by default the current one, which is a kernel's notebook's), and one to the
    glossary."""
    lines = ["| | lesson | minutes | what you can do after it |", "|---|---|---|---|"]
    for lesson in lessons():
        exists = (folder / lesson.file).exists()
        title = (
            f"[{lesson.title}]({lesson.file})" if exists else f"{lesson.title} (not in this copy)"
        )
        lines.append(f"| {lesson.name[:2]} | {title} | {lesson.minutes} | {lesson.goal} |")
    if (folder / "glossary.md").exists():
        lines += ["", "The [glossary](glossary.md) explains every term in one sentence."]
    return Markdown("\n".join(lines))
