"""Every lesson in full, one after another, on one core with 1 GiB, as Binder's smallest machine."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import notebook_runs
import pytest
from groups import memory_group
from soak import tally

from seqkd_lab.machine import granted_memory_mib, memory_in_words

LESSON_MIB = 1024
TOOL = Path(notebook_runs.__file__).with_name("run_notebooks.py")
ON_ONE_CORE = (
    "import os, runpy, sys\n"
    "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    "sys.argv = sys.argv[1:]\n"
    "sys.path.insert(0, os.path.dirname(sys.argv[0]))\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.mark.slow
@pytest.mark.soak  # `make soak` runs every lesson in full
@pytest.mark.parametrize("path", notebook_runs.paths(), ids=lambda path: path.stem)
def test_a_lesson_in_one_gibibyte_on_one_core(path):
    """Wrong are a kernel that was killed, an error in a cell, and a peak above the group's."""
    with tally("lessons: in full in 1 GiB on one core") as count, memory_group(LESSON_MIB) as group:
        started = time.monotonic()
        environment = os.environ | {"PYTHONPATH": str(TOOL.parents[1]), "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-c", ON_ONE_CORE, TOOL, path.name[:2]]
        done = group.run(command, env=environment)
        problems = [line for line in done.stderr.splitlines() if line.startswith("    ")]
        # seconds are for people to read: a busy machine is no mistake of the lesson
        wrong = [line for line in problems if "over its budget" not in line]
        print(
            f"{path.name}: {time.monotonic() - started:.0f} s, {group.peak_mib:.0f} MiB of "
            f"{LESSON_MIB}, refused {group.n_refused} times"
        )
        measured = path.name in done.stdout
        count.tried("; ".join(wrong) or (None if measured else done.stderr[-1000:]))


@pytest.mark.slow
@pytest.mark.soak  # `make soak` limits memory, as a container does
def test_a_process_knows_what_its_group_grants():
    script = (
        "from seqkd_lab import machine as m; print(m.granted_memory_mib(), m.memory_in_words())"
    )
    environment = os.environ | {"PYTHONPATH": str(TOOL.parents[1])}
    with memory_group(300) as group:
        granted, *words = group.run([sys.executable, "-c", script], env=environment).stdout.split()
    assert float(granted) == 300.0 and words[-5:] == ["of", "300", "MiB", "are", "free"]


class TestWhatIsGranted:
    """The limits of both versions of control groups, from files."""

    @pytest.mark.parametrize(
        ("file", "member"),
        [("memory.max", "0::/a\n"), ("memory/a/memory.limit_in_bytes", "4:memory:/a\n")],
    )
    def test_the_least_limit_counts(self, tmp_path, file, member):
        (tmp_path / "information").write_text("MemTotal: 4194304 kB\nMemAvailable: 99 kB\n")
        (tmp_path / "member").write_text(member)
        limit = tmp_path / "root" / file
        limit.parent.mkdir(parents=True)
        for written, expected in ((str(900 * 2**20), 900.0), ("max", 4096.0), ("", 4096.0)):
            limit.write_text(written)
            parts = (tmp_path / "root", tmp_path / "member", tmp_path / "information")
            assert granted_memory_mib(*parts) == expected

    def test_it_is_said(self):
        assert memory_in_words().endswith(("MiB are free", "does not say"))
