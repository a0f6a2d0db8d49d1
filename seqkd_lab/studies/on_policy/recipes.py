"""The arms of the on-policy experiment: one start, one teacher, equal updates; what differs is
whose targets, and loss.

Every arm continues Table 1's baseline student of its seed for one pass over the same sources.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy, SampledToken
from seqkd_lab.distillation.sequence_level import MODE, SAMPLED
from seqkd_lab.runs.presets import EARLIER, SHORT
from seqkd_lab.runs.recipes import BASELINE, TEACHER, Distillation, Objective, Recipe, table_recipes
from seqkd_lab.training import Optimisation

N_SENTENCES, BATCH_SIZE = 12_800, 64
"""200 updates."""
FORWARD, REVERSE, JSD = "forward KL", "reverse KL", "JSD"
LOSSES = {FORWARD: Divergence(0.0), REVERSE: Divergence(1.0), JSD: Divergence(0.5, scaled=True)}
GOLD, TEACHER_DRAWN, HALF, OWN = "gold", "teacher's samples", "half own", "own"
TARGETS = (GOLD, TEACHER_DRAWN, HALF, OWN)
"""Whose translations an arm learns along: gold and the teacher's are fixed sets (λ = 0); of `half
own` every other is gold (λ = 0.5); `own` are all the student's (λ = 1)."""
START, NLL_GOLD, NLL_MODE = "start", "NLL, gold", "NLL, teacher's mode"
TOKEN, TOKEN_TO_COME, PLAIN_JSD = (
    "own, sampled token",
    "own, sampled token, discount 1",
    "own, JSD not scaled",
)
RATES: dict[str, float] = {
    FORWARD: 0.004,
    REVERSE: 0.016,
    JSD: 0.016,
    NLL_GOLD: 0.004,
    NLL_MODE: 0.008,
    TOKEN: 0.001,
    TOKEN_TO_COME: 0.004,
}
"""Peak learning rates, each chosen among RATES_TRIED by `on_policy_rates.try_rates`: seed 11,
validation sentences.

Where the best one is the first or the last, the next beyond it (0.0005, 0.032) was tried, too, and
was worse.
"""
RATES_TRIED = (0.001, 0.002, 0.004, 0.008, 0.016)


def arm(targets: str, loss: str) -> str:
    """The name of an arm of the grid."""
    return f"{targets}, {loss}"


GRID = tuple(arm(targets, loss) for targets in TARGETS for loss in LOSSES)
ARMS = (NLL_GOLD, NLL_MODE, *GRID, PLAIN_JSD, TOKEN, TOKEN_TO_COME)


def models(seed: int) -> tuple[Recipe, Recipe]:
    """Teacher and start of a seed: rows of Table 1."""
    rows = table_recipes(EARLIER, SHORT, seed)
    return rows[TEACHER], rows[BASELINE]


def tuned(
    seed: int,
    name: str,
    objective: Objective,
    rate: float,
    on_policy: OnPolicy | None = None,
    method: str | None = None,
) -> Recipe:
    """The start, trained on with `objective`: on gold, on what the teacher wrote by `method`, or by
    `on_policy`."""
    teacher, start = models(seed)
    data = replace(EARLIER, n_train=N_SENTENCES)
    share = (
        N_SENTENCES / 24_000
    )  # of all that the teacher learned from, so that the sources are the same
    return Recipe(
        name,
        data,
        start.model,
        objective,
        Optimisation(epochs=1, learning_rate=rate, batch_size=BATCH_SIZE),
        seed,
        distilled=None if method is None else Distillation(teacher, method, share=share, seed=seed),
        teacher=teacher if objective.needs_teacher else None,
        start=start,
        batch_transform=on_policy,
    )


def arms(seed: int, rates: dict[str, float] = RATES) -> dict[str, Recipe]:
    """Every arm of a seed by name."""
    drawn = {
        GOLD: (None, None),
        TEACHER_DRAWN: (None, SAMPLED),
        HALF: (OnPolicy(0.5), None),
        OWN: (OnPolicy(), None),
    }
    grid = {
        arm(targets, loss): tuned(seed, arm(targets, loss), objective, rates[loss], *drawn[targets])
        for targets in TARGETS
        for loss, objective in LOSSES.items()
    }
    others = [
        tuned(seed, NLL_GOLD, NLL(), rates[NLL_GOLD]),
        tuned(seed, NLL_MODE, NLL(), rates[NLL_MODE], method=MODE),
        tuned(seed, PLAIN_JSD, Divergence(0.5), rates[JSD], OnPolicy()),
        tuned(seed, TOKEN, SampledToken(0.0), rates[TOKEN], OnPolicy()),
        tuned(seed, TOKEN_TO_COME, SampledToken(1.0), rates[TOKEN_TO_COME], OnPolicy()),
    ]
    every = grid | {recipe.name: recipe for recipe in others}
    return {name: every[name] for name in ARMS}


def at_rate(recipe: Recipe, rate: float) -> Recipe:
    """The same arm with another peak learning rate."""
    return replace(recipe, optimisation=replace(recipe.optimisation, learning_rate=rate))
