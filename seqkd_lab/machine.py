"""The cores and the memory that this process may use: what the container grants, not what the
machine shows.

A container with a quota of one core on a machine of 64 still shows 64; a program that starts 64
threads there spends its time waiting. The limits stand in the control groups (Linux kernel
documentation, "Control Group v2" and, for the older version 1, "CFS Bandwidth Control" and "Memory
Resource Controller"). A limit holds for a whole subtree, so the least one from the process's own
group up to the root counts.
"""

from __future__ import annotations

import ctypes
import gc
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_MEMBERSHIP = Path("/proc/self/cgroup")
MEMORY_INFORMATION = Path("/proc/meminfo")
STATUS = Path("/proc/self/status")
MIB = 2**20


def cpu_quota(
    root: Path = CGROUP_ROOT, membership: Path = CGROUP_MEMBERSHIP, n_allowed: int | None = None
) -> float:
    """Return the number of cores that this process may use (0.5 is half the time of one).

    It is the least of the cgroup v2 `cpu.max`, the cgroup v1 `cpu.cfs_quota_us /
    cpu.cfs_period_us` and the `n_allowed` cores of the affinity mask (None asks the system). What
    cannot be read or understood limits nothing.
    """
    limits = [float(_allowed_cores() if n_allowed is None else n_allowed)]
    limits += [_v2_cores(folder) for folder in _folders_v2(root, membership)]
    limits += [_v1_cores(folder) for folder in _folders_v1(root, membership, "cpu")]
    return min(limits)


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
    # Linux: getrusage would count what a parent held before it started us
    own = _field(_text(STATUS), "VmHWM:")
    if own is not None:
        return own / 1024
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024  # macOS: bytes, others: KiB


def release_memory() -> None:
    """Give the memory that the allocator holds and nothing uses back to the system, where the C
    library can (glibc)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return


def available_memory_mib(
    root: Path = CGROUP_ROOT,
    membership: Path = CGROUP_MEMBERSHIP,
    information: Path = MEMORY_INFORMATION,
) -> float:
    """Return the memory that can still be taken, in MiB: the least of the machine's, each group's
    and what `ulimit -v` leaves; NaN where none is known.

    A group's files in the page cache count as used, but the kernel gives the inactive ones back at
    need.
    """
    free = [_machine_memory(information), _address_space()]
    for folder in _folders_v2(root, membership):
        free.append(_group_memory(folder, "memory.max", "memory.current", "inactive_file"))
    for folder in _folders_v1(root, membership, "memory"):
        free.append(
            _group_memory(
                folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            )
        )
    least = min(free)
    return math.nan if least == math.inf else least / MIB


FAIR_SHARE = 0.5
"""Of the memory that is left, what one file may take: what is read is copied once as it is
used."""


def fair_share() -> int:
    """Return how many bytes a single file may take; a number beyond every memory where it is not
    known what is left."""
    left = available_memory_mib()
    return 2**62 if math.isnan(left) else int(FAIR_SHARE * left * MIB)


def granted_memory_mib(
    root: Path = CGROUP_ROOT,
    membership: Path = CGROUP_MEMBERSHIP,
    information: Path = MEMORY_INFORMATION,
) -> float:
    """Return the memory that this process and those beside it may have in all, in MiB: the least of
    the machine's and each group's limit; NaN where neither is known."""
    whole = _field(_text(information), "MemTotal:")
    limits = [math.inf if whole is None else whole * 1024]
    limits += [_limit(folder / "memory.max") for folder in _folders_v2(root, membership)]
    for folder in _folders_v1(root, membership, "memory"):
        limits.append(_limit(folder / "memory.limit_in_bytes"))
    least = min(limits)
    return math.nan if least == math.inf else least / MIB


def memory_in_words() -> str:
    """Return how much memory is free of how much, in words."""
    free, granted = available_memory_mib(), granted_memory_mib()
    if math.isnan(free) or math.isnan(granted):
        return "how much memory there is, this system does not say"
    return f"{free:,.0f} of {granted:,.0f} MiB are free"


def describe() -> dict[str, str | int | float]:
    """Describe machine and software in plain values, to stand beside measurements. This needs
    torch."""
    import torch

    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "visible_cpus": os.cpu_count() or 1,
        "cpu_quota": cpu_quota(),
        "threads": torch.get_num_threads(),
        "available_memory_mib": round(available_memory_mib(), 1),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own_group(membership: Path, is_mine: Callable[[str, str], bool]) -> str:
    """Return the path in the line "hierarchy:controllers:path" for which `is_mine(hierarchy,
    controllers)` is true, else "/"."""
    for line in _text(membership).splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if is_mine(hierarchy, controllers):
            return path
    return "/"


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """Yield the folders of `group` and of all groups around it, up to the mount.

    A container may see its own group mounted as the root while /proc names the group from outside:
    folders that do not exist are passed over, as they hold no readable limits.
    """
    parts = [part for part in group.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])


def _folders_v2(root: Path, membership: Path) -> Iterator[Path]:
    group = _own_group(
        membership, lambda hierarchy, controllers: hierarchy == "0" and not controllers
    )
    for mount in (root, root / "unified"):  # alone, or beside version 1
        yield from _upwards(mount, group)


def _folders_v1(root: Path, membership: Path, controller: str) -> Iterator[Path]:
    group = _own_group(membership, lambda _, controllers: controller in controllers.split(","))
    mounts = [root / controller] + ([root / "cpu,cpuacct"] if controller == "cpu" else [])
    for mount in mounts:
        yield from _upwards(mount, group)


def _v2_cores(folder: Path) -> float:
    words = _text(folder / "cpu.max").split()  # "quota period" or "max period"
    return _ratio(*words) if len(words) == 2 else math.inf


def _v1_cores(folder: Path) -> float:
    return _ratio(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float:
    """Return quota / period of two texts; infinity for "max", for the -1 of version 1, and for what
    is no number."""
    try:
        quota_us, period_us = int(quota), int(period)
    except ValueError:
        return math.inf
    return quota_us / period_us if quota_us > 0 and period_us > 0 else math.inf


def _machine_memory(information: Path = MEMORY_INFORMATION) -> float:
    """Return the bytes that the whole machine can still give."""
    kib = _field(_text(information), "MemAvailable:")
    return math.inf if kib is None else kib * 1024


def _address_space() -> float:
    """Return the bytes that this process can still take below its own limit (ulimit -v)."""
    try:
        import resource
    except ImportError:  # Windows
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = _field(_text(STATUS), "VmSize:")
    if limit == resource.RLIM_INFINITY or taken is None:
        return math.inf
    return max(0, limit - taken * 1024)


def _limit(path: Path) -> float:
    """Return the bytes that a group may take; infinity for "max", and where there is no group."""
    try:
        return int(_text(path))
    except ValueError:
        return math.inf


def _group_memory(folder: Path, limit: str, usage: str, reclaimable: str) -> float:
    """Return the bytes that the group of `folder` can still take: limit - (usage - inactive file
    pages)."""
    try:
        room = int(_text(folder / limit)) - int(_text(folder / usage))
    except ValueError:  # "max", or no such group
        return math.inf
    return max(0, room + (_field(_text(folder / "memory.stat"), reclaimable) or 0))


def _field(text: str, name: str) -> int | None:
    """Return the number behind `name` at the beginning of a line."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
