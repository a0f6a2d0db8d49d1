"""What a command prints: every stream of it, and every bar, shows control characters instead of
sending them.

A terminal obeys control characters, wherever they come from: a line of a file that a message
quotes, a typed argument, a model's translation. So they are made visible where text leaves the
process, not at each of the places that print. There, too, what the terminal's encoding lacks is
spelt with what it has.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from tqdm import tqdm

from seqkd_lab.corpus.visible import visible, visible_lines

SPELT = "seqkd_lab.spelt"
"""The name of `spelt` among Python's ways to deal with what an encoding lacks."""
SPELLINGS = dict.fromkeys("−–‑", "-") | dict.fromkeys("“”„", '"') | {
    "≥": ">=", "≤": "<=", "±": "+-", "×": "x", "→": "->", "←": "<-", "’": "'", "…": "...",
    "·": ".", "•": "*", "✓": "ok", "ß": "ss", "α": "alpha", "β": "beta", "γ": "gamma",
    "δ": "delta", "Δ": "Delta", "λ": "lambda", "π": "pi", "ρ": "rho", "σ": "sigma", "Σ": "sum",
    "τ": "tau", "χ": "chi", "ŷ": "y^",
}  # fmt: skip
"""What the lab prints and an encoding may lack. A minus above all: without it a loss of a point
would read as a gain, or as nothing."""


def spelt(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that an encoding lacks, in ASCII, and where to go on: by
    SPELLINGS, else the letter without its accents, else "?"."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(character: str) -> str:
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return SPELLINGS.get(character) or base or "?"


codecs.register_error(SPELT, spelt)


class VisibleStream:
    """A stream of text that writes what `visible_lines` makes of it; all else is the stream's."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write `text`, its control characters visible; return the number of its characters."""
        self.stream.write(visible_lines(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def visible_streams() -> Iterator[None]:
    """Let standard output and standard error be visible streams in the body."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELT)
    sys.stdout, sys.stderr = (
        stream if stream is None else VisibleStream(stream)  # None: there is no such stream
        for stream in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def quiet(rank: int) -> Iterator[None]:
    """Let only the first of several processes speak in the body: the others would say the same."""
    if rank == 0:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8", newline="\n") as nowhere:
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield


def plain_stream(stream: Any) -> Any:
    """Return the stream below a visible one: a bar moves the cursor itself."""
    return stream.stream if isinstance(stream, VisibleStream) else stream


class Bar(tqdm):
    """A progress bar on stderr whose description and numbers hold no control characters."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, file=plain_stream(sys.stderr), **named)

    def __str__(self) -> str:
        return visible(super().__str__())

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Print a line above the bars, its control characters visible."""
        super().write(visible_lines(s), plain_stream(file or sys.stdout), end, nolock)
