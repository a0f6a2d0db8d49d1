"""The description of a model on disk, model.json: what it must hold, and whether the weights beside
it fit.

A description is a few bytes that anybody may have changed, and a model of the size that it claims
may be larger than the machine. So its size is compared with the head of the weights' file, by names
and shapes, and a model is built only where both agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import torch
from safetensors import SafetensorError, safe_open

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.files import MAKE_AGAIN, FileError, checked
from seqkd_lab.models.architectures import ARCHITECTURES, Architecture, Spec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import PARTS
from seqkd_lab.models.tensors import Stored, stored_tensors

Size = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
"""A number of a spec; torch counts in 64 bits, and multiplies two of them."""
FLOATS, INTEGERS = ("F16", "BF16", "F32", "F64"), ("I16", "I32")
MOST_DIMENSIONS = 8
"""Of a packed weight; a model's have one or two."""
Shape = tuple[int, ...]


class Described(msgspec.Struct):
    """model.json: the architecture with its revision (1 where none is stated) and size, and the
    words of both languages."""

    architecture: str
    spec: dict[str, Size | float | bool | None]
    source: list[str]
    target: list[str]
    revision: Size = 1


class Parts(NamedTuple):
    """What a model is built of."""

    architecture: Architecture
    spec: Spec
    source: Vocabulary
    target: Vocabulary

    def build(self) -> Seq2Seq:
        """Return a model of this size, with random weights."""
        return self.architecture.model(self.spec, self.source, self.target)

    def shapes(self) -> dict[str, Shape]:
        """Return the names and shapes of its weights, for which no memory is taken. Raise
        RuntimeError for a size that torch cannot count."""
        with torch.device("meta"):
            weights = self.build().state_dict()
        return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def parts_of(path: Path, described: Described) -> Parts:
    """Return what the description `path` names. Raise FileError, naming it and what is wrong, where
    this version of seqkd_lab cannot build that."""
    architecture = ARCHITECTURES.get(described.architecture)
    if architecture is None:
        raise FileError(
            f"{path}: an architecture that this version does not know: "
            f"{described.architecture!r} (it knows {', '.join(ARCHITECTURES)}); {MAKE_AGAIN}"
        )
    if described.revision != architecture.revision:
        raise FileError(
            f"{path}: made by another version of seqkd_lab: revision {described.revision}, not "
            f"{architecture.revision}; {MAKE_AGAIN}"
        )
    unknown = set(described.spec) - {field.name for field in fields(architecture.spec)}
    if unknown:
        raise FileError(
            f"{path}: spec: {described.architecture} has no {', '.join(sorted(unknown))}; "
            f"{MAKE_AGAIN}"
        )
    spec: Spec = checked(described.spec, architecture.spec, f"{path}: spec")
    return Parts(
        architecture,
        spec,
        _vocabulary(path, "source", described.source),
        _vocabulary(path, "target", described.target),
    )


def _vocabulary(path: Path, side: str, tokens: list[str]) -> Vocabulary:
    try:
        return Vocabulary(tuple(tokens))
    except ValueError as error:
        raise FileError(f"{path}: {side}: {error}; {MAKE_AGAIN}") from error


def check_fit(description: Path, weights_file: Path, parts: Parts) -> None:
    """Raise FileError, naming the first weight that differs, unless the file of weights holds those
    of the model that is described, by name and shape."""
    stored = stored_shapes(weights_file)
    wanted = _wanted(description, weights_file, parts, len(stored))
    why = _difference(stored, wanted)
    if why is not None:
        raise FileError(
            f"{weights_file}: not the weights of the model that {description} describes: {why}; "
            "take both files from one model, or delete them to make it again"
        )


def _wanted(description: Path, weights_file: Path, parts: Parts, n_stored: int) -> dict[str, Shape]:
    """Return the shapes that the model has. A layer costs time even where it costs no memory, so
    that layers are counted before they are built."""
    few = [parts._replace(spec=replace(parts.spec, layers=layers)) for layers in (1, 2)]
    try:
        one, two = (len(model.shapes()) for model in few)
        n_wanted = one + (parts.spec.layers - 1) * (two - one)
        if n_wanted != n_stored:
            raise FileError(
                f"{weights_file}: holds {n_stored:,} weights (tensors), and the model of "
                f"{parts.spec.layers:,} layers that {description} describes has {n_wanted:,}; "
                "take both files from one model, or delete them to make it again"
            )
        return parts.shapes()
    except (RuntimeError, OverflowError, TypeError) as error:
        raise FileError(
            f"{description}: spec: no model can have this size ({error}); {MAKE_AGAIN}"
        ) from error


def _difference(stored: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> str | None:
    """Say which weight differs first; None where all are the same."""
    for name in sorted({*stored, *wanted}):
        if name not in stored:
            return f"{name} is missing"
        if name not in wanted:
            return f"it has no {name[:80]}"
        if stored[name] != wanted[name]:
            return f"{name} has the shape {stored[name]}, and {wanted[name]} is expected"
    return None


def stored_shapes(path: Path) -> dict[str, Shape]:
    """Return the names and shapes of the weights in a file, stored whole or packed
    (sparse_weights.py).

    Raise FileError, naming file and weight, where one is of no kind that a weight is stored as.
    """
    stored = stored_tensors(path)
    names = dict.fromkeys(name.rpartition(":")[0] or name for name in stored)
    packed = [name for name in names if name not in stored]
    for name in packed:
        _check_packed(path, name, stored)
    shapes = _packed_shapes(path, packed)
    for name in names:
        if name in stored:
            _check_kind(path, name, stored[name], FLOATS)
            shapes[name] = stored[name].shape
    return shapes


def _check_packed(path: Path, name: str, stored: Mapping[str, Stored]) -> None:
    """Raise FileError unless all parts of a packed weight are there, lists of the right kind."""
    for part in PARTS:
        tensor = stored.get(f"{name}:{part}")
        if tensor is None or len(tensor.shape) != 1:
            raise FileError(f"{path}: {name[:80]}: no list of its {part}; {MAKE_AGAIN}")
        _check_kind(path, f"{name}:{part}", tensor, FLOATS if part == "values" else INTEGERS)
    if stored[f"{name}:shape"].shape[0] > MOST_DIMENSIONS:
        raise FileError(f"{path}: {name[:80]}: over {MOST_DIMENSIONS} dimensions; {MAKE_AGAIN}")


def _check_kind(path: Path, name: str, tensor: Stored, kinds: tuple[str, ...]) -> None:
    if tensor.kind not in kinds:
        raise FileError(
            f"{path}: {name[:80]}: numbers of the kind {tensor.kind}, and {' or '.join(kinds)} is "
            f"expected; {MAKE_AGAIN}"
        )


def _packed_shapes(path: Path, names: Sequence[str]) -> dict[str, Shape]:
    """Return the shapes that packed weights state. They are compared before anything of that shape
    is made."""
    if not names:
        return {}
    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_tensor(f"{name}:shape").tolist()) for name in names}
    except SafetensorError as error:
        raise FileError(f"{path}: no shapes ({error}); {MAKE_AGAIN}") from error
