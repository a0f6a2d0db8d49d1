"""A training that several processes share: the curve of one process, and what happens when one of
them dies."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from torchrun import run, start, workers

SMALL = ("--pairs", 101, "--epochs", 3, "--batch-size", 16, "--width", 8)
"""101 pairs: the last batch of an epoch has 5, fewer than eight micro-batches."""
pytestmark = pytest.mark.slow


def history(folder) -> dict:
    """Return the curves of a trained model."""
    return json.loads((folder / "history.json").read_text())


def agree(one, other, within: float) -> None:
    """Assert that two histories have the same curves."""
    for name in ("train_loss", "valid_loss", "valid_bleu"):
        assert one.get(name, []) == pytest.approx(other.get(name, []), abs=within), name
    assert one["n_tokens"] == other["n_tokens"] and one["kept_epoch"] == other["kept_epoch"]


@pytest.mark.parametrize(
    "options",
    [
        ("--dropout", 0),
        ("--dropout", 0.3, "--best-by", "bleu"),
        ("--dropout", 0.3, "--objective", "word-kd", "--teacher", "teacher", "--patience", 1),
    ],
    ids=["plain", "dropout", "teacher"],
)
def test_two_processes_give_the_curve_of_one(tmp_path, options):
    given = ("train", *SMALL, *options, "--seed", 3)
    for folder, n, more in (("one", 1, ("--accumulate", 2)), ("two", 2, ())):
        code, out, err = run(tmp_path, *given, "--out", folder, *more, n=n)
        assert code == 0 and out.count("next: ") == 1, err
    agree(history(tmp_path / "one"), history(tmp_path / "two"), 1e-4)
    if "--objective" not in options and options[1] == 0:
        code, _, err = run(tmp_path, *given, "--out", "whole", n=1)
        assert code == 0, err
        agree(history(tmp_path / "whole"), history(tmp_path / "two"), 1e-4)


def test_eight_micro_batches_are_eight_micro_batches_however_they_are_shared(tmp_path):
    given = ("train", *SMALL, "--dropout", 0.3)
    for folder, n, each in (("a", 1, 8), ("b", 4, 2)):
        code, _, err = run(tmp_path, *given, "--out", folder, "--accumulate", each, n=n)
        assert code == 0, err
    agree(history(tmp_path / "a"), history(tmp_path / "b"), 1e-4)


def test_a_process_that_dies_ends_the_job_and_its_epochs_are_kept(tmp_path):
    """The same work goes on in one process, with the result of a run that nobody disturbed."""
    victim = 1
    given = ("train", *SMALL[:2], "--epochs", 40, *SMALL[4:], "--dropout", 0.3)
    process = start(tmp_path, *given, "--out", "m")
    while not (tmp_path / "m" / "unfinished" / "resume.json").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.02)
    os.kill(workers(process)[victim], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode not in (0, None)
    assert f"local_rank: {victim}" in err.decode() and "SIGKILL" in err.decode()
    assert not (tmp_path / "m" / "model.json").exists()
    code, _, err = run(tmp_path, *given, "--out", "m", "--accumulate", 2, n=1)
    assert code == 0 and "continuing after epoch" in err, err
    code, _, err = run(tmp_path, *given, "--out", "n")
    assert code == 0, err
    agree(history(tmp_path / "m"), history(tmp_path / "n"), 1e-4)


def test_an_error_of_one_is_said_once_and_with_its_process(tmp_path):
    code, _, err = run(tmp_path, "train", *SMALL, "--out", "m", "--learning-rate", 1e30)
    assert code == 1 and "the training diverged" in err, err
    assert "process 1 of 2" in err or "process 2 of 2" in err


def test_an_interrupt_is_answered_once(tmp_path):
    process = start(tmp_path, "train", *SMALL[:2], "--epochs", 400, "--out", "m")
    while not (tmp_path / "m" / "unfinished" / "resume.json").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode and err.decode().count("Finished work is kept") == 1, err
