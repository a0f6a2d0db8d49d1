"""The arms of the on-policy study: one start, one teacher, equal updates; targets and loss differ.

Every arm continues Table 1's baseline student of its seed for one pass over the same sources.
"""

from __future__ import annotations

from dataclasses import replace

from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.policy_gradient import OTHERS, SampledToken
from seqkd_lab.distillation.sequence_level import MODE, SAMPLED
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import (
    BASELINE,
    TEACHER,
    Distillation,
    Objective,
    Recipe,
    ToyData,
    table_recipes,
)

DATA = ToyData()
N_SENTENCES = 24_000
"""Of the training set, from its start: all of it, 375 updates. The pilot's first seed gained 0.7
points of valid greedy translations from 100 updates, too little for a comparison."""
N_TRAIN = 24_000
"""Pairs of the whole training set, from which the teacher and the start have learned."""
BATCH_SIZE = 64
FORWARD = "forward KL"
REVERSE = "reverse KL"
LOSSES = {FORWARD: Divergence(0.0), REVERSE: Divergence(1.0)}

GOLD = "gold"
TEACHER_DRAWN = "teacher's samples"
TEACHER_MODE = "teacher's mode"
OWN = "own"
DISTILLED = {TEACHER_DRAWN: SAMPLED, TEACHER_MODE: MODE}
"""The targets of gold and of the teacher are fixed sets (λ = 0), those of OWN are drawn by the
student as it is (λ = 1). The mode is sought greedily: a teacher that is nearly always valid leaves
a beam little to find."""

START = "start"
NLL_GOLD = "gold, NLL"
NLL_MODE = "teacher's mode, NLL"
WORD = "own, sampled word"
WORD_BASELINE = "own, sampled word, baseline"
WHOLE = "own, whole translation, baseline"
RATES = {
    FORWARD: 0.001,
    REVERSE: 0.002,
    NLL_GOLD: 0.001,
    NLL_MODE: 0.002,
    WORD: 0.001,
    WHOLE: 0.004,
}
"""Peak learning rates by loss, each chosen by `rates.py` among RATES_TRIED with seed 11 and
validation sentences. Arms of one loss have one rate, whoever's words they read, with and without a
baseline."""
RATES_TRIED = (0.001, 0.002, 0.004, 0.008)
"""At most half of the rate of an earlier version of this study, whose runs scattered by several
points of validity."""


def arm(targets: str, loss: str) -> str:
    """Return the name of the arm that learns along `targets` by `loss`."""
    return f"{targets}, {loss}"


CHOICES: dict[str, tuple[str, Objective, float]] = {
    NLL_GOLD: (GOLD, NLL(), RATES[NLL_GOLD]),
    NLL_MODE: (TEACHER_MODE, NLL(), RATES[NLL_MODE]),
    arm(GOLD, FORWARD): (GOLD, LOSSES[FORWARD], RATES[FORWARD]),
    arm(OWN, FORWARD): (OWN, LOSSES[FORWARD], RATES[FORWARD]),
    arm(GOLD, REVERSE): (GOLD, LOSSES[REVERSE], RATES[REVERSE]),
    arm(TEACHER_DRAWN, REVERSE): (TEACHER_DRAWN, LOSSES[REVERSE], RATES[REVERSE]),
    arm(OWN, REVERSE): (OWN, LOSSES[REVERSE], RATES[REVERSE]),
    WORD: (OWN, SampledToken(0.0), RATES[WORD]),
    WORD_BASELINE: (OWN, SampledToken(0.0, OTHERS), RATES[WORD]),
    WHOLE: (OWN, SampledToken(1.0, OTHERS), RATES[WHOLE]),
}
"""Whose words each arm reads, by which loss it learns, and its peak learning rate."""
ARMS = tuple(CHOICES)


def models(seed: int) -> tuple[Recipe, Recipe]:
    """Return teacher and start of a seed: rows of Table 1."""
    rows = table_recipes(DATA, TOY, seed)
    return rows[TEACHER], rows[BASELINE]


def arms(seed: int) -> dict[str, Recipe]:
    """Return every arm of a seed by name, in the order of ARMS."""
    return {name: continued(seed, name, *choices) for name, choices in CHOICES.items()}


def continued(seed: int, name: str, targets: str, objective: Objective, rate: float) -> Recipe:
    """Return the start, trained on with `objective` along `targets`; `rate` is the peak learning
    rate."""
    teacher, start = models(seed)
    share = N_SENTENCES / N_TRAIN  # of the teacher's training set, for the same sources
    method = DISTILLED.get(targets)
    return Recipe(
        name,
        replace(DATA, n_train=N_SENTENCES),
        start.model,
        objective,
        Optimisation(epochs=1, learning_rate=rate, batch_size=BATCH_SIZE),
        seed,
        distilled=Distillation(teacher, method, 1, share=share, seed=seed) if method else None,
        teacher=teacher if objective.needs_teacher else None,
        start=start,
        batch_transform=OnPolicy() if targets == OWN else None,
    )
