"""What only some operating systems can do: no other module asks for it, so that each difference has
one place, with what happens where a system lacks it.

- Cores. Linux: affinity mask and control groups. macOS, Windows: all cores of the machine.
- Free memory. Linux: /proc/meminfo, control groups, ulimit. macOS, Windows: not known, so that
  nothing is refused for want of it.
- Peak memory. Linux: VmHWM. macOS: getrusage, in bytes. Windows: not known.
- Freed memory goes back to the system at once only where the C library is glibc.
- The processor's name. Linux: /proc/cpuinfo. macOS, Windows: what Python's platform knows.
- Which pages of a mapped file are needed soon, and that none beside them are. Linux, macOS: said by
  madvise. Windows: not said, and the system guesses.
- Whether a process still runs. Linux, macOS: signal 0. Windows: not asked, since any signal would
  end it; what a dead process left lies for a day.
- Whose a file is. Linux, macOS: the user's name. Windows: "user 0".
- An interrupt while a worker starts. Linux, macOS: blocked. Windows: heard by both, and the worker
  ends.
- How a worker ended. Linux, macOS: by a signal. Windows: by an exit code, so that a lack of memory
  is not named as the cause.
- A pipe that nobody writes to. Linux, macOS: its reader is let go. Windows has none with a path.
- Fork. Windows has none, and the study token-memory says so.
- A file is replaced at once (os.replace) on all three; on Windows that fails, with a message, while
  another program has the old one open.

Only Linux is tested. For the others, what they lack is taken away in the tests. Only the standard
library is used, and nothing heavy: interrupts.py imports this first.
"""

from __future__ import annotations

import ctypes
import gc
import getpass
import math
import mmap
import multiprocessing
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATUS = Path("/proc/self/status")
MEMORY_INFORMATION = Path("/proc/meminfo")
PROCESSOR_INFORMATION = Path("/proc/cpuinfo")
OWN_NAMESPACE = Path("/proc/self/ns/pid")
KILLED, TERMINATED = -9, -int(signal.SIGTERM)
"""Exit codes of a process that was killed, as Linux does when memory runs out, and of one that was
asked to end. Windows has no signal 9, and its `kill` ends a process as `terminate` does."""


def is_running(pid: int) -> bool:
    """Return whether a process of this number runs on this machine, whoever it belongs to; True
    where that cannot be asked. On Windows os.kill would end it, whatever the signal."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def processor_name(information: Path = PROCESSOR_INFORMATION) -> str:
    """Return the processor as the system names it; its architecture where it has no name."""
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )


def process_namespace() -> str:
    """Return what tells containers on one host apart: in another one the same number is another
    process. "" where the system has no such thing."""
    try:
        return f"{os.stat(OWN_NAMESPACE).st_ino:x}"
    except OSError:
        return ""


def ended_in_words(code: int | None) -> str:
    """Return how a process ended, by its exit code: negative for a signal's."""
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:  # a signal of real time
        return f"signal {-code}"


def interrupt_self() -> None:
    """Let this process hear an interrupt, as by Ctrl-C: its main thread, whichever calls this."""
    if sys.platform == "win32":  # os.kill would end the process
        signal.raise_signal(signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)


def user_name(number: int) -> str:
    """Return the name of a user, or the number where it has none, as in a container."""
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return f"user {number}"


def own_name() -> str:
    """Return the name of the user whose process this is; "somebody" where nothing says it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # neither the environment nor passwd knows one
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let this thread, and a process that is started in the body, hear no interrupt, where signals
    can be blocked; this thread hears it after the body."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # it starts a process of its own, and lets this one hear interrupts again
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def can_fork() -> bool:
    """Return whether a process can be a copy of this one, with what it has in memory."""
    return "fork" in multiprocessing.get_all_start_methods()


def write_nothing(pipe: Path | str) -> None:
    """Be the writer of a pipe for a moment, so that whoever waits for one goes on."""
    if not hasattr(os, "O_NONBLOCK"):  # nor can a path be such a pipe
        return
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # not ours to write to: the reader ends with the process
        pass


def allowed_cores() -> int:
    """Return the number of cores that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_bytes() -> float:
    """Return the most memory that this process has held at once; NaN where it is not known."""
    # Linux: getrusage would count what a parent held before it started us
    own = number_behind(text_of(STATUS), "VmHWM:")
    if own is not None:
        return own * 1024
    try:
        import resource
    except ImportError:
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS: bytes, others: KiB


def memory_bytes(field: str, information: Path = MEMORY_INFORMATION) -> float:
    """Return what the kernel says of the machine's memory (MemTotal, MemAvailable); infinity where
    it does not."""
    kib = number_behind(text_of(information), f"{field}:")
    return math.inf if kib is None else kib * 1024


def address_space_left() -> float:
    """Return the bytes that this process can still take below its own limit (ulimit -v); infinity
    where there is none."""
    try:
        import resource
    except ImportError:
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = number_behind(text_of(STATUS), "VmSize:")
    if limit == resource.RLIM_INFINITY or taken is None:
        return math.inf
    return max(0, limit - taken * 1024)


def reads_only_what_is_asked(mapping: mmap.mmap) -> None:
    """Let the system read no more pages of a mapped file than are touched or announced: by itself
    it may read megabytes around each, which drives out what is needed where memory is short."""
    if hasattr(mmap, "MADV_RANDOM"):
        mapping.madvise(mmap.MADV_RANDOM)


def announce_pages(mapping: mmap.mmap, first: int, end: int) -> None:
    """Let the system begin to read the bytes from `first` to `end` of a mapped file."""
    if hasattr(mmap, "MADV_WILLNEED"):
        page = first - first % mmap.PAGESIZE
        mapping.madvise(mmap.MADV_WILLNEED, page, min(end, len(mapping)) - page)


def release_memory() -> None:
    """Give the memory that the allocator holds and nothing uses back to the system, where the C
    library can (glibc)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return


def text_of(path: Path) -> str:
    """Return what a file of the kernel's says; "" where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number_behind(text: str, name: str) -> int | None:
    """Return the number behind `name` at the beginning of a line."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return None
