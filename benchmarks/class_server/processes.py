"""What the processes of a class take: memory that counts what is shared once, and CPU seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
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
    """The highest memory of the kernels so far: of all of them together, the resident one of a
    single kernel, and the proportional one of each by its process id."""

    pss_mib: float = 0.0
    rss_mib: float = 0.0
    by_kernel: dict[int, float] = field(default_factory=dict)
    every_s: float = field(default=2.0)

    async def watch(self, hub_pid: int) -> None:
        """Look at the kernels again and again, until this task is cancelled; in a thread, so that
        no learner waits for a look."""
        while True:
            await asyncio.to_thread(self.look_below, hub_pid)
            await asyncio.sleep(self.every_s)

    def look_below(self, hub_pid: int) -> None:
        """Take in what the kernels have now; leave this look out where one has just ended."""
        with suppress(psutil.NoSuchProcess):
            self.look(below(hub_pid).kernels)

    def look(self, kernels: list[psutil.Process]) -> None:
        """Take in what these processes have now."""
        pss = {kernel.pid: pss_mib([kernel]) for kernel in kernels}
        rss = max((kernel.memory_info().rss / MIB for kernel in kernels), default=0.0)
        self.pss_mib = max(self.pss_mib, sum(pss.values()))
        self.rss_mib = max(self.rss_mib, rss)
        for pid, mib in pss.items():
            self.by_kernel[pid] = max(mib, self.by_kernel.get(pid, 0.0))


def kernel_process(hub_pid: int, kernel_id: str) -> psutil.Process:
    """Return the process of a kernel. Raise ProcessLookupError where it has ended."""
    for process in below(hub_pid).kernels:
        if kernel_id in " ".join(process.cmdline()):
            return process
    raise ProcessLookupError(f"kernel {kernel_id} has ended; was it killed for memory?")
