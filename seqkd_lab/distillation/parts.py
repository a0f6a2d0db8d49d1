"""Long translations in parts: what is done is kept on disk, so that an interrupt costs one part and
not hours, and several processes can share the work.

A window of consecutive sentences is sorted by length and cut into parts, so that little is padded.
The parts are the same whether a run is interrupted or not, and whichever process does them, and so
is every byte of the result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from seqkd_lab import machine
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.files import FileError, make_folder, read_bytes, sweep, write_atomically
from seqkd_lab.processes import ALONE, Job

T = TypeVar("T")

PART = 1280
"""Sentences that are translated together: ten batches of 128."""
WINDOW = 64
"""Parts whose sentences are sorted by length together, and are in memory together at the end."""
KEY, PARTS = "key.json", "part-*.jsonl"

TranslatePart = Callable[[int, "Sequence[int]", "Callable[[int], None]"], "list[Hypothesis]"]
"""Translates the sources at some places, which are the part of that number, and reports each
batch."""


class Parts:
    """The parts of a translation, as files in a folder beside the result: one with the key of the
    work, and for each finished part one with a line [target tokens, log-probability] for each of
    its sources, in the order of their places.

    lengths: of the sources, in tokens; what `lengths[a:b]` gives must fit an array.
    """

    def __init__(self, folder: Path, key: str, lengths: Sequence[int]) -> None:
        self.folder, self.key, self.lengths = folder, key, lengths
        self._window: tuple[int, list[list[int]]] = (-1, [])

    def __len__(self) -> int:
        """Return the number of parts."""
        return -(-len(self.lengths) // PART)

    def places(self, number: int) -> list[int]:
        """Return the places of a part's sources in the corpus, in rising order."""
        window, within = divmod(number, WINDOW)
        if self._window[0] != window:
            self._window = window, self._divided(window * WINDOW * PART)
        return self._window[1][within]

    def _divided(self, first: int) -> list[list[int]]:
        """Divide the window that begins at the place `first` into parts of similar lengths."""
        lengths = np.asarray(self.lengths[first : first + WINDOW * PART])
        by_length = first + lengths.argsort(kind="stable")
        return [
            sorted(by_length[begin : begin + PART].tolist())
            for begin in range(0, len(lengths), PART)
        ]

    def n_sources(self, numbers: Iterable[int]) -> int:
        """Return how many sources the parts of these numbers have together."""
        return sum(len(self.places(number)) for number in numbers)

    def begin(self) -> str | None:
        """Prepare the folder; return in words what was found there: nothing (None), parts to go on
        from, or what other work has left, which is gone now."""
        why_not = self._why_not()
        if why_not is not None and self.folder.is_file():  # as earlier versions kept their parts
            self.folder.unlink()
        elif why_not is not None:
            self.forget()
        make_folder(self.folder)
        sweep(self.folder)
        write_atomically(self.folder / KEY, json.dumps({"key": self.key}).encode() + b"\n")
        if why_not is not None:
            return f"{self.folder} {why_not}: it is replaced, and the work starts from scratch."
        n_done = self.n_sources(n for n in range(len(self)) if self.file(n).exists())
        if not n_done:
            return None
        return (
            f"{self.folder}: {n_done:,} of {len(self.lengths):,} sentences are there; the work "
            "goes on from them."
        )

    def _why_not(self) -> str | None:
        """Say why what lies in the folder is not used; None where it is, or where there is
        nothing."""
        if not self.folder.exists():
            return None
        try:
            head = read_bytes(self.folder / KEY, machine.fair_share())
        except (FileNotFoundError, NotADirectoryError, FileError):
            head = b""
        if _parsed(head, dict[str, str]) != {"key": self.key}:
            return "was left by other work (another teacher, text, or option)"
        return None

    def file(self, number: int) -> Path:
        """Return the path of a finished part."""
        return self.folder / PARTS.replace("*", f"{number:08}")

    def read(self, number: int) -> list[Hypothesis] | None:
        """Return what is kept of a part; None where there is nothing, or it is not whole. Raise
        FileError where no regular file lies there."""
        try:
            lines = read_bytes(self.file(number), machine.fair_share()).splitlines()
        except FileNotFoundError:
            return None
        hypotheses = list(filter(None, map(_hypothesis, lines)))
        return hypotheses if len(hypotheses) == len(self.places(number)) == len(lines) else None

    def write(self, number: int, hypotheses: Sequence[Hypothesis]) -> None:
        """Keep a part: a reader sees all of it or nothing. Raise OSError, with the path, when the
        disk is full."""
        lines = (
            json.dumps([hypothesis.tokens, hypothesis.log_prob], ensure_ascii=False) + "\n"
            for hypothesis in hypotheses
        )
        write_atomically(self.file(number), "".join(lines).encode())

    def in_order(self) -> Iterator[Hypothesis]:
        """Yield the hypothesis of every source, in the order of the corpus, with a window at a time
        in memory. Raise FileError where a part is missing or damaged."""
        for first in range(0, len(self), WINDOW):
            placed: dict[int, Hypothesis] = {}
            for number in range(first, min(first + WINDOW, len(self))):
                hypotheses = self.read(number)
                if hypotheses is None:
                    raise FileError(
                        f"{self.file(number)}: this part is missing or damaged; the same command "
                        "makes it again"
                    )
                placed.update(zip(self.places(number), hypotheses, strict=True))
            yield from (placed[place] for place in sorted(placed))

    def forget(self) -> None:
        """Remove the files, as the result is there; the folder, too, unless it holds others."""
        for file in (self.folder / KEY, *self.folder.glob(PARTS)):
            file.unlink(missing_ok=True)
        try:
            self.folder.rmdir()
        except OSError:  # it is not there, or holds a file of somebody else
            pass


def _parsed(line: bytes, schema: type[T]) -> T | None:
    """Return what a line holds; None for what another program wrote."""
    try:
        return msgspec.json.decode(line, type=schema)
    except (ValueError, RecursionError):  # of msgspec, or of text that is not UTF-8
        return None


def _hypothesis(line: bytes) -> Hypothesis | None:
    """Read a line of a part; None for what is none."""
    entry = _parsed(line, tuple[tuple[str, ...], float])
    if entry is None or any(token.split() != [token] for token in entry[0]):
        return None
    return Hypothesis(*entry, entry[1])


def translate_parts(
    parts: Parts,
    translate: TranslatePart,
    report: Callable[[int], None],
    say: Callable[[str], None],
    job: Job = ALONE,
) -> None:
    """Translate the parts that are not there yet; the processes of `job` share them, and end
    together.

    `report` is called with how many more sentences of this process's parts are done, `say` with a
    sentence on what became of an earlier run.
    """
    with job.first_alone():
        left_over = parts.begin() if job.is_first else None
    if left_over is not None:
        say(left_over)
    for number in job.share(range(len(parts))):
        places = parts.places(number)
        if parts.read(number) is not None:
            report(len(places))
        else:
            parts.write(number, translate(number, places, report))
    job.wait()
