"""Models on disk: weights as safetensors, everything else as JSON beside them. No pickle is ever
read or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.files import FileError, read_json, write_atomically, write_json
from seqkd_lab.models.architectures import ARCHITECTURES, name_of
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack, unpack


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors as safetensors, atomically."""
    write_atomically(
        path, save({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
    )


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors. Raise FileError naming the file when it is damaged."""
    try:
        return load(path.read_bytes())
    except SafetensorError as error:
        raise FileError(
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
    """Raise FileError, naming file and tensor, where a weight is NaN or infinite."""
    for name, tensor in weights.items():
        n_wrong = tensor.numel() - int(torch.isfinite(tensor).sum())
        if n_wrong:
            raise FileError(
                f"{path}: {n_wrong:,} of {tensor.numel():,} weights of {name} are NaN or infinite: "
                "the training of this model diverged; train it again with a lower learning rate"
            )


def load_model(directory: Path) -> Seq2Seq:
    """Read what save_model wrote, ready to translate. Raise FileError when it is damaged,
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
    except FileError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        why = f"weights and description do not fit ({error})"
        raise FileError(f"{directory}: {why}; delete it to make it again") from error
    return model.eval()
