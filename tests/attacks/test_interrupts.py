"""Ctrl-C at any moment of a real process, while torch is imported, too: one line, exit code 130."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from soak import attempts, tally

from seqkd_lab import interrupts

PACKAGE = Path(interrupts.__file__).parents[1]
STARTS = {
    "--version": ("--version",),
    "train": ("train", "--out", "m", "--epochs", "1"),
    "tour": ("tour", "--report", "report", "--workers", "2"),
}
FILE = re.compile(r'File "([^"]+)"')


def start(folder: Path, words: tuple[str, ...]) -> subprocess.Popen:
    """The command in a process group of its own, as a shell starts it."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "seqkd_lab", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def seconds_to_start(folder: Path) -> float:
    """How long this machine takes now from the start of a process to the end of its imports."""
    started = time.monotonic()
    start(folder, STARTS["--version"]).communicate()
    return time.monotonic() - started


def is_before_our_code(error: str) -> bool:
    """Whether Python was interrupted on its way to the first line of the package."""
    return "Traceback" in error and not any("seqkd_lab/" in file for file in FILE.findall(error))


def failure(words: tuple[str, ...], delay: float, folder: Path, to_group: bool) -> str | None:
    """Interrupt one process, or its whole group as a terminal does, and say what was wrong."""
    with start(folder, words) as process:
        time.sleep(delay)
        (os.killpg if to_group else os.kill)(process.pid, signal.SIGINT)
        try:
            out, error = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"{words} at {delay:.3f} s: it goes on for a minute"
    if is_before_our_code(error):
        return None
    n_lines = error.count("Interrupted")
    ended = process.returncode == 0 and n_lines == 0  # before the interrupt came
    if "Traceback" in error or "Exception ignored" in error:
        return f"{words} at {delay:.3f} s, to the group: {to_group}:\n{error[-2000:]}"
    # within the last instructions of Python, or its very first, the signal alone ends the process
    if ended or (process.returncode in (130, -signal.SIGINT) and n_lines <= 1):
        return None
    return f"{words} at {delay:.3f} s: exit code {process.returncode}, {error[-500:]!r}"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_at_any_moment_is_one_line(tmp_path):
    chance, startup = random.Random(21), seconds_to_start(tmp_path)
    with tally("interrupt: a moment of --version, train or tour") as count:
        for number in range(attempts(9, 200)):
            name = list(STARTS)[number % len(STARTS)]
            longest = {"--version": 1.0, "train": attempts(1, 4), "tour": attempts(1, 6)}[name]
            delay = chance.random() * longest * startup
            count.tried(failure(STARTS[name], delay, tmp_path, bool(number & 1)))


def said_after(body: str) -> tuple[int, str]:
    """Exit code and stderr of a process that listens, and then runs `body`."""
    script = (
        f"import os, signal, time\nfrom seqkd_lab import interrupts\ninterrupts.listen()\n{body}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
    )
    return done.returncode, done.stderr.strip()


def test_before_the_work_it_ends_the_process_at_once():
    body = "try:\n signal.raise_signal(signal.SIGINT)\nexcept BaseException:\n print('swallowed')"
    assert said_after(body) == (130, interrupts.SAID)


def test_in_the_work_it_can_be_caught():
    body = (
        "try:\n"
        " with interrupts.raised():\n"
        "  signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        " os._exit(7)"
    )
    assert said_after(body) == (7, "")


def test_one_that_a_destructor_swallows_comes_again():
    body = (
        "class Thing:\n"
        " def __del__(self):\n"
        "  signal.raise_signal(signal.SIGINT)\n"
        "try:\n"
        " with interrupts.raised():\n"
        "  thing = Thing()\n"
        "  del thing\n"
        "  time.sleep(30)\n"
        "except KeyboardInterrupt:\n"
        " os._exit(7)"
    )
    assert said_after(body) == (7, "")


def test_after_the_work_the_exit_code_stands():
    assert said_after("interrupts.ended(3)\nsignal.raise_signal(signal.SIGINT)") == (3, "")


def test_a_process_that_is_started_meanwhile_never_hears_one():
    body = (
        "import subprocess, sys\n"
        "with interrupts.postponed():\n"
        " child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])\n"
        "time.sleep(0.5)\n"
        "child.send_signal(signal.SIGINT)\n"
        "os._exit(child.wait())"
    )
    assert said_after(body) == (0, "")


def test_where_nobody_listens_nothing_changes():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.raised():
        assert signal.getsignal(signal.SIGINT) is before
