"""A process among others: what it is told, what falls to it, and what an error of the connection
becomes."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from seqkd_lab import interrupts, processes
from seqkd_lab.__main__ import main as program
from seqkd_lab.cli import main
from seqkd_lab.processes import ALONE, Job, LostProcessError, joined, lost_processes_named

CPU = torch.device("cpu")


def launched(monkeypatch, rank: int, size: int) -> None:
    """Set what torchrun tells a process."""
    told = {"TORCHELASTIC_RUN_ID": "1", "RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("RANK", "3")  # of another launcher
    monkeypatch.setenv("WORLD_SIZE", "4")
    with joined(CPU) as job:
        assert (job.rank, job.size, job.is_first) == (0, 1, True)
    assert processes.own_gpu() is None and processes.own_name() == "seqkd-lab"


def test_a_job_of_one_changes_nothing():
    model = nn.Linear(2, 2)
    assert ALONE.replica(model) is model
    assert ALONE.total(2.5) == 2.5 and ALONE.agreed(lambda: 7.0) == 7.0
    assert ALONE.share(range(5)) == range(5)
    ALONE.wait()
    with ALONE.own_gradient(model), ALONE.first_alone():
        model(torch.ones(1, 2)).sum().backward()
    assert model.weight.grad is not None


def test_what_torchrun_tells_is_heard(monkeypatch):
    launched(monkeypatch, 1, 4)
    assert processes.rank_and_size() == (1, 4) and processes.own_gpu() == 1
    assert processes.own_name() == "seqkd-lab, process 2 of 4"
    assert list(Job(1, 4).share(range(10))) == [1, 5, 9]


def test_devices_that_cannot_share_work_are_refused(monkeypatch):
    launched(monkeypatch, 0, 2)
    with pytest.raises(ValueError, match="cannot share work on meta"), joined(torch.device("meta")):
        pass


@pytest.mark.parametrize(
    "message",
    [
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer",
        "NCCL communicator was aborted on rank 1",
        "Connection reset by peer",
    ],
)
def test_a_lost_connection_is_named(monkeypatch, message):
    launched(monkeypatch, 1, 2)
    with pytest.raises(LostProcessError, match="process 2 of 2 lost the connection"):
        with lost_processes_named(), lost_processes_named():
            raise RuntimeError(message)


def test_other_errors_stay_as_they_are():
    with pytest.raises(RuntimeError, match="^shape"), lost_processes_named():
        raise RuntimeError("shape mismatch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("translate", "the old teacher slept ."), "start it without torchrun"),
        (("train", "--out", "m", "--accumulate", "0"), "--accumulate must be at least 1"),
        (("train", "--out", "m", "--accumulate", "99"), "cannot be divided into 198"),
        (
            ("distil", "--teacher", "teacher", "--out", "d.tsv", "--input", "-"),
            "several processes cannot read one pipe",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else value[0],
)
def test_what_cannot_be_shared_is_refused_before_the_work(
    monkeypatch, tmp_path, capsys, arguments, said
):
    launched(monkeypatch, 0, 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "joined", lambda device: nullcontext(Job(0, 2)))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert said in err and "process 1 of 2" in err and not out


def test_only_the_first_process_speaks(monkeypatch, tmp_path, capsys):
    """Where all find the same fault, each says it; what goes well is said once."""
    launched(monkeypatch, 1, 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "joined", lambda device: nullcontext(Job(1, 2)))
    monkeypatch.setattr(Job, "total", lambda job, number: number)
    text = tmp_path / "text"
    text.write_text("the old teacher slept .\n")
    assert main(("distil", "--teacher", "teacher", "--out", "d.tsv", "--input", str(text))) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("size", [1, 2])
def test_a_process_of_a_job_leaves_at_once_with_its_code(monkeypatch, size, capsys):
    """Before Python is taken down, which threads of gloo may not survive."""
    launched(monkeypatch, 0, size)
    left = []
    monkeypatch.setattr(processes.os, "_exit", left.append)
    processes.leave(3)
    assert left == ([3] if size > 1 else [])


def test_every_command_of_a_job_leaves_so(monkeypatch, capsys):
    launched(monkeypatch, 0, 2)
    left = []
    monkeypatch.setattr(processes, "leave", left.append)
    monkeypatch.setattr(sys, "argv", ["seqkd-lab", "translate", "the old teacher slept ."])
    monkeypatch.setattr(interrupts, "listen", lambda: None)
    monkeypatch.setattr(interrupts, "ended", lambda code: None)
    assert program() == 2 and left == [2]
