"""Models on disk: weights as safetensors, everything else as JSON beside them. No pickle is ever
read or written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.architectures import ARCHITECTURES, name_of
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack, unpack


class CheckpointError(ValueError):
    """A checkpoint that cannot be read; the message names the file and what to do."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` beside `path` and moves it into place: a reader sees the old file or the new
    one, whole.

    Raise OSError (with the path) when the disk is full or not writable; what stood there before
    stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; could not write", str(path)) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON that a person can read, atomically."""
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read JSON. Raise CheckpointError naming the file when it is not JSON, or no file but a
    device without end."""
    if path.is_char_device() or path.is_fifo():
        raise CheckpointError(
            f"{path}: a device or a pipe, not a file of results; name a JSON file"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path}: not JSON ({error}); delete the file to make it again"
        ) from error


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors as safetensors, atomically."""
    write_atomically(
        path, save({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
    )


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors. Raise CheckpointError naming the file when it is damaged."""
    try:
        return load(path.read_bytes())
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({error}); delete it to make it again"
        ) from error


def save_model(directory: Path, model: Seq2Seq, half: bool = False, sparse: bool = False) -> None:
    """Write `model` to `directory`: model.safetensors, and model.json with its size and
    vocabularies.

    half stores 16-bit numbers, for checkpoints that travel with a repository; they are read back as
    32-bit ones. sparse stores only what is not 0 (sparse_weights.py), for pruned models; nothing is
    lost by it.
    """
    weights = {
        name: tensor.half() if half else tensor for name, tensor in model.state_dict().items()
    }
    save_tensors(directory / "model.safetensors", pack(weights) if sparse else weights)
    vocabularies = {
        "source": list(model.source_vocabulary.tokens),
        "target": list(model.target_vocabulary.tokens),
    }
    name = name_of(model.spec)
    described = {
        "architecture": name,
        "revision": ARCHITECTURES[name].revision,
        "spec": asdict(model.spec),
    }
    described |= vocabularies
    write_json(directory / "model.json", described)


def check_finite(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError, naming file and tensor, where a weight is NaN or infinite."""
    for name, tensor in weights.items():
        n_wrong = tensor.numel() - int(torch.isfinite(tensor).sum())
        if n_wrong:
            raise CheckpointError(
                f"{path}: {n_wrong:,} of {tensor.numel():,} weights of {name} are NaN or infinite: "
                "the training of this model diverged; train it again with a lower learning rate"
            )


def load_model(directory: Path) -> Seq2Seq:
    """Read what save_model wrote, ready to translate. Raise CheckpointError when it is damaged,
    does not fit, or holds weights that are not finite."""
    described = read_json(directory / "model.json")
    try:
        if described["architecture"] not in ARCHITECTURES:
            raise ValueError(
                f"an architecture that this version does not know: {described['architecture']!r}"
            )
        architecture = ARCHITECTURES[described["architecture"]]
        revision = described["revision"] if "revision" in described else 1
        if revision != architecture.revision:
            raise ValueError(
                f"made by another version of seqkd_lab: revision {revision}, not "
                f"{architecture.revision}"
            )
        source, target = (
            Vocabulary(tuple(described["source"])),
            Vocabulary(tuple(described["target"])),
        )
        model = architecture.model(architecture.spec(**described["spec"]), source, target)
        weights = unpack(load_tensors(directory / "model.safetensors"))
        check_finite(directory / "model.safetensors", weights)
        model.load_state_dict({name: tensor.to(torch.float32) for name, tensor in weights.items()})
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        why = f"weights and description do not fit ({error})"
        raise CheckpointError(f"{directory}: {why}; delete it to make it again") from error
    return model.eval()
