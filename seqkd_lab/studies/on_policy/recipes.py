"""The arms of the on-policy study: one start, one teacher, equal updates; targets and loss differ.

Every arm continues Table 1's baseline student of its seed for one pass over the same sources.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.policy_gradient import SampledToken
from seqkd_lab.distillation.sequence_level import MODE, SAMPLED
from seqkd_lab.runs.presets import EARLIER, SHORT
from seqkd_lab.runs.recipes import BASELINE, TEACHER, Distillation, Objective, Recipe, table_recipes
from seqkd_lab.training import Optimisation

N_SENTENCES = 12_800
"""Of the training set: 200 updates."""
BATCH_SIZE = 64
FORWARD = "forward KL"
REVERSE = "reverse KL"
JSD = "JSD"
LOSSES = {FORWARD: Divergence(0.0), REVERSE: Divergence(1.0), JSD: Divergence(0.5, scaled=True)}

GOLD = "gold"
TEACHER_DRAWN = "teacher's samples"
TEACHER_MODE = "teacher's mode"
HALF = "half own"
OWN = "own"
TARGETS = (GOLD, TEACHER_DRAWN, HALF, OWN)
"""Whose translations an arm of the grid learns along: gold and the teacher's samples are fixed sets
(λ = 0); of `half own` every other one is gold (λ = 0.5); `own` are all the student's (λ = 1)."""
METHODS = {TEACHER_DRAWN: SAMPLED, TEACHER_MODE: MODE}
TRANSFORMS = {HALF: OnPolicy(0.5), OWN: OnPolicy()}

START = "start"
NLL_GOLD = "NLL, gold"
NLL_MODE = "NLL, teacher's mode"
PLAIN_JSD = "own, JSD not scaled"
TOKEN = "own, sampled token"
TOKEN_TO_COME = "own, sampled token, discount 1"
RATES = {
    FORWARD: 0.004,
    REVERSE: 0.016,
    JSD: 0.016,
    NLL_GOLD: 0.004,
    NLL_MODE: 0.008,
    TOKEN: 0.001,
    TOKEN_TO_COME: 0.004,
}
"""Peak learning rates, each chosen by `rates.py` among RATES_TRIED, with seed 11 and the validation
sentences.

Where the best rate is the first or the last, the next one beyond it (0.0005, 0.032) was tried, too,
and was worse.
"""
RATES_TRIED = (0.001, 0.002, 0.004, 0.008, 0.016)


def arm(targets: str, loss: str) -> str:
    """Return the name of an arm of the grid."""
    return f"{targets}, {loss}"


GRID = tuple(arm(targets, loss) for targets in TARGETS for loss in LOSSES)
ARMS = (NLL_GOLD, NLL_MODE, *GRID, PLAIN_JSD, TOKEN, TOKEN_TO_COME)


def models(seed: int) -> tuple[Recipe, Recipe]:
    """Return teacher and start of a seed: rows of Table 1."""
    rows = table_recipes(EARLIER, SHORT, seed)
    return rows[TEACHER], rows[BASELINE]


def arms(seed: int) -> dict[str, Recipe]:
    """Return every arm of a seed by name, in the order of ARMS."""
    grid = {
        arm(targets, loss): (targets, objective, RATES[loss])
        for targets in TARGETS
        for loss, objective in LOSSES.items()
    }
    all_arms: dict[str, tuple[str, Objective, float]] = {
        NLL_GOLD: (GOLD, NLL(), RATES[NLL_GOLD]),
        NLL_MODE: (TEACHER_MODE, NLL(), RATES[NLL_MODE]),
        **grid,
        PLAIN_JSD: (OWN, Divergence(0.5), RATES[JSD]),
        TOKEN: (OWN, SampledToken(0.0), RATES[TOKEN]),
        TOKEN_TO_COME: (OWN, SampledToken(1.0), RATES[TOKEN_TO_COME]),
    }
    return {name: continued(seed, name, *choices) for name, choices in all_arms.items()}


def continued(seed: int, name: str, targets: str, objective: Objective, rate: float) -> Recipe:
    """Return the start, trained on with `objective` along `targets` (one of TARGETS, or
    TEACHER_MODE); `rate` is the peak learning rate."""
    teacher, start = models(seed)
    share = N_SENTENCES / 24_000  # of the teacher's training set, for the same sources
    method = METHODS.get(targets)
    return Recipe(
        name,
        replace(EARLIER, n_train=N_SENTENCES),
        start.model,
        objective,
        Optimisation(epochs=1, learning_rate=rate, batch_size=BATCH_SIZE),
        seed,
        distilled=Distillation(teacher, method, share=share, seed=seed) if method else None,
        teacher=teacher if objective.needs_teacher else None,
        start=start,
        batch_transform=TRANSFORMS.get(targets),
    )
