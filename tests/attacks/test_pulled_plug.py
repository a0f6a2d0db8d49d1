"""The plug is pulled at any moment: what is made afterwards equals what an undisturbed run makes,
and nothing half-written stays."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crowd import FORK, class_recipe, equal, learner, left_over, open_folder
from soak import attempts, tally

from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:the teacher wrote")]


@pytest.fixture(scope="module")
def disk():
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def recipe(disk) -> Recipe:
    return class_recipe(disk)


@pytest.fixture(scope="module")
def undisturbed(disk, recipe) -> tuple[Store, float]:
    """The store of a run that nothing disturbs, and how many seconds it took in a process."""
    process = FORK.Process(target=learner, args=(disk / "undisturbed", recipe))
    began = time.monotonic()
    process.start()
    process.join()
    assert process.exitcode == 0
    return Store(disk / "undisturbed"), time.monotonic() - began


def killed_after(seconds: float, root, recipe) -> bool:
    """Start to train and evaluate, pull the plug after `seconds`; return whether it was in time."""
    process = FORK.Process(target=learner, args=(root, recipe))
    process.start()
    process.join(timeout=seconds)
    process.kill()
    process.join()
    return process.exitcode != 0


def difference(root, recipe, undisturbed: Store) -> str | None:
    """Return in words how a store differs from an undisturbed one; None where it does not."""
    store = Store(root)
    if not equal(store.model(recipe), undisturbed.model(recipe)):
        return "other weights"
    ours, theirs = (dict(s.evaluation(recipe, 2, 0.0)) for s in (store, undisturbed))
    for measured in (ours, theirs):
        for search in ("greedy", "beam"):
            measured[search] = {
                name: value
                for name, value in measured[search].items()
                if name != "words_per_second"
            }
    if ours != theirs:
        return "another evaluation"
    teacher_text = store.distilled_path(recipe.distilled).read_bytes()
    if teacher_text != undisturbed.distilled_path(recipe.distilled).read_bytes():
        return "another distilled corpus"
    if remains := left_over(root):
        return f"left over: {', '.join(path.name for path in remains)}"
    return None


def test_what_is_killed_at_any_moment_is_made_as_if_it_had_not_been(disk, recipe, undisturbed):
    """Some are killed again while they go on from what the first left."""
    store, seconds = undisturbed
    chance, n_in_time = random.Random(7), 0
    with tally("pulled plug: SIGKILL at a random moment") as count:
        for number in range(attempts(8, 220)):
            root = disk / f"killed-{number}"
            moments = [chance.uniform(0, seconds) for _ in range(chance.choice((1, 1, 2)))]
            n_in_time += sum(killed_after(moment, root, recipe) for moment in moments)
            learner(root, recipe)
            wrong = difference(root, recipe, store)
            count.tried(None if wrong is None else f"killed after {moments}: {wrong}")
    assert n_in_time, "no process was killed before it had ended"


class Full:
    """Stands for a function of the system; from the n-th call on the disk is full."""

    def __init__(self, real, n: int) -> None:
        self.real, self.n, self.n_called = real, n, 0

    def __call__(self, *arguments, **named):
        self.n_called += 1
        if self.n_called >= self.n:
            raise OSError(28, "No space left on device")
        return self.real(*arguments, **named)


@pytest.mark.parametrize("function", ["fsync", "replace", "mkdir"])
def test_a_disk_that_is_full_at_any_write_is_said_and_loses_nothing(
    disk, recipe, undisturbed, function
):
    """Whichever write fails, an OSError names a path; the same command again makes the rest."""
    store, real = undisturbed[0], getattr(os, function)
    with tally(f"full disk: at each call of os.{function}") as count:
        for n in range(1, attempts(6, 200)):
            root = disk / f"full-{function}-{n}"
            full = Full(real, n)
            failed = _fails(root, recipe, function, full)
            if failed is None:
                break  # there are fewer writes than that
            learner(root, recipe)
            count.tried(failed or difference(root, recipe, store))


def _fails(root, recipe, function, full) -> str | None:
    """Run on a full disk: return "" where the error is as it should be, else what is wrong; None
    where nothing failed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, function, full)
        try:
            learner(root, recipe)
        except OSError as error:
            path = error.filename
            return "" if path and str(root) in str(path) else f"{error}: names no path"
    return None


@contextmanager
def small_disk(kib: int) -> Iterator[Path]:
    """Give a disk of this size; skip the test where none can be mounted."""
    with open_folder() as folder:
        options = ["-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
        if mounted.returncode:
            pytest.skip("a small disk can be mounted by root alone, outside of most containers")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_small_disk_is_said_and_the_same_command_goes_on_once_there_is_room(recipe, undisturbed):
    with tally("full disk: small disks that grow") as count:
        for kib in attempts([16, 64, 160], list(range(8, 400, 8))):
            with small_disk(kib) as root:
                try:
                    learner(root, recipe)
                except OSError as error:
                    path = str(error.filename)
                    wrong = None if str(root) in path else f"{kib} KiB: {error} names no path"
                    count.tried(wrong)
                subprocess.run(["mount", "-o", "remount,size=64m", str(root)], check=True)
                learner(root, recipe)
                wrong = difference(root, recipe, undisturbed[0])
                count.tried(None if wrong is None else f"{kib} KiB, then more: {wrong}")
