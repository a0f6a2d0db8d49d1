"""Where a model computes and how precisely: the one place that knows CPU, CUDA and MPS by name.

Weights, Adam's moments, losses and searches are in 32 bits in either precision. bf16 computes the
products of matrices in 16 bits (autocast), where a device is fast at that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

AUTO, CPU, CUDA, MPS = "auto", "cpu", "cuda", "mps"
PLACES = (CPU, CUDA, MPS)
DEVICES = (AUTO, *PLACES)
"""What `--device` may be: AUTO takes CUDA where it can be used, else MPS, else the CPU."""
FP32, BF16 = "fp32", "bf16"
PRECISIONS = (FP32, BF16)
"""What `--precision` may be."""
AS_IT_IS = nullcontext()
OTHER_BUILD = "install a build of torch for it as https://pytorch.org describes"


def why_not(name: str) -> str | None:
    """Say why the device cannot be used and what to do about it; None where it can."""
    if name == CUDA and not torch.cuda.is_available():
        if torch.version.cuda is None and torch.version.hip is None:
            return f"torch {torch.__version__} is built without it; {OTHER_BUILD}"
        return (
            f"torch {torch.__version__} is built for it, and finds no GPU that it can use; "
            "`nvidia-smi` (`rocm-smi` on AMD) shows whether the driver finds one, and an empty "
            "CUDA_VISIBLE_DEVICES hides all"
        )
    if name == MPS and not torch.backends.mps.is_available():
        if not torch.backends.mps.is_built():
            return f"torch {torch.__version__} is built without it; only builds for macOS have it"
        return "torch finds no GPU that it can use; it needs Apple silicon and macOS 14 or later"
    return None


def choose(name: str, index: int | None = None) -> torch.device:
    """Return the device of a name in DEVICES; `index`: which of several GPUs.

    Raise ValueError, with the reason and what to do, for another name, for a device that cannot be
    used here, and for an index that no GPU has.
    """
    if name not in DEVICES:
        raise ValueError(f"--device {name}: choose from {', '.join(DEVICES)}")
    if name == AUTO:
        name = next(known for known in (CUDA, MPS, CPU) if why_not(known) is None)
    reason = why_not(name)
    if reason is not None:
        raise ValueError(f"--device {name} is not available: {reason}; or take --device {CPU}")
    if name != CUDA:
        return torch.device(name)
    n_gpus = torch.cuda.device_count()
    if index is not None and not 0 <= index < n_gpus:
        raise ValueError(
            f"--device {name}: there is no GPU {index}; torch sees {n_gpus}, from 0 on"
        )
    # else cuDNN rounds what an LSTM multiplies to 10 binary digits, and fp32 would not be fp32
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name, torch.cuda.current_device() if index is None else index)


def check_precision(precision: str, device: torch.device) -> None:
    """Raise ValueError, with what to do, for a precision that is none of PRECISIONS, and for one
    that the device has no units for."""
    if precision not in PRECISIONS:
        raise ValueError(f"--precision {precision}: choose from {', '.join(PRECISIONS)}")
    if precision == BF16 and device.type == CUDA:
        major, minor = torch.cuda.get_device_capability(device)
        if torch.version.hip is None and major < 8:
            raise ValueError(
                f"--precision {BF16}: {torch.cuda.get_device_name(device)} (compute capability "
                f"{major}.{minor}) has no {BF16} units, which begin at 8.0; take --precision {FP32}"
            )
    if precision == BF16 and device.type == MPS and not torch.backends.mps.is_macos_or_newer(14, 0):
        raise ValueError(
            f"--precision {BF16}: {MPS} computes it from macOS 14 on; take --precision {FP32}"
        )


def seen() -> str:
    """Name the devices that `choose` can return here, the one of AUTO first."""
    gpus = [
        f"{CUDA}:{i} {torch.cuda.get_device_name(i)}, "
        f"{torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB"
        for i in range(torch.cuda.device_count() if why_not(CUDA) is None else 0)
    ]
    return "; ".join([*gpus, *(name for name in (MPS, CPU) if why_not(name) is None)])


@contextmanager
def computing(models: Sequence[nn.Module]) -> Iterator[None]:
    """Compute in the precision of `models`, which must be one, for the body of a `with` statement.

    Within it casts of weights are kept until it ends, so that no update may lie inside. Raise
    ValueError where the models differ.
    """
    precisions = set(map(precision_of, models))
    if len(precisions) > 1:
        raise ValueError(
            f"models of different precision compute together ({', '.join(sorted(precisions))}): "
            "place them alike"
        )
    if BF16 not in precisions:
        yield
        return
    with torch.autocast(device_of(models[0]).type, dtype=torch.bfloat16):
        yield


def in_32_bits(tensor: Tensor) -> AbstractContextManager[object]:
    """Return a context in which what is computed on the tensor's device has 32 bits, whatever the
    precision."""
    kind = tensor.device.type
    if kind in PLACES and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return AS_IT_IS


def widened(numbers: Tensor) -> Tensor:
    """Return 16-bit numbers in 32 bits, and all others as they are."""
    return numbers.float() if numbers.dtype in (torch.bfloat16, torch.float16) else numbers


def device_of(model: nn.Module) -> torch.device:
    """Return where the weights of a model lie."""
    return next(model.parameters()).device


def precision_of(model: nn.Module) -> str:
    """Return the precision of a model, or of the one within a module that wraps it."""
    parts = model.modules()
    return next((str(part.precision) for part in parts if hasattr(part, "precision")), FP32)
