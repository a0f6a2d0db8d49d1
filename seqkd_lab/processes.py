"""Several processes of one job, as `torchrun` starts them (torch.distributed).

Each is a seqkd_lab of its own with the same command line. They share the micro-batches of every
update (trainer.py), or the parts of a labelling (distillation/parts.py). What they tell each other
are gradients, which DistributedDataParallel sums up, and a few numbers. A process that was started
without `torchrun` is a job of one and tells nobody anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from seqkd_lab.devices import CPU, CUDA

T = TypeVar("T")
BACKENDS = {CPU: "gloo", CUDA: "nccl"}
"""What carries the processes' messages, by the kind of device."""
LONGEST_WAIT = timedelta(days=7)
"""For another process, which may label for hours. `torchrun` itself notices one that has died."""
LOST = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe", "socket")
"""What an error says of the connection to a process that has died, in small letters."""


class LostProcessError(ConnectionError):
    """Another process of the job has ended before its work was done."""


@dataclass(frozen=True)
class Job:
    """This process among `size` of one job: its number, `rank`, counts from 0, and its tensors are
    on `device`."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """Return whether this is the process that writes files and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Return what falls to this process: every item falls to one, and neighbours to
        different ones."""
        return items[self.rank :: self.size]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        self.total(0.0)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process do the body before all others do it: what it writes, they find."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()

    def total(self, number: float) -> float:
        """Return the sum of the processes' numbers, the same in each of them."""
        if self.size == 1:
            return number
        numbers = torch.tensor([number], dtype=torch.float64, device=self.device)
        with lost_processes_named():
            torch.distributed.all_reduce(numbers)
        return float(numbers)

    def agreed(self, measure: Callable[[], float]) -> float:
        """Return what `measure` gives in the first process: two machines may round differently, and
        all processes have to take the same decisions."""
        return self.total(measure() if self.is_first else 0.0)

    def replica(self, model: nn.Module) -> nn.Module:
        """Return `model` as one whose gradients are, after each backward pass, the mean over the
        processes; in a job of one, itself."""
        if self.size == 1:
            return model
        devices = None if self.device.type == "cpu" else [self.device]
        return DistributedDataParallel(model, device_ids=devices)

    def own_gradient(self, replica: nn.Module) -> AbstractContextManager:
        """Keep the gradients of the body to this process: a later backward pass takes them along.
        Without a replica there is nothing to keep back."""
        if isinstance(replica, DistributedDataParallel):
            return replica.no_sync()
        return nullcontext()


ALONE = Job()


def rank_and_size() -> tuple[int, int]:
    """Return the number of this process and how many there are, as `torchrun` tells them; 0 and 1
    without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def own_gpu() -> int | None:
    """Return which of the GPUs of its machine falls to this process; None without `torchrun`."""
    return int(os.environ["LOCAL_RANK"]) if rank_and_size()[1] > 1 else None


def own_name() -> str:
    """Return how this process calls itself in its messages."""
    rank, size = rank_and_size()
    return "seqkd-lab" if size == 1 else f"seqkd-lab, process {rank + 1} of {size}"


@contextmanager
def joined(device: torch.device) -> Iterator[Job]:
    """Join the other processes for the body; `device` is where this one computes. Raise
    LostProcessError where one of the others dies meanwhile, ValueError where such devices cannot
    share work."""
    rank, size = rank_and_size()
    if size == 1:
        yield Job(device=device)
        return
    if device.type not in BACKENDS:
        raise ValueError(f"several processes cannot share work on {device.type}; take --device cpu")
    if device.index is not None:
        torch.accelerator.set_device_index(device)
    backend = BACKENDS[device.type]
    with lost_processes_named():
        torch.distributed.init_process_group(backend, timeout=LONGEST_WAIT)
        yield Job(rank, size, device)
        torch.distributed.destroy_process_group()


def leave(code: int) -> None:
    """End this process of a job at once, with what it has printed; a process that is alone goes its
    usual way. A thread of gloo may still let go of a tensor, and would abort the process if Python
    was half taken down by then."""
    if rank_and_size()[1] == 1:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


@contextmanager
def lost_processes_named() -> Iterator[None]:
    """Turn the body's error about a connection into one that says what it means."""
    try:
        yield
    except LostProcessError:
        raise
    except RuntimeError as error:
        if not any(word in str(error).lower() for word in LOST):
            raise
        rank, size = rank_and_size()
        raise LostProcessError(
            f"process {rank + 1} of {size} lost the connection to another one, which has ended: "
            "its own message stands above, or the system killed it. Finished epochs and parts are "
            "kept; the same command continues from them"
        ) from error
