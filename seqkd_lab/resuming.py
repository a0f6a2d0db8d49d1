"""The state of an unfinished training on disk, under the key of the run that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from seqkd_lab.files import FileError, read_json, write_json
from seqkd_lab.models.checkpoint import load_tensors, save_tensors

RESUME = "resume.json"
STATES = "epoch-*.safetensors"
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


def write_state(
    directory: Path, key: str, epoch: int, history: Mapping[str, Any], tensors: Tensors
) -> None:
    """Write a state in the place of an earlier epoch's; a reader sees one of the two, whole.

    tensors: by names that begin with "model.", "best." or "adam.N.".
    """
    name = f"epoch-{epoch}.safetensors"
    save_tensors(directory / name, tensors)
    write_json(
        directory / RESUME, {"key": key, "epoch": epoch, "tensors": name, "history": dict(history)}
    )
    for old in directory.glob(STATES):
        if old.name != name:
            old.unlink(missing_ok=True)


def read_state(directory: Path, key: str) -> State | None:
    """Return the state of the run `key`, None when there is none.

    Nor is there when another process, at work on the same model, has put a later epoch in its place
    meanwhile. Raises AnotherRunError when what lies there has another key, or is damaged.
    """
    try:
        saved = read_json(directory / RESUME)
        if not isinstance(saved, dict) or saved.get("key", "") != key:
            raise AnotherRunError(
                f"{directory} holds an unfinished run with other settings, seed, data or teacher"
            )
        tensors = load_tensors(directory / saved["tensors"])
        return _sorted(int(saved["epoch"]), saved["history"], tensors)
    except FileNotFoundError:
        return None
    except AnotherRunError:
        raise
    except (FileError, KeyError, TypeError, ValueError, OSError) as error:
        raise AnotherRunError(
            f"{directory} holds an unfinished run that is damaged ({error})"
        ) from error


def _sorted(epoch: int, history: dict[str, list], tensors: Tensors) -> State:
    """Sort tensors by the first part of their names."""
    part: dict[str, Tensors] = {"model": {}, "best": {}, "adam": {}}
    for name, tensor in tensors.items():
        kind, rest = name.split(".", 1)
        part[kind][rest] = tensor
    adam: dict[int, Tensors] = {}
    for name, tensor in part["adam"].items():
        number, moment = name.split(".", 1)
        adam.setdefault(int(number), {})[moment] = tensor
    return State(epoch, history, part["model"], part["best"], adam)


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
