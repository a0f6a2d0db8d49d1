"""Everything that a cell may show, with a payload wherever it holds a text."""

from __future__ import annotations

from typing import Any

from seqkd_lab.lab.beam import outputs
from seqkd_lab.lab.shared import comparison
from seqkd_lab.lab.shared.exercises.showing import Folded, Result
from seqkd_lab.lab.shared.predictions.questions import Number
from seqkd_lab.lab.shared.predictions.recorder import Note, Predictions
from seqkd_lab.lab.shared.showing import Markdown, should_see
from seqkd_lab.lab.shared.verdict_table import VerdictTable
from seqkd_lab.runs.verdicts import UNDECIDED, Claim, Verdict


def outputs_of(text: str) -> list[Any]:
    """Return one of every thing that a cell may show, with `text` wherever it holds a text."""
    row = comparison.Row(text, text, text, 0.5, 0.5, text)
    claim = Claim(text, text, lambda rows: 0.5, 0.0, 1.0, text)
    verdict = Verdict(claim, (0.5, 0.6), 0.55, (0.0, 1.0), UNDECIDED, text)
    return [
        Folded(text, text),
        Folded(text, text, is_code=True),
        Result(text, False, (text, f"`{text}`", f"**{text}**"), text),
        Markdown(f"The teacher writes “{text}”, `{text}` and {text}."),
        should_see(text, 0.5, 0.0, 1.0, text),
        comparison.Comparison(text, (row,)),
        comparison.Comparison(text, (), text),
        outputs.SideBySide(text, (outputs.Row(text, text, text, -1.0, text),)),
        Note(True, (text, text)),
        Predictions().ask(text, text, Number(text, 1.0)),
        VerdictTable((verdict,), {text: 0.1}),
    ]
