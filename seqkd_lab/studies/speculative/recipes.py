"""The models of the study of speculative sampling: a target that is large enough to be slow, and
drafts for it.

Three drafts differ in what they learned from (gold, the target's distribution word by word, the
target's mode), one in its size, one in its architecture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.presets import SHORT, TRANSFORMER
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    TEACHER,
    WORD_KD,
    Distillation,
    Recipe,
    TextData,
    ToyData,
)
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.training import Optimisation

SMALL_TARGET = "small teacher"
LARGER_DRAFT = "word-kd, larger"
TRANSFORMER_DRAFT = "word-kd, transformer"
DRAFTS = (BASELINE, WORD_KD, SEQ_KD, LARGER_DRAFT, TRANSFORMER_DRAFT)
LEARNED_FROM = (BASELINE, WORD_KD, SEQ_KD)
"""The drafts that differ in nothing but what they learned from."""


@dataclass(frozen=True)
class DraftingPreset:
    """How target and drafts are built and trained. alpha is Word-KD's share of the target's
    distribution."""

    target: Spec
    small_target: Spec
    draft: Spec
    larger_draft: Spec
    transformer_draft: Spec
    target_training: Optimisation
    small_target_training: Optimisation
    draft_training: Optimisation
    larger_training: Optimisation
    transformer_training: Optimisation
    alpha: float = 1.0
    beam_size: int = 5


def drafting_recipes(
    data: ToyData | TextData, preset: DraftingPreset, seed: int
) -> dict[str, Recipe]:
    """Return the target, under TEACHER, the small one, and the drafts by name; they learned from
    the large target."""
    target = Recipe(TEACHER, data, preset.target, NLL(), preset.target_training, seed)
    small = replace(
        target,
        name=SMALL_TARGET,
        model=preset.small_target,
        optimisation=preset.small_target_training,
    )
    gold = replace(target, name=BASELINE, model=preset.draft, optimisation=preset.draft_training)
    word = replace(gold, name=WORD_KD, objective=WordKD(preset.alpha), teacher=target)
    mode = replace(gold, name=SEQ_KD, distilled=Distillation(target, beam_size=preset.beam_size))
    larger = replace(
        word, name=LARGER_DRAFT, model=preset.larger_draft, optimisation=preset.larger_training
    )
    transformer = replace(
        word,
        name=TRANSFORMER_DRAFT,
        model=preset.transformer_draft,
        optimisation=preset.transformer_training,
    )
    return {
        recipe.name: recipe for recipe in (target, small, gold, word, mode, larger, transformer)
    }


@dataclass(frozen=True)
class DraftingRun:
    """The models of the study. Only the target's size makes it long, so it has one seed; what is
    drawn has many."""

    data: ToyData | TextData
    preset: DraftingPreset
    seed: int = 1

    def recipes(self) -> dict[str, Recipe]:
        """Return the models by name."""
        return drafting_recipes(self.data, self.preset, self.seed)

    def tasks(self) -> list[Task]:
        """Return the evaluation of every model."""
        return [Evaluate(recipe, self.preset.beam_size, 0.0) for recipe in self.recipes().values()]


DRAFTING = DraftingPreset(
    target=TransformerSpec(width=384, layers=4, heads=6, hidden=768, dropout=0.0),
    small_target=TRANSFORMER.teacher,
    draft=SHORT.student,
    larger_draft=LSTMSpec(width=68),
    transformer_draft=TRANSFORMER.student,
    target_training=Optimisation(epochs=5, learning_rate=0.001, batch_size=128, warmup=0.2),
    small_target_training=TRANSFORMER.teacher_training,
    draft_training=SHORT.student_training,
    larger_training=Optimisation(epochs=6, learning_rate=0.012, batch_size=128),
    transformer_training=TRANSFORMER.student_training,
)
"""Speculative sampling: a target of 12 million parameters, one of whose steps takes a core some
milliseconds, so that it is a fair question whether a draft pays; and a small one, for which it
hardly can."""
