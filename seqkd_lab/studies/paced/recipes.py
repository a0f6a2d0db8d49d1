"""The arms of the PACED experiment: one warm start, then distillation without a skill, each arm
with its weights.

The start is Table 1's baseline: it learned all skills from gold. Then the teacher teaches by
forward KL along its own sampled translations, or by reverse KL along the student's; sentences with
a subordinate clause are left out, so what happens to them is forgetting. Equal sentences and
updates in every arm.

The student draws at TEMPERATURE wherever it draws: for its pass rates, along its own translations,
and when it is judged (ours). At 1 hardly any source would pass in each of eight draws, and the end
at p = 1 could not be measured.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.sequence_level import SAMPLED
from seqkd_lab.runs.presets import EARLIER, SHORT
from seqkd_lab.runs.recipes import (
    BASELINE,
    HARD,
    PACED,
    SHUFFLED,
    TEACHER,
    Distillation,
    PassRates,
    Recipe,
    Weighting,
    table_recipes,
)
from seqkd_lab.training import Optimisation

LEFT_OUT = ("although", "because", "before")
"""The connectives that put the German verb last: the skill that only the warm start sees."""
TEMPERATURE = 0.7
SHARE = 10_000 / 24_000
"""Of the training set; 5,887 of its 10,000 sentences have no connective that is left out."""
FORWARD, REVERSE, TWO_STAGE = "forward KL", "reverse KL", "two-stage"
UNIFORM = "uniform"
EPOCHS = 4
RATES = {FORWARD: 0.016, REVERSE: 0.016}
"""The best of RATES_TRIED for the uniform arm with seed 11, by the share of valid draws on the
validation set; the student drew at temperature 1 there, along its own translations and when it was
judged."""
RATES_TRIED = {
    FORWARD: (0.002, 0.004, 0.008, 0.016, 0.032),
    REVERSE: (0.001, 0.002, 0.004, 0.008, 0.016, 0.032),
}
Arm = tuple[str, str]
ARMS: tuple[Arm, ...] = (
    (FORWARD, UNIFORM),
    (FORWARD, HARD),
    (FORWARD, PACED),
    (FORWARD, SHUFFLED),
    (TWO_STAGE, UNIFORM),
    (TWO_STAGE, PACED),
    (REVERSE, UNIFORM),
    (REVERSE, HARD),
    (REVERSE, PACED),
    (REVERSE, SHUFFLED),
)
"""Loss and weights. The paper's are forward or reverse KL with PACED or no weights, the hard filter
and PACED's two-stage; ours are the shuffled weights and the two stages without weights."""


def label(arm: Arm) -> str:
    """The arm's name in tables and results."""
    return f"{arm[0]}, {arm[1]}"


def start(seed: int) -> Recipe:
    """The warm start: Table 1's baseline."""
    return table_recipes(EARLIER, SHORT, seed)[BASELINE]


def teacher(seed: int) -> Recipe:
    """The LSTM teacher of the same seed."""
    return table_recipes(EARLIER, SHORT, seed)[TEACHER]


def rates(seed: int) -> PassRates:
    """The warm start's pass rates on the sentences that are distilled."""
    return PassRates(start(seed), share=SHARE, without=LEFT_OUT, seed=seed, temperature=TEMPERATURE)


def stage(
    seed: int, loss: str, kind: str, epochs: int, begin: Recipe, rate: float | None = None
) -> Recipe:
    """`begin`, trained on by one loss; `rate` is the peak learning rate (None: the chosen one)."""
    reverse = loss == REVERSE
    return Recipe(
        name=label((loss, kind)),
        data=EARLIER,
        model=SHORT.student,
        objective=Divergence(1.0 if reverse else 0.0),
        optimisation=Optimisation(epochs, rate or RATES[loss], batch_size=64),
        seed=seed,
        distilled=Distillation(teacher(seed), SAMPLED, share=SHARE),
        teacher=teacher(seed),
        start=begin,
        batch_transform=OnPolicy(1.0, TEMPERATURE) if reverse else None,
        without=LEFT_OUT,
        weighting=None if kind == UNIFORM else Weighting(rates(seed), kind),
    )


def arm(seed: int, loss: str, kind: str) -> Recipe:
    """The last model of an arm; that of two stages starts from the first one's, each with half of
    the epochs."""
    if loss != TWO_STAGE:
        return stage(seed, loss, kind, EPOCHS, start(seed))
    first = stage(seed, FORWARD, kind, EPOCHS // 2, start(seed))
    return replace(stage(seed, REVERSE, kind, EPOCHS // 2, first), name=label((loss, kind)))


def stages(recipe: Recipe) -> list[Recipe]:
    """An arm's trainings after the warm start, in their order."""
    return [recipe] if recipe.start.start is None else [recipe.start, recipe]
