"""What makes a folder of the store a whole model: a description, written last, that names the
weights by their hash."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from seqkd_lab.files import FileError, write_json
from seqkd_lab.runs.kept import Described, read_recipe

COMPLETE, WEIGHTS = "recipe.json", "model.safetensors"


def mark_complete(directory: Path, name: str, n_parameters: int, recipe: Any) -> None:
    """Write the description of the model that lies in `directory`, its recipe and the hash of its
    weights: the last file of a training."""
    description = Described(name, n_parameters, recipe, weights_hash(directory))
    write_json(directory / COMPLETE, msgspec.to_builtins(description))


def is_complete(directory: Path) -> bool:
    """Return whether `directory` holds a whole model whose weights are those that were trained."""
    return (directory / COMPLETE).exists() and damage(directory) is None


def damage(directory: Path) -> str | None:
    """Return in words what is wrong with a model that was complete; None where nothing is, or where
    there never was one."""
    try:
        description = read_recipe(directory / COMPLETE)
        actual = None if description.sha256 is None else weights_hash(directory)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        return None if missing == COMPLETE else f"{directory}: {missing} is missing"
    except (OSError, FileError) as error:
        return str(error)
    if actual != description.sha256:
        return (
            f"{directory / WEIGHTS}: has sha256 {actual}, and {description.sha256} was trained: "
            "the file was damaged or replaced"
        )
    return None


def weights_hash(directory: Path) -> str:
    """Return the sha256 (hex) of the weights' file; it is read again only where it has changed."""
    path = directory / WEIGHTS
    state = path.stat()
    return _hash(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _hash(path: Path, modified: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
