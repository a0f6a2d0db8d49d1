"""Let each thing be made once, however many processes, people and machines want it at the same
time.

Whoever makes a thing holds a lease on its key: a file that exists while it is being made, and that
a thread of the holder touches every ten seconds. Whoever comes second waits and shows how far the
holder is. It takes over as soon as the holder's process is known to be gone (on this machine), or
has been silent for `SILENCE` seconds by the waiter's own clock, so that clocks need not agree.

filelock's SoftFileLease does this with exclusive creation and renaming alone, which network disks
have, where flock may do nothing. A lease is a hint, not a guarantee: a holder that was silent, say
on a laptop that slept, may wake up while another makes the same thing. Then both write equal
contents, each at once or not at all, and nothing but time is lost.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import msgspec
from filelock import SoftFileLease, Timeout
from tqdm import tqdm

from seqkd_lab import system
from seqkd_lab.files import FileError, make_folder, named, read_json, write_json

SILENCE = 30.0
"""Seconds without a sign of life after which a holder of another machine counts as gone. Every
process on a store must use the same number."""
POLL = 1.0
"""Seconds between two looks at whether the thing is made."""
PROGRESS_EVERY = 2.0
"""Seconds between two notes of a holder on how far it is."""
Report = Callable[[int, int], None]


def say(text: str) -> None:
    """Print a line on stderr, above the progress bars that stand there."""
    tqdm.write(text, file=sys.stderr)


announce: ContextVar[Callable[[str], None]] = ContextVar("announce", default=say)
"""What tells a person for whom this process waits."""


class Holder(msgspec.Struct, frozen=True):
    """Who makes a thing, since when (seconds since 1970, by the holder's clock), and how far it
    is."""

    user: str
    host: str
    pid: int
    since: float
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(self.since))
        who = f"{self.user} on {self.host} (process {self.pid})"
        return f"{who}, who has been making it since {moment}"


def this_process() -> Holder:
    """Return who this is, as a holder from now on."""
    return Holder(system.own_name(), socket.gethostname(), os.getpid(), time.time())


def make_once(
    lease: Path,
    label: str,
    is_made: Callable[[], bool],
    make: Callable[[Report], None],
    report: Report,
) -> None:
    """Call `make`, unless the thing is made by then: by another process, for which this one waits.

    lease: the path of the lease, which only exists while the thing is being made. label: what it
    is, for those who wait. report: called with (done, total) of the work, be it one's own or that
    of the process waited for. Raise OSError, naming the path, where no lease can be written, and
    whatever `make` raises.
    """
    if is_made():
        _sweep(lease)
        return
    with named(lease):
        make_folder(lease.parent)
        lock = SoftFileLease(lease, lease_duration=SILENCE)
    if not _acquired(lock, label, is_made, report):
        return
    progress = _progress_file(lease)
    try:
        if not is_made():
            make(_noted(report, progress))
    finally:
        _unlink(progress)
        lock.release()


def _sweep(lease: Path) -> None:
    """Remove the lease of a process that was killed between the end of its work and its release."""
    if not lease.exists():
        return
    lock = SoftFileLease(lease, lease_duration=SILENCE)
    for _ in range(2):  # the first attempt only removes the lease of a dead process
        try:
            lock.acquire(timeout=0)
        except OSError:  # it is held (Timeout), or not ours to remove
            continue
        _unlink(_progress_file(lease))
        lock.release()
        return


def _acquired(lock: SoftFileLease, label: str, is_made: Callable[[], bool], report: Report) -> bool:
    """Wait; return True once this process holds the lease, False once the thing is made."""
    lease, announced = Path(lock.lock_file), None
    while not _is_free(lock):
        if is_made():
            return False
        holder = _holder_of(lease)
        if holder is not None and (holder.host, holder.pid) != announced:
            announced = (holder.host, holder.pid)
            announce.get()(f"{label}: waiting for {holder}")
        if holder is not None and holder.total:
            report(holder.done, holder.total)
        time.sleep(POLL)
    return True


def _is_free(lock: SoftFileLease) -> bool:
    """Acquire the lease and return True, or return False where somebody holds it."""
    with named(Path(lock.lock_file)):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError, too
            return False
    return True


def _holder_of(lease: Path) -> Holder | None:
    """Return what the holder says of itself; None where it has not said anything yet."""
    try:
        return read_json(_progress_file(lease), Holder)
    except (OSError, FileError):
        return None


def _progress_file(lease: Path) -> Path:
    return lease.with_suffix(".json")


def _noted(report: Report, progress: Path) -> Report:
    """Return `report`, which now and then also writes down how far this process is, for those who
    wait."""
    me, last_note = this_process(), 0.0

    def note(done: int, total: int) -> None:
        nonlocal last_note
        if time.monotonic() - last_note >= PROGRESS_EVERY:
            last_note = time.monotonic()
            _write(progress, msgspec.structs.replace(me, done=done, total=total))
        report(done, total)

    _write(progress, me)
    return note


def _write(progress: Path, holder: Holder) -> None:
    """Write a note; where that fails, those who wait see an older one, and the work goes on."""
    try:
        write_json(progress, msgspec.to_builtins(holder))
    except (OSError, ValueError):
        pass


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        pass


@contextmanager
def announced_by(tell: Callable[[str], None]) -> Iterator[None]:
    """Let `tell` say for whom this process waits, within a `with` statement."""
    token = announce.set(tell)
    try:
        yield
    finally:
        announce.reset(token)
