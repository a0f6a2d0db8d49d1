"""What an unfinished run belongs to: the key of all that decides its result."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from seqkd_lab.models import lstm
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.resuming import AnotherRunError, forget, read_state
from seqkd_lab.runs.store import identity
from seqkd_lab.training import Callback, Progress

UNFINISHED = "unfinished"


def run_key(*things: Any) -> str:
    """Return the sha256 (hex) of `things`: recipes and other dataclasses, models by their weights,
    files by their content, numbers and words."""
    content = json.dumps([lstm.REVISION, *(_stated(thing) for thing in things)], sort_keys=True)
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
    """Let only the run `key` go on in `directory`: what else lies there is removed, and a line on
    stderr says so."""
    try:
        state = read_state(directory, key)
    except AnotherRunError as error:
        print(f"{error}: it is replaced, and this run starts anew.", file=sys.stderr)
        forget(directory)
    else:
        if state is not None:
            print(
                f"{directory}: goes on after epoch {state.epoch}, where this run was interrupted.",
                file=sys.stderr,
            )


def forget_all(out: Path) -> None:
    """Remove every unfinished run in a model's folder, as the model is there."""
    for directory in out.glob(f"{UNFINISHED}*"):
        if directory.is_dir():
            forget(directory)
            _remove_if_empty(directory)


def _remove_if_empty(directory: Path) -> None:
    try:
        directory.rmdir()
    except OSError:  # somebody's own file lies there
        pass


def read_files(files: Iterable[Path | None]) -> list[Path]:
    """Return the files that are named. Raises ValueError for one that is not there, before the
    work."""
    named = [file for file in files if file is not None]
    for file in named:
        if not file.is_file():
            raise ValueError(f"{file}: no such file; make it with `seqkd-lab distil --out {file}`")
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
