"""The models of Table 3: a distilled student pruned level by level and trained again, and what it
is compared with.

As in the paper (Kim & Rush 2016, Table 3), a student of less than half of its teacher's size is
distilled, pruned and trained again on the teacher's translations. Beside it stands what the paper
does not show: the unpruned student trained as long, a student of gold of its size, and small dense
students of the same teacher, with as many weights as pruning leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from seqkd_lab.compression.pruning import CLASS_BLIND, Pruning
from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    TEACHER,
    Preset,
    Recipe,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.tasks import Task, Train

WIDE = (BASELINE, SEQ_KD)
"""The students of the size that is pruned; the one of gold is not, it shows what the beam is worth
without distillation."""
SMALL = "small seq-kd"
SMALL_LONGER = "small seq-kd, trained longer"
DENSE = (SMALL, SMALL_LONGER)
"""Dense students of the same teacher's translations, with about as many weights as pruning by 80%
leaves."""
PRUNED = "pruned"
RETRAINED = "retrained"
INT8 = "retrained, then int8"


@dataclass(frozen=True)
class PruningPreset:
    """The sizes of one Table 3. table: how the teacher and the small students are made. student:
    the students that are pruned, trained by `training`, with embeddings that begin at
    `embedding_scale` times torch's size.

    The distilled student is pruned by each of `shares`, and also trained again by `retraining` at
    each of `retrained`. The longer of the small students is trained by `longer`.
    """

    table: Preset
    student: Spec
    training: Optimisation
    retraining: Optimisation
    longer: Optimisation
    embedding_scale: float = 1.0
    shares: tuple[float, ...] = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8)
    retrained: tuple[float, ...] = (0.0, 0.8)


class Place(NamedTuple):
    """The place of a model in the table: which model, by which share it was pruned (class-blind),
    and what followed."""

    model: str
    share: float
    stage: str

    @property
    def row(self) -> str:
        """The name of the model's row in the results."""
        return "|".join(map(str, self))

    @classmethod
    def of_row(cls, row: str) -> Place:
        """Return the place with this row."""
        model, share, stage = row.split("|")
        return cls(model, float(share), stage)


Recipes = dict[Place, Recipe]


def unpruned(model: str) -> Place:
    """Return the place of a model as its first training left it."""
    return Place(model, 0.0, PRUNED)


def pruned(start: Recipe, place: Place, retraining: Optimisation | None) -> Recipe:
    """Return the recipe of `start` pruned by the place's share; with a `retraining`, trained again
    on what it had learned from."""
    name = f"{place.model} {place.share:.0%} {place.stage}"
    how = Pruning(place.share, CLASS_BLIND)
    return replace(start, name=name, start=start, pruning=how, optimisation=retraining)


def first_recipes(data: ToyData | TextData, preset: PruningPreset, seed: int) -> dict[str, Recipe]:
    """Return the models before any pruning, by name: the table's teacher, the WIDE students, and
    the DENSE ones."""
    rows = table_recipes(data, preset.table, seed)
    wide = {
        name: replace(
            rows[name],
            name=f"wide {name}",
            model=preset.student,
            optimisation=preset.training,
            embedding_scale=preset.embedding_scale,
        )
        for name in WIDE
    }
    longer = replace(rows[SEQ_KD], name=SMALL_LONGER, optimisation=preset.longer)
    return {TEACHER: rows[TEACHER], **wide, SMALL: rows[SEQ_KD], SMALL_LONGER: longer}


def pruning_recipes(data: ToyData | TextData, preset: PruningPreset, seed: int) -> Recipes:
    """Return every model of Table 3 for one seed, by its place, each after those that it builds
    on."""
    first = first_recipes(data, preset, seed)
    recipes: Recipes = {unpruned(name): recipe for name, recipe in first.items()}
    places = [Place(SEQ_KD, share, PRUNED) for share in preset.shares if share > 0.0]
    places += [Place(SEQ_KD, share, RETRAINED) for share in preset.retrained]
    for place in places:
        retraining = preset.retraining if place.stage == RETRAINED else None
        recipes[place] = pruned(first[place.model], place, retraining)
    return recipes


@dataclass(frozen=True)
class PruningRun:
    """A Table 3 to make: its data and its sizes."""

    data: ToyData | TextData
    preset: PruningPreset

    def recipes(self, seed: int) -> Recipes:
        """Return the models of one seed."""
        return pruning_recipes(self.data, self.preset, seed)

    def tasks(self, seed: int) -> list[Task]:
        """Return the training of each model."""
        return [Train(recipe) for recipe in self.recipes(seed).values()]


def is_also_quantised(place: Place) -> bool:
    """Tell whether int8 is tried on top of this pruning."""
    return place.model == SEQ_KD and place.stage == RETRAINED


PRUNING = PruningPreset(
    table=TOY,
    student=LSTMSpec(width=66),
    training=Optimisation(epochs=6, learning_rate=0.012, batch_size=128),
    retraining=Optimisation(epochs=20, learning_rate=0.02, batch_size=128),
    longer=replace(TOY.student_training, epochs=2 * TOY.student_training.epochs),
    embedding_scale=0.2,
)
"""Table 3. The student has 2.79 times fewer parameters than its teacher (the paper's 84M of 221M:
2.63 times), so that pruning by 80% makes 13 times of it and leaves slightly fewer weights than
Table 1's student has. Its embeddings begin at a fifth of torch's size: drawn from N(0, 1), they
would be ten times as large as other weights, and one threshold for all would spare them and take
the rest. The rate of the retraining was chosen with seed 11 on the development test set: after ten
epochs at 80%, 0.02 left more BLEU than 0.01 did. Here it takes twice as many."""
