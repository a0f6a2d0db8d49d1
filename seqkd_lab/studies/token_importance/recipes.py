"""The models of the token-importance experiment: a student with planted weaknesses, and what each
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
from seqkd_lab.runs.presets import EARLIER, SHORT
from seqkd_lab.runs.recipes import BASELINE, TEACHER, Recipe, table_recipes
from seqkd_lab.training import Optimisation

START = "start"
SHARES = (0.1, 0.2, 0.5)
COMPARED = (RANDOM, ENTROPY, DELTA, Q3, SOFT_OR, BOTTOM)
"""The selectors that are trained with, at each of SHARES."""
PLANTED = Planted()
LONG = LongSources(least=14, most=4096)
WARMING = replace(SHORT.student_training, epochs=20)
"""Twice as long as Table 1's student: one that writes long sentences, too, with few mistakes but
the planted ones."""
TUNING = Optimisation(epochs=1, learning_rate=0.004, batch_size=64)


def start_and_teacher(seed: int, n_train: int | None = None) -> tuple[Recipe, Recipe]:
    """The student that learned from the planted corpus, and the teacher that learned from gold."""
    rows = table_recipes(replace(EARLIER, n_train=n_train), SHORT, seed)
    start = replace(rows[BASELINE], name="planted student", distilled=PLANTED, optimisation=WARMING)
    return start, rows[TEACHER]


def arm(selector: str, share: float) -> str:
    """An arm's name in the results."""
    return selector if selector == ALL else f"{selector} {share:g}"


ARMS = (ALL, *(arm(selector, share) for selector in COMPARED for share in SHARES))


def arms(seed: int) -> dict[str, Recipe]:
    """The 19 arms of a seed, by name."""
    start, teacher = start_and_teacher(seed)
    objectives = {ALL: Selected(ALL, 1.0)}
    objectives |= {
        arm(selector, share): Selected(selector, share) for selector in COMPARED for share in SHARES
    }
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
        for name, objective in objectives.items()
    }
