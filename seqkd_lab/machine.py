"""The cores and the memory that this process may use: what the container grants, not what the
machine shows.

A container with a quota of one core on a machine of 64 still shows 64; a program that starts 64
threads there spends its time waiting. Where a system says less than Linux does, system.py says what
is taken in its place.
"""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

from seqkd_lab import control_groups, system
from seqkd_lab.system import MEMORY_INFORMATION

MIB = 2**20


def cpu_quota(
    root: Path = control_groups.ROOT,
    membership: Path = control_groups.MEMBERSHIP,
    n_allowed: int | None = None,
) -> float:
    """Return the number of cores that this process may use (0.5 is half the time of one): the least
    of what the control groups grant and of the `n_allowed` cores of the affinity mask (None asks
    the system)."""
    allowed = system.allowed_cores() if n_allowed is None else n_allowed
    return min(float(allowed), control_groups.cores(root, membership))


def available_cpus() -> int:
    """Return the number of threads that can work at once: `cpu_quota()`, rounded down, at least
    1."""
    return max(1, int(cpu_quota()))


def use_threads(n: int | None = None) -> int:
    """Let torch compute with `n` threads, at most `available_cpus()` (None: all); return the number
    set.

    One thread between operators: two pools beside each other would share the same quota. torch
    takes that setting once only, before its first parallel work; afterwards it stays as it is.
    Raise ValueError if n < 1.
    """
    if n is not None and n < 1:
        raise ValueError(f"threads must be at least 1; got {n} (leave the number out to use all)")
    # here, so that the other questions are answered without the cost, or the presence, of torch
    import torch

    n_threads = available_cpus() if n is None else min(n, available_cpus())
    torch.set_num_threads(n_threads)
    if torch.get_num_interop_threads() != 1:
        try:
            torch.set_num_interop_threads(1)
        except RuntimeError:  # parallel work has begun
            pass
    return n_threads


def peak_memory_mib() -> float:
    """Return the most memory that this process has held at once (resident set), in MiB; NaN where
    the system does not report it."""
    return system.peak_bytes() / MIB


def available_memory_mib(
    root: Path = control_groups.ROOT,
    membership: Path = control_groups.MEMBERSHIP,
    information: Path = MEMORY_INFORMATION,
) -> float:
    """Return the memory that can still be taken, in MiB: the least of the machine's, each group's
    and what `ulimit -v` leaves; NaN where none is known."""
    return _mib(
        system.memory_bytes("MemAvailable", information),
        system.address_space_left(),
        control_groups.memory_left(root, membership),
    )


FAIR_SHARE = 0.5
"""Of the memory that is left, what one file may take: what is read is copied once as it is
used."""


def fair_share() -> int:
    """Return how many bytes a single file may take; a number beyond every memory where it is not
    known what is left."""
    left = available_memory_mib()
    return 2**62 if math.isnan(left) else int(FAIR_SHARE * left * MIB)


def granted_memory_mib(
    root: Path = control_groups.ROOT,
    membership: Path = control_groups.MEMBERSHIP,
    information: Path = MEMORY_INFORMATION,
) -> float:
    """Return the memory that this process and those beside it may have in all, in MiB: the least of
    the machine's and each group's limit; NaN where neither is known."""
    limit = control_groups.memory_limit(root, membership)
    return _mib(system.memory_bytes("MemTotal", information), limit)


def _mib(*limits: float) -> float:
    """Return the least of some numbers of bytes in MiB; NaN where none is known (infinity)."""
    least = min(limits)
    return math.nan if least == math.inf else least / MIB


def memory_in_words() -> str:
    """Return how much memory is free of how much, in words."""
    free, granted = available_memory_mib(), granted_memory_mib()
    if math.isnan(free) or math.isnan(granted):
        return "how much memory there is, this system does not say"
    return f"{free:,.0f} of {granted:,.0f} MiB are free"


def describe() -> dict[str, str | int | float]:
    """Describe machine and software in plain values, to stand beside measurements; what the system
    does not say is left out. This needs torch."""
    import torch

    memory = {
        "available_memory_mib": round(available_memory_mib(), 1),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "visible_cpus": os.cpu_count() or 1,
        "cpu_quota": cpu_quota(),
        "threads": torch.get_num_threads(),
        **{name: mib for name, mib in memory.items() if not math.isnan(mib)},
    }
