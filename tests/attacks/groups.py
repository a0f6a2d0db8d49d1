"""A control group of its own, with little memory, as a container has: version 1 of the kernel's
interface, where this user may make one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MEMORY = Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True)
class Group:
    """A control group of version 1, by its folder."""

    folder: Path

    def run(self, command: Sequence, **options) -> subprocess.CompletedProcess:
        """Run a command, and all that it starts, within the group."""
        joined = ["sh", "-c", f'echo $$ > {self.folder / "tasks"}; exec "$@"', "sh"]
        return subprocess.run(
            [*joined, *map(str, command)], capture_output=True, text=True, **options
        )

    @property
    def peak_mib(self) -> float:
        """The most that the group has held at once."""
        return int((self.folder / "memory.max_usage_in_bytes").read_text()) / 2**20

    @property
    def n_refused(self) -> int:
        """How often the group has hit its limit."""
        return int((self.folder / "memory.failcnt").read_text())


@contextmanager
def memory_group(mib: int) -> Iterator[Group]:
    """A group with so much memory. Skip the test where none can be made."""
    folder = MEMORY / f"seqkd-lab-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(mib * 2**20))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield Group(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a group as soon as the last of its processes is gone."""
    for _ in range(100):
        try:
            return folder.rmdir()
        except OSError:
            time.sleep(0.1)
    folder.rmdir()
