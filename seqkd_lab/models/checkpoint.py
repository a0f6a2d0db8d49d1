"""Models on disk: weights as safetensors, everything else as JSON beside them. No pickle is ever
read or written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from seqkd_lab.files import MAKE_AGAIN, FileError, read_json, write_json
from seqkd_lab.models.architectures import ARCHITECTURES, name_of
from seqkd_lab.models.described import Described, check_fit, parts_of
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack, unpack
from seqkd_lab.models.tensors import UNREADABLE, check_finite, load_tensors, save_tensors

__all__ = ["load_model", "load_tensors", "save_model", "save_tensors"]


def save_model(directory: Path, model: Seq2Seq, half: bool = False, sparse: bool = False) -> None:
    """Write `model` to `directory`: model.safetensors, and model.json with its size and
    vocabularies.

    half stores 16-bit numbers, for checkpoints that travel with a repository; they are read back as
    32-bit ones. sparse stores only what is not 0 (sparse_weights.py), for pruned models; nothing is
    lost by it.
    """
    weights = {
        name: (tensor.half() if half else tensor).cpu()
        for name, tensor in model.state_dict().items()
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


def load_model(directory: Path) -> Seq2Seq:
    """Read what save_model wrote, ready to translate.

    Raise FileError where it is damaged, does not fit, or holds weights that are not finite. The
    head of the weights is compared with the description before a model of that size is built: what
    a wrong description costs does not grow with the size that it claims.
    """
    description, weights_file = directory / "model.json", directory / "model.safetensors"
    described = read_json(description, Described)
    parts = parts_of(description, described)
    check_fit(description, weights_file, parts)
    try:
        weights = unpack(load_tensors(weights_file))
        weights = {name: tensor.to(torch.float32) for name, tensor in weights.items()}
        check_finite(weights_file, weights)
        model = parts.build()
        model.load_state_dict(weights)
    except UNREADABLE as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"{weights_file}: damaged, or not of the model that {description.name} describes "
            f"({error}); {MAKE_AGAIN}"
        ) from error
    return model.eval()
