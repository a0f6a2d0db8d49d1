"""What the options mean: the store, the data, the seeds and the processes that a person asked for."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.experiments.data import text_files
from seqkd_lab.experiments.presets import FULL_VOCABULARY, PRESETS, QUICK_PAIRS, QUICK_VOCABULARY
from seqkd_lab.experiments.recipes import TextData, ToyData
from seqkd_lab.experiments.store import Store
from seqkd_lab.experiments.table import TableRun


def store_of(given: Namespace) -> Store:
    """The store that the user named, or that the environment names, or runs/ in the current folder."""
    return Store(given.store or Path(os.environ.get("SEQKD_LAB_STORE", "runs")))


def data_of(given: Namespace, preset: str) -> ToyData | TextData:
    """The user's six files, or the toy. Raises ValueError when some of the six are missing."""
    if given.pairs is not None and given.pairs < 1:
        raise ValueError(f"--pairs must be at least 1; got {given.pairs}")
    files = [given.source, given.target, given.valid_source, given.valid_target, given.test_source, given.test_target]
    if not any(files):
        return ToyData(given.pairs)
    names = ["--source", "--target", "--valid-source", "--valid-target", "--test-source", "--test-target"]
    missing = [name for name, file in zip(names, files, strict=True) if file is None]
    if missing:
        raise ValueError(f"your own text needs six files; missing: {', '.join(missing)}")
    n_train = given.pairs or (QUICK_PAIRS if preset == "quick" else None)
    vocabulary_size = QUICK_VOCABULARY if preset == "quick" else FULL_VOCABULARY
    data = TextData(*files, n_train=n_train, vocabulary_size=vocabulary_size)
    for file in text_files(data):
        if not Path(file).is_file():
            raise ValueError(f"{file}: no such file; give the path of a text file, plain or .gz")
    return data


def table_run(given: Namespace, seeds: tuple[int, ...], rows: Sequence[str], text_preset: str) -> TableRun:
    """The table that the arguments ask for; the preset follows the data unless it is named."""
    preset = given.preset or (text_preset if given.source else "toy")
    return TableRun(data_of(given, preset), PRESETS[preset], seeds, tuple(rows))


def n_workers_of(asked: int | None) -> int:
    """The processes that the user asked for, or one for each core allowed."""
    if asked is not None and asked < 1:
        raise ValueError(f"--workers must be at least 1; got {asked}")
    return machine.available_cpus() if asked is None else asked


def seeds_of(given: Namespace, first: int = 1, number: int = 5) -> tuple[int, ...]:
    """Return --seeds seeds from --first-seed on; `number` and `first` where the user gives none.

    Raises ValueError for fewer than one seed, and for a first seed below 0.
    """
    number = number if given.seeds is None else given.seeds
    first = first if given.first_seed is None else given.first_seed
    if number < 1:
        raise ValueError(f"--seeds must be at least 1; got {number}")
    if first < 0:
        raise ValueError(f"--first-seed must be at least 0; got {first}")
    return tuple(range(first, first + number))
