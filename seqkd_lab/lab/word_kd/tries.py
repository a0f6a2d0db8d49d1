"""One try of the student trainer: what it trains, and the table in which tries are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from seqkd_lab.evaluation import OutputScore
from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.studies.word_kd_map import Place

GOLD = "NLL on gold"
WORD = "Word-KD"
SEQ = "Seq-KD"
LABELS = {"nll": GOLD, "word-kd": "Word-KD with τ²", "balanced-word-kd": WORD}
"""What the list calls an objective of losses.OBJECTIVES; another one keeps its own name. WORD is
the balanced one, as on the map. SEQ is no objective of its own: it is NLL on another corpus."""
SYMBOLS = {"alpha": "α", "temperature": "τ"}
COLUMNS = (
    "objective",
    "α",
    "τ",
    "width",
    "epochs",
    "NLL of gold",
    "BLEU greedy",
    "valid %",
    "seconds",
    "ended",
)
WHOLE = "whole"


@dataclass(frozen=True)
class Try:
    """What one press of the button trains: an objective of the list, and its settings by name."""

    objective: str
    settings: tuple[tuple[str, float], ...]
    width: int
    epochs: int

    @property
    def described(self) -> str:
        """The objective with those of its settings that have no column of the table."""
        return self._with([pair for pair in self.settings if pair[0] not in SYMBOLS])

    @property
    def name(self) -> str:
        """For people: "Word-KD, α 0.5, τ 1, width 24, 4 epochs"."""
        return f"{self._with(self.settings)}, width {self.width}, {self.epochs} epochs"

    def _with(self, settings: Sequence[tuple[str, float]]) -> str:
        values = (f"{SYMBOLS.get(name, name)} {value:g}" for name, value in settings)
        return ", ".join([self.objective, *values])

    @property
    def place(self) -> Place | None:
        """Its place on a map of Word-KD, where gold alone is α = 0; None for what has none."""
        if self.objective == GOLD:
            return 0.0, None
        settings = dict(self.settings)
        return (settings["alpha"], settings["temperature"]) if self.objective == WORD else None

    def row(self, curve: Curve, score: OutputScore, seconds: float, ended: str) -> pd.DataFrame:
        """Return the trained student as one row of the table; NaN for what it does not have."""
        nothing = float("nan")
        settings = {SYMBOLS[name]: value for name, value in self.settings if name in SYMBOLS}
        values = {
            "objective": self.described,
            "α": settings.get("α", nothing),
            "τ": settings.get("τ", nothing),
            "width": self.width,
            "epochs": self.epochs,
            "NLL of gold": curve.validations[-1][1] if curve.validations else nothing,
            "BLEU greedy": score.bleu,
            "valid %": nothing if score.validity is None else 100.0 * score.validity,
            "seconds": seconds,
            "ended": ended,
        }
        return pd.DataFrame([values], columns=list(COLUMNS))


def ranked(results: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    """Return the table with one more row, the best BLEU first."""
    rows = pd.concat([results, row], ignore_index=True) if len(results) else row
    return rows.sort_values("BLEU greedy", ascending=False, kind="stable", ignore_index=True)


def table_html(results: pd.DataFrame) -> str:
    """Return the table as HTML, escaped."""
    if not len(results):
        return "No try yet."
    shown = results.round(2).rename_axis("place")
    shown.index += 1
    table = shown.to_html(border=0, na_rep="–", escape=True)
    for cell in ("<th>", "<td>"):  # none of them can come from what is shown: that is escaped
        table = table.replace(cell, f'{cell[:-1]} style="padding:0 .6em">')
    return table
