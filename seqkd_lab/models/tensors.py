"""Named tensors on disk: safetensors files, whose head is read and judged before their numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from seqkd_lab import machine
from seqkd_lab.files import MAKE_AGAIN, FileError, check_regular, read_bytes, write_atomically

UNREADABLE = (KeyError, TypeError, ValueError, RuntimeError, OverflowError)
"""What safetensors and torch raise for a kind of number, or a shape, that torch does not know."""


class Stored(NamedTuple):
    """A tensor as the head of its file describes it: the kind of its numbers, as "F32", and its
    shape."""

    kind: str
    shape: tuple[int, ...]


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors as safetensors, atomically."""
    write_atomically(path, as_bytes(tensors))


def as_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as the content of a safetensors file."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def stored_tensors(path: Path) -> dict[str, Stored]:
    """Return what the head of a safetensors file says of each tensor; no numbers are read.

    Raise FileError naming the file where it is none, or not whole; FileNotFoundError without it.
    """
    check_regular(path)
    path.stat()  # its error names the path; that of safetensors does not
    try:
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {
                name: Stored(part.get_dtype(), tuple(part.get_shape()))
                for name, part in slices.items()
            }
    except SafetensorError as error:
        raise _damaged(path, error) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors. Raise FileError naming the file where it is damaged, or larger than a fair
    share of the memory."""
    return hashed_tensors(path)[0]


def hashed_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """Read safetensors as `load_tensors` does; return the sha256 (hex) of their file, too."""
    stored_tensors(path)
    content = read_bytes(path, machine.fair_share())
    try:
        return load(content), hashlib.sha256(content).hexdigest()
    except (SafetensorError, *UNREADABLE) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> FileError:
    why = str(error).partition("\n")[0]  # torch adds its own stack
    return FileError(f"{path}: not a whole safetensors file ({why}); {MAKE_AGAIN}")


def check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise FileError, naming file and tensor, where a weight is NaN or infinite."""
    for name, tensor in tensors.items():
        n_wrong = tensor.numel() - int(torch.isfinite(tensor).sum())
        if n_wrong:
            raise FileError(
                f"{path}: {n_wrong:,} of {tensor.numel():,} weights of {name} are NaN or infinite: "
                "the training of this model diverged; train it again with a lower learning rate"
            )
