"""machine.py on made-up control groups: each limit must be found, and the least one must win."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab import machine, system


class Tree:
    """A folder that stands for /sys/fs/cgroup, and a file for /proc/self/cgroup."""

    def __init__(self, folder):
        self.root = folder / "cgroup"
        self.root.mkdir()
        self.membership = folder / "membership"
        self.information = folder / "meminfo"

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def quota(self, n_allowed=64):
        return machine.cpu_quota(self.root, self.membership, n_allowed)

    def memory(self):
        return machine.available_memory_mib(self.root, self.membership, self.information)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_without_any_limit_the_affinity_counts(tree):
    assert tree.quota(n_allowed=3) == 3.0


def test_v2_quota_in_a_container_that_sees_its_group_as_the_root(tree):
    tree.membership.write_text("0::/\n")
    tree.write("cpu.max", "150000 100000\n")
    assert tree.quota() == 1.5


def test_v2_quota_is_found_in_every_group_above_and_the_least_counts(tree):
    tree.membership.write_text("0::/pod/box/leaf\n")
    tree.write("pod/box/leaf/cpu.max", "max 100000\n")
    tree.write("pod/box/cpu.max", "400000 100000\n")
    tree.write("pod/cpu.max", "50000 25000\n")
    tree.write("elsewhere/cpu.max", "10000 100000\n")
    assert tree.quota() == 2.0


def test_v2_beside_v1_is_found_under_unified(tree):
    tree.membership.write_text("4:memory:/\n0::/box\n")
    tree.write("unified/box/cpu.max", "100000 100000\n")
    assert tree.quota() == 1.0


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_v1_quota_with_the_group_named_from_outside(tree, mount):
    tree.membership.write_text("9:cpuset:/other\n3:cpu,cpuacct:/docker/0cff38\n")
    tree.write(f"{mount}/cpu.cfs_quota_us", "250000\n")
    tree.write(f"{mount}/cpu.cfs_period_us", "100000\n")
    assert tree.quota() == 2.5


def test_v1_quota_of_a_nested_group(tree):
    tree.membership.write_text("3:cpu,cpuacct:/slice/job\n")
    tree.write("cpu/cpu.cfs_quota_us", "-1\n")
    tree.write("cpu/cpu.cfs_period_us", "100000\n")
    tree.write("cpu/slice/job/cpu.cfs_quota_us", "100000\n")
    tree.write("cpu/slice/job/cpu.cfs_period_us", "100000\n")
    assert tree.quota() == 1.0


def test_affinity_below_the_quota_wins(tree):
    tree.write("cpu.max", "800000 100000\n")
    assert tree.quota(n_allowed=2) == 2.0


@pytest.mark.parametrize(
    "text",
    ["max 100000", "", "100000", "x y", "0 100000", "100000 0", "-1 100000", "1 2 3", "\x00"],
)
def test_what_is_no_limit_limits_nothing(tree, text):
    tree.write("cpu.max", text)
    tree.write("cpu/cpu.cfs_quota_us", text.split()[0] if text.split() else "")
    assert tree.quota(n_allowed=5) == 5.0


def test_a_limit_that_is_a_folder_or_not_text_is_passed_over(tree):
    (tree.root / "cpu.max").mkdir()
    tree.membership.write_bytes(b"\xff\xfe0::garbage\n::::\n")
    assert tree.quota(n_allowed=4) == 4.0


@given(quota=st.integers(1, 10**7), period=st.integers(1, 10**6), allowed=st.integers(1, 256))
def test_quota_is_the_least_of_its_limits(tmp_path_factory, quota, period, allowed):
    tree = Tree(tmp_path_factory.mktemp("groups"))
    tree.write("cpu.max", f"{quota} {period}\n")
    assert tree.quota(allowed) == min(allowed, quota / period)


@pytest.mark.parametrize(("quota", "cpus"), [(0.25, 1), (1.0, 1), (1.99, 1), (2.0, 2), (7.5, 7)])
def test_available_cpus_rounds_down_but_never_to_zero(monkeypatch, quota, cpus):
    monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
    assert machine.available_cpus() == cpus


@pytest.fixture
def torch_threads():
    """Gives the test torch, and torch its number of threads back."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    yield torch
    torch.set_num_threads(before)


@pytest.mark.parametrize(("asked", "expected"), [(None, 3), (1, 1), (2, 2), (3, 3), (64, 3)])
def test_use_threads_sets_what_it_returns_within_the_quota(
    monkeypatch, torch_threads, asked, expected
):
    monkeypatch.setattr(machine, "cpu_quota", lambda: 3.7)
    assert machine.use_threads(asked) == expected
    assert torch_threads.get_num_threads() == expected


def test_use_threads_after_parallel_work_still_sets_the_inner_threads(monkeypatch, torch_threads):
    monkeypatch.setattr(machine, "cpu_quota", lambda: 2.0)
    monkeypatch.setattr(torch_threads, "get_num_interop_threads", lambda: 4)

    def too_late(n):
        raise RuntimeError("parallel work has started")

    monkeypatch.setattr(torch_threads, "set_num_interop_threads", too_late)
    assert machine.use_threads() == 2
    assert torch_threads.get_num_threads() == 2


@pytest.mark.slow
def test_use_threads_sets_one_thread_between_operators_in_a_fresh_process(torch_threads):
    code = (
        "from seqkd_lab import machine; import torch; "
        "machine.use_threads(1);print(torch.get_num_threads(), torch.get_num_interop_threads())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1", "1"]


@pytest.mark.parametrize("n", [0, -2])
def test_use_threads_refuses_less_than_one(n):
    with pytest.raises(ValueError, match=str(n)):
        machine.use_threads(n)


def test_peak_memory_is_in_mib_and_stays_after_the_memory_is_free():
    large = b"x" * 400 * machine.MIB  # of the process that starts the other: must not count there
    code = (
        "from seqkd_lab.machine import peak_memory_mib as peak; before = peak(); block = b'x' * "
        "300 * 2**20;held = peak(); del block; print(before, held, peak())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    del large
    before, held, after = map(float, shown.stdout.split())
    assert 2 < before < 300 < held < 400
    assert after == pytest.approx(held, abs=2)  # the kernel counts in steps of many pages


def test_peak_memory_without_proc_is_in_mib_too(monkeypatch, tmp_path):
    exact = machine.peak_memory_mib()
    monkeypatch.setattr(system, "STATUS", tmp_path / "none")
    assert (
        exact / 2 < machine.peak_memory_mib() < exact * 20
    )  # ru_maxrss may hold the starter's memory


def test_memory_is_the_least_of_machine_and_groups(tree):
    tree.information.write_text("MemTotal:  9999999 kB\nMemAvailable:  4194304 kB\n")
    assert tree.memory() == 4096
    tree.membership.write_text("4:memory:/box\n0::/pod\n")
    tree.write("pod/memory.max", f"{2048 * machine.MIB}\n")
    tree.write("pod/memory.current", f"{512 * machine.MIB}\n")
    assert tree.memory() == 1536
    tree.write("memory/box/memory.limit_in_bytes", f"{1024 * machine.MIB}\n")
    tree.write("memory/box/memory.usage_in_bytes", f"{1000 * machine.MIB}\n")
    tree.write("memory/box/memory.stat", f"cache 77\ntotal_inactive_file {900 * machine.MIB}\n")
    assert tree.memory() == 924


def test_memory_beyond_the_limit_is_none_left(tree):
    tree.write("memory.max", "1000\n")
    tree.write("memory.current", "5000\n")
    assert tree.memory() == 0


def test_memory_unknown_is_nan(tree):
    tree.write("memory.max", "max\n")
    tree.write("memory.current", "5000\n")
    assert math.isnan(tree.memory())


def test_describe_holds_plain_values():
    pytest.importorskip("torch")
    described = machine.describe()
    assert {"python", "torch", "cpu_quota", "threads"} <= described.keys()
    assert all(isinstance(value, str | int | float) for value in described.values())


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux says in /proc what a process holds"
)
def test_releasing_memory_gives_back_what_small_pieces_took():
    code = (
        "from seqkd_lab.system import release_memory\ndef resident(): return "
        "int(open('/proc/self/statm').read().split()[1])\nkept = [bytearray(50_000) for _ in "
        "range(3000)]; top = bytearray(50_000); full = resident()\ndel kept; release_memory(); "
        "print(resident() < 0.6 * full)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_where_the_c_library_cannot_release_memory_nothing_happens(monkeypatch):
    def no_library(name):
        raise OSError("no such library")

    monkeypatch.setattr(system.ctypes, "CDLL", no_library)
    assert system.release_memory() is None
