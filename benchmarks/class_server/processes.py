"""What the processes of a class take: memory that counts what is shared once, and CPU seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MIB = 2**20
SERVER = "jupyterhub-singleuser"


@dataclass(frozen=True)
class Processes:
    """The processes below a hub, by what they are for."""

    hub: list[psutil.Process]
    servers: list[psutil.Process]
    kernels: list[psutil.Process]


def below(hub_pid: int) -> Processes:
    """Return the processes of the hub with this id: itself and its proxy, the learners' servers,
    and what runs below the servers."""
    hub = psutil.Process(hub_pid)
    children = hub.children()
    servers = [child for child in children if SERVER in " ".join(child.cmdline())]
    kernels = [kernel for server in servers for kernel in server.children(recursive=True)]
    return Processes(
        [hub, *(child for child in children if child not in servers)], servers, kernels
    )


def pss_mib(processes: Iterable[psutil.Process]) -> float:
    """Return the proportional set size of processes together, in MiB: a page that n processes
    share counts as 1/n in each."""
    return sum(process.memory_full_info().pss for process in processes) / MIB


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process and of those that it has waited for."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def disk_mib(folder: Path) -> float:
    """Return what the files of a folder occupy on the disk, in MiB; 0 where there is none."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_blocks * 512 for path in files) / MIB


@dataclass
class Peak:
    """The highest memory of the kernels so far: of all of them together, and of a single one."""

    pss_mib: float = 0.0
    rss_mib: float = 0.0
    every_s: float = field(default=1.0)

    async def watch(self, hub_pid: int) -> None:
        """Look at the kernels again and again, until this task is cancelled."""
        while True:
            self.look(below(hub_pid).kernels)
            await asyncio.sleep(self.every_s)

    def look(self, kernels: list[psutil.Process]) -> None:
        """Take in what the kernels have now; leave this look out where one has just ended."""
        try:
            pss = pss_mib(kernels)
            rss = max((kernel.memory_info().rss / MIB for kernel in kernels), default=0.0)
        except psutil.NoSuchProcess:
            return
        self.pss_mib, self.rss_mib = max(self.pss_mib, pss), max(self.rss_mib, rss)
