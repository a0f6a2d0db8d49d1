"""The students of the budget study: three rows of Table 1, each trained at several budgets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.identity import settings
from seqkd_lab.runs.measured import Percent, Positive, Row, Share, Size, by_name
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD, Preset, Recipe, ToyData, table_recipes
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.tasks import Evaluate, Task

METHODS = (BASELINE, WORD_KD, SEQ_KD)
FACTORS = (0.25, 0.5, 1.0, 2.0)
"""Budgets as multiples of the table's epochs, in increasing order; TABLE is the table's own."""
TABLE = 1.0
WORD_KD_FACTORS = tuple(factor for factor in FACTORS if factor <= TABLE)
"""An update of Word-KD costs about twice as much, and what is asked of the larger budgets is
whether the baseline catches up with Seq-KD: Word-KD is trained up to the table's budget."""
GREEDY_BLEU = "greedy_bleu"
BEAM_BLEU = "beam_bleu"
GREEDY_VALID = "greedy_validity"
BEAM_VALID = "beam_validity"
P_MODE = "p_mode"
SAME = "same_translation"
PERPLEXITY = "perplexity"
SCALES = {
    GREEDY_BLEU: 1.0,
    BEAM_BLEU: 1.0,
    GREEDY_VALID: 100.0,
    BEAM_VALID: 100.0,
    P_MODE: 100.0,
    SAME: 100.0,
    PERPLEXITY: 1.0,
}
"""What is measured, and by what it is multiplied for people: shares become percent."""
HEADINGS = {
    GREEDY_BLEU: "BLEU K=1",
    BEAM_BLEU: "BLEU K=5",
    GREEDY_VALID: "valid K=1, %",
    BEAM_VALID: "valid K=5, %",
    P_MODE: "p(ŷ) in %",
    SAME: "K=1 same as K=5, %",
    PERPLEXITY: "PPL of gold",
}


@dataclass(frozen=True)
class BudgetStudents:
    """The students that are compared: three rows of the table of `data` and `preset`, at every
    budget."""

    data: ToyData = ToyData()
    preset: Preset = TOY

    def epochs(self, factor: float) -> int:
        """Return `factor` times the table's epochs of a student, rounded, at least 1."""
        return max(1, round(factor * self.preset.student_training.epochs))

    def recipes(self, seed: int) -> dict[tuple[str, float], Recipe]:
        """Return the recipe of each method and factor; at TABLE it is the table's row itself."""
        rows = table_recipes(self.data, self.preset, seed)
        return {
            (method, factor): self._longer(rows[method], factor)
            for method in METHODS
            for factor in factors_of(method)
        }

    def _longer(self, row: Recipe, factor: float) -> Recipe:
        """Return the row itself, or with `factor` times its epochs."""
        epochs, training = self.epochs(factor), self.preset.student_training
        if epochs == training.epochs:
            return row
        longer = replace(training, epochs=epochs)
        return replace(row, name=f"{row.name}, epochs {epochs}", optimisation=longer)

    def tasks(self, seed: int) -> list[Task]:
        """Return the evaluation of every student of `seed`, with the table's beam."""
        return [
            Evaluate(recipe, self.preset.beam_size, self.preset.length_penalty)
            for recipe in self.recipes(seed).values()
        ]

    def measure(self, seed: int, store: Store, report: Report) -> dict:
        """Return by method and factor: epochs, updates, BLEU (0–100), and shares, p(ŷ) and
        perplexity."""
        recipes = self.recipes(seed)
        measured: dict = {method: {} for method in METHODS}
        for n_done, ((method, factor), recipe) in enumerate(recipes.items(), start=1):
            measured[method][factor_key(factor)] = self._measure(recipe, store)
            report(n_done, len(recipes))
        return measured

    def _measure(self, recipe: Recipe, store: Store) -> dict:
        evaluation = store.evaluation(recipe, self.preset.beam_size, self.preset.length_penalty)
        training = recipe.optimisation
        assert training is not None, "every student of the table is trained"
        n_batches = math.ceil(len(store.dataset(self.data).train) / training.batch_size)
        return {
            "epochs": training.epochs,
            "updates": training.epochs * n_batches,
            GREEDY_BLEU: evaluation["greedy"]["bleu"],
            BEAM_BLEU: evaluation["beam"]["bleu"],
            GREEDY_VALID: evaluation["greedy"]["validity"],
            BEAM_VALID: evaluation["beam"]["validity"],
            **{measure: evaluation[measure] for measure in (P_MODE, SAME, PERPLEXITY)},
        }

    def settings(self) -> Mapping:
        """Return everything that decides the numbers of the study, as plain JSON."""
        parts = (
            "teacher",
            "student",
            "teacher_training",
            "student_training",
            "alpha",
            "beam_size",
            "length_penalty",
        )
        return {
            "corpus version": toy.VERSION,
            "data": settings(self.data),
            "factors": {method: list(factors_of(method)) for method in METHODS},
            **{part: settings(getattr(self.preset, part)) for part in parts},
        }


class Level(Row):
    """What a student of a budget reaches: BLEU (0–100), shares, perplexity of gold."""

    epochs: Size
    updates: Size
    greedy_bleu: Percent
    beam_bleu: Percent
    greedy_validity: Share
    beam_validity: Share
    p_mode: Share
    same_translation: Share
    perplexity: Positive


def rows_type() -> type:
    """Return the type of a seed's rows: by method and budget a Level."""
    return by_name(
        "Budgets",
        {
            method: by_name(method, {factor_key(factor): Level for factor in factors_of(method)})
            for method in METHODS
        },
    )


def factors_of(method: str) -> tuple[float, ...]:
    """Return the budgets at which a method is trained."""
    return WORD_KD_FACTORS if method == WORD_KD else FACTORS


def factor_key(factor: float) -> str:
    """Return the name of a budget in the results, as in "0.25"."""
    return f"{factor:g}"
