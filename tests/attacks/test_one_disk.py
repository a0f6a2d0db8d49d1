"""One disk, one class: what thirty processes want at once is made once, whoever is killed, stopped,
or somebody else."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from crowd import (
    FORK,
    Log,
    class_recipe,
    equal,
    exit_codes,
    learner,
    left_over,
    noting,
    open_folder,
    start,
)
from filelock import SoftFileLease
from soak import attempts, tally

from seqkd_lab.files import owner
from seqkd_lab.runs import lease
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.keys import key
from seqkd_lab.runs.lease import Holder
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import SHARED, Store, from_environment

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:the teacher wrote")]
needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may become other users"
)
MADE = {
    "train_recipe teacher": 1,
    "train_recipe seq-kd": 1,
    "distil_corpus": 1,
    "evaluate_recipe seq-kd": 1,
}


@pytest.fixture
def disk():
    with open_folder() as folder:
        yield folder


@pytest.fixture
def recipe(disk) -> Recipe:
    return class_recipe(disk)


@pytest.fixture
def alone(disk, recipe):
    """The model as one process makes it, in a store of its own."""
    return Store(disk / "alone").model(recipe)


@pytest.fixture
def log(disk, alone, monkeypatch) -> Log:
    log = Log(disk / "log")
    noting(log, monkeypatch)
    return log


def wait_for(file, process) -> None:
    """Wait until `file` is there; fail where `process` has ended without making it."""
    while not file.exists():
        assert process.is_alive() or file.exists(), f"{file.name}: the process ended without it"
        time.sleep(0.005)


def test_a_class_trains_each_recipe_once(disk, recipe, alone, log):
    n = attempts(4, 30)
    barrier = FORK.Barrier(n)
    with tally("one disk: processes that want one student") as count:
        codes = exit_codes(start([(disk / "store", recipe, barrier)] * n))
        for code in codes:
            count.tried(None if code == 0 else f"a process ended with {code}")
    assert log.counts() == MADE
    assert equal(Store(disk / "store").model(recipe), alone)
    assert not left_over(disk / "store")


def test_who_waits_takes_over_when_the_holder_is_killed(disk, recipe, alone, log):
    n, n_killed, chance = attempts(4, 30), attempts(2, 12), random.Random(1)
    with tally("one disk: learners killed among those who wait") as count:
        processes = start([(disk / "store", recipe)] * n)
        for process in chance.sample(processes, n_killed):
            time.sleep(0.1)
            process.kill()
        codes = exit_codes(processes)
        for code in codes:
            count.tried(None if code in (0, -signal.SIGKILL) else f"a process ended with {code}")
    assert codes.count(0) >= n - n_killed
    assert all(number == 1 for number in log.counts().values()), log.counts()
    assert equal(Store(disk / "store").model(recipe), alone)


def test_the_next_takes_over_from_a_holder_that_is_silent(disk, recipe, alone, log, monkeypatch):
    """A stopped process (a laptop that sleeps) is alive, and touches nothing. Later it wakes up,
    and finds what another has made."""
    monkeypatch.setattr(lease, "SILENCE", 1.0)
    root, really_train = disk / "store", store_module.train_recipe

    def fall_silent_once(*arguments):
        if not (disk / "silent").exists():
            (disk / "silent").touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return really_train(*arguments)

    monkeypatch.setattr(store_module, "train_recipe", fall_silent_once)
    with tally("one disk: holders that fall silent") as count:
        (holder,) = start([(root, recipe)])
        wait_for(disk / "silent", holder)
        codes = exit_codes(start([(root, recipe)] * 2))
        count.tried(None if codes == [0, 0] else f"those who waited ended with {codes}")
        os.kill(holder.pid, signal.SIGCONT)
        codes = exit_codes([holder])
        count.tried(None if codes == [0] else f"the holder ended with {codes}")
    assert equal(Store(root).model(recipe), alone)


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_differs_expires_no_lease(disk, recipe, log, monkeypatch, hours):
    """The holder works for several times the silence that is allowed, and the waiter's clock is
    wrong by more than a day: it goes on waiting."""
    monkeypatch.setattr(lease, "SILENCE", 0.9)
    slowly, real_time = store_module.train_recipe, time.time

    def train_slowly(*arguments):
        (disk / "training").touch()
        time.sleep(2.0)
        return slowly(*arguments)

    monkeypatch.setattr(store_module, "train_recipe", train_slowly)
    with tally("one disk: clocks that differ") as count:
        (holder,) = start([(disk / "store", recipe)])
        wait_for(disk / "training", holder)
        monkeypatch.setattr(time, "time", lambda: real_time() + hours * 3600)
        codes = exit_codes([holder, *start([(disk / "store", recipe)])])
        count.tried(None if codes == [0, 0] else f"they ended with {codes}")
    assert log.counts() == MADE


def test_who_waits_is_told_for_whom_and_sees_the_progress(disk, recipe, log, monkeypatch):
    said, seen = [], []
    slowly = store_module.train_recipe

    def train_slowly(recipe, model, corpus, data, teacher, unfinished, report):
        report(3, 7)
        (disk / "training").touch()
        time.sleep(1.0)
        return slowly(recipe, model, corpus, data, teacher, unfinished, report)

    monkeypatch.setattr(store_module, "train_recipe", train_slowly)
    (holder,) = start([(disk / "store", recipe.teacher or recipe.distilled.teacher)])
    wait_for(disk / "training", holder)
    with lease.announced_by(said.append):
        Store(disk / "store").model(
            recipe.distilled.teacher, lambda done, total: seen.append((done, total))
        )
    assert exit_codes([holder]) == [0]
    assert f"process {holder.pid}" in said[0] and said[0].startswith(
        "teacher (seed 1): waiting for"
    )
    assert (3, 7) in seen


@needs_root
def test_users_share_a_store_whose_folder_everybody_may_write(disk, recipe, alone, log):
    n = attempts(3, 12)
    root = disk / "store"
    root.mkdir()
    root.chmod(0o777)
    with tally("one disk: users of one store") as count:
        for code in exit_codes(start([(root, recipe, None, 20_001 + i) for i in range(n)])):
            count.tried(None if code == 0 else f"a user's process ended with {code}")
    assert log.counts() == MADE
    assert equal(Store(root).model(recipe), alone)


def _as_user(user: int, function, answers) -> None:
    os.setgid(user)
    os.setuid(user)
    try:
        answers.put(function())
    except Exception as error:
        answers.put(error)


def as_user(user: int, function):
    """Return what `function` returns, or the error that it raises, in a process of this user."""
    answers = FORK.Queue()
    process = FORK.Process(target=_as_user, args=(user, function, answers))
    process.start()
    answer = answers.get(timeout=600)
    process.join()
    return answer


@needs_root
def test_a_folder_of_another_user_is_named_with_its_owner_and_what_to_do(disk, recipe, alone, log):
    root = disk / "store"
    root.mkdir()
    root.chmod(0o755)
    error = as_user(20_001, lambda: learner(root, recipe))
    assert isinstance(error, PermissionError), error
    message = str(error)
    assert f"{root} belongs to {owner(root)} (drwxr-xr-x)" in message
    assert "you are user 20001" in message and "--store" in message


@needs_root
def test_a_shared_store_is_read_first_and_never_written(disk, recipe, alone, log, monkeypatch):
    """The lecturer has the student, not its evaluation: a learner finds the one and makes the
    other."""
    shared, own = disk / "alone", disk / "own"
    own.mkdir(mode=0o777)
    own.chmod(0o777)
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*")}
    monkeypatch.setenv(SHARED, str(shared))

    def work():
        store = from_environment(own)
        store.evaluation(recipe, 2, 0.0)
        return equal(store.model(recipe), alone), store.has_model(recipe)

    assert as_user(20_001, work) == (True, True)
    assert log.counts() == {"evaluate_recipe seq-kd": 1}
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*")} == before
    assert not list(own.rglob("*.safetensors"))


def test_a_damaged_model_of_the_shared_store_is_said_and_made_in_ones_own(disk, recipe, alone, log):
    shared = disk / "alone"
    weights = Store(shared).directory(recipe) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    store = Store(disk / "own", shared)
    with pytest.warns(UserWarning, match="sha256.*trained again"):
        assert equal(store.model(recipe), alone)
    assert log.counts() == {"train_recipe seq-kd": 1}
    assert store.directory(recipe).is_relative_to(disk / "own")


def test_the_lease_of_a_process_that_was_killed_after_its_work_is_swept(disk, recipe, log):
    """The plug is pulled between the last file and the release."""
    store = Store(disk / "alone")
    path = disk / "alone" / "leases" / f"{key(recipe)}.lease"
    holder = FORK.Process(target=_hold_and_die, args=(path,))
    holder.start()
    holder.join()
    assert path.exists() and holder.exitcode == -signal.SIGKILL
    store.model(recipe)
    assert not left_over(disk / "alone")


def _hold_and_die(path) -> None:
    lock = SoftFileLease(path, lease_duration=lease.SILENCE)
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_holder_is_written_and_read_back():
    holder = lease.this_process()
    assert holder.pid == os.getpid() and str(holder.pid) in str(holder)
    assert isinstance(holder, Holder)
