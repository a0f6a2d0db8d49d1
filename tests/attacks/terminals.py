"""Commands on a real pseudo-terminal, within this process."""

from __future__ import annotations

import os
import pty
import re
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from seqkd_lab.cli import main

OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]"
)
"""What a terminal would obey: C0 but line feed and tab, C1, and what turns the direction."""


class Screen:
    """What was sent to a terminal."""

    text = ""

    def obeyed(self) -> str | None:
        """Return the first control character beside its surroundings, but what moves bars; None
        where there is none."""
        rest = self.text.replace("\x1b[A", "").replace("\rOVER", "\x00OVER").replace("\r", "")
        match = OBEYED.search(rest)
        return None if match is None else repr(rest[max(0, match.start() - 60) : match.end() + 30])


@contextmanager
def terminal() -> Iterator[Screen]:
    """Let standard output and standard error be a terminal in the body; what was sent to it is in
    the screen afterwards."""
    master, slave = pty.openpty()
    tty.setraw(slave)  # or it would write CR LF for LF
    pieces: list[bytes] = []
    reader = threading.Thread(target=_read, args=(master, pieces))
    reader.start()
    before, screen = (sys.stdout, sys.stderr), Screen()
    sys.stdout = open(slave, "w", encoding="utf-8", buffering=1)
    sys.stderr = open(os.dup(slave), "w", encoding="utf-8", buffering=1)
    try:
        yield screen
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.close()  # the last of them ends what the reader reads
        sys.stdout, sys.stderr = before
        reader.join()
        os.close(master)
        screen.text = b"".join(pieces).decode("utf-8", "surrogateescape")


def _read(master: int, pieces: list[bytes]) -> None:
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux: nobody writes any more
            return
        if not piece:
            return
        pieces.append(piece)


def on_terminal(*arguments: object) -> tuple[int | str | None, Screen]:
    """Run a command on a terminal; return its exit code and what the terminal was sent."""
    with terminal() as screen:
        try:
            code: int | str | None = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            code = stop.code
    return code, screen
