"""What a view shows in all of its states, in a few small files that a page loads when they are
needed.

A file holds PER_FILE states: the strings that occur in them, each once, and for each state their
numbers. It is JSON, gzipped, in base64, within one call of JavaScript: a page that is opened as a
file may load a script, and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from book.drawing import Drawn, document, drawn
from seqkd_lab.corpus.visible import visible_lines
from seqkd_lab.files import make_folder, write_atomically
from seqkd_lab.lab.shared.picture import make_visible
from seqkd_lab.lab.shared.view import View

PER_FILE = 400


@dataclass(frozen=True)
class Shown:
    """What a view shows in one state: SVG of what stands still and of what moves, and its words
    (HTML)."""

    still: str
    moving: tuple[str, ...]
    words: str

    @property
    def picture(self) -> str:
        """The elements of the whole picture."""
        return self.still + "".join(self.moving)


class Recorder:
    """Reads a view's picture and words; what stands still is drawn again only where it was
    renewed."""

    def __init__(self, view: View, prefix: str) -> None:
        self.view, self.prefix = view, prefix
        self.states: list[Shown] = []
        self._still, self._n_renewed = Drawn((), {}), -1

    def shown(self) -> Shown:
        """Return what the view shows now."""
        picture = self.view.picture
        if picture.n_renewed != self._n_renewed:
            make_visible(picture.figure)
            self._still = drawn([picture.figure], picture.figure, self.prefix)
            self._n_renewed = picture.n_renewed
        for artist in picture.animated:
            make_visible(artist)
        moving = drawn(picture.animated, picture.figure, self.prefix)
        known = self._still.definitions
        new = [part for name, part in moving.definitions.items() if name not in known]
        elements = (document((), new), *moving.elements) if new else moving.elements
        return Shown(
            document(self._still.elements, list(known.values())),
            elements,
            visible_lines(self.view.words),
        )

    def record(self) -> None:
        """Keep what the view shows now as the next state."""
        self.states.append(self.shown())


def packed(states: Sequence[Shown]) -> str:
    """Return states as base64 of gzipped JSON; the same states give the same text."""
    numbers: dict[str, int] = {}

    def number(text: str) -> int:
        return numbers.setdefault(text, len(numbers))

    rows = [[number(s.still), number(s.words), *map(number, s.moving)] for s in states]
    content = json.dumps({"strings": list(numbers), "states": rows}, ensure_ascii=False)
    return base64.b64encode(gzip.compress(content.encode(), 9, mtime=0)).decode()


def unpacked(text: str) -> Iterator[Shown]:
    """Return the states that `packed` made a text of."""
    content = json.loads(gzip.decompress(base64.b64decode(text)))
    for still, words, *moving in content["states"]:
        strings = content["strings"]
        yield Shown(strings[still], tuple(strings[m] for m in moving), strings[words])


def write_files(states: Sequence[Shown], folder: Path, name: str) -> int:
    """Write the states of the view `name` as files in `folder`; return how many bytes they have."""
    make_folder(folder)
    n_bytes = 0
    for number, start in enumerate(range(0, len(states), PER_FILE)):
        content = packed(states[start : start + PER_FILE])
        script = f'seqkdStates("{name}",{number},"{content}");\n'
        write_atomically(folder / f"{number}.js", script.encode())
        n_bytes += len(script)
    return n_bytes
