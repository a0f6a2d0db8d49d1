"""Open a text that somebody named: a file, or a pipe that is written to."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from threading import Thread

from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.files import kind_of
from seqkd_lab.system import write_nothing

WRITER_SECONDS = 5.0
"""How long a pipe is waited for that nobody writes to. Its reader would wait for ever."""


def open_text(path: Path | str) -> BufferedReader:
    """Return an open text, to be read once.

    A pipe is one, since a shell gives `<(zcat x.gz)` as the name of a pipe. Raise CorpusError,
    naming the path, for a folder, a device, a socket, and a pipe that nobody writes to; OSError
    where it cannot be opened.
    """
    kind = kind_of(Path(path))
    if kind == "pipe":
        return _open_pipe(path)
    if kind not in (None, "file"):
        raise CorpusError(
            f"{path}: cannot be read (this is a {kind}); give the path of a text file, plain or .gz"
        )
    return open(path, "rb")


def _open_pipe(path: Path | str) -> BufferedReader:
    """Open a pipe in a thread, which waits for the writer; where none comes, let the thread go."""
    opened: list[BufferedReader | OSError] = []

    def wait() -> None:
        try:
            opened.append(open(path, "rb"))
        except OSError as error:
            opened.append(error)

    thread = Thread(target=wait, daemon=True)
    thread.start()
    thread.join(WRITER_SECONDS)
    if thread.is_alive():
        write_nothing(path)
        raise CorpusError(
            f"{path}: cannot be read (this is a pipe that nobody has written to for "
            f"{WRITER_SECONDS:g} s); start its writer first, or give the path of a text file"
        )
    if isinstance(opened[0], OSError):
        raise opened[0]
    return opened[0]
