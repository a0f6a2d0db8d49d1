"""Long translations in parts: what is done is kept on disk, so that an interrupt costs one part and
not hours.

The parts are the same whether a run is interrupted or not, and so is every byte of the result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from seqkd_lab import machine
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.files import read_bytes, write_atomically

T = TypeVar("T")

PART = 1280
"""Sentences that are translated together: ten batches of 128, sorted by length, so that little is
padding."""

TranslatePart = Callable[[int, int, "Callable[[int], None]"], "list[Hypothesis]"]
"""Translates the sources from `first` to `last` (exclusive) and reports each batch."""


class Kept:
    """The finished parts of a translation, as JSON lines in a file beside the result: a line with
    the key of the work, then [target tokens, log-probability] for each source, in order."""

    def __init__(self, path: Path, key: str, n_sources: int) -> None:
        self.path, self.key, self.n_sources = path, key, n_sources

    def read(self) -> tuple[list[Hypothesis], str | None]:
        """Return what is done (whole parts), and in words why what lies there is not used (None: it
        is, or there is nothing). Raise FileError where no regular file lies there. A line that was
        cut off by an interrupt ends the reading."""
        try:
            head, *lines = read_bytes(self.path, machine.fair_share()).split(b"\n")
        except FileNotFoundError:
            return [], None
        if _parsed(head, dict[str, str]) != {"key": self.key}:
            return [], "was left by other work (another teacher, text, or option)"
        done: list[Hypothesis] = []
        for line in lines:
            entry = _hypothesis(line)
            if entry is None:
                break
            done.append(entry)
        whole = len(done) if len(done) == self.n_sources else len(done) // PART * PART
        return done[:whole], None

    def begin(self, done: list[Hypothesis]) -> None:
        """Write the key and what is done, at once; whatever else lay there is gone."""
        write_atomically(self.path, json.dumps({"key": self.key}).encode() + b"\n" + _lines(done))

    def append(self, part: list[Hypothesis]) -> None:
        """Add a part and wait until it is on the disk. Raise OSError, with the path, when the disk
        is full."""
        try:
            with open(self.path, "ab") as file:
                file.write(_lines(part))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(
                error.errno, f"{error.strerror}; could not write", str(self.path)
            ) from error

    def forget(self) -> None:
        """Remove the file, as the result is there."""
        self.path.unlink(missing_ok=True)


def _lines(part: list[Hypothesis]) -> bytes:
    """Write each hypothesis as a line of JSON."""
    lines = (
        json.dumps([entry.tokens, entry.log_prob], ensure_ascii=False) + "\n" for entry in part
    )
    return "".join(lines).encode()


def _parsed(line: bytes, schema: type[T]) -> T | None:
    """Return what a line holds; None for what an interrupt has left of one, or another program
    wrote."""
    try:
        return msgspec.json.decode(line, type=schema)
    except (ValueError, RecursionError):  # of msgspec, or of text that is not UTF-8
        return None


def _hypothesis(line: bytes) -> Hypothesis | None:
    """Read a line of the file; None for what is none."""
    entry = _parsed(line, tuple[tuple[str, ...], float])
    if entry is None or any(token.split() != [token] for token in entry[0]):
        return None
    return Hypothesis(*entry, entry[1])


def in_parts(
    kept: Kept, translate: TranslatePart, report: Callable[[int], None], say: Callable[[str], None]
) -> list[Hypothesis]:
    """Translate sources 0 .. kept.n_sources − 1 part by part, going on from what is kept.

    `report` is called with how many more sentences are done, `say` with a sentence on what became
    of an earlier run.
    """
    done, why_not = kept.read()
    if why_not is not None:
        say(f"{kept.path} {why_not}: it is replaced, and the work starts from scratch.")
    elif done:
        say(
            f"{kept.path}: {len(done):,} of {kept.n_sources:,} sentences are there; the work goes "
            "on from them."
        )
    kept.begin(done)
    report(len(done))
    while len(done) < kept.n_sources:
        part = translate(len(done), min(len(done) + PART, kept.n_sources), report)
        kept.append(part)
        done += part
    return done
