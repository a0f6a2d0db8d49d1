"""Pieces of work for the store, each with those that it needs: what a study lists, and a schedule
runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from seqkd_lab.runs.recipes import Distillation, ForwardTranslation, Recipe
from seqkd_lab.runs.store import Store


@dataclass(frozen=True)
class Train:
    """Make the model of `recipe`."""

    recipe: Recipe

    @property
    def label(self) -> str:
        return f"train {self.recipe.name} (seed {self.recipe.seed})"

    def needs(self) -> list[Task]:
        """Return the tasks whose results this one reads."""
        recipe = self.recipe
        models = (recipe.teacher, recipe.start)
        needs: list[Task] = [Train(model) for model in models if model is not None]
        if isinstance(recipe.distilled, Distillation):
            needs.append(Distil(recipe.distilled))
        if recipe.added is not None:
            needs.append(TranslateForward(recipe.added))
        return needs

    def run(self, store: Store, report: Callable[[int, int], None]) -> None:
        store.model(self.recipe, report)


@dataclass(frozen=True)
class Distil:
    """Make the corpus of `distillation`."""

    distillation: Distillation

    @property
    def label(self) -> str:
        how = self.distillation
        return f"distil {how.method}, K = {how.beam_size} (seed {how.teacher.seed})"

    def needs(self) -> list[Task]:
        """Return the tasks whose results this one reads."""
        return [Train(self.distillation.teacher)]

    def run(self, store: Store, report: Callable[[int, int], None]) -> None:
        store.distilled(self.distillation, report)


@dataclass(frozen=True)
class TranslateForward:
    """Translate source text that has no targets."""

    translation: ForwardTranslation

    @property
    def label(self) -> str:
        return (
            f"translate forward, K = {self.translation.beam_size} (seed "
            f"{self.translation.teacher.seed})"
        )

    def needs(self) -> list[Task]:
        """Return the tasks whose results this one reads."""
        return [Train(self.translation.teacher)]

    def run(self, store: Store, report: Callable[[int, int], None]) -> None:
        store.translated(self.translation, report)


@dataclass(frozen=True)
class Evaluate:
    """Judge the model of `recipe` on the test set; with `int8`, what 8-bit weights leave of it."""

    recipe: Recipe
    beam_size: int
    length_penalty: float
    int8: bool = False

    @property
    def label(self) -> str:
        return f"evaluate {self.recipe.name}{' in int8' * self.int8} (seed {self.recipe.seed})"

    def needs(self) -> list[Task]:
        """Return the tasks whose results this one reads."""
        return [Train(self.recipe)]

    def run(self, store: Store, report: Callable[[int, int], None]) -> None:
        store.evaluation(self.recipe, self.beam_size, self.length_penalty, report, self.int8)


Task = Train | Distil | TranslateForward | Evaluate


def with_needs(tasks: Iterable[Task]) -> list[Task]:
    """Return `tasks` and all that they need, each once, each after its needs."""
    ordered: dict[Task, None] = {}

    def visit(task: Task) -> None:
        if task not in ordered:
            for need in task.needs():
                visit(need)
            ordered[task] = None

    for task in tasks:
        visit(task)
    return list(ordered)


def most_needed_first(tasks: Iterable[Task]) -> list[Task]:
    """Return `tasks` and their needs, those first that most others wait for: long chains start
    early, short ends fill gaps.

    A task's needs come before it, since all that wait for it wait for them, too.
    """
    every = with_needs(tasks)
    n_waiting = Counter(need for task in every for need in with_needs([task]))
    return sorted(every, key=lambda task: -n_waiting[task])
