"""Many processes that want the same things from one store, as a class does; some of them are
killed, stopped, or belong to other users."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from small_corpus import TINY, write_text

from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs import lease
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.recipes import SEQ_KD, Recipe, table_recipes
from seqkd_lab.runs.store import Store

FORK = multiprocessing.get_context("fork")
"""A forked process has torch already, so that hundreds of them start in seconds."""
LONG = 600
"""Seconds after which a process counts as hanging; a busy machine needs far less."""


@contextmanager
def open_folder(mode: int = 0o777) -> Iterator[Path]:
    """Give a folder that every user may reach, with these permissions."""
    folder = Path(tempfile.mkdtemp(prefix="crowd-"))
    try:
        folder.chmod(mode)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def class_recipe(folder: Path) -> Recipe:
    """Return a tiny student of sequence-level distillation, whose text lies in `folder`."""
    return table_recipes(write_text(folder / "text"), TINY, seed=1)[SEQ_KD]


class Log:
    """A file that every process adds a line to when it has made something."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        path.chmod(0o666)

    def add(self, line: str) -> None:
        """Add a line, whole, whoever else writes."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, f"{line}\n".encode())
        os.close(descriptor)

    def counts(self) -> Counter[str]:
        """Return how often each line was added."""
        return Counter(self.path.read_text(encoding="utf-8").splitlines())


def noting(log: Log, monkeypatch) -> None:
    """Let the makers of the store enter what they have made, once it is made."""
    for name in ("train_recipe", "distil_corpus", "evaluate_recipe"):
        monkeypatch.setattr(store_module, name, _noted(getattr(store_module, name), name, log))
    monkeypatch.setattr(lease, "POLL", 0.05)
    monkeypatch.setattr(lease, "PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(lease, "say", lambda text: None)


def _noted(make: Callable, name: str, log: Log) -> Callable:
    def noted(*arguments: Any) -> Any:
        made = make(*arguments)
        log.add(f"{name} {getattr(arguments[0], 'name', '')}".strip())
        return made

    return noted


def learner(root: Path, recipe: Recipe, barrier: Any = None, user: int | None = None) -> None:
    """Do what a learner does: train (or find) a student, and evaluate it."""
    torch.set_num_threads(1)
    if user is not None:
        os.setgid(user)
        os.setuid(user)
        os.umask(0o022)
    if barrier is not None:
        barrier.wait(timeout=LONG)
    store = Store(root)
    store.model(recipe)
    store.evaluation(recipe, 2, 0.0)


def start(learners: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Start a process for each learner, with these arguments."""
    processes = [FORK.Process(target=learner, args=arguments) for arguments in learners]
    for process in processes:
        process.start()
    return processes


def exit_codes(processes: Sequence[Any]) -> list[int | None]:
    """Wait for all; return how each ended (0 well, negative by a signal, None: it hangs)."""
    for process in processes:
        process.join(timeout=LONG)
    codes = [process.exitcode for process in processes]
    for process in processes:
        if process.exitcode is None:
            process.kill()
    return codes


def equal(one: Seq2Seq, other: Seq2Seq) -> bool:
    """Return whether two models have the same weights, bit for bit."""
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(name == its and torch.equal(a, b) for (name, a), (its, b) in pairs)


def left_over(root: Path) -> list[Path]:
    """Return the temporary files, leases and states of unfinished trainings below `root`."""
    return [
        path
        for path in root.rglob("*")
        if path.is_file()
        and (path.name.startswith(".") or path.parent.name in ("leases", "unfinished"))
    ]
