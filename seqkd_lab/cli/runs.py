"""Unfinished runs: the key of everything that decides a result, and its folder."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from seqkd_lab.models.architectures import ARCHITECTURES, FIRST
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.resuming import AnotherRunError, forget, read_state
from seqkd_lab.runs.store import identity
from seqkd_lab.training import Callback, Progress

UNFINISHED = "unfinished"


def run_key(*parts: Any) -> str:
    """Return the sha256 (hex) of `parts`: recipes and other dataclasses, models by their weights,
    files by their content, numbers and strings."""
    content = json.dumps(
        [ARCHITECTURES[FIRST].revision, *(_stated(part) for part in parts)], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _stated(thing: Any) -> Any:
    if isinstance(thing, Seq2Seq):
        return _weights_hash(thing)
    if isinstance(thing, Path):
        return hashlib.sha256(thing.read_bytes()).hexdigest()
    if isinstance(thing, list):
        return [_stated(part) for part in thing]
    return identity(thing)


def _weights_hash(model: Seq2Seq) -> str:
    """Return the sha256 (hex) of a model's words, size and weights."""
    words = [model.source_vocabulary.tokens, model.target_vocabulary.tokens, repr(model.spec)]
    digest = hashlib.sha256(json.dumps(words).encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def settle(directory: Path, key: str) -> None:
    """Keep the state in `directory` only if it belongs to the run `key`; a line on stderr reports
    what is removed or continued."""
    try:
        state = read_state(directory, key)
    except AnotherRunError as error:
        print(f"{error}: it is replaced, and this run starts from scratch.", file=sys.stderr)
        forget(directory)
    else:
        if state is not None:
            print(
                f"{directory}: continuing after epoch {state.epoch}, where this run was "
                "interrupted.",
                file=sys.stderr,
            )


def forget_all(out: Path) -> None:
    """Remove every unfinished run from the folder of a finished model."""
    for directory in out.glob(f"{UNFINISHED}*"):
        if directory.is_dir():
            forget(directory)
            _remove_if_empty(directory)


def _remove_if_empty(directory: Path) -> None:
    try:
        directory.rmdir()
    except OSError:  # the user's own file is there
        pass


def read_files(files: Iterable[Path | None]) -> list[Path]:
    """Return the files that are not None. Raise ValueError for one that does not exist."""
    named = [file for file in files if file is not None]
    for file in named:
        if not file.is_file():
            raise ValueError(
                f"{file}: no such file; create it with `seqkd-lab distil --out {file}`"
            )
    return named


def watcher(bar: tqdm) -> Callback:
    """Return a callback that moves `bar` and shows each epoch's validation loss on it."""

    def watch(progress: Progress) -> None:
        bar.total = progress.n_updates
        bar.update(progress.update - bar.n)
        if progress.valid_loss is not None:
            bar.set_postfix_str(
                f"epoch {progress.epoch}: validation {progress.valid_loss:.3f} nats a token"
            )

    return watch
