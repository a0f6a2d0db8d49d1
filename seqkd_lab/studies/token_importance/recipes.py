"""The models of the token-importance study: a student with planted weaknesses, and what each
selector makes of it.

Every arm starts from the same student, has the same teacher, and takes the same number of updates
on the same sources; only which of its own tokens teach it differs. The rate was chosen with seed
11, which is in no table, on the validation set: of .001, .002, .003 and .004 the one at which all
tokens unlearn most planted mistakes in a few dozen updates.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.corpus.toy.planted import LongSources, Planted
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.tip import ALL, BOTTOM, DELTA, ENTROPY, Q3, RANDOM, SOFT_OR, Selected
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import EARLIER, SHORT
from seqkd_lab.runs.recipes import BASELINE, TEACHER, Recipe, table_recipes

START = "start"
SHARES = (0.1, 0.2, 0.5)
COMPARED = (RANDOM, ENTROPY, DELTA, Q3, SOFT_OR, BOTTOM)
"""The selectors that are trained with, at each of SHARES."""
PLANTED = Planted()
LONG = LongSources(least=14, most=4096)
WARMING = replace(SHORT.student_training, epochs=20)
"""Twice as long as Table 1's student: so it writes long sentences, too, with few mistakes but the
planted ones."""
TUNING = Optimisation(epochs=1, learning_rate=0.004, batch_size=64)


def start_and_teacher(seed: int, n_train: int | None = None) -> tuple[Recipe, Recipe]:
    """Return the student that learned from the planted corpus, and the teacher that learned from
    gold."""
    rows = table_recipes(replace(EARLIER, n_train=n_train), SHORT, seed)
    start = replace(rows[BASELINE], name="planted student", distilled=PLANTED, optimisation=WARMING)
    return start, rows[TEACHER]


def arm(selector: str, share: float) -> str:
    """Return an arm's name in the results."""
    return selector if selector == ALL else f"{selector} {share:g}"


SELECTIONS = {ALL: Selected(ALL, 1.0)} | {
    arm(selector, share): Selected(selector, share) for selector in COMPARED for share in SHARES
}
"""The objectives of the 19 arms, by name."""
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
