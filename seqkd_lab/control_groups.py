"""What Linux grants a container: the limits of its control groups.

They stand in files (Linux kernel documentation, "Control Group v2" and, for the older version 1,
"CFS Bandwidth Control" and "Memory Resource Controller"). A limit holds for a whole subtree, so the
least one from the process's own group up to the root counts. What cannot be read or understood
limits nothing, as on a system without control groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from seqkd_lab.system import number_behind, text_of

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def cores(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float:
    """Return the cores that the groups grant (0.5 is half the time of one): the least of `cpu.max`
    (v2) and `cpu.cfs_quota_us / cpu.cfs_period_us` (v1); infinity without a limit."""
    limits = [_v2_cores(folder) for folder in _folders_v2(root, membership)]
    limits += [_v1_cores(folder) for folder in _folders_v1(root, membership, "cpu")]
    return min(limits, default=math.inf)


def memory_left(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float:
    """Return the bytes that the groups can still take; infinity without a limit. Files in the page
    cache count as used, but the kernel gives the inactive ones back at need."""
    left = [
        _room(folder, "memory.max", "memory.current", "inactive_file")
        for folder in _folders_v2(root, membership)
    ]
    left += [
        _room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        for folder in _folders_v1(root, membership, "memory")
    ]
    return min(left, default=math.inf)


def memory_limit(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float:
    """Return the bytes that the groups may take in all; infinity without a limit."""
    limits = [_limit(folder / "memory.max") for folder in _folders_v2(root, membership)]
    for folder in _folders_v1(root, membership, "memory"):
        limits.append(_limit(folder / "memory.limit_in_bytes"))
    return min(limits, default=math.inf)


def _own_group(membership: Path, is_mine: Callable[[str, str], bool]) -> str:
    """Return the path in the line "hierarchy:controllers:path" for which `is_mine(hierarchy,
    controllers)` is true, else "/"."""
    for line in text_of(membership).splitlines():
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
    words = text_of(folder / "cpu.max").split()  # "quota period" or "max period"
    return _ratio(*words) if len(words) == 2 else math.inf


def _v1_cores(folder: Path) -> float:
    return _ratio(text_of(folder / "cpu.cfs_quota_us"), text_of(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float:
    """Return quota / period of two texts; infinity for "max", for the -1 of version 1, and for what
    is no number."""
    try:
        quota_us, period_us = int(quota), int(period)
    except ValueError:
        return math.inf
    return quota_us / period_us if quota_us > 0 and period_us > 0 else math.inf


def _limit(path: Path) -> float:
    """Return the bytes that a group may take; infinity for "max", and where there is no group."""
    try:
        return int(text_of(path))
    except ValueError:
        return math.inf


def _room(folder: Path, limit: str, usage: str, reclaimable: str) -> float:
    """Return the bytes that the group of `folder` can still take: limit - (usage - inactive file
    pages)."""
    try:
        room = int(text_of(folder / limit)) - int(text_of(folder / usage))
    except ValueError:  # "max", or no such group
        return math.inf
    return max(0, room + (number_behind(text_of(folder / "memory.stat"), reclaimable) or 0))
