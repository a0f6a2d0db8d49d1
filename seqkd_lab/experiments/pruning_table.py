"""Table 3: teacher, baseline and distilled student pruned level by level, with and without retraining, over seeds.

As in the paper (Kim & Rush 2016, Table 3), a student of less than half of its teacher's size is distilled, pruned,
retrained on the teacher's translations, and then on Seq-Inter's. Beside it stands what the paper does not show: the
same for baseline and teacher, two other ways to choose what goes, and pruning in steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS, Pruning, n_nonzero, pruned_by_class
from seqkd_lab.experiments.points import points_in, read_points
from seqkd_lab.experiments.rare_words import kept_words, training_counts
from seqkd_lab.experiments.recipes import (
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
from seqkd_lab.experiments.schedule import Evaluate, Watcher, run_all
from seqkd_lab.experiments.store import Store
from seqkd_lab.experiments.tour import read_translations
from seqkd_lab.training import Optimisation

MODELS = (TEACHER, BASELINE, SEQ_KD)
PRUNED, RETRAINED, TUNED, INT8 = "pruned", "retrained", "retrained, then Seq-Inter", "retrained, then int8"
IN_STEPS, AT_ONCE = "class-blind, in steps", "class-blind, at once, trained as long"
HEADING = ("data", "preset", "parameters", "costs", "made_with")
MADE_BY = "seqkd-lab table3"


@dataclass(frozen=True)
class PruningPreset:
    """The sizes of one Table 3: `table` says how teacher and students are made.

    All three MODELS are pruned by `shares`, class-blind. Of the distilled student, the other METHODS are retrained at
    `compared`, and pruning in steps goes along `steps`, a whole retraining after each.
    """

    table: Preset
    teacher_retraining: Optimisation
    student_retraining: Optimisation
    shares: tuple[float, ...] = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
    compared: tuple[float, ...] = (0.8,)
    steps: tuple[float, ...] = (0.5, 0.8, 0.9)


class Place(NamedTuple):
    """Where a model stands in the table: which one, how it was pruned, by which share, and what followed."""

    model: str
    method: str
    share: float
    stage: str


Recipes = dict[Place, Recipe]


def level(start: Recipe, method: str, share: float, retraining: Optimisation | None) -> Recipes:
    """`start`, pruned by `share`; and, if there is a `retraining`, the same trained again on what it had learned from.
    """
    pruned = replace(start, start=start, pruning=Pruning(share, method), optimisation=None)
    found = {Place(start.name, method, share, PRUNED): pruned}
    if retraining is not None:
        found[Place(start.name, method, share, RETRAINED)] = replace(pruned, optimisation=retraining)
    return found


def in_steps(start: Recipe, steps: tuple[float, ...], retraining: Optimisation) -> Recipes:
    """The class-blind student pruned further and further, with a retraining after each step; and, beside each, the
    student that is pruned at once and trained for as many epochs as those steps had together."""
    found, latest = {}, start
    for number, share in enumerate(steps, start=1):
        latest = replace(latest, start=latest, pruning=Pruning(share), optimisation=retraining)
        longer = replace(retraining, epochs=number * retraining.epochs)
        if number > 1:  # one step is the table's own row
            found[Place(start.name, IN_STEPS, share, RETRAINED)] = latest
            found[Place(start.name, AT_ONCE, share, RETRAINED)] = replace(
                start, start=start, pruning=Pruning(share), optimisation=longer)
    return found


def pruning_recipes(data: ToyData | TextData, preset: PruningPreset, seed: int) -> Recipes:
    """Every model of Table 3 for one seed, by its place, each after those that it builds on."""
    bases, found = table_recipes(data, preset.table, seed), {}
    nearest = bases[SEQ_KD_INTER].distilled
    for model in MODELS:
        retraining = preset.teacher_retraining if model == TEACHER else preset.student_retraining
        for share in preset.shares:
            found |= level(bases[model], CLASS_BLIND, share, retraining)
    for share in preset.shares:
        retrained = found[Place(SEQ_KD, CLASS_BLIND, share, RETRAINED)]
        found[Place(SEQ_KD, CLASS_BLIND, share, TUNED)] = replace(
            retrained, start=retrained, distilled=nearest, optimisation=preset.table.student_tuning)
        retraining = preset.student_retraining if share in preset.compared else None
        for method in METHODS:
            if method != CLASS_BLIND:
                found |= level(bases[SEQ_KD], method, share, retraining)
    return found | in_steps(bases[SEQ_KD], preset.steps, preset.student_retraining)


@dataclass(frozen=True)
class PrunedModel:
    """A model of the table, judged on the test set.

    greedy, beam: BLEU. valid, valid_beam: shares of valid translations (None where the truth is unknown). words_kept:
    by frequency class (rare_words), what its greedy translations keep of the unpruned model's. zeros: the share of
    zeros in each weight class.
    """

    model: str
    method: str
    share: float
    stage: str
    seed: int
    n_nonzero: int
    greedy: float
    beam: float
    valid: float | None
    valid_beam: float | None
    p_mode: float
    perplexity: float
    length_ratio: float
    words_kept: tuple[float | None, ...]
    zeros: dict[str, float]

    @property
    def place(self) -> Place:
        return Place(self.model, self.method, self.share, self.stage)


@dataclass(frozen=True)
class PruningRun:
    """Which Table 3 to make."""

    data: ToyData | TextData
    preset: PruningPreset
    seeds: tuple[int, ...]

    def recipes(self, seed: int) -> Recipes:
        """The models of one seed."""
        return pruning_recipes(self.data, self.preset, seed)

    def tasks(self) -> list[Evaluate]:
        """The evaluation of each model; of the retrained, distilled student also in int8."""
        table, found = self.preset.table, []
        for seed in self.seeds:
            for place, recipe in self.recipes(seed).items():
                found.append(Evaluate(recipe, table.beam_size, table.length_penalty))
                if is_also_quantised(place):
                    found.append(replace(found[-1], int8=True))
        return found


def is_also_quantised(place: Place) -> bool:
    """Whether int8 is tried on top of this pruning."""
    return place.model == SEQ_KD and place.method == CLASS_BLIND and place.stage == RETRAINED


def make_models(run: PruningRun, root: Path, n_workers: int, watcher: Watcher) -> None:
    """Trains and judges in the store at `root` all that is missing; interrupted, the next call continues."""
    run_all(run.tasks(), root, n_workers, watcher)


def collect(run: PruningRun, store: Store) -> list[PrunedModel]:
    """The models of a finished run, as judged, those of the first seed first."""
    return [one for seed in run.seeds for one in _collect_seed(run, store, seed)]


def _collect_seed(run: PruningRun, store: Store, seed: int) -> list[PrunedModel]:
    recipes, found = run.recipes(seed), []
    counts = training_counts(store.dataset(run.data).train)
    for place, recipe in recipes.items():
        unpruned = recipes[Place(place.model, CLASS_BLIND, 0.0, PRUNED)]
        kept = kept_words(greedy_outputs(store, unpruned), greedy_outputs(store, recipe), counts)
        found.append(_judged(run, store, place, recipe, kept))
        if is_also_quantised(place):
            found.append(_judged(run, store, place._replace(stage=INT8), recipe, (), int8=True))
    return found


@lru_cache(maxsize=8)
def greedy_outputs(store: Store, recipe: Recipe) -> list[list[str]]:
    """The greedy translations (tokens) of an evaluated model of the store, in the order of the test set."""
    return [row[3].split(" ") for row in read_translations(store.directory(recipe) / "translations.tsv")]


def _judged(
    run: PruningRun, store: Store, place: Place, recipe: Recipe, kept: tuple[float, ...], int8: bool = False
) -> PrunedModel:
    table, model = run.preset.table, store.model(recipe)
    cell = store.evaluation(recipe, table.beam_size, table.length_penalty, int8=int8)
    return PrunedModel(
        *place, seed=recipe.seed, n_nonzero=n_nonzero(model), greedy=cell["greedy"]["bleu"], beam=cell["beam"]["bleu"],
        valid=cell["greedy"]["validity"], valid_beam=cell["beam"]["validity"], p_mode=cell["p_mode"],
        perplexity=cell["perplexity"], length_ratio=cell["beam"]["length_ratio"],
        words_kept=tuple(None if share != share else share for share in kept), zeros=pruned_by_class(model),
    )


def read_table3(path: Path) -> dict:
    """What `seqkd-lab table3` wrote. Raises CheckpointError naming the file when it holds something else."""
    return read_points(path, PrunedModel, HEADING, MADE_BY)


def pruned_models(results: Mapping) -> list[PrunedModel]:
    """The models of a Table 3, as read."""
    return points_in(results, PrunedModel)


def by_seed(models: list[PrunedModel]) -> list[dict[Place, PrunedModel]]:
    """For each seed its models by place, in the order of the seeds."""
    seeds = sorted({one.seed for one in models})
    return [{one.place: one for one in models if one.seed == seed} for seed in seeds]


def preset_record(preset: PruningPreset) -> dict:
    """The preset as the results keep it."""
    return asdict(preset)
