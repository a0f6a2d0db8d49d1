"""Commands started by torchrun, as a person types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]


def start(folder: Path, *arguments: object, n: int = 2) -> subprocess.Popen:
    """Start `seqkd-lab` with these arguments in `n` processes; with 1, without torchrun."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n)]
    return subprocess.Popen(
        [sys.executable, *(launcher if n > 1 else []), "-m", "seqkd_lab", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(HOME), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(folder: Path, *arguments: object, n: int = 2) -> tuple[int, str, str]:
    """Run it to its end; return the exit code and what was printed."""
    process = start(folder, *arguments, n=n)
    out, err = (text.decode("utf-8", "replace") for text in process.communicate(timeout=300))
    return process.returncode, out, err


def workers(process: subprocess.Popen) -> list[int]:
    """Return the numbers of the two processes that torchrun has started, in the order of their
    ranks."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sorted(map(int, children), key=_is_second)


def _is_second(pid: int) -> bool:
    return b"LOCAL_RANK=1" in Path(f"/proc/{pid}/environ").read_bytes()
