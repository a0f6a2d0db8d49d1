"""The state of an unfinished training on disk, under the key of the run that it belongs to."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec
from torch import Tensor

from seqkd_lab.files import checked, read_json, write_atomically, write_json
from seqkd_lab.models.tensors import as_bytes, check_finite, hashed_tensors
from seqkd_lab.optimisation import MOST, History

RESUME = "resume.json"
STATES = "epoch-*.safetensors"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps for each weight: a count, and two tensors of the weight's shape."""
ADAM_NAME = re.compile(r"(0|[1-9][0-9]{0,5})\.(\w+)")
Tensors = dict[str, Tensor]


class AnotherRunError(ValueError):
    """What lies in the folder belongs to another run, or is damaged; the message says what it
    is."""


@dataclass(frozen=True)
class State:
    """A run after `epoch` whole epochs: its history by name, and its weights, best weights and
    Adam's moments."""

    epoch: int
    history: dict[str, list]
    model: Tensors
    best: Tensors
    adam: dict[int, Tensors]


class Key(msgspec.Struct):
    """Whose run resume.json is of."""

    key: str


class Saved(Key):
    """resume.json: the run, its last whole epoch, the file of that epoch's tensors with its sha256
    (hex), and a list for each column of its History."""

    epoch: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    tensors: str
    sha256: str
    history: dict[str, Any]


def write_state(
    directory: Path, key: str, epoch: int, history: Mapping[str, Any], tensors: Tensors
) -> None:
    """Write a state in the place of an earlier epoch's; a reader sees one of the two, whole.

    tensors: by names that begin with "model.", "best." or "adam.N.".
    """
    name, content = _file_of(epoch), as_bytes(tensors)
    write_atomically(directory / name, content)
    saved = Saved(key, epoch, name, hashlib.sha256(content).hexdigest(), dict(history))
    write_json(directory / RESUME, msgspec.to_builtins(saved))
    for old in directory.glob(STATES):
        if old.name != name:
            old.unlink(missing_ok=True)


def _file_of(epoch: int) -> str:
    return STATES.replace("*", str(epoch))


def read_state(directory: Path, key: str) -> State | None:
    """Return the state of the run `key`, None when there is none.

    Nor is there when another process, at work on the same model, has put a later epoch in its place
    meanwhile. Raise AnotherRunError when what lies there has another key, or is damaged.
    """
    try:
        content = read_json(directory / RESUME)
        if checked(content, Key, f"{directory / RESUME}").key != key:
            raise AnotherRunError(
                f"{directory} holds an unfinished run with other settings, seed, data or teacher"
            )
        saved = checked(content, Saved, f"{directory / RESUME}")
        history = _history(saved)
        tensors = _tensors(directory, saved)
        return _sorted(saved.epoch, history, tensors)
    except FileNotFoundError:
        return None
    except AnotherRunError:
        raise
    except (ValueError, OSError) as error:
        raise AnotherRunError(
            f"{directory} holds an unfinished run that is damaged ({error})"
        ) from error


def _history(saved: Saved) -> dict[str, list]:
    """Return the columns of a history. Raise ValueError unless each has a finite number for each
    epoch; only BLEU may not have been measured."""
    unknown = set(saved.history) - {column.name for column in fields(History)}
    if unknown:
        raise ValueError(f"{RESUME}: a history has no {', '.join(sorted(unknown))[:80]}")
    columns = checked(saved.history, History, f"{RESUME}: history").as_dict()
    for name, values in columns.items():
        if len(values) != saved.epoch:
            raise ValueError(
                f"{RESUME}: {name} has {len(values):,} values for {saved.epoch:,} epochs"
            )
        if not all(-(2.0**63) < value < 2.0**63 for value in values):  # nor is NaN
            raise ValueError(f"{RESUME}: {name} has values that are no numbers")
    return columns


def _tensors(directory: Path, saved: Saved) -> Tensors:
    """Return the tensors of the epoch. Raise ValueError where their file is another than this
    epoch's, or not what was written, or holds numbers that are not finite."""
    if saved.tensors != _file_of(saved.epoch):
        raise ValueError(
            f"{RESUME}: tensors: {saved.tensors[:80]!r}, and {_file_of(saved.epoch)} is the file "
            "of this epoch"
        )
    path = directory / saved.tensors
    tensors, digest = hashed_tensors(path)
    if digest != saved.sha256:
        raise ValueError(f"{path}: not what was written there (its sha256 is {digest})")
    check_finite(path, tensors)
    return tensors


def _sorted(epoch: int, history: dict[str, list], tensors: Tensors) -> State:
    """Sort tensors by the first part of their names. Raise ValueError for a name of another form,
    and for moments that are not those of a weight each."""
    part: dict[str, Tensors] = {"model": {}, "best": {}, "adam": {}}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind not in part or not rest:
            raise ValueError(f"a tensor of the name {name[:80]!r}")
        part[kind][rest] = tensor
    adam: dict[int, Tensors] = {}
    for name, tensor in part["adam"].items():
        number = ADAM_NAME.fullmatch(name)
        if number is None or number[2] not in MOMENTS:
            raise ValueError(f"a tensor of the name {f'adam.{name}'[:80]!r}")
        adam.setdefault(int(number[1]), {})[number[2]] = tensor
    _check_moments(adam, part["model"])
    return State(epoch, history, part["model"], part["best"], adam)


def _check_moments(adam: Mapping[int, Tensors], model: Tensors) -> None:
    """Raise ValueError unless each number has all MOMENTS, of one shape, and the shapes are those
    of different weights of the model."""
    left = Counter(tensor.shape for tensor in model.values())
    for number, moments in adam.items():
        shapes = [moments[name].shape for name in MOMENTS if name in moments]
        if len(shapes) != len(MOMENTS) or shapes[0] or shapes[1] != shapes[2]:
            raise ValueError(f"Adam's moments of weight {number} are not whole")
        if not left[shapes[1]]:
            raise ValueError(f"Adam's moments of weight {number} fit no weight of the model")
        left[shapes[1]] -= 1


def check_shapes(directory: Path, saved: Tensors, own: Mapping[str, Tensor]) -> None:
    """Raise AnotherRunError unless the saved weights have the names and shapes of the model's
    own."""
    if {name: tensor.shape for name, tensor in saved.items()} != {
        name: tensor.shape for name, tensor in own.items()
    }:
        raise AnotherRunError(f"{directory} holds an unfinished run of a model of another size")


def forget(directory: Path) -> None:
    """Remove what `write_state` wrote to `directory`, and nothing that another process is still
    writing there."""
    for left_over in (directory / RESUME, *directory.glob(STATES)):
        left_over.unlink(missing_ok=True)
