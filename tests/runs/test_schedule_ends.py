"""Workers end with the process that started them, even when it is killed and can tell them
nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
SCRIPT = """
import multiprocessing, sys
from pathlib import Path
from small_corpus import TINY, TWO_EPOCHS, write_text
from dataclasses import replace
from seqkd_lab.runs.recipes import TEACHER, table_recipes
from seqkd_lab.runs.schedule import Watcher, run_all
from seqkd_lab.runs.tasks import Train
from seqkd_lab.runs.store import Store

class Tells(Watcher):
    told = False
    def moved(self, task, done, total):
        if not self.told:
            self.told = True
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    long = replace(TINY, teacher_training=replace(TWO_EPOCHS, epochs=5_000))
    teacher = table_recipes(write_text(folder / "text"), long, 1)[TEACHER]
    run_all([Train(teacher)], Store(folder / "store"), 1, Tells())
"""


def is_alive(pid: int) -> bool:
    """Whether the process is there, and not only its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc to see other processes"
)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_no_worker_behind(tmp_path, how):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent)))}
    command = [sys.executable, script, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        children = [int(pid) for pid in run.stdout.readline().split()]
        assert children and all(map(is_alive, children))
        run.send_signal(how)
        run.wait()
    deadline = time.monotonic() + 60.0
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, children))
