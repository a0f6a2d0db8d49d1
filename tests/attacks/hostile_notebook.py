"""The notebook of the attack in a browser: what its cells call."""

from __future__ import annotations

import random
import warnings
from typing import Any

import hostile_outputs
import hostile_views
from declared import declared
from payloads import HTML, words
from soak import attempts
from view_samples import small_samples

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises import all_exercises

N_TEXTS = attempts(5, len(HTML))
CELLS = ("show_views()", "show_checks()", *(f"show_outputs({n})" for n in range(N_TEXTS)))
"""JupyterLab shows 50 outputs of a cell at once."""


def show_views() -> None:
    """Show every view, payloads in the place of its words."""
    from IPython.display import display

    warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
    small, samples = small_samples(), declared("SAMPLES")
    for kind in sorted(samples, key=lambda kind: kind.__name__):
        texts = [word for word in words() if "\ud800" not in word]
        random.Random(kind.__name__).shuffle(texts)
        display(hostile_views.hostile_view(kind, samples[kind], small, texts)[0])


def show_outputs(number: int) -> None:
    """Show every kind of output that a cell has, with one of the payloads."""
    from IPython.display import display

    for output in hostile_outputs.outputs_of(HTML[number]):
        display(output)


def show_checks() -> None:
    """Show the check of every exercise where the function raises a payload."""
    from IPython.display import display

    for number, key in enumerate(all_exercises()):
        display(exercises.check(key, _raising(HTML[number % len(HTML)])))


def _raising(text: str) -> Any:
    def answer(*_: Any) -> Any:
        raise ValueError(text)

    return answer
