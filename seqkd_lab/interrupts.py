"""Interrupts (Ctrl-C), heard at any moment and answered in one line.

Python raises KeyboardInterrupt wherever it happens to be. In the middle of an import or of a
callback the exception may be swallowed, turned into another, or printed with its traceback, so
that there an interrupt ends the process at once: nothing is at work yet that would have to tidy up.
This module imports nothing heavy, since it is there before everything else.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seqkd_lab import system

CODE = 130
"""The exit code of an interrupted command: 128 + the number of the signal, as in a shell."""
SAID = "Interrupted. Finished work is kept; the same command continues from there."


def end_at_once(number: int, frame: FrameType | None) -> None:
    """Answer an interrupt before the work: say so and end this process."""
    os.write(2, f"\n{SAID}\n".encode())
    os._exit(CODE)


def ended(code: int) -> None:
    """Let an interrupt from now on change nothing but that the process, whose work has ended with
    `code`, is gone at once."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(code))


def listen() -> None:
    """Answer interrupts by `end_at_once` from now on, and repeat those that Python swallows, as it
    does in a destructor or a callback."""
    signal.signal(signal.SIGINT, end_at_once)
    report = sys.unraisablehook

    def repeat(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # a little later: now, it would be swallowed again
            threading.Timer(0.01, system.interrupt_self).start()
        else:
            report(unraisable)

    sys.unraisablehook = repeat


@contextmanager
def raised() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt in the body, which tidies up, in a process that
    listens; change nothing in another."""
    if signal.getsignal(signal.SIGINT) is not end_at_once:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, end_at_once)


@contextmanager
def left_to_others() -> Iterator[None]:
    """Let an interrupt in the body be answered by the program that is started there, which hears it
    too, and not by this process."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:  # a program inherits no handler, but it would inherit SIG_IGN
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def postponed() -> Iterator[None]:
    """Hear an interrupt only after the body, in this thread; a process that is started in the body
    never hears one: the interrupt of a terminal goes to a whole group, and one of them answers."""
    with system.interrupts_blocked():
        yield
