"""The arms of the PACED study: one warm start, then distillation without a skill, by weights.

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
FORWARD = "forward KL"
REVERSE = "reverse KL"
TWO_STAGE = "two-stage"
UNIFORM = "uniform"
EPOCHS = 4
RATES = {FORWARD: 0.016, REVERSE: 0.016}
"""Peak learning rates: the best of 0.002 to 0.032 (each twice the one before; for reverse KL from
0.001) for the uniform arm with seed 11, by the share of valid draws on the validation set. There
the student drew at temperature 1, along its own translations and when it was judged."""
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


def label(loss: str, kind: str) -> str:
    """Return an arm's name in tables and results."""
    return f"{loss}, {kind}"


def start(seed: int) -> Recipe:
    """Return the warm start: Table 1's baseline."""
    return table_recipes(EARLIER, SHORT, seed)[BASELINE]


def teacher(seed: int) -> Recipe:
    """Return the LSTM teacher of the same seed."""
    return table_recipes(EARLIER, SHORT, seed)[TEACHER]


def rates(seed: int) -> PassRates:
    """Return the warm start's pass rates on the sentences that are distilled."""
    return PassRates(start(seed), share=SHARE, without=LEFT_OUT, seed=seed, temperature=TEMPERATURE)


def stage(seed: int, loss: str, kind: str, epochs: int, begin: Recipe) -> Recipe:
    """Return `begin`, trained on by one loss."""
    reverse = loss == REVERSE
    return Recipe(
        name=label(loss, kind),
        data=EARLIER,
        model=SHORT.student,
        objective=Divergence(1.0 if reverse else 0.0),
        optimisation=Optimisation(epochs, RATES[loss], batch_size=64),
        seed=seed,
        distilled=Distillation(teacher(seed), SAMPLED, share=SHARE),
        teacher=teacher(seed),
        start=begin,
        batch_transform=OnPolicy(1.0, TEMPERATURE) if reverse else None,
        without=LEFT_OUT,
        weighting=None if kind == UNIFORM else Weighting(rates(seed), kind),
    )


def arm(seed: int, loss: str, kind: str) -> Recipe:
    """Return the last model of an arm; that of two stages starts from the first stage's model, each
    with half of the epochs."""
    if loss != TWO_STAGE:
        return stage(seed, loss, kind, EPOCHS, start(seed))
    first = stage(seed, FORWARD, kind, EPOCHS // 2, start(seed))
    return replace(stage(seed, REVERSE, kind, EPOCHS // 2, first), name=label(loss, kind))


def stages(recipe: Recipe) -> list[Recipe]:
    """Return an arm's trainings after the warm start, in their order."""
    first = recipe.start
    assert first is not None, f"{recipe.name} is no arm: it starts from scratch"
    return [recipe] if first.start is None else [first, recipe]
