"""Many pieces of work on few cores: tasks in the order of their needs, each in a process with one
thread.

One thread a process wastes nothing on waiting, and a busy neighbour costs no more than its share.
What is done is in the store, so an interrupt loses at most the epoch, or the corpus, that was being
worked on.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from graphlib import TopologicalSorter
from multiprocessing.queues import SimpleQueue

from seqkd_lab import machine, system
from seqkd_lab.estimates import reason
from seqkd_lab.finite import DivergenceError
from seqkd_lab.interrupts import postponed
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.lease import announced_by
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.tasks import Task, most_needed_first
from seqkd_lab.worker_processes import end_with_parent


class Watcher:
    """What `run_all` calls as it goes on: override what you want to show. Times are the caller's
    own."""

    def started(self, task: Task) -> None: ...

    def moved(self, task: Task, done: int, total: int) -> None: ...

    def waits(self, task: Task, text: str) -> None: ...

    def ended(self, task: Task) -> None: ...


def run_all(tasks: Iterable[Task], store: Store, n_workers: int, watcher: Watcher) -> None:
    """Let `store` make `tasks` and what they need in `n_workers` processes; raise an error in one
    here, naming the task.

    Where a worker is killed, as a system without memory does, the run continues with one fewer,
    with a warning. Raise WorkerDiedError where the last one is killed, too.
    """
    work = Work(tasks)
    while work.is_left:
        with closing(Pool(n_workers)) as pool:
            try:
                pool.run(work, store, watcher)
            except BrokenProcessPool:
                n_workers = fewer(n_workers, pool.what_killed())
                work.put_back()
            except BaseException:
                pool.terminate()
                raise


class Work:
    """Tasks in the order of their needs: those that are ready, running and done."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.numbered = most_needed_first(tasks)
        self._rank = {task: number for number, task in enumerate(self.numbered)}
        self._order = TopologicalSorter({task: task.needs() for task in self.numbered})
        self._order.prepare()
        self._ready: list[Task] = []
        self._announced: set[Task] = set()
        self.running: dict[Future[None], Task] = {}

    @property
    def is_left(self) -> bool:
        """Tell whether a task is not done."""
        return self._order.is_active()

    def begin(self, submit: Callable[[Task, int], Future[None]], watcher: Watcher) -> bool:
        """Submit the task that most others wait for, with its number, and announce it where it
        starts for the first time; return False where all that are left wait for others."""
        self._ready += self._order.get_ready()
        if not self._ready:
            return False
        task = min(self._ready, key=self._rank.__getitem__)
        self.running[submit(task, self._rank[task])] = task
        self._ready.remove(task)
        if task not in self._announced:
            self._announced.add(task)
            watcher.started(task)
        return True

    def end(self, future: Future[None], watcher: Watcher) -> None:
        """Enter a task as done. Raise its error, naming it; BrokenProcessPool where its worker was
        killed."""
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            raise error
        task = self.running.pop(future)
        _raise_as(task, error)
        self._order.done(task)
        watcher.ended(task)

    def put_back(self) -> None:
        """Let the tasks that were running start again, in other workers."""
        self._ready += self.running.values()
        self.running.clear()


class Pool:
    """Processes that do tasks, and the pipe through which they tell how far they are.

    A pipe of each pool's own: a worker that is killed may hold its lock. A message is small enough
    to be written at once or not at all.
    """

    def __init__(self, n_workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._n_workers, self._messages = n_workers, context.SimpleQueue()
        self._executor = ProcessPoolExecutor(n_workers, context, _start_worker, (self._messages,))
        self._processes: list[multiprocessing.process.BaseProcess] = []

    def run(self, work: Work, store: Store, watcher: Watcher) -> None:
        """Do all that is left of `work`. Raise BrokenProcessPool where a worker is killed."""

        def submit(task: Task, number: int) -> Future[None]:
            return self._submit(task, number, store)

        while work.is_left:
            while len(work.running) < self._n_workers and work.begin(submit, watcher):
                pass
            done, _ = wait(work.running, timeout=0.1, return_when=FIRST_COMPLETED)
            while not self._messages.empty():
                number, *told = self._messages.get()
                tell = watcher.moved if len(told) == 2 else watcher.waits
                tell(work.numbered[number], *told)
            for future in done:
                work.end(future, watcher)

    def _submit(self, task: Task, number: int, store: Store) -> Future[None]:
        """Give a task to a worker, started here where need be: deaf to the interrupt of a terminal,
        which its whole group hears, and whose answer is this process's to give."""
        with postponed():
            future = self._executor.submit(_work, task, number, store)
            self._processes = list((self._executor._processes or {}).values())
        return future

    def terminate(self) -> None:
        """End the processes in the middle of their work."""
        for process in self._processes:
            process.terminate()

    def close(self) -> None:
        """Wait until the processes, which have nothing to do any more, are gone."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._messages.close()

    def what_killed(self) -> str:
        """Say of the first worker that ended by itself how it ended."""
        self._executor.shutdown(wait=True)  # the others are terminated by the pool itself
        codes = [process.exitcode for process in self._processes]
        own = [code for code in codes if code not in (None, 0, system.TERMINATED)]
        if system.KILLED in own:
            return (
                "a worker was killed (signal 9), which is what the system does when memory runs "
                f"out: {machine.memory_in_words()}"
            )
        code = own[0] if own else system.TERMINATED
        return f"a worker died ({system.ended_in_words(code)})"


class WorkerDiedError(ValueError):
    """The last worker was killed; the message says how, and what to do."""


def fewer(n_workers: int, what: str) -> int:
    """Return one worker fewer, with a warning that says `what` happened; raise WorkerDiedError
    where there was just one."""
    if n_workers == 1:
        raise WorkerDiedError(
            f"{what}. It was the only one. What is finished is kept: free some memory, or let the "
            "container have more, and the same command continues from there"
        )
    left = f"{n_workers - 1} worker{'s' * (n_workers > 2)}"
    warnings.warn(f"{what}. The run continues with {left}", stacklevel=3)
    return n_workers - 1


class TaskError(ValueError):
    """A task that could not be done; the message names it, and what was wrong."""


def _raise_as(task: Task, error: BaseException | None) -> None:
    """Raise `error`, if there is one, with the task's name before its message; a divergence stays
    one."""
    if isinstance(error, DivergenceError):
        raise DivergenceError(f"{task.label}: {error}") from error
    if error is not None:
        raise TaskError(f"{task.label}: {reason(error)}") from error


_messages: SimpleQueue | None = None


def _start_worker(messages: SimpleQueue) -> None:
    global _messages
    end_with_parent()
    _messages = messages
    use_threads(1)


def _work(task: Task, number: int, store: Store) -> None:
    """Run `task` in the worker, sending (number, done, total) now and then, and (number, text)
    where it waits for another process."""
    last_sent, messages = 0.0, _messages
    assert messages is not None, "_start_worker sets where messages go"

    def report(done: int, total: int) -> None:
        nonlocal last_sent
        share = done / total
        if share >= last_sent + 0.01 or done == total:
            last_sent = share
            messages.put((number, done, total))

    with announced_by(lambda text: messages.put((number, text))):
        task.run(store, report)
    # a worker lives long, and its next task may need other pieces of memory
    system.release_memory()
