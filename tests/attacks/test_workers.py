"""Workers that are killed, as a system without memory does: the run says so, continues with fewer,
and loses nothing that was finished."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sys
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import pytest
from groups import memory_group
from soak import attempts, tally
from typed import assert_refused, typed

from seqkd_lab import estimates
from seqkd_lab.estimates import workers
from seqkd_lab.runs.schedule import TaskError, Watcher, WorkerDiedError, run_all
from seqkd_lab.runs.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@dataclass(frozen=True)
class Dies:
    """A task that a signal kills the first `times` times, and that then writes its name."""

    name: str
    times: int = 0
    number: int = signal.SIGKILL
    before: tuple[Dies, ...] = ()

    @property
    def label(self) -> str:
        return self.name

    def needs(self) -> list[Dies]:
        return list(self.before)

    def run(self, store, report) -> None:
        report(1, 2)
        store.root.mkdir(exist_ok=True)
        tries = len(list(store.root.glob(f"{self.name}.try*")))
        (store.root / f"{self.name}.try{tries}").touch()
        if tries < self.times:
            time.sleep(0.2)
            os.kill(os.getpid(), self.number)
        (store.root / self.name).touch()
        report(2, 2)


@dataclass(frozen=True)
class Raises(Dies):
    """A task that ends with an error."""

    error: bytes = pickle.dumps(MemoryError())

    def run(self, store, report) -> None:
        raise pickle.loads(self.error)


class Noting(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Dies]] = []

    def started(self, task) -> None:
        self.told.append(("started", task))

    def ended(self, task) -> None:
        self.told.append(("ended", task))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "killed .signal 9.* memory"),
        (signal.SIGSEGV, "signal 11"),
        (signal.SIGTERM, "signal 15"),
    ][: attempts(1, 3)],
)
def test_the_run_continues_with_fewer(tmp_path, number, words):
    first = Dies("first")
    tasks = [first, Dies("dies", 1, number, (first,)), Dies("last", before=(first,))]
    noting = Noting()
    with pytest.warns(UserWarning, match=f"{words}.*continues with 1 worker$"):
        run_all(tasks, Store(tmp_path / "store"), 2, noting)
    assert all((tmp_path / "store" / task.name).exists() for task in tasks)
    assert sorted(noting.told, key=str) == sorted(
        [(what, task) for task in tasks for what in ("started", "ended")], key=str
    )
    assert len(list((tmp_path / "store").glob("first.try*"))) == 1


@pytest.mark.slow
def test_the_last_one_ends_the_run_and_what_is_finished_is_kept(tmp_path):
    first = Dies("first")
    with pytest.raises(WorkerDiedError, match="It was the only one.*kept.*memory"):
        run_all([Dies("dies", 9, before=(first,))], Store(tmp_path / "store"), 1, Watcher())
    assert (tmp_path / "store" / "first").exists()


@pytest.mark.slow
def test_a_worker_without_memory_says_so(tmp_path):
    with pytest.raises(TaskError, match="greedy: no memory is left: .* MiB are free"):
        run_all([Raises("greedy")], Store(tmp_path), 1, Watcher())


@pytest.mark.slow
@pytest.mark.soak  # `make soak` kills workers at random
def test_workers_killed_at_random(tmp_path):
    chance = random.Random(21)
    with tally("workers: killed at random") as count:
        for number in range(attempts(0, 10)):
            folder, tasks = tmp_path / str(number), []
            for name in range(6):
                before = tuple(chance.sample(tasks, min(len(tasks), chance.randint(0, 2))))
                tasks.append(Dies(f"t{name}", int(chance.random() < 0.2), before=before))
            n_deaths = sum(task.times for task in tasks)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    run_all(tasks, Store(folder), n_deaths + 1, Watcher())
                missing = [task.name for task in tasks if not (folder / task.name).exists()]
                count.tried(f"{tasks}: {missing} were not done" if missing else None)
            except Exception as error:
                count.tried(f"{tasks}: {error!r}")


def test_there_are_as_many_as_memory_has_room_for():
    assert workers(None, 2, 450, 10_000) == (2, "2 workers: 2 cores")
    assert workers(None, 1, 450, 100)[0] == 1
    assert workers(3, 2, 450, 10_000) == (3, "3 workers: as asked for, on 2 cores")
    n, said = workers(None, 2, 450, 800)
    assert n == 1 and said.startswith("1 worker: 2 cores, but memory for 1 (")
    n, said = workers(10**6, 2, 450, 2_000)
    assert n == 4 and said.startswith("4 workers: 1,000,000 asked for, but memory for 4 (")
    assert workers(None, 2, 450, float("nan"))[0] == 2


def test_a_run_says_how_many_there_are_and_why(capsys, tmp_path, monkeypatch):
    told = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(estimates.machine, "available_memory_mib", lambda: 600.0)
    monkeypatch.setattr(estimates.machine, "available_cpus", lambda: 2)
    monkeypatch.setattr(
        "seqkd_lab.cli.studies.run_all", lambda tasks, root, n, watcher: told.append(n) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        typed(capsys, "tour")
    assert told == [1] and "1 worker: 2 cores, but memory for 1 (" in capsys.readouterr().err


def test_a_dead_worker_is_exit_code_2(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def dies(*_):
        raise WorkerDiedError("a worker was killed")

    monkeypatch.setattr("seqkd_lab.cli.studies.run_all", dies)
    assert_refused(typed(capsys, "tour"), "a worker was killed")


def test_a_pool_that_lost_a_worker_is_said_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def dies(*_):
        raise BrokenProcessPool("terminated abruptly")

    monkeypatch.setattr("seqkd_lab.cli.studies.run_all", dies)
    assert_refused(typed(capsys, "tour"), "memory runs out", "same command continues")


GREEDY = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_workers import Takes
from seqkd_lab.runs.schedule import Watcher, run_all
from seqkd_lab.runs.store import Store
if __name__ == "__main__":
    run_all([Takes("a"), Takes("b")], Store(Path(sys.argv[1])), 2, Watcher())
"""


@dataclass(frozen=True)
class Takes(Dies):
    """A task that needs more than half of the memory of its group."""

    def run(self, store, report) -> None:
        held = bytearray(220 * 2**20)
        held[:: 2**12] = b"x" * len(held[:: 2**12])
        time.sleep(2)
        super().run(store, report)


@pytest.mark.slow
@pytest.mark.soak  # `make soak` limits memory, as a container does
def test_the_system_kills_one_of_two_and_the_run_continues(tmp_path):
    here = Path(__file__).parent
    script = tmp_path / "script.py"
    path = [str(here), str(here.parent), str(here.parents[1])]
    script.write_text(GREEDY.format(path=path), encoding="utf-8")
    with memory_group(900) as group, tally("workers: killed by the kernel") as count:
        done = group.run([sys.executable, script, tmp_path / "store"])
        whole = all((tmp_path / "store" / name).exists() for name in "ab")
        said = "killed (signal 9)" in done.stderr and "continues with 1 worker" in done.stderr
        count.tried(None if whole and said else f"{done.returncode}: {done.stderr[-1500:]}")
