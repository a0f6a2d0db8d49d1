"""Many pieces of work on few cores: tasks in the order of their needs, each in a process with one
thread.

One thread a process wastes nothing on waiting, and a busy neighbour costs no more than its share.
What is done is in the store, so an interrupt loses at most the epoch, or the corpus, that was being
worked on.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from multiprocessing.managers import SyncManager
from pathlib import Path

from seqkd_lab.finite import DivergenceError
from seqkd_lab.machine import release_memory, use_threads
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


class Watcher:
    """What `run_all` calls as it goes on: override what you want to show. Times are the caller's
    own."""

    def started(self, task: Task) -> None: ...

    def moved(self, task: Task, done: int, total: int) -> None: ...

    def ended(self, task: Task) -> None: ...


def run_all(tasks: Iterable[Task], root: Path, n_workers: int, watcher: Watcher) -> None:
    """Run `tasks` and what they need in `n_workers` processes; raise an error in one here, naming
    the task."""
    rank = {task: place for place, task in enumerate(most_needed_first(tasks))}
    order = TopologicalSorter({task: task.needs() for task in rank})
    order.prepare()
    ready: list[Task] = []
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(end_with_parent)
    with manager:
        messages = manager.Queue()
        pool = ProcessPoolExecutor(n_workers, context, _start_worker, (messages,))
        running: dict[Future[None], Task] = {}
        try:
            while order.is_active():
                ready = sorted([*ready, *order.get_ready()], key=rank.__getitem__)
                while ready and len(running) < n_workers:
                    task = ready.pop(0)
                    running[pool.submit(_work, task, root)] = task
                    watcher.started(task)
                done, _ = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
                _pass_on(messages, watcher)
                for future in done:
                    task = running.pop(future)
                    _raise_as(task, future.exception())
                    order.done(task)
                    watcher.ended(task)
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class TaskError(ValueError):
    """A task that could not be done; the message names it, and what was wrong."""


def _raise_as(task: Task, error: BaseException | None) -> None:
    """Raise `error`, if there is one, with the task's name before its message; a divergence stays
    one."""
    if isinstance(error, DivergenceError):
        raise DivergenceError(f"{task.label}: {error}") from error
    if error is not None:
        raise TaskError(f"{task.label}: {error or type(error).__name__}") from error


_messages: queue.Queue | None = None


def end_with_parent() -> None:
    """Let this process end when the one that started it does, even if that one was killed."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None, "this runs in a worker, which another process has started"
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _start_worker(messages: queue.Queue) -> None:
    global _messages
    end_with_parent()
    _messages = messages
    use_threads(1)


def _work(task: Task, root: Path) -> None:
    """Run `task` in the worker, sending (task, done, total) now and then."""
    last_sent, messages = 0.0, _messages
    assert messages is not None, "_start_worker sets where messages go"

    def report(done: int, total: int) -> None:
        nonlocal last_sent
        share = done / total
        if share >= last_sent + 0.01 or done == total:
            last_sent = share
            messages.put((task, done, total))

    task.run(Store(root), report)
    release_memory()  # a worker lives long, and its next task may need other pieces of memory


def _pass_on(messages: queue.Queue, watcher: Watcher) -> None:
    while True:
        try:
            watcher.moved(*messages.get_nowait())
        except queue.Empty:
            return
