"""A device that every machine has: it says "meta" and computes on the CPU, so that whatever a GPU
would refuse is refused here.

A tensor on it is a wrapper around a real one. An operation that meets tensors of both devices
raises TwoDevicesError with the line of the package that asked for it, except where CUDA allows it,
too: numbers without dimensions, places to index by, copies, and the lengths of packed sequences.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

import seqkd_lab

ELSEWHERE = torch.device("meta")
PACKAGE = str(Path(seqkd_lab.__file__).parent)
aten = torch.ops.aten
OF_SEQUENCES = {aten._pack_padded_sequence.default, aten._pad_packed_sequence.default}
"""They read lengths from the CPU, and return some there."""
TAKES_BOTH = {aten.copy_.default, aten.lstm.data, *OF_SEQUENCES}
BY_PLACES = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}


class TwoDevicesError(AssertionError):
    """An operation met tensors of two devices; the message names it and the line."""


def asked_at() -> str:
    """Return file and line of the package's code that is running, innermost first."""
    own = [frame for frame in traceback.extract_stack() if frame.filename.startswith(PACKAGE)]
    return f"{own[-1].filename}:{own[-1].lineno}: {own[-1].line}" if own else "outside the package"


class Away(torch.Tensor):
    """A tensor that says it lies ELSEWHERE; its numbers are those of `on_cpu`, on the CPU."""

    on_cpu: torch.Tensor

    @staticmethod
    def __new__(cls, real: torch.Tensor) -> Away:
        away = torch.Tensor._make_wrapper_subclass(
            cls,
            real.size(),
            strides=real.stride(),
            storage_offset=real.storage_offset(),
            dtype=real.dtype,
            device=ELSEWHERE,
        )
        away.on_cpu = real
        return away

    def data_ptr(self) -> int:
        return self.on_cpu.data_ptr()

    def tolist(self) -> list:
        return self.on_cpu.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return computed(func, args, kwargs or {})


def computed(func, args, kwargs):
    """Compute an operation, on the device of its inputs or the one that it names."""
    leaves = tree_flatten((args, kwargs))[0]
    inputs = [x for x in leaves if isinstance(x, torch.Tensor)]
    away = [x for x in inputs if isinstance(x, Away)]
    named = [x for x in leaves if isinstance(x, torch.device)]
    if not named:
        check_one_device(func, args, inputs, away)
    goes_away = named[0] == ELSEWHERE if named else bool(away)
    wrapper_of = {id(x.on_cpu): x for x in away} if goes_away else {}

    def wrapped(x):
        if not goes_away or not isinstance(x, torch.Tensor):
            return x
        known = wrapper_of.get(id(x))
        return Away(x) if known is None else known

    def unwrapped(x):
        if isinstance(x, torch.device):
            return torch.device("cpu")
        return x.on_cpu if isinstance(x, Away) else x

    out = func(*tree_map(unwrapped, args), **tree_map(unwrapped, kwargs))
    if func is aten.copy_.default:
        return args[0]
    if func in OF_SEQUENCES:
        return wrapped(out[0]), out[1]
    return tree_map(wrapped, out)


def check_one_device(func, args, inputs, away) -> None:
    """Raise TwoDevicesError where an operation meets tensors of both devices that a GPU would not
    take together."""
    here = [x for x in inputs if not isinstance(x, Away) and x.dim() > 0]
    if not away or not here or func in TAKES_BOTH:
        return
    if func in BY_PLACES and isinstance(args[0], Away):
        values_here = len(args) > 2 and not isinstance(args[2], Away) and args[2].dim() > 0
        if not values_here:
            return
    raise TwoDevicesError(f"{func} of tensors on two devices: {asked_at()}")


class Dispatch(TorchDispatchMode):
    """Sends every operation to `computed`, those without tensors among them."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return computed(func, args, kwargs or {})


class AwayGenerator(torch.Generator):
    """A generator that says where the numbers are that it draws."""

    place: torch.device

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu")
        made.place = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:
        return self.place

    def manual_seed(self, seed: int) -> AwayGenerator:
        super().manual_seed(seed)
        return self


def enter_without_gradients(mode: torch.inference_mode) -> None:
    """Begin an inference mode as no_grad does."""
    mode.quiet = torch.no_grad()
    mode.quiet.__enter__()


def leave_without_gradients(mode: torch.inference_mode, *why: object) -> None:
    """End what enter_without_gradients began."""
    mode.quiet.__exit__(*why)


def from_data(make):
    """Return torch's function that makes a tensor of data, with one for ELSEWHERE, too."""

    def made(data, *, device="cpu", **kwargs):
        tensor = make(data, **kwargs, device="cpu")
        return Away(tensor) if torch.device(device) == ELSEWHERE else tensor

    return made


@contextmanager
def another_device(monkeypatch) -> Iterator[torch.device]:
    """Offer the device for the body of a `with` statement. Adam is not fused there, and inference
    is without gradients alone: wrappers may have no inference tensors."""
    adam = torch.optim.Adam
    with monkeypatch.context() as patch, Dispatch():
        patch.setattr(torch, "Generator", AwayGenerator)
        for name in ("tensor", "as_tensor"):  # torch makes none of data on "meta"
            patch.setattr(torch, name, from_data(getattr(torch, name)))
        patch.setattr(torch.optim, "Adam", lambda weights, lr, fused: adam(weights, lr=lr))
        patch.setattr(torch.inference_mode, "__enter__", enter_without_gradients)
        patch.setattr(
            torch.inference_mode, "__exit__", lambda mode, *why: mode.quiet.__exit__(*why)
        )
        yield ELSEWHERE
