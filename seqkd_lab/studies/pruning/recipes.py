"""The models of Table 3: teacher, baseline and distilled student pruned level by level, and trained
again.

As in the paper (Kim & Rush 2016, Table 3), a student of less than half of its teacher's size is
distilled, pruned, retrained on the teacher's translations, and then on Seq-Inter's. Beside it
stands what the paper does not show: the same for baseline and teacher, two other ways to choose
what goes, and pruning in steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS, Pruning
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs.presets import SHORT
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    SEQ_KD_INTER,
    TEACHER,
    Preset,
    Recipe,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.training import Optimisation

MODELS = (TEACHER, BASELINE, SEQ_KD)
PRUNED = "pruned"
RETRAINED = "retrained"
TUNED = "retrained, then Seq-Inter"
INT8 = "retrained, then int8"
IN_STEPS = "class-blind, in steps"
AT_ONCE = "class-blind, at once, trained as long"


@dataclass(frozen=True)
class PruningPreset:
    """The sizes of one Table 3: `table` says how teacher and students are made, with embeddings
    that begin at `embedding_scale` times torch's size.

    All three MODELS are pruned by `shares`, class-blind. Of the distilled student, the other
    METHODS are retrained at `compared`, and pruning in steps goes along `steps`, a whole retraining
    after each.
    """

    table: Preset
    teacher_retraining: Optimisation
    student_retraining: Optimisation
    embedding_scale: float = 1.0
    shares: tuple[float, ...] = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
    compared: tuple[float, ...] = (0.8,)
    steps: tuple[float, ...] = (0.5, 0.8)


class Place(NamedTuple):
    """The place of a model in the table: which model, how it was pruned, by which share, and what
    followed."""

    model: str
    method: str
    share: float
    stage: str

    @property
    def row(self) -> str:
        """The name of the model's row in the results."""
        return "|".join(map(str, self))

    @classmethod
    def of_row(cls, row: str) -> Place:
        """Return the place with this row."""
        model, method, share, stage = row.split("|")
        return cls(model, method, float(share), stage)


Recipes = dict[Place, Recipe]


def class_blind(model: str, share: float, stage: str) -> Place:
    """Return the place of a class-blind model."""
    return Place(model, CLASS_BLIND, share, stage)


def after(start: Recipe, place: Place, retraining: Optimisation | None) -> Recipe:
    """Return the recipe of `start` pruned by the place's share; with a `retraining`, trained again
    on what it had learned from."""
    method = place.method if place.method in METHODS else CLASS_BLIND
    name = f"{place.model} {place.share:.0%} {place.stage} ({place.method})"
    return replace(
        start, name=name, start=start, pruning=Pruning(place.share, method), optimisation=retraining
    )


def level(start: Recipe, method: str, share: float, retraining: Optimisation | None) -> Recipes:
    """Return `start` pruned by `share`; and, if there is a `retraining`, also retrained."""
    stages = {PRUNED: None} if retraining is None else {PRUNED: None, RETRAINED: retraining}
    places = {Place(start.name, method, share, stage): how for stage, how in stages.items()}
    return {place: after(start, place, how) for place, how in places.items()}


def in_steps(start: Recipe, steps: tuple[float, ...], retraining: Optimisation) -> Recipes:
    """Return the class-blind student pruned further and further, with a retraining after each step;
    and, beside each, the student that is pruned at once and trained for as many epochs as those
    steps had together."""
    recipes: Recipes = {}
    latest = start
    for number, share in enumerate(steps, start=1):
        stepwise = Place(start.name, IN_STEPS, share, RETRAINED)
        at_once = stepwise._replace(method=AT_ONCE)
        latest = after(latest, stepwise, retraining)
        if number > 1:  # one step is the table's own row
            longer = replace(retraining, epochs=number * retraining.epochs)
            recipes |= {stepwise: latest, at_once: after(start, at_once, longer)}
    return recipes


def pruning_recipes(data: ToyData | TextData, preset: PruningPreset, seed: int) -> Recipes:
    """Return every model of Table 3 for one seed, by its place, each after those that it builds
    on."""
    bases = table_recipes(data, preset.table, seed, preset.embedding_scale)
    recipes: Recipes = {}
    for model in MODELS:
        retraining = preset.teacher_retraining if model == TEACHER else preset.student_retraining
        for share in preset.shares:
            recipes |= level(bases[model], CLASS_BLIND, share, retraining)
    for share in preset.shares:
        tuned = class_blind(SEQ_KD, share, TUNED)
        retrained = recipes[tuned._replace(stage=RETRAINED)]
        towards_gold = after(retrained, tuned, preset.table.student_tuning)
        recipes[tuned] = replace(towards_gold, distilled=bases[SEQ_KD_INTER].distilled)
        compared = preset.student_retraining if share in preset.compared else None
        for method in METHODS:
            if method != CLASS_BLIND:
                recipes |= level(bases[SEQ_KD], method, share, compared)
    return recipes | in_steps(bases[SEQ_KD], preset.steps, preset.student_retraining)


@dataclass(frozen=True)
class PruningRun:
    """A Table 3 to make: its data and its sizes."""

    data: ToyData | TextData
    preset: PruningPreset

    def recipes(self, seed: int) -> Recipes:
        """Return the models of one seed."""
        return pruning_recipes(self.data, self.preset, seed)

    def evaluation(self, recipe: Recipe, int8: bool = False) -> Evaluate:
        """Return the evaluation of a model, with the table's search."""
        table = self.preset.table
        return Evaluate(recipe, table.beam_size, table.length_penalty, int8)

    def tasks(self, seed: int) -> list[Task]:
        """Return the evaluation of each model; of the retrained, distilled student also in int8."""
        tasks: list[Task] = []
        for place, recipe in self.recipes(seed).items():
            tasks.append(self.evaluation(recipe))
            if is_also_quantised(place):
                tasks.append(self.evaluation(recipe, int8=True))
        return tasks


def is_also_quantised(place: Place) -> bool:
    """Tell whether int8 is tried on top of this pruning."""
    return place == class_blind(SEQ_KD, place.share, RETRAINED)


PRUNING = PruningPreset(
    table=replace(
        SHORT,
        student=LSTMSpec(width=68),
        student_training=Optimisation(epochs=6, learning_rate=0.012, batch_size=128),
    ),
    teacher_retraining=Optimisation(epochs=1, learning_rate=0.006, batch_size=128),
    student_retraining=Optimisation(epochs=5, learning_rate=0.01, batch_size=128),
    embedding_scale=0.2,
)
"""Table 3. The student has 2.67 times fewer parameters than its teacher (the paper's 84M of 221M:
2.63 times), so that pruning by 80% makes 13 times of it. Embeddings begin at a fifth of torch's
size: drawn from N(0, 1), they would be ten times as large as other weights, and one threshold for
all would spare them and take the rest."""
