"""The models of the token-importance study: a student with planted weaknesses, and what each
selector makes of it.

Every arm starts from the same student, has the same teacher, and takes the same number of updates
on the same sources; only which of its own tokens teach it differs.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.corpus.toy.planted import LongSources, Planted
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.tip import ALL, BOTTOM, ENTROPY, Q3, RANDOM, SOFT_OR, Selected
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, TEACHER, Recipe, ToyData, table_recipes

DATA = ToyData()
START = "start"
SHARES = (0.1, 0.2, 0.5)
"""At which the selectors are compared before training."""
TRAINED = (
    (ALL, 1.0),
    (RANDOM, 0.5),
    (ENTROPY, 0.5),
    (SOFT_OR, 0.5),
    (BOTTOM, 0.5),
    (RANDOM, 0.1),
    (Q3, 0.1),
)
"""The selectors and shares that are trained with; random at the same share is the control of
each."""
PLANTED = Planted()
LONG = LongSources(least=14, most=3072)
WARMING = replace(TOY.student_training, epochs=6)
TUNING = Optimisation(epochs=2, learning_rate=0.003, batch_size=64)
"""Chosen with seed 11, which is in no table, on the sources of the pilot."""


def start_and_teacher(seed: int, n_train: int | None = None) -> tuple[Recipe, Recipe]:
    """Return the student that learned from the planted corpus, and the teacher that learned from
    gold."""
    rows = table_recipes(replace(DATA, n_train=n_train), TOY, seed)
    start = replace(rows[BASELINE], name="planted student", distilled=PLANTED, optimisation=WARMING)
    return start, rows[TEACHER]


def arm(selector: str, share: float) -> str:
    """Return an arm's name in the results."""
    return selector if selector == ALL else f"{selector} {share:g}"


SELECTIONS = {arm(selector, share): Selected(selector, share) for selector, share in TRAINED}
"""The objectives of the arms, by name."""
ARMS = tuple(SELECTIONS)


def arms(seed: int) -> dict[str, Recipe]:
    """Return the recipes of a seed's arms, by name."""
    start, teacher = start_and_teacher(seed)
    return {
        name: replace(
            start,
            name=name,
            start=start,
            teacher=teacher,
            objective=objective,
            optimisation=TUNING,
            distilled=LONG,
            batch_transform=OnPolicy(1.0),
        )
        for name, objective in SELECTIONS.items()
    }
