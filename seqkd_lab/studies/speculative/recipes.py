"""The models of the study of speculative sampling: Table 1's students as drafts, and two targets.

The students' own teacher is the target by which drafts are compared, in every seed. A deep
Transformer is the target by the clock: one of its steps takes much longer than a student's, and
reads several words in nearly the time of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    TEACHER,
    WORD_KD,
    Preset,
    Recipe,
    ToyData,
    table_recipes,
)

DEEP = "deep target"
ON_POLICY = "on-policy"
SAME_ON_GOLD = "on-policy's loss on gold"
LEARNED_FROM = (BASELINE, WORD_KD, SEQ_KD)
DRAFTS = (*LEARNED_FROM, ON_POLICY)
"""All of one size; they differ in what they learned from."""
COMPARED = (*DRAFTS, SAME_ON_GOLD)
"""With the control of the on-policy draft: as many updates of the same loss, along gold's words."""


@dataclass(frozen=True)
class DraftingPreset:
    """How the models are built and trained: `table` says it of the students and their teacher.

    The on-policy draft continues the baseline on `n_own` sources, with `own_loss` between it and
    the teacher along what it draws itself.
    """

    table: Preset
    deep: Spec
    deep_training: Optimisation
    own_training: Optimisation
    own_loss: Divergence
    n_own: int


def drafting_recipes(data: ToyData, preset: DraftingPreset, seed: int) -> dict[str, Recipe]:
    """Return the students' teacher, the deep target and the drafts, by name."""
    table = table_recipes(data, preset.table, seed)
    deep = Recipe(DEEP, data, preset.deep, NLL(), preset.deep_training, seed)
    own = Recipe(
        ON_POLICY,
        replace(data, n_train=preset.n_own),
        preset.table.student,
        preset.own_loss,
        preset.own_training,
        seed,
        teacher=table[TEACHER],
        start=table[BASELINE],
        batch_transform=OnPolicy(),
    )
    control = replace(own, name=SAME_ON_GOLD, batch_transform=None)
    drafts = {name: table[name] for name in LEARNED_FROM}
    return {TEACHER: table[TEACHER], DEEP: deep, **drafts, ON_POLICY: own, SAME_ON_GOLD: control}


DRAFTING = DraftingPreset(
    table=TOY,
    deep=TransformerSpec(width=64, layers=8, heads=4, hidden=128, dropout=0.0),
    deep_training=Optimisation(epochs=2, learning_rate=0.005, batch_size=64, warmup=0.2),
    own_training=Optimisation(epochs=2, learning_rate=0.004, batch_size=64),
    own_loss=Divergence(0.5, scaled=True),
    n_own=4_000,
)
"""The deep target is narrow, so it learns in minutes, and deep, so a step of it is some fifteen
times as long as a student's. Rates and the divergence were chosen with seed 11."""
