"""Progress for people: one bar for the whole, with the time that is left, and one for each thing
that runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tqdm import tqdm

from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED
from seqkd_lab.runs.recipes import Distillation, Recipe
from seqkd_lab.runs.schedule import Watcher
from seqkd_lab.runs.tasks import Distil, Task, Train, TranslateForward, with_needs

DECODED_PER_TRAINED = {MODE: 0.6, INTERPOLATED: 6.0, SAMPLED: 0.3}
"""The cost of decoding a sentence, in sentences of training: rough, for the time that is left
only."""


def effort(task: Task, n_train: int, n_test: int) -> float:
    """Return the size of a task in sentences of training one unit wide; only the proportions
    matter."""
    if isinstance(task, Train):
        return _training(task.recipe, n_train)
    if isinstance(task, Distil):
        return n_train * task.distillation.share * _decoding(task.distillation)
    if isinstance(
        task, TranslateForward
    ):  # how long its text is, is not known here: as long as the training text
        return (
            n_train * DECODED_PER_TRAINED[MODE] * _width_cost(task.translation.teacher.model.width)
        )
    return n_test * 3.0 * _width_cost(task.recipe.model.width)


def _training(recipe: Recipe, n_train: int) -> float:
    if recipe.optimisation is None:  # pruned only
        return 0.001 * n_train
    share = recipe.distilled.share if isinstance(recipe.distilled, Distillation) else 1.0
    own = _width_cost(recipe.model.width)
    cost = own
    if recipe.objective.needs_teacher and recipe.teacher is not None:
        cost += 0.35 * _width_cost(recipe.teacher.model.width)
    if isinstance(recipe.batch_transform, OnPolicy):
        cost += recipe.batch_transform.share * DECODED_PER_TRAINED[SAMPLED] * own
    return n_train * share * recipe.optimisation.epochs * cost


def _decoding(distillation: Distillation) -> float:
    beams = distillation.beam_size / (35 if distillation.method == INTERPOLATED else 5)
    return (
        DECODED_PER_TRAINED[distillation.method]
        * beams
        * _width_cost(distillation.teacher.model.width)
    )


def _width_cost(width: int) -> float:
    """Relative cost of a step: a fixed part, and a part proportional to the width."""
    return 0.25 + width / 128


def advance(bar: tqdm, more: float) -> None:
    """Move `bar` on, never past its end: sums of shares round."""
    bar.update(min(more, bar.total - bar.n))


class Bars(Watcher):
    """Bars on stderr. On a terminal they move; a file gets a line now and then."""

    def __init__(self, tasks: Iterable[Task], n_train: int, n_test: int, stream=sys.stderr) -> None:
        self.sizes = {task: effort(task, n_train, n_test) for task in with_needs(tasks)}
        self.stream = stream
        seconds_between_updates = 0.2 if stream.isatty() else 20.0
        form = "{l_bar}{bar}| {elapsed} gone, {remaining} left"
        self.whole = tqdm(
            total=sum(self.sizes.values()),
            desc="everything",
            bar_format=form,
            file=stream,
            mininterval=seconds_between_updates,
            position=0,
            dynamic_ncols=True,
            smoothing=0.05,
        )
        self.bars: dict[Task, tqdm] = {}
        self.shares: dict[Task, float] = {}

    def started(self, task: Task) -> None:
        """Show a bar for the task where the output is a terminal."""
        if self.stream.isatty():
            used = {bar.pos for bar in self.bars.values()}
            free = next(line for line in range(1, 100) if not {line, -line} & used)
            self.bars[task] = tqdm(
                total=100,
                desc=f"  {task.label}",
                position=free,
                leave=False,
                file=self.stream,
                bar_format="{l_bar}{bar}| {remaining} left",
                dynamic_ncols=True,
            )
        else:
            print(f"  {task.label} …", file=self.stream, flush=True)

    def moved(self, task: Task, done: int, total: int) -> None:
        share = done / total
        more = share - self.shares.get(task, 0.0)
        advance(self.whole, more * self.sizes[task])
        if task in self.bars:
            advance(self.bars[task], 100 * more)
        self.shares[task] = share

    def waits(self, task: Task, text: str) -> None:
        """Say for whom the task waits; its bar then shows how far that one is."""
        tqdm.write(f"  {text}", file=self.stream)

    def ended(self, task: Task) -> None:
        self.moved(task, 1, 1)
        if task in self.bars:
            self.bars.pop(task).close()

    def close(self) -> None:
        """Remove the bars."""
        for bar in (*self.bars.values(), self.whole):
            bar.close()
